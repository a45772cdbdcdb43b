//! Feature vectors of single positions ("fibres"), taken out of the taps of a batch of pictures.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Row and column of a fibre in its picture's grid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    pub row: usize,
    pub column: usize,
}

/// How a tap's channels are brought to one size: `(x - shift) * factor`, one pair a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Standard {
    pub shift: Vec<f32>,
    pub factor: Vec<f32>,
}

/// One tap's features of a batch of pictures.
#[derive(Debug, Clone, Copy)]
pub struct TapValues<'a> {
    /// `(B, C, h, w)`, row-major.
    pub values: &'a [f32],
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub standard: &'a Standard,
}

/// Chosen fibres of a tap.
#[derive(Debug, Clone, Copy)]
pub struct Fibres<'a> {
    pub tap: TapValues<'a>,
    /// Numbers of the fibres: picture by picture, row by row.
    pub chosen: &'a [u32],
}

impl Fibres<'_> {
    pub fn count(&self) -> usize {
        self.chosen.len()
    }

    /// Writes the chosen fibres from number `start` on: as many as `places` holds, C values each into `values`.
    pub fn gather(&self, start: usize, values: &mut [f32], places: &mut [Place]) {
        let TapValues {
            channels,
            height,
            width,
            standard,
            ..
        } = self.tap;
        let cells = height * width;
        let rows = values.chunks_exact_mut(channels);
        for ((row, place), &fibre) in rows.zip(places).zip(&self.chosen[start..]) {
            let (picture, cell) = (fibre as usize / cells, fibre as usize % cells);
            *place = Place {
                row: cell / width,
                column: cell % width,
            };
            let source = &self.tap.values[picture * channels * cells + cell..];
            let standard = standard.shift.iter().zip(&standard.factor);
            for ((value, (shift, factor)), channel) in row.iter_mut().zip(standard).zip(0..) {
                *value = (source[channel * cells] - shift) * factor;
            }
        }
    }
}

/// All fibres of a batch in the order in which training sees them: a permutation drawn anew for every batch and scale, the
/// same on every machine.
pub fn order(fibres: usize, seed: u64, epoch: usize, batch: usize, scale: usize) -> Vec<u32> {
    let mut key = [0; 32];
    for (part, number) in
        key.chunks_exact_mut(8)
            .zip([seed, epoch as u64, batch as u64, scale as u64])
    {
        part.copy_from_slice(&number.to_le_bytes());
    }
    let mut generator = ChaCha8Rng::from_seed(key);
    let mut order: Vec<u32> = (0..fibres as u32).collect();
    shuffle(&mut order, &mut generator);
    order
}

/// Fisher and Yates.
fn shuffle(values: &mut [u32], generator: &mut impl rand::Rng) {
    for last in (1..values.len()).rev() {
        // The bias of a 64-bit product against a few million fibres is below 1e-12.
        let chosen = (u128::from(generator.next_u64()) * (last as u128 + 1)) >> 64;
        values.swap(last, chosen as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::{Fibres, Place, Standard, TapValues, order};

    #[test]
    fn fibres_are_columns_of_the_tap_in_natural_order() {
        let (channels, height, width) = (3, 2, 2);
        let values: Vec<f32> = (0..2 * 12).map(|i| i as f32).collect();
        let standard = Standard {
            shift: vec![0.0, 4.0, 0.0],
            factor: vec![1.0, 1.0, 0.5],
        };
        let tap = TapValues {
            values: &values,
            channels,
            height,
            width,
            standard: &standard,
        };
        let fibres = Fibres {
            tap,
            chosen: &[1, 7, 4],
        };
        let mut out = vec![0.0; 6];
        let mut places = vec![Place::default(); 2];
        fibres.gather(1, &mut out, &mut places);
        assert_eq!(out, [15.0, 15.0, 11.5, 12.0, 12.0, 10.0]);
        assert_eq!(
            places,
            [Place { row: 1, column: 1 }, Place { row: 0, column: 0 }]
        );
    }

    #[test]
    fn the_order_is_a_permutation_that_changes_with_every_batch_and_scale() {
        let base = order(1000, 1, 2, 3, 0);
        let mut sorted = base.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<u32>>());
        assert_eq!(base, order(1000, 1, 2, 3, 0));
        for other in [
            order(1000, 0, 2, 3, 0),
            order(1000, 1, 1, 3, 0),
            order(1000, 1, 2, 2, 0),
            order(1000, 1, 2, 3, 1),
        ] {
            assert_ne!(base, other);
        }
    }
}
