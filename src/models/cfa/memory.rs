//! The memory bank: the descriptor's view of the mean normal picture, fixed before training starts.

use candle_core::{DType, Result, Tensor, bail};
use rand::Rng;

use super::config::TapScaling;
use super::network::Descriptor;
use crate::ops::kmeans::cluster_centres;

/// What one pass over the encoded training set gathers.
#[derive(Debug, Default)]
pub(super) struct TapStatistics {
    pictures: usize,
    /// Per tap: the sum over pictures `(1, C, h, w)`, `f64`.
    sums: Vec<Tensor>,
    /// Per tap: the sum of squares over everything.
    squares: Vec<f64>,
}

impl TapStatistics {
    /// Adds one encoded batch.
    pub(super) fn add(&mut self, batch: &[Tensor]) -> Result<()> {
        let Some(first) = batch.first() else {
            bail!("an encoded batch has no taps")
        };
        let taps = batch
            .iter()
            .map(|tap| tap.to_dtype(DType::F64))
            .collect::<Result<Vec<_>>>()?;
        if self.pictures == 0 {
            self.sums = taps
                .iter()
                .map(|tap| tap.narrow(0, 0, 1)?.zeros_like())
                .collect::<Result<_>>()?;
            self.squares = vec![0.0; taps.len()];
        }
        if taps.len() != self.sums.len() {
            bail!(
                "encoded batches have {} and {} taps",
                self.sums.len(),
                taps.len()
            );
        }
        for ((tap, sum), squares) in taps.iter().zip(&mut self.sums).zip(&mut self.squares) {
            *sum = (&*sum + tap.sum_keepdim(0)?)?;
            *squares += tap.sqr()?.sum_all()?.to_scalar::<f64>()?;
        }
        self.pictures += first.dim(0)?;
        Ok(())
    }

    /// The mean over pictures of each tap: `(1, C, h, w)`, `f32`.
    pub(super) fn means(&self) -> Result<Vec<Tensor>> {
        if self.pictures == 0 {
            bail!("the memory bank needs at least one training picture");
        }
        self.sums
            .iter()
            .map(|sum| (sum / self.pictures as f64)?.to_dtype(DType::F32))
            .collect()
    }

    /// Each tap's standard deviation over pictures, channels and positions.
    fn deviations(&self) -> Result<Vec<f64>> {
        let taps = self.sums.iter().zip(&self.squares).map(|(sum, squares)| {
            let count = (sum.elem_count() * self.pictures) as f64;
            let mean = sum.sum_all()?.to_scalar::<f64>()? / count;
            Ok((squares / count - mean * mean).max(0.0).sqrt())
        });
        taps.collect()
    }

    /// The factor each tap is multiplied with. A tap that never varies keeps its size.
    pub(super) fn factors(&self, scaling: TapScaling) -> Result<Vec<f32>> {
        match scaling {
            TapScaling::None => Ok(vec![1.0; self.sums.len()]),
            TapScaling::ChannelCount => self
                .sums
                .iter()
                .map(|sum| Ok(1.0 / sum.dim(1)? as f32))
                .collect(),
            TapScaling::StandardDeviation { target } => {
                let factor = |deviation: f64| {
                    if deviation > 0.0 {
                        (f64::from(target) / deviation) as f32
                    } else {
                        1.0
                    }
                };
                Ok(self.deviations()?.into_iter().map(factor).collect())
            }
        }
    }
}

/// The centres `(N, D)`: the mean embedding at each position, thinned out by k-means to one in `gamma_c`.
///
/// The descriptor is linear, so the mean embedding is the embedding of the mean taps.
pub(super) fn centres(
    descriptor: &Descriptor,
    mean_taps: &[Tensor],
    gamma_c: usize,
    generator: &mut impl Rng,
) -> Result<Tensor> {
    let centres = descriptor.embed(mean_taps)?;
    match gamma_c {
        0 | 1 => Ok(centres),
        _ => cluster_centres(&centres, (centres.dim(0)? / gamma_c).max(1), generator),
    }
}

#[cfg(test)]
mod tests {
    use super::{Descriptor, TapScaling, TapStatistics, centres};
    use candle_core::{Device, Result, Tensor};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn batch(pictures: usize, seed: f32) -> Vec<Tensor> {
        let tap = |c: usize, size: usize, scale: f32| {
            let values: Vec<f32> = (0..pictures * c * size * size)
                .map(|i| scale * (i as f32 * 0.7 + seed).sin() + 1.0)
                .collect();
            Tensor::from_vec(values, (pictures, c, size, size), &Device::Cpu).unwrap()
        };
        vec![tap(3, 6, 10.0), tap(5, 3, 0.1)]
    }

    fn statistics(batches: &[Vec<Tensor>]) -> TapStatistics {
        let mut statistics = TapStatistics::default();
        for batch in batches {
            statistics.add(batch).unwrap();
        }
        statistics
    }

    #[test]
    fn the_bank_is_the_mean_embedding_of_all_pictures_even_in_uneven_batches() -> Result<()> {
        let batches = [batch(4, 0.0), batch(1, 2.0)];
        let mut generator = ChaCha8Rng::seed_from_u64(5);
        let descriptor = Descriptor::random(&[3, 5], 6, &Device::Cpu, &mut generator)?;
        let bank = centres(
            &descriptor,
            &statistics(&batches).means()?,
            1,
            &mut generator,
        )?;
        let mut sum = bank.zeros_like()?;
        for batch in &batches {
            for i in 0..batch[0].dim(0)? {
                let taps = batch
                    .iter()
                    .map(|tap| tap.narrow(0, i, 1))
                    .collect::<Result<Vec<_>>>()?;
                sum = (sum + descriptor.embed(&taps)?)?;
            }
        }
        let difference = ((sum / 5.0)? - &bank)?
            .abs()?
            .max_all()?
            .to_scalar::<f32>()?;
        assert!(difference < 1e-5);
        assert_eq!(bank.dims(), [36, 6]);
        assert_eq!(
            centres(
                &descriptor,
                &statistics(&batches).means()?,
                5,
                &mut generator
            )?
            .dims(),
            [7, 6]
        );
        Ok(())
    }

    #[test]
    fn factors_bring_each_tap_to_the_wanted_spread() -> Result<()> {
        let batches = [batch(3, 0.0), batch(2, 1.0)];
        let factors =
            statistics(&batches).factors(TapScaling::StandardDeviation { target: 0.5 })?;
        let scaled: Vec<Vec<Tensor>> = batches
            .iter()
            .map(|batch| {
                batch
                    .iter()
                    .zip(&factors)
                    .map(|(tap, &f)| tap.affine(f.into(), 0.0))
                    .collect::<Result<_>>()
            })
            .collect::<Result<_>>()?;
        for deviation in statistics(&scaled).deviations()? {
            assert!((deviation - 0.5).abs() < 1e-5);
        }
        assert_eq!(
            statistics(&batches).factors(TapScaling::ChannelCount)?,
            [1.0 / 3.0, 1.0 / 5.0]
        );
        assert_eq!(statistics(&batches).factors(TapScaling::None)?, [1.0, 1.0]);
        Ok(())
    }

    #[test]
    fn a_constant_tap_keeps_its_size_and_no_pictures_are_an_error() -> Result<()> {
        let constant = vec![Tensor::full(2.0_f32, (2, 3, 4, 4), &Device::Cpu)?];
        let factors =
            statistics(&[constant]).factors(TapScaling::StandardDeviation { target: 1.0 })?;
        assert_eq!(factors, [1.0]);
        assert!(TapStatistics::default().means().is_err());
        assert!(TapStatistics::default().add(&[]).is_err());
        Ok(())
    }
}
