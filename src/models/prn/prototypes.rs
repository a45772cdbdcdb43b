//! Prototypes: what whole feature maps of good pictures look like on average, and how far a picture is from the nearest.

use candle_core::{DType, Device, Result, Tensor, bail};
use rand_chacha::ChaCha8Rng;

use super::clusters::Gram;
use super::config::ResidualForm;

/// The prototypes of one scale, `(K, C, h, w)`.
#[derive(Debug, Clone)]
pub struct Prototypes {
    maps: Tensor,
    /// `(K, C * h * w)`.
    flat: Tensor,
    /// Squared lengths, `(1, K)`.
    squares: Tensor,
}

impl Prototypes {
    /// Prototypes as they were saved.
    pub fn new(maps: Tensor) -> Result<Self> {
        let flat = maps.flatten_from(1)?;
        let squares = flat.sqr()?.sum(1)?.unsqueeze(0)?;
        Ok(Self {
            maps,
            flat,
            squares,
        })
    }

    /// The centres of `count` clusters of whole feature maps `(n, C, h, w)`.
    pub fn of(features: &Tensor, count: usize, generator: &mut ChaCha8Rng) -> Result<Self> {
        let flat = features.flatten_from(1)?; // (n, C * h * w)
        let Some(gram) = gram(&flat)? else {
            bail!("there are no pictures to make prototypes of")
        };
        let mut centres = Vec::with_capacity(count);
        for mut members in gram.clusters(count, generator) {
            members.sort_unstable();
            let members: Vec<u32> = members.iter().map(|&member| member as u32).collect();
            let members = Tensor::new(members, features.device())?;
            centres.push(features.index_select(&members, 0)?.mean_keepdim(0)?);
        }
        Self::new(Tensor::cat(&centres, 0)?)
    }

    pub fn maps(&self) -> &Tensor {
        &self.maps
    }

    /// Which prototype is nearest to each of the maps `(B, C, h, w)`, by the distance between whole maps: `(B)`.
    pub fn nearest(&self, features: &Tensor) -> Result<Tensor> {
        let products = features.flatten_from(1)?.matmul(&self.flat.t()?)?; // (B, K)
        // The maps' own lengths are the same for all prototypes.
        (products * -2.0)?.broadcast_add(&self.squares)?.argmin(1)
    }

    /// How far each of the maps `(B, C, h, w)` is from its nearest prototype, element by element.
    pub fn residual(&self, features: &Tensor, form: ResidualForm) -> Result<Tensor> {
        let nearest = self.maps.index_select(&self.nearest(features)?, 0)?;
        let difference = (features - nearest)?;
        match form {
            ResidualForm::Square => difference.sqr(),
            ResidualForm::Absolute => difference.abs(),
        }
    }
}

/// Inner products of the rows `(n, D)`, seen from their mean: distances are the same, rounding is less. `None` without rows.
fn gram(rows: &Tensor) -> Result<Option<Gram>> {
    let (n, _) = rows.dims2()?;
    if n == 0 {
        return Ok(None);
    }
    let centred = rows.broadcast_sub(&rows.mean_keepdim(0)?)?;
    let products = centred.matmul(&centred.t()?)?;
    let values = products
        .to_device(&Device::Cpu)?
        .to_dtype(DType::F64)?
        .flatten_all()?
        .to_vec1()?;
    Ok(Gram::new(values, n))
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::{Prototypes, ResidualForm};

    fn maps(rows: &[[f32; 4]]) -> Tensor {
        let values = rows.concat();
        Tensor::from_vec(values, (rows.len(), 1, 2, 2), &Device::Cpu).unwrap()
    }

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn the_nearest_prototype_is_subtracted() {
        let rows = [[1., 2., 3., 0.], [0., 2., 3., 5.], [1., 1., 1., 1.]];
        let prototypes = Prototypes::new(maps(&rows)).unwrap();
        let feature = maps(&[[1., 2., 3., 4.], [1., 1., 1., 0.]]);
        let nearest = prototypes.nearest(&feature).unwrap();
        assert_eq!(nearest.to_vec1::<u32>().unwrap(), [1, 2]);
        let square = prototypes.residual(&feature, ResidualForm::Square).unwrap();
        assert_eq!(values(&square), [1., 0., 0., 1., 0., 0., 0., 1.]);
        let feature = maps(&[[-2., 2., 3., 5.]]);
        let absolute = prototypes
            .residual(&feature, ResidualForm::Absolute)
            .unwrap();
        assert_eq!(values(&absolute), [2., 0., 0., 0.]);
    }

    #[test]
    fn prototypes_are_the_means_of_alike_pictures() {
        let rows = [
            [0., 0., 0., 9.],
            [9., 9., 0., 0.],
            [2., 0., 0., 9.],
            [9., 7., 0., 0.],
        ];
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        let prototypes = Prototypes::of(&maps(&rows), 2, &mut generator).unwrap();
        let mut found: Vec<Vec<f32>> = values(prototypes.maps())
            .chunks(4)
            .map(<[f32]>::to_vec)
            .collect();
        found.sort_by(|a, b| a[0].total_cmp(&b[0]));
        assert_eq!(found, [[1., 0., 0., 9.], [9., 8., 0., 0.]]);
    }

    #[test]
    fn no_pictures_are_refused() {
        let none = Tensor::zeros((0, 1, 2, 2), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert!(Prototypes::of(&none, 1, &mut ChaCha8Rng::seed_from_u64(0)).is_err());
    }
}
