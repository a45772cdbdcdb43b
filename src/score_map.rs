//! One picture's raw anomaly scores on the CPU. What the scores mean is up to the model; higher is more anomalous.

/// Raw anomaly scores of one picture, row-major, in *input* space (the pixels the network saw).
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreMap {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl ScoreMap {
    /// Wraps `height * width` row-major values; `None` when the length does not fit or the map is empty.
    pub fn new(width: usize, height: usize, values: Vec<f32>) -> Option<Self> {
        (width > 0 && height > 0 && values.len() == width * height).then_some(Self {
            width,
            height,
            values,
        })
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn height(&self) -> usize {
        self.height
    }

    /// Row-major scores, `height * width` of them.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The score at column `x`, row `y`; `None` outside the map.
    pub fn at(&self, x: usize, y: usize) -> Option<f32> {
        (x < self.width && y < self.height).then(|| self.values[y * self.width + x])
    }

    /// The largest score: the picture's own score for models that define it so.
    pub fn max(&self) -> f32 {
        self.values
            .iter()
            .copied()
            .fold(f32::NEG_INFINITY, f32::max)
    }

    /// Bilinear resampling with half-pixel centres (no antialiasing when shrinking), as the models upsample their maps.
    #[must_use]
    pub fn resized(&self, width: usize, height: usize) -> Self {
        let columns = axis(self.width, width);
        let rows = axis(self.height, height);
        let mut values = Vec::with_capacity(width * height);
        for &(y0, y1, wy) in &rows {
            let upper = &self.values[y0 * self.width..][..self.width];
            let lower = &self.values[y1 * self.width..][..self.width];
            values.extend(columns.iter().map(|&(x0, x1, wx)| {
                let top = upper[x0] + (upper[x1] - upper[x0]) * wx;
                let bottom = lower[x0] + (lower[x1] - lower[x0]) * wx;
                top + (bottom - top) * wy
            }));
        }
        Self {
            width,
            height,
            values,
        }
    }
}

/// Source pair and weight of the second for each output sample of one axis.
fn axis(from: usize, to: usize) -> Vec<(usize, usize, f32)> {
    let scale = from as f64 / to as f64;
    (0..to)
        .map(|i| {
            let position = ((i as f64 + 0.5) * scale - 0.5).max(0.0);
            let first = (position as usize).min(from - 1);
            let second = (first + 1).min(from - 1);
            (first, second, (position - first as f64) as f32)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::ScoreMap;

    #[test]
    fn a_map_of_the_wrong_length_is_refused() {
        assert!(ScoreMap::new(2, 2, vec![0.0; 3]).is_none());
        assert!(ScoreMap::new(0, 2, vec![]).is_none());
    }

    #[test]
    fn resizing_matches_the_half_pixel_vector() {
        let map = ScoreMap::new(2, 2, vec![0.0, 1.0, 2.0, 4.0]).expect("2 x 2");
        let expected = [
            0.0, 0.25, 0.75, 1.0, 0.5, 0.8125, 1.4375, 1.75, 1.5, 1.9375, 2.8125, 3.25, 2.0, 2.5,
            3.5, 4.0,
        ];
        assert_eq!(map.resized(4, 4).values(), expected);
    }

    #[test]
    fn a_constant_map_stays_constant_at_any_size() {
        let map = ScoreMap::new(3, 2, vec![0.7; 6]).expect("3 x 2");
        assert!(map.resized(7, 5).values().iter().all(|&v| v == 0.7));
    }
}
