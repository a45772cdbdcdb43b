//! Multi-size self-attention: patches of four sizes look at each other, and a residual block joins what they saw.

use std::sync::Arc;

use candle_core::{D, Device, Result, Tensor, Var, bail};

use super::config::AttentionForm;
use super::layers::{After, Builder, Layer, Pass, Shape};

/// Patches along each side of the grid.
const GRIDS: [usize; 4] = [1, 2, 4, 8];
/// Tokens along a side of the finest grid; all others are made of these.
const FINEST: usize = 8;
const TOKENS: usize = FINEST * FINEST;

/// One module at one scale: `(B, C, h, w)` to the same, without a skip around it.
pub struct Attention {
    form: Form,
    conv1: Arc<Layer>,
    conv2: Arc<Layer>,
    skip: Arc<Layer>,
}

enum Form {
    Channels {
        query: Arc<Layer>,
        key: Arc<Layer>,
        value: Arc<Layer>,
    },
    /// Query, key and value of each grid.
    ElementWise(Vec<[Affine; 3]>),
}

/// `weight * token + bias`, both of a token's length.
struct Affine {
    weight: Var,
    bias: Var,
}

impl Affine {
    fn new(name: &str, length: usize, builder: &mut Builder) -> Result<Self> {
        Ok(Self {
            weight: builder.uniform(&format!("{name}.weight"), &[length], 1.0)?,
            bias: builder.uniform(&format!("{name}.bias"), &[length], 1.0)?,
        })
    }

    fn apply(&self, tokens: &Tensor) -> Result<Tensor> {
        tokens
            .broadcast_mul(&self.weight)?
            .broadcast_add(&self.bias)
    }
}

impl Attention {
    /// For `(C, h, w)`; the size matters to the element-wise form alone.
    pub fn new(
        name: &str,
        form: AttentionForm,
        (channels, height, width): (usize, usize, usize),
        builder: &mut Builder,
    ) -> Result<Self> {
        let named = |part: &str| format!("{name}.{part}");
        let form = match form {
            AttentionForm::Channels => {
                let shape = Shape::dense(channels, channels, 1);
                Form::Channels {
                    query: builder.conv(&named("query"), shape)?,
                    key: builder.conv(&named("key"), shape)?,
                    value: builder.conv(&named("value"), shape)?,
                }
            }
            AttentionForm::ElementWise => {
                let mut grids = Vec::new();
                for grid in GRIDS {
                    let length = channels * patch(height, grid) * patch(width, grid);
                    let mut affine = |part: &str| {
                        Affine::new(&named(&format!("{part}.{grid}")), length, builder)
                    };
                    grids.push([affine("query")?, affine("key")?, affine("value")?]);
                }
                Form::ElementWise(grids)
            }
        };
        let all = channels * GRIDS.len();
        let joining = Shape::dense(all, channels, 3);
        let inner = Shape::dense(channels, channels, 3);
        Ok(Self {
            form,
            conv1: builder.conv_norm(&named("conv1"), &named("norm1"), joining)?,
            conv2: builder.conv_norm(&named("conv2"), &named("norm2"), inner)?,
            skip: builder.conv(&named("skip"), Shape::dense(all, channels, 1))?,
        })
    }

    pub fn forward(&self, pixels: &Tensor, pass: &mut Pass) -> Result<Tensor> {
        let seen = match &self.form {
            Form::Channels { query, key, value } => {
                let mut run = |layer: &Layer| layer.forward(pixels, After::Nothing, pass);
                attend_at_all_sizes(&run(query)?, &run(key)?, &run(value)?)?
            }
            Form::ElementWise(grids) => element_wise(grids, pixels)?,
        }; // (B, 4C, h, w)
        let inner = self.conv1.forward(&seen, After::Relu, pass)?;
        let inner = self.conv2.forward(&inner, After::Nothing, pass)?;
        (inner + self.skip.forward(&seen, After::Nothing, pass)?)?.relu()
    }
}

/// A patch's side, when so many cover a side of the map.
fn patch(side: usize, grid: usize) -> usize {
    side.div_ceil(FINEST) * FINEST / grid
}

fn element_wise(grids: &[[Affine; 3]], pixels: &Tensor) -> Result<Tensor> {
    let (_, channels, height, width) = pixels.dims4()?;
    let whole = padded(pixels)?;
    let mut seen = Vec::with_capacity(grids.len());
    for ([query, key, value], grid) in grids.iter().zip(GRIDS) {
        let tokens = patchify(&whole, grid)?;
        let length = tokens.dim(2)?;
        let attended = attend(
            &query.apply(&tokens)?,
            &key.apply(&tokens)?,
            &value.apply(&tokens)?,
            1.0 / length as f64,
        )?;
        seen.push(unpatchify(
            &attended,
            grid,
            (channels, patch(height, 1), patch(width, 1)),
        )?);
    }
    cropped(&Tensor::cat(&seen, 1)?, height, width)
}

/// `softmax(Q K^T * scale) V` of tokens `(B, T, L)`.
fn attend(query: &Tensor, key: &Tensor, value: &Tensor, scale: f64) -> Result<Tensor> {
    let scores = query.matmul(&key.t()?)?; // (B, T, T)
    softmax(&(scores * scale)?)?.matmul(value)
}

/// Over the last dimension.
fn softmax(scores: &Tensor) -> Result<Tensor> {
    let largest = scores.detach().max_keepdim(D::Minus1)?;
    let powers = scores.broadcast_sub(&largest)?.exp()?;
    powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)
}

/// Attention among patches of all four sizes, `(B, 4C, h, w)`, largest patches first, from one cut into the smallest.
///
/// A large patch is a square of small ones, so its score with another is the sum of the scores of the small ones in the
/// same place of either, and what it takes of the other's values it takes place by place.
fn attend_at_all_sizes(query: &Tensor, key: &Tensor, value: &Tensor) -> Result<Tensor> {
    let (_, channels, height, width) = query.dims4()?;
    let value = padded(value)?;
    let query = patchify(&padded(query)?, FINEST)?; // (B, 64, L)
    let key = patchify(&padded(key)?, FINEST)?;
    let values = patchify(&value, FINEST)?;
    let scores = query.matmul(&key.t()?)?; // (B, 64, 64)
    let length = values.dim(2)?;
    let mut weights = Vec::with_capacity(GRIDS.len() - 1);
    for grid in &GRIDS[1..] {
        let places = Places::new(*grid, scores.device())?;
        let tokens = length * TOKENS / (grid * grid);
        weights.push(places.weights(&scores, 1.0 / (tokens as f64).sqrt())?);
    }
    let taken = Tensor::cat(&weights, 1)?.matmul(&values)?; // (B, 3 * 64, L)
    let size = (channels, patch(height, 1), patch(width, 1));
    // A single patch takes all of itself.
    let mut seen = vec![value];
    for index in 0..weights.len() {
        seen.push(unpatchify(
            &taken.narrow(1, index * TOKENS, TOKENS)?,
            FINEST,
            size,
        )?);
    }
    cropped(&Tensor::cat(&seen, 1)?, height, width)
}

/// How the smallest patches make up those of a coarser grid.
struct Places {
    grid: usize,
    /// `(grid^2, 64)`: 1 where the small patch is part of the large one.
    parts: Tensor,
    /// `(64, 64)`: 1 where two small patches have the same place in their large ones.
    same_place: Tensor,
}

impl Places {
    fn new(grid: usize, device: &Device) -> Result<Self> {
        let ratio = FINEST / grid;
        let split = |token: usize| {
            let (row, column) = (token / FINEST, token % FINEST);
            let whole = row / ratio * grid + column / ratio;
            (whole, row % ratio * ratio + column % ratio)
        };
        let mut parts = vec![0.0_f32; grid * grid * TOKENS];
        let mut same_place = vec![0.0_f32; TOKENS * TOKENS];
        for a in 0..TOKENS {
            let (whole, place) = split(a);
            parts[whole * TOKENS + a] = 1.0;
            for b in 0..TOKENS {
                same_place[a * TOKENS + b] = f32::from(u8::from(split(b).1 == place));
            }
        }
        Ok(Self {
            grid,
            parts: Tensor::from_vec(parts, (1, grid * grid, TOKENS), device)?,
            same_place: Tensor::from_vec(same_place, (1, TOKENS, TOKENS), device)?,
        })
    }

    /// What each small patch takes of each other, `(B, 64, 64)`, from the scores `(B, 64, 64)`.
    fn weights(&self, scores: &Tensor, scale: f64) -> Result<Tensor> {
        if self.grid == FINEST {
            return softmax(&(scores * scale)?);
        }
        let parts = self.parts.repeat((scores.dim(0)?, 1, 1))?;
        let across = parts.t()?.contiguous()?;
        let matching = scores.broadcast_mul(&self.same_place)?;
        let coarse = parts.matmul(&matching)?.matmul(&across)?; // (B, g^2, g^2)
        let weights = softmax(&(coarse * scale)?)?;
        across
            .matmul(&weights)?
            .matmul(&parts)?
            .broadcast_mul(&self.same_place)
    }
}

/// `(B, C, H, W)` to `(B, grid^2, C * H/grid * W/grid)`: patches row by row, each in the order channel, row, column.
fn patchify(pixels: &Tensor, grid: usize) -> Result<Tensor> {
    let (batch, channels, height, width) = pixels.dims4()?;
    if !height.is_multiple_of(grid) || !width.is_multiple_of(grid) {
        bail!("{height} x {width} cells cannot be cut into {grid} x {grid} patches");
    }
    let (rows, columns) = (height / grid, width / grid);
    pixels
        .reshape(&[batch, channels, grid, rows, grid, columns])?
        .permute([0, 2, 4, 1, 3, 5])?
        .contiguous()?
        .reshape((batch, grid * grid, channels * rows * columns))
}

/// The way back.
fn unpatchify(
    tokens: &Tensor,
    grid: usize,
    (channels, height, width): (usize, usize, usize),
) -> Result<Tensor> {
    let batch = tokens.dim(0)?;
    tokens
        .reshape(&[batch, grid, grid, channels, height / grid, width / grid])?
        .permute([0, 3, 1, 4, 2, 5])?
        .contiguous()?
        .reshape((batch, channels, height, width))
}

/// Zeros below and to the right, so that the smallest patches come out even.
fn padded(pixels: &Tensor) -> Result<Tensor> {
    let (_, _, height, width) = pixels.dims4()?;
    pixels
        .pad_with_zeros(2, 0, patch(height, 1) - height)?
        .pad_with_zeros(3, 0, patch(width, 1) - width)
}

fn cropped(pixels: &Tensor, height: usize, width: usize) -> Result<Tensor> {
    pixels
        .narrow(2, 0, height)?
        .narrow(3, 0, width)?
        .contiguous()
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor, Var};

    use super::{
        FINEST, GRIDS, attend, attend_at_all_sizes, cropped, padded, patch, patchify, unpatchify,
    };

    fn numbers(dims: &[usize], salt: f64) -> Tensor {
        let count: usize = dims.iter().product();
        let value = |i: usize| ((i as f64 + 1.0) * 0.7 + salt).sin() as f32;
        Tensor::from_vec((0..count).map(value).collect(), dims, &Device::Cpu).unwrap()
    }

    #[test]
    fn a_patch_is_read_by_channel_then_row_then_column() {
        let values: Vec<f32> = (0..32_u8).map(f32::from).collect();
        let pixels = Tensor::from_vec(values, (1, 2, 4, 4), &Device::Cpu).unwrap();
        let tokens = patchify(&pixels, 2).unwrap();
        assert_eq!(
            tokens.to_vec3::<f32>().unwrap()[0],
            [
                [0., 1., 4., 5., 16., 17., 20., 21.],
                [2., 3., 6., 7., 18., 19., 22., 23.],
                [8., 9., 12., 13., 24., 25., 28., 29.],
                [10., 11., 14., 15., 26., 27., 30., 31.],
            ]
        );
        let back = unpatchify(&tokens, 2, (2, 4, 4)).unwrap();
        let all = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(all(&back), all(&pixels));
    }

    /// One size after the other.
    fn reference(query: &Tensor, key: &Tensor, value: &Tensor) -> Tensor {
        let (_, channels, height, width) = query.dims4().unwrap();
        let of = |tensor: &Tensor, grid| patchify(&padded(tensor).unwrap(), grid).unwrap();
        let seen: Vec<Tensor> = GRIDS
            .into_iter()
            .map(|grid| {
                let values = of(value, grid);
                let scale = 1.0 / (values.dim(2).unwrap() as f64).sqrt();
                let taken = attend(&of(query, grid), &of(key, grid), &values, scale).unwrap();
                unpatchify(&taken, grid, (channels, patch(height, 1), patch(width, 1))).unwrap()
            })
            .collect();
        cropped(&Tensor::cat(&seen, 1).unwrap(), height, width).unwrap()
    }

    fn assert_close(found: &Tensor, expected: &Tensor) {
        assert_eq!(found.dims(), expected.dims());
        let largest = |t: &Tensor| {
            t.abs()
                .unwrap()
                .max_all()
                .unwrap()
                .to_scalar::<f32>()
                .unwrap()
        };
        let difference = largest(&(found - expected).unwrap());
        assert!(
            difference < 1e-5 * largest(expected).max(1.0),
            "{difference}"
        );
    }

    #[test]
    fn all_sizes_at_once_are_the_sizes_one_by_one_forward_and_backward() {
        for (height, width) in [(8, 8), (16, 24), (11, 5), (1, 1)] {
            let inputs = [0.1, 0.5, 0.9]
                .map(|salt| Var::from_tensor(&numbers(&[2, 3, height, width], salt)).unwrap());
            let [query, key, value] = &inputs;
            let quick = attend_at_all_sizes(query, key, value).unwrap();
            let plain = reference(query, key, value);
            assert_eq!(quick.dims(), [2, 12, height, width]);
            assert_close(&quick, &plain);
            let seed = numbers(quick.dims(), 0.3);
            let quick = (quick * &seed)
                .unwrap()
                .sum_all()
                .unwrap()
                .backward()
                .unwrap();
            let plain = (plain * &seed)
                .unwrap()
                .sum_all()
                .unwrap()
                .backward()
                .unwrap();
            for input in &inputs {
                assert_close(quick.get(input).unwrap(), plain.get(input).unwrap());
            }
        }
    }

    #[test]
    fn a_single_patch_is_taken_whole() {
        let value = numbers(&[1, 2, FINEST, FINEST], 0.2);
        let seen = attend_at_all_sizes(&value, &value, &value).unwrap();
        assert_close(&seen.narrow(1, 0, 2).unwrap(), &value);
    }

    #[test]
    fn maps_that_cannot_be_cut_are_refused() {
        assert!(patchify(&numbers(&[1, 1, 6, 8], 0.0), 4).is_err());
    }
}
