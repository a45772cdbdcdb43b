//! Means and spreads of a tap's channels over the training set, and the standard they give.

use super::config::TapStandard;
use super::fibres::Standard;

/// Sums over everything seen of one tap.
#[derive(Debug, Clone)]
pub(super) struct ChannelStatistics {
    count: f64,
    sums: Vec<f64>,
    squares: Vec<f64>,
}

impl ChannelStatistics {
    pub(super) fn new(channels: usize) -> Self {
        Self {
            count: 0.0,
            sums: vec![0.0; channels],
            squares: vec![0.0; channels],
        }
    }

    /// Adds `(B, C, h, w)` values with `cells = h * w`.
    pub(super) fn add(&mut self, values: &[f32], cells: usize) {
        let channels = self.sums.len();
        for picture in values.chunks_exact(cells * channels) {
            for ((plane, sum), squares) in picture
                .chunks_exact(cells)
                .zip(&mut self.sums)
                .zip(&mut self.squares)
            {
                *sum += plane.iter().map(|&x| f64::from(x)).sum::<f64>();
                *squares += plane
                    .iter()
                    .map(|&x| f64::from(x) * f64::from(x))
                    .sum::<f64>();
            }
            self.count += cells as f64;
        }
    }

    /// What brings the tap to the wanted size. What never varies keeps its size.
    pub(super) fn standard(&self, wanted: TapStandard) -> Standard {
        let channels = self.sums.len();
        let count = self.count.max(1.0);
        let inverse = |mean: f64, square: f64| {
            let variance = square - mean * mean;
            // Below this share of the mean square the difference is rounding.
            if variance > 1e-9 * square {
                (1.0 / variance.sqrt()) as f32
            } else {
                1.0
            }
        };
        let parts = self.sums.iter().zip(&self.squares);
        match wanted {
            TapStandard::None => Standard {
                shift: vec![0.0; channels],
                factor: vec![1.0; channels],
            },
            TapStandard::Tap => {
                let all = count * channels as f64;
                let mean = self.sums.iter().sum::<f64>() / all;
                let square = self.squares.iter().sum::<f64>() / all;
                Standard {
                    shift: vec![0.0; channels],
                    factor: vec![inverse(mean, square); channels],
                }
            }
            TapStandard::Channel => Standard {
                shift: self.sums.iter().map(|sum| (sum / count) as f32).collect(),
                factor: parts
                    .map(|(sum, squares)| inverse(sum / count, squares / count))
                    .collect(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ChannelStatistics, TapStandard};

    /// Two pictures of two channels and two cells.
    fn statistics() -> ChannelStatistics {
        let mut statistics = ChannelStatistics::new(2);
        statistics.add(&[1.0, 3.0, 10.0, 10.0, 5.0, 7.0, 10.0, 10.0], 2);
        statistics
    }

    #[test]
    fn channels_come_to_mean_zero_and_spread_one_and_constants_keep_their_size() {
        let standard = statistics().standard(TapStandard::Channel);
        assert_eq!(standard.shift, [4.0, 10.0]);
        assert!((standard.factor[0] - 1.0 / 5_f32.sqrt()).abs() < 1e-6);
        assert_eq!(standard.factor[1], 1.0);
    }

    #[test]
    fn a_tap_is_scaled_as_one() {
        let standard = statistics().standard(TapStandard::Tap);
        assert_eq!(standard.shift, [0.0, 0.0]);
        // Mean 7, mean square 60.5.
        assert!((standard.factor[0] - 1.0 / 11.5_f32.sqrt()).abs() < 1e-6);
        assert_eq!(standard.factor[0], standard.factor[1]);
        let none = statistics().standard(TapStandard::None);
        assert_eq!((none.shift, none.factor), (vec![0.0; 2], vec![1.0; 2]));
    }

    #[test]
    fn nothing_seen_changes_nothing() {
        let standard = ChannelStatistics::new(1).standard(TapStandard::Channel);
        assert_eq!((standard.shift, standard.factor), (vec![0.0], vec![1.0]));
    }
}
