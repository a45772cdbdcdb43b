//! From pixel levels to the numbers a network was trained on, and back.

use serde::{Deserialize, Serialize};

/// Mean and standard deviation of each channel on the scale 0 to 1, as the backbone was trained with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Normalization {
    pub mean: [f32; 3],
    pub std: [f32; 3],
}

impl Normalization {
    /// What torchvision's networks and most others expect.
    pub const IMAGENET: Self = Self {
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
    };

    pub(super) fn apply(&self, channel: usize, value: f32) -> f32 {
        (value - self.mean[channel]) / self.std[channel]
    }

    /// Appends the planes `(3, H, W)` of an interleaved 8-bit picture.
    pub fn append_planes(&self, rgb: &[u8], planes: &mut Vec<f32>) {
        for channel in 0..3 {
            // 256 values only, so that a division per pixel is saved.
            let table: Vec<f32> = (0..=u8::MAX)
                .map(|level| self.apply(channel, f32::from(level) / 255.0))
                .collect();
            let levels = rgb.iter().skip(channel).step_by(3);
            planes.extend(levels.map(|&level| table[usize::from(level)]));
        }
    }

    /// The interleaved 8-bit picture that planes `(3, H, W)` were made from.
    pub fn rgb8(&self, planes: &[f32]) -> Vec<u8> {
        let pixels = planes.len() / 3;
        let level = |index: usize| {
            let (pixel, channel) = (index / 3, index % 3);
            let value = planes[channel * pixels + pixel] * self.std[channel] + self.mean[channel];
            (value * 255.0).round() as u8
        };
        (0..3 * pixels).map(level).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Normalization;

    #[test]
    fn eight_bits_come_back_from_planes() {
        let rgb: Vec<u8> = (0..=255).chain((0..=255).rev()).chain(0..=255).collect();
        let mut planes = Vec::new();
        Normalization::IMAGENET.append_planes(&rgb, &mut planes);
        assert_eq!(planes.len(), rgb.len());
        assert_eq!(Normalization::IMAGENET.rgb8(&planes), rgb);
    }
}
