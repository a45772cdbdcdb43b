//! Convolution with gradients to pixels, weights and bias.
//!
//! The gradient to the pixels is itself a convolution, with the weights turned around, so both run on the kernel of
//! `ops::conv`; the gradient to the weights has its own.

use std::borrow::Cow;

use candle_core::{CpuStorage, CustomOp3, Device, Layout, Result, Shape, Tensor, bail};

use super::has_kernels;
use super::norm::channel_sums;
use super::per_channel::PerChannel;
use super::weight_gradient::weight_gradient;
use crate::ops::conv::dense::PackedWeights;
use crate::ops::conv::geometry::{Geometry, pad_tensor};
use crate::ops::conv::{Activation, Padding, contiguous};
use crate::ops::lanes::Isa;
use crate::ops::values::with_values;

/// How a convolution moves over the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub stride: usize,
    /// Zeros on each side, fewer than the kernel is wide.
    pub padding: usize,
    /// Input and output channels are cut into this many parts that do not see each other.
    pub groups: usize,
}

/// `(B, C_in, H, W)` by weights `(C_out, C_in / groups, k, k)` plus `(C_out,)` to `(B, C_out, H', W')`.
pub fn conv2d(pixels: &Tensor, weight: &Tensor, bias: &Tensor, window: Window) -> Result<Tensor> {
    let geometry = geometry(pixels, weight, bias, window)?;
    if !has_kernels(pixels) {
        return by_tensors(pixels, weight, bias, window, &geometry);
    }
    let (pixels, weight, bias) = (
        &pixels.contiguous()?,
        &weight.contiguous()?,
        &bias.contiguous()?,
    );
    if window.groups == 1 {
        return pixels.apply_op3(weight, bias, Dense { geometry });
    }
    if window.groups == geometry.channels {
        return pixels.apply_op3(weight, bias, PerChannel { geometry });
    }
    let part = |tensor: &Tensor, dimension, group| {
        let size = tensor.dim(dimension)? / window.groups;
        tensor.narrow(dimension, group * size, size)
    };
    let parts = (0..window.groups).map(|group| {
        let whole = Window {
            groups: 1,
            ..window
        };
        conv2d(
            &part(pixels, 1, group)?,
            &part(weight, 0, group)?,
            &part(bias, 0, group)?,
            whole,
        )
    });
    Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 1)
}

/// Checks that the shapes fit.
fn geometry(pixels: &Tensor, weight: &Tensor, bias: &Tensor, window: Window) -> Result<Geometry> {
    let Window {
        stride,
        padding,
        groups,
    } = window;
    let (batch, channels, height, width) = pixels.dims4()?;
    let (out_channels, group_channels, kernel, kernel_width) = weight.dims4()?;
    let parts_fit = groups > 0
        && channels > 0
        && out_channels > 0
        && channels == groups * group_channels
        && out_channels % groups == 0
        && bias.dims1()? == out_channels;
    if !parts_fit || kernel != kernel_width || padding >= kernel || stride == 0 {
        bail!(
            "a convolution of {:?} by weights {:?} and bias {:?} with {window:?}",
            pixels.dims(),
            weight.dims(),
            bias.dims()
        );
    }
    Geometry::new(
        [batch, channels, height, width],
        kernel,
        stride,
        Padding::Zeros(padding),
    )
}

/// The plain reference, and what runs on other devices than the CPU.
fn by_tensors(
    pixels: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    window: Window,
    geometry: &Geometry,
) -> Result<Tensor> {
    // What no output reads is cut off: candle's gradient allows for such a rest in the height only.
    let reach = |out: usize| (out - 1) * window.stride + geometry.kernel;
    let padded = pad_tensor(pixels, geometry)?
        .narrow(2, 0, reach(geometry.rows.out))?
        .narrow(3, 0, reach(geometry.columns.out))?;
    padded
        .conv2d(weight, 0, window.stride, 1, window.groups)?
        .broadcast_add(&bias.reshape((1, (), 1, 1))?)
}

/// A convolution in which all output channels see all input channels.
struct Dense {
    geometry: Geometry,
}

impl CustomOp3 for Dense {
    fn name(&self) -> &'static str {
        "trained-conv2d"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (pixels, weight) = (contiguous(s1, l1)?, contiguous(s2, l2)?);
        let bias = contiguous(s3, l3)?;
        let output = convolve(pixels, weight, bias, &self.geometry);
        Ok((
            CpuStorage::F32(output),
            out_shape(&self.geometry, bias.len()),
        ))
    }

    fn bwd(
        &self,
        pixels: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (_, channels, out_pixels) = gradient.flatten_from(2)?.dims3()?;
        with_values(gradient, |gradient| {
            let to_bias = channel_sums(gradient, channels, out_pixels);
            let to_weight = with_values(pixels, |pixels| {
                Ok(self.gradient_to_weight(pixels, gradient, channels))
            })?;
            // Pictures and frozen features need no gradient.
            let to_pixels = pixels
                .track_op()
                .then(|| self.gradient_to_pixels(weight, gradient, channels));
            let to_pixels = match to_pixels {
                Some(values) => Some(Tensor::from_vec(values?, pixels.dims(), &Device::Cpu)?),
                None => None,
            };
            Ok((
                to_pixels,
                Some(Tensor::from_vec(to_weight, weight.dims(), &Device::Cpu)?),
                Some(Tensor::from_vec(to_bias, channels, &Device::Cpu)?),
            ))
        })
    }
}

impl Dense {
    fn gradient_to_weight(
        &self,
        pixels: &[f32],
        gradient: &[f32],
        out_channels: usize,
    ) -> Vec<f32> {
        weight_gradient(pixels, gradient, out_channels, &self.geometry, Isa::best())
    }

    /// The gradient, with zeros between its pixels where the stride left some out, by the weights turned around.
    fn gradient_to_pixels(
        &self,
        weight: &Tensor,
        gradient: &[f32],
        out_channels: usize,
    ) -> Result<Vec<f32>> {
        let Geometry {
            batch,
            channels,
            rows,
            columns,
            kernel,
            ..
        } = self.geometry;
        // As many outputs as a stride of 1 would give.
        let height = rows.size + rows.before + rows.after - kernel + 1;
        let width = columns.size + columns.before + columns.after - kernel + 1;
        let spread = spread(gradient, &self.geometry, height, width);
        let around = Geometry::new(
            [batch, out_channels, height, width],
            kernel,
            1,
            Padding::Zeros(kernel - 1 - rows.before),
        )?;
        let turned = with_values(weight, |weight| {
            Ok(turned(weight, out_channels, kernel * kernel))
        })?;
        Ok(convolve(&spread, &turned, &vec![0.0; channels], &around))
    }
}

fn convolve(pixels: &[f32], weight: &[f32], bias: &[f32], geometry: &Geometry) -> Vec<f32> {
    PackedWeights::new(weight, bias, Isa::best()).run(pixels, geometry, None, Activation::None)
}

pub(super) fn out_shape(geometry: &Geometry, out_channels: usize) -> Shape {
    (
        geometry.batch,
        out_channels,
        geometry.rows.out,
        geometry.columns.out,
    )
        .into()
}

/// Weights `(C_out, C_in, taps)` as `(C_in, C_out, taps)`, each filter turned by 180 degrees.
pub(super) fn turned(weight: &[f32], out_channels: usize, taps: usize) -> Vec<f32> {
    let channels = weight.len() / (out_channels * taps);
    let mut result = vec![0.0; weight.len()];
    for (place, filter) in weight.chunks_exact(taps).enumerate() {
        let (out, channel) = (place / channels, place % channels);
        let target = &mut result[(channel * out_channels + out) * taps..][..taps];
        for (to, &value) in target.iter_mut().zip(filter.iter().rev()) {
            *to = value;
        }
    }
    result
}

/// Puts the outputs of a strided convolution where those of a stride of 1 would be, zeros between them.
fn spread<'a>(
    gradient: &'a [f32],
    geometry: &Geometry,
    height: usize,
    width: usize,
) -> Cow<'a, [f32]> {
    let (rows, columns, stride) = (geometry.rows.out, geometry.columns.out, geometry.stride);
    if stride == 1 {
        return Cow::Borrowed(gradient);
    }
    let planes = gradient.len() / (rows * columns);
    let mut result = vec![0.0; planes * height * width];
    for (line, source) in gradient.chunks_exact(columns).enumerate() {
        let (plane, row) = (line / rows, line % rows);
        let target = &mut result[(plane * height + row * stride) * width..][..width];
        for (to, &value) in target.iter_mut().step_by(stride).zip(source) {
            *to = value;
        }
    }
    Cow::Owned(result)
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Result, Tensor};

    use super::super::compare::{assert_close, differentiate, noise};
    use super::{Window, by_tensors, conv2d, geometry};

    /// Pictures `(B, C, H, W)`, output channels, kernel and window.
    type Case = ([usize; 4], usize, usize, Window);

    const fn window(stride: usize, padding: usize, groups: usize) -> Window {
        Window {
            stride,
            padding,
            groups,
        }
    }

    const CASES: [Case; 22] = [
        ([2, 5, 6, 7], 4, 1, window(1, 0, 1)),
        ([3, 20, 5, 9], 37, 1, window(1, 0, 1)),
        ([2, 3, 7, 5], 4, 3, window(1, 1, 1)),
        ([2, 7, 17, 19], 33, 3, window(1, 1, 1)),
        ([1, 40, 9, 33], 17, 3, window(1, 1, 1)),
        ([2, 36, 16, 16], 64, 3, window(1, 1, 1)),
        ([2, 20, 11, 8], 1, 3, window(1, 1, 1)),
        ([2, 33, 5, 4], 3, 3, window(1, 0, 1)),
        ([2, 1, 5, 6], 20, 3, window(1, 2, 1)),
        ([1, 2, 1, 1], 3, 3, window(1, 1, 1)),
        ([2, 3, 1, 6], 5, 3, window(1, 1, 1)),
        ([2, 4, 9, 8], 5, 3, window(2, 1, 1)),
        ([2, 4, 8, 9], 21, 2, window(3, 1, 1)),
        ([1, 3, 9, 9], 4, 1, window(2, 0, 1)),
        ([2, 4, 8, 8], 8, 3, window(2, 1, 4)),
        ([2, 3, 9, 12], 9, 3, window(2, 1, 3)),
        ([2, 3, 33, 40], 3, 3, window(2, 1, 3)),
        ([2, 4, 16, 16], 16, 5, window(4, 2, 4)),
        ([1, 3, 13, 70], 6, 5, window(4, 2, 3)),
        ([2, 2, 3, 4], 4, 2, window(3, 0, 2)),
        ([2, 3, 5, 6], 3, 3, window(1, 1, 3)),
        ([2, 6, 7, 5], 4, 3, window(1, 1, 2)),
    ];

    fn inputs((dims, out_channels, kernel, window): Case) -> Vec<Tensor> {
        let weight = [out_channels, dims[1] / window.groups, kernel, kernel];
        vec![
            noise(&dims, 1),
            noise(&weight, 2),
            noise(&[out_channels], 3),
        ]
    }

    fn reference(inputs: &[Tensor], window: Window) -> Result<Tensor> {
        let geometry = geometry(&inputs[0], &inputs[1], &inputs[2], window)?;
        by_tensors(&inputs[0], &inputs[1], &inputs[2], window, &geometry)
    }

    #[test]
    fn results_and_gradients_are_those_of_plain_tensor_operations() -> Result<()> {
        for case in CASES {
            let window = case.3;
            let inputs = inputs(case);
            let quick =
                differentiate(&inputs, DType::F32, |x| conv2d(&x[0], &x[1], &x[2], window))?;
            let plain = differentiate(&inputs, DType::F64, |x| reference(x, window))?;
            for (part, (quick, plain)) in quick.iter().zip(&plain).enumerate() {
                assert_close(quick, plain, 1e-5, &format!("part {part} of {case:?}"));
            }
        }
        Ok(())
    }

    #[test]
    fn other_number_types_take_the_reference() -> Result<()> {
        let case = CASES[11];
        let inputs = inputs(case);
        let found = differentiate(&inputs, DType::F64, |x| conv2d(&x[0], &x[1], &x[2], case.3))?;
        let plain = differentiate(&inputs, DType::F64, |x| reference(x, case.3))?;
        for (found, plain) in found.iter().zip(&plain) {
            assert_close(found, plain, 1e-12, "f64");
        }
        Ok(())
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() -> Result<()> {
        for case in [CASES[4], CASES[6], CASES[17]] {
            let inputs = inputs(case);
            let run =
                || differentiate(&inputs, DType::F32, |x| conv2d(&x[0], &x[1], &x[2], case.3));
            let bits = |threads| {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .unwrap();
                let tensors = pool.install(run).unwrap();
                tensors
                    .iter()
                    .map(|t| t.flatten_all()?.to_vec1::<f32>())
                    .collect::<Result<Vec<_>>>()
            };
            assert_eq!(bits(1)?, bits(3)?);
        }
        Ok(())
    }

    #[test]
    fn views_are_read_in_their_own_order_and_constants_get_no_gradient() -> Result<()> {
        let weight = candle_core::Var::from_tensor(&noise(&[4, 3, 3, 3], 2).to_dtype(DType::F32)?)?;
        let bias = noise(&[4], 3).to_dtype(DType::F32)?;
        let pixels = noise(&[2, 3, 6, 5], 1)
            .to_dtype(DType::F32)?
            .transpose(2, 3)?;
        let window = window(1, 1, 1);
        let found = conv2d(&pixels, &weight, &bias, window)?;
        assert_close(
            &found,
            &conv2d(&pixels.contiguous()?, &weight, &bias, window)?,
            0.0,
            "view",
        );
        // A gradient that is a view, too.
        let gradients = found
            .transpose(2, 3)?
            .contiguous()?
            .sqr()?
            .sum_all()?
            .backward()?;
        assert!(gradients.get(&weight).is_some() && gradients.get(&pixels).is_none());
        Ok(())
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let refused = |dims: [usize; 4], weight: [usize; 4], bias: usize, window: Window| {
            conv2d(
                &noise(&dims, 0),
                &noise(&weight, 0),
                &noise(&[bias], 0),
                window,
            )
            .is_err()
        };
        assert!(refused([1, 3, 4, 4], [2, 4, 3, 3], 2, window(1, 1, 1)));
        assert!(refused([1, 3, 4, 4], [2, 3, 3, 1], 2, window(1, 1, 1)));
        assert!(refused([1, 3, 4, 4], [2, 3, 3, 3], 3, window(1, 1, 1)));
        assert!(refused([1, 3, 4, 4], [2, 3, 3, 3], 2, window(0, 1, 1)));
        assert!(refused([1, 3, 4, 4], [2, 3, 3, 3], 2, window(1, 3, 1)));
        assert!(refused([1, 3, 4, 4], [4, 1, 3, 3], 4, window(1, 1, 3)));
        assert!(refused([1, 3, 1, 4], [4, 3, 3, 3], 4, window(1, 0, 1)));
    }
}
