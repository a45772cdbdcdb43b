//! How a picture becomes network input: resize, crop, normalise. The way back is [`super::Geometry`].

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::Size;
use super::normalization::Normalization;
use super::picture::{Picture, Pixels};
use super::{resize, rotate};

/// The side of the central crop.
const CROPPED_SIDE: usize = 224;
/// Longest input relative to its shorter side; beyond it a picture is better cut into pieces than fed whole.
const MAX_ASPECT: usize = 8;

/// How a picture becomes network input. The shorter side is resized to the number in the name, the aspect kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InputPreset {
    /// Resize to 128: a quick look, a quarter of the time and memory of 256.
    #[serde(rename = "128")]
    Resize128,
    /// Resize to 256: nothing is cut off.
    #[default]
    #[serde(rename = "256")]
    Resize256,
    /// Resize to 512: small defects, about four times the time and memory of 256.
    #[serde(rename = "512")]
    Resize512,
    /// Resize to 256, then keep the central 224 x 224: the papers' benchmark setting; blind at the border.
    #[serde(rename = "224crop")]
    Resize256Crop224,
}

impl InputPreset {
    pub const ALL: [Self; 4] = [
        Self::Resize128,
        Self::Resize256,
        Self::Resize512,
        Self::Resize256Crop224,
    ];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resize128 => "128",
            Self::Resize256 => "256",
            Self::Resize512 => "512",
            Self::Resize256Crop224 => "224crop",
        }
    }

    /// The picture's shorter side after resizing, before any crop.
    fn resized_side(self) -> usize {
        match self {
            Self::Resize128 => 128,
            Self::Resize256 | Self::Resize256Crop224 => 256,
            Self::Resize512 => 512,
        }
    }
}

impl fmt::Display for InputPreset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for InputPreset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let preset = Self::ALL.into_iter().find(|preset| preset.name() == text);
        preset.ok_or_else(|| format!("`{text}` is not an input size; use 128, 256, 512 or 224crop"))
    }
}

/// The part of the resized picture that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crop {
    pub left: usize,
    pub top: usize,
    pub size: Size,
}

/// The one input size of a model. It follows from a reference picture; pictures of another aspect are stretched to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedInputSpec")]
pub struct InputSpec {
    preset: InputPreset,
    resized: Size,
}

#[derive(Deserialize)]
struct UncheckedInputSpec {
    preset: InputPreset,
    resized: Size,
}

impl TryFrom<UncheckedInputSpec> for InputSpec {
    type Error = String;

    fn try_from(spec: UncheckedInputSpec) -> Result<Self, String> {
        let UncheckedInputSpec { preset, resized } = spec;
        let (short, long) = (
            resized.width.min(resized.height),
            resized.width.max(resized.height),
        );
        let side = preset.resized_side();
        if short == side && long <= side * MAX_ASPECT {
            Ok(Self { preset, resized })
        } else {
            Err(format!(
                "pictures cannot be resized to {resized} for the input `{preset}`; the shorter side must be {side}"
            ))
        }
    }
}

impl InputSpec {
    /// The input for pictures of this size: the preset's shorter side, the longer one rounded down, as torchvision does.
    /// Pictures more than eight times as long as wide are refused.
    pub fn for_pictures(preset: InputPreset, reference: Size) -> Result<Self> {
        let side = preset.resized_side();
        let longer = |long: usize, short: usize| (side * long / short.max(1)).max(side);
        let Size { width, height } = reference;
        let resized = if width <= height {
            Size {
                width: side,
                height: longer(height, width),
            }
        } else {
            Size {
                width: longer(width, height),
                height: side,
            }
        };
        ensure!(
            resized.width.max(resized.height) <= side * MAX_ASPECT,
            "pictures of {reference} are too long and narrow: at most {MAX_ASPECT} to 1 is possible; cut them into pieces"
        );
        Ok(Self { preset, resized })
    }

    pub fn preset(&self) -> InputPreset {
        self.preset
    }

    /// The size pictures are resized to, before the crop.
    pub fn resized(&self) -> Size {
        self.resized
    }

    /// The central crop; halves are rounded to even, as Python's `round` does in torchvision.
    pub fn crop(&self) -> Option<Crop> {
        let margin = |side: usize| ((side - CROPPED_SIDE) as f64 / 2.0).round_ties_even() as usize;
        match self.preset {
            InputPreset::Resize128 | InputPreset::Resize256 | InputPreset::Resize512 => None,
            InputPreset::Resize256Crop224 => Some(Crop {
                left: margin(self.resized.width),
                top: margin(self.resized.height),
                size: Size {
                    width: CROPPED_SIDE,
                    height: CROPPED_SIDE,
                },
            }),
        }
    }

    /// The part of the resized picture that the network sees; all of it without a crop.
    pub fn window(&self) -> Crop {
        self.crop().unwrap_or(Crop {
            left: 0,
            top: 0,
            size: self.resized,
        })
    }

    /// The size the network sees.
    pub fn size(&self) -> Size {
        self.window().size
    }
}

/// Network input `(3, H, W)`, row-major, of size [`InputSpec::size`].
pub fn to_input(
    picture: &Picture,
    spec: &InputSpec,
    normalization: &Normalization,
) -> Result<Vec<f32>> {
    let resized = resize::lanczos(picture, spec.resized)?;
    let mut input = Vec::with_capacity(spec.size().pixels() * 3);
    append(&mut input, &resized, spec, normalization);
    Ok(input)
}

/// What the network would see, before it is normalised: row-major interleaved RGB of size [`InputSpec::size`].
pub fn to_input_rgb(picture: &Picture, spec: &InputSpec) -> Result<Vec<u8>> {
    let resized = resize::lanczos(picture, spec.resized)?.to_rgb8();
    let window = spec.window();
    let rows = resized.chunks_exact(spec.resized.width * 3);
    Ok(rows
        .skip(window.top)
        .take(window.size.height)
        .flat_map(|row| &row[window.left * 3..(window.left + window.size.width) * 3])
        .copied()
        .collect())
}

/// Network inputs `(R, 3, H, W)`, row-major: the picture turned by each of R angles, in degrees counterclockwise, after
/// it was resized and before it is cropped. Nearest neighbour; the corners are black before they are normalised.
pub fn to_turned_inputs(
    picture: &Picture,
    spec: &InputSpec,
    normalization: &Normalization,
    angles: &[f64],
) -> Result<Vec<f32>> {
    let resized = resize::lanczos(picture, spec.resized)?;
    let mut inputs = Vec::with_capacity(angles.len() * spec.size().pixels() * 3);
    for &degrees in angles {
        let turned = rotate::rotated(&resized, degrees)?;
        append(&mut inputs, &turned, spec, normalization);
    }
    Ok(inputs)
}

/// The window of a picture that has been resized, one channel after the other.
fn append(
    input: &mut Vec<f32>,
    resized: &Picture,
    spec: &InputSpec,
    normalization: &Normalization,
) {
    for channel in 0..3 {
        match resized.pixels() {
            Pixels::U8(values) => {
                let table: Vec<f32> = (0..=255u8)
                    .map(|v| normalization.apply(channel, f32::from(v) / 255.0))
                    .collect();
                append_channel(input, values, spec, channel, |v| table[usize::from(v)]);
            }
            Pixels::F32(values) => append_channel(input, values, spec, channel, |v| {
                normalization.apply(channel, v)
            }),
        }
    }
}

/// One channel of the window of an interleaved picture that has been resized.
fn append_channel<T: Copy>(
    input: &mut Vec<f32>,
    values: &[T],
    spec: &InputSpec,
    channel: usize,
    convert: impl Fn(T) -> f32,
) {
    let window = spec.window();
    let rows = values.chunks_exact(spec.resized.width * 3);
    for row in rows.skip(window.top).take(window.size.height) {
        let pixels = row
            .chunks_exact(3)
            .skip(window.left)
            .take(window.size.width);
        input.extend(pixels.map(|pixel| convert(pixel[channel])));
    }
}

#[cfg(test)]
mod tests {
    use super::{
        InputPreset, InputSpec, Normalization, Picture, Pixels, Size, rotate, to_input,
        to_input_rgb, to_turned_inputs,
    };

    fn spec(preset: InputPreset, reference: Size) -> InputSpec {
        InputSpec::for_pictures(preset, reference).expect("an ordinary aspect")
    }

    fn size(width: usize, height: usize) -> Size {
        Size { width, height }
    }

    #[test]
    fn presets_keep_their_names() {
        for preset in InputPreset::ALL {
            assert_eq!(preset.to_string().parse(), Ok(preset));
            assert_eq!(
                serde_json::to_string(&preset).expect("json"),
                format!("\"{preset}\"")
            );
        }
        let names = ["128", "256", "512", "224crop"];
        assert_eq!(InputPreset::ALL.map(InputPreset::name), names);
        for unknown in ["384", "256crop", "", "-256"] {
            let text = unknown.parse::<InputPreset>().expect_err("unknown");
            assert!(names.iter().all(|name| text.contains(name)), "{text}");
        }
    }

    #[test]
    fn the_shorter_side_becomes_that_of_the_preset_and_the_longer_is_rounded_down() {
        for (preset, square, wide, tall) in [
            (InputPreset::Resize128, 128, 170, 352),
            (InputPreset::Resize256, 256, 341, 704),
            (InputPreset::Resize512, 512, 682, 1409),
            (InputPreset::Resize256Crop224, 256, 341, 704),
        ] {
            let resized = |w, h| spec(preset, size(w, h)).resized();
            assert_eq!(resized(900, 900), size(square, square));
            assert_eq!(resized(800, 600), size(wide, square));
            assert_eq!(resized(230, 633), size(square, tall));
            assert_eq!(resized(1, 1), size(square, square));
        }
    }

    #[test]
    fn only_the_crop_cuts_anything_off() {
        for preset in InputPreset::ALL {
            let spec = spec(preset, size(800, 600));
            let whole = spec.size() == spec.resized();
            assert_eq!(whole, preset != InputPreset::Resize256Crop224, "{preset}");
            assert_eq!(whole, spec.crop().is_none());
        }
    }

    #[test]
    fn the_crop_is_central_with_halves_rounded_to_even() {
        let crop = |w, h| {
            spec(InputPreset::Resize256Crop224, size(w, h))
                .crop()
                .expect("a crop")
        };
        assert_eq!((crop(900, 900).left, crop(900, 900).top), (16, 16));
        // 341 - 224 = 117: 58.5 goes to 58; 343 - 224 = 119: 59.5 goes to 60.
        assert_eq!(crop(800, 600).left, 58);
        assert_eq!(crop(1340, 1000).left, 60);
        assert_eq!(crop(800, 600).size, size(224, 224));
    }

    #[test]
    fn a_spec_survives_saving_and_an_altered_one_is_refused() {
        let spec = spec(InputPreset::Resize256Crop224, size(800, 600));
        let json = serde_json::to_string(&spec).expect("json");
        assert_eq!(
            serde_json::from_str::<InputSpec>(&json).expect("same"),
            spec
        );
        assert!(serde_json::from_str::<InputSpec>(&json.replace("256}", "200}")).is_err());
        assert!(serde_json::from_str::<InputSpec>(&json.replace("341", "99999")).is_err());
    }

    #[test]
    fn a_size_that_belongs_to_another_preset_is_refused() {
        for preset in InputPreset::ALL {
            let json = serde_json::to_string(&spec(preset, size(500, 300))).expect("json");
            for other in InputPreset::ALL {
                let altered = json.replace(&format!("\"{preset}\""), &format!("\"{other}\""));
                let read = serde_json::from_str::<InputSpec>(&altered);
                let fits = preset.resized_side() == other.resized_side();
                assert_eq!(read.is_ok(), fits, "{preset} as {other}");
            }
        }
    }

    #[test]
    fn pictures_that_are_too_long_and_narrow_are_refused() {
        for preset in InputPreset::ALL {
            assert!(InputSpec::for_pictures(preset, size(800, 100)).is_ok());
            let text = InputSpec::for_pictures(preset, size(100, 900))
                .expect_err("9 to 1")
                .to_string();
            assert!(
                text.starts_with("pictures of 100 x 900 are too long and narrow"),
                "{text}"
            );
        }
    }

    #[test]
    fn imagenet_normalisation_matches_published_values() {
        for (value, expected) in [
            (0u8, [-2.117_904, -2.035_714, -1.804_444]),
            (128, [0.074_065, 0.205_182, 0.426_492]),
            (255, [2.248_908, 2.428_571, 2.64]),
        ] {
            let picture =
                Picture::new(256, 256, Pixels::U8(vec![value; 256 * 256 * 3])).expect("square");
            let spec = spec(InputPreset::Resize256, picture.size());
            let input = to_input(&picture, &spec, &Normalization::IMAGENET).expect("input");
            for channel in 0..3 {
                assert!((input[channel * 256 * 256] - expected[channel]).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn channels_come_one_after_the_other_and_the_crop_starts_at_its_corner() {
        let values = (0..256 * 256)
            .flat_map(|i| [(i % 256) as u8, (i / 256) as u8, 9])
            .collect();
        let picture = Picture::new(256, 256, Pixels::U8(values)).expect("square");
        let spec = spec(InputPreset::Resize256Crop224, picture.size());
        let plain = Normalization {
            mean: [0.0; 3],
            std: [1.0; 3],
        };
        let input = to_input(&picture, &spec, &plain).expect("input");
        let at = |channel: usize, x: usize, y: usize| {
            (input[(channel * 224 + y) * 224 + x] * 255.0).round() as u8
        };
        assert_eq!(input.len(), 3 * 224 * 224);
        assert_eq!((at(0, 0, 0), at(1, 0, 0), at(2, 0, 0)), (16, 16, 9));
        assert_eq!((at(0, 223, 1), at(1, 223, 1)), (239, 17));
    }

    #[test]
    fn bytes_before_normalisation_are_those_behind_the_input() {
        let values = (0..300 * 200 * 3).map(|i| (i * 31 % 251) as u8);
        let picture = Picture::new(300, 200, Pixels::U8(values.collect())).expect("a picture");
        let plain = Normalization {
            mean: [0.0; 3],
            std: [1.0; 3],
        };
        for preset in InputPreset::ALL {
            let spec = spec(preset, picture.size());
            let input = to_input(&picture, &spec, &plain).expect("input");
            let rgb = to_input_rgb(&picture, &spec).expect("bytes");
            let pixels = spec.size().pixels();
            assert_eq!(rgb.len(), pixels * 3);
            for (i, &byte) in rgb.iter().enumerate() {
                let sample = input[i % 3 * pixels + i / 3] * 255.0;
                assert_eq!(sample.round() as u8, byte, "{preset} {i}");
            }
        }
    }

    #[test]
    fn a_picture_is_turned_after_resizing_and_before_the_crop() {
        let values = (0..300 * 200 * 3).map(|i| 1 + (i * 31 % 251) as u8);
        let picture = Picture::new(300, 200, Pixels::U8(values.collect())).expect("a picture");
        for preset in InputPreset::ALL {
            let spec = spec(preset, picture.size());
            let angles = [4.5, 0.0, -2.0];
            let inputs = to_turned_inputs(&picture, &spec, &Normalization::IMAGENET, &angles)
                .expect("input");
            let resized = super::resize::lanczos(&picture, spec.resized()).expect("resized");
            let each = inputs.chunks_exact(spec.size().pixels() * 3);
            assert_eq!(each.len(), angles.len());
            for (input, degrees) in each.zip(angles) {
                // A picture of the resized size is only cropped and normalised.
                let turned = rotate::rotated(&resized, degrees).expect("turned");
                let expected = to_input(&turned, &spec, &Normalization::IMAGENET).expect("input");
                assert_eq!(input, expected, "{preset} {degrees}");
            }
        }
    }

    #[test]
    fn corners_of_a_turned_picture_are_black_before_they_are_normalised() {
        let picture = Picture::new(64, 64, Pixels::U8(vec![255; 64 * 64 * 3])).expect("square");
        let spec = spec(InputPreset::Resize128, picture.size());
        let normalization = Normalization::IMAGENET;
        let input = to_turned_inputs(&picture, &spec, &normalization, &[5.0]).expect("input");
        for channel in 0..3 {
            let plane = &input[channel * 128 * 128..][..128 * 128];
            assert_eq!(plane[0], normalization.apply(channel, 0.0));
            assert_eq!(plane[64 * 128 + 64], normalization.apply(channel, 1.0));
        }
    }

    #[test]
    fn sixteen_bit_pictures_give_the_same_input_as_their_eight_bit_twins() {
        let values: Vec<u8> = (0..90 * 60 * 3).map(|i| 80 + (i * 31 % 97) as u8).collect();
        let unit = values.iter().map(|&v| f32::from(v) / 255.0).collect();
        let spec = spec(InputPreset::Resize256, size(90, 60));
        let input = |pixels| {
            let picture = Picture::new(90, 60, pixels).expect("90 x 60");
            to_input(&picture, &spec, &Normalization::IMAGENET).expect("input")
        };
        let (eight, sixteen) = (input(Pixels::U8(values)), input(Pixels::F32(unit)));
        let step = 1.5 / 255.0 / 0.224;
        assert!(
            eight
                .iter()
                .zip(&sixteen)
                .all(|(a, b)| (a - b).abs() < step)
        );
    }
}
