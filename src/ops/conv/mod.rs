//! Convolutions of frozen networks with bias, residual and activation in one pass. Inference only: no gradients.
//!
//! On the CPU own kernels run (AVX-512, AVX2 or portable, whatever the processor has); elsewhere candle's operations.
//! A picture's result never depends on the others in its batch.

mod activation;
pub(super) mod dense;
mod depthwise;
mod gate;
pub(super) mod geometry;
mod winograd;

#[cfg(feature = "cuda")]
use candle_core::DType;
use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};

pub use activation::Activation;
pub use gate::{channel_means, scale_channels};
pub use geometry::Padding;

#[cfg(feature = "cuda")]
use crate::ops::cuda;
use crate::ops::lanes::Isa;

use dense::PackedWeights;
use depthwise::Filters;
use geometry::{Geometry, pad_tensor};
use winograd::WinogradWeights;

/// Which input channels an output channel sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// All of them: weights `(C_out, C_in, k, k)`.
    All,
    /// Only its own, "depthwise": weights `(C, 1, k, k)`.
    Own,
}

/// A square convolution with bias.
pub struct Conv2d {
    in_channels: usize,
    out_channels: usize,
    kernel: usize,
    stride: usize,
    padding: Padding,
    weights: Weights,
}

/// The weights as the device's code wants them.
enum Weights {
    Packed(PackedWeights),
    Winograd(WinogradWeights),
    Filters(Filters),
    Tensors {
        weight: Tensor,
        bias: Tensor,
        groups: usize,
    },
}

impl Conv2d {
    /// Takes `f32` weights, see [`Channels`], and biases `(C_out,)`, both on the device it will run on.
    pub fn new(
        weight: &Tensor,
        bias: &Tensor,
        channels: Channels,
        stride: usize,
        padding: Padding,
    ) -> Result<Self> {
        if weight.device().is_cpu() {
            return Self::with_isa(weight, bias, channels, stride, padding, Isa::best());
        }
        Self::with_tensors(weight, bias, channels, stride, padding)
    }

    fn with_isa(
        weight: &Tensor,
        bias: &Tensor,
        channels: Channels,
        stride: usize,
        padding: Padding,
        isa: Isa,
    ) -> Result<Self> {
        let mut conv = Self::with_tensors(weight, bias, channels, stride, padding)?;
        let weight = weight.flatten_all()?.to_vec1::<f32>()?;
        let bias = bias.to_vec1::<f32>()?;
        conv.weights = match channels {
            Channels::All
                if WinogradWeights::suits(
                    conv.kernel,
                    stride,
                    [conv.in_channels, conv.out_channels],
                ) =>
            {
                Weights::Winograd(WinogradWeights::new(&weight, &bias, isa))
            }
            Channels::All => Weights::Packed(PackedWeights::new(&weight, &bias, isa)),
            Channels::Own => Weights::Filters(Filters {
                isa,
                weights: weight,
                bias,
            }),
        };
        Ok(conv)
    }

    /// The plain reference, and what runs on other devices than the CPU.
    fn with_tensors(
        weight: &Tensor,
        bias: &Tensor,
        channels: Channels,
        stride: usize,
        padding: Padding,
    ) -> Result<Self> {
        let (out_channels, group_channels, height, width) = weight.dims4()?;
        if height != width
            || height == 0
            || stride == 0
            || out_channels == 0
            || bias.dims1()? != out_channels
        {
            bail!(
                "a convolution with weights {:?}, bias {:?} and stride {stride}",
                weight.dims(),
                bias.dims()
            );
        }
        let (in_channels, groups) = match channels {
            Channels::All => (group_channels, 1),
            Channels::Own if group_channels == 1 => (out_channels, out_channels),
            Channels::Own => {
                bail!("depthwise weights have one input channel, not {group_channels}")
            }
        };
        let bias = bias.reshape((1, out_channels, 1, 1))?;
        let weights = Weights::Tensors {
            weight: weight.clone(),
            bias,
            groups,
        };
        Ok(Self {
            in_channels,
            out_channels,
            kernel: height,
            stride,
            padding,
            weights,
        })
    }

    /// `activation(conv(pixels) + bias)` of `(B, C_in, H, W)`.
    pub fn forward(&self, pixels: &Tensor, activation: Activation) -> Result<Tensor> {
        let geometry = self.geometry(pixels)?;
        if let Weights::Tensors {
            weight,
            bias,
            groups,
        } = &self.weights
        {
            let layer = TensorLayer {
                geometry: &geometry,
                weight,
                bias,
                groups: *groups,
            };
            return layer.run(pixels, None, activation);
        }
        let op = CpuConv {
            conv: self,
            geometry,
            activation,
        };
        pixels.contiguous()?.apply_op1_no_bwd(&op)
    }

    /// `activation(conv(pixels) + bias + residual)`; `residual` has the shape of the result.
    pub fn forward_add(
        &self,
        pixels: &Tensor,
        residual: &Tensor,
        activation: Activation,
    ) -> Result<Tensor> {
        let geometry = self.geometry(pixels)?;
        let shape = self.out_shape(&geometry);
        if residual.shape() != &shape {
            bail!("a residual {:?} for a result {shape:?}", residual.shape());
        }
        if let Weights::Tensors {
            weight,
            bias,
            groups,
        } = &self.weights
        {
            let layer = TensorLayer {
                geometry: &geometry,
                weight,
                bias,
                groups: *groups,
            };
            return layer.run(pixels, Some(residual), activation);
        }
        let op = CpuConv {
            conv: self,
            geometry,
            activation,
        };
        pixels
            .contiguous()?
            .apply_op2_no_bwd(&residual.contiguous()?, &op)
    }

    fn geometry(&self, pixels: &Tensor) -> Result<Geometry> {
        let (batch, channels, height, width) = pixels.dims4()?;
        if channels != self.in_channels {
            bail!(
                "{channels} channels for a convolution of {}",
                self.in_channels
            );
        }
        Geometry::new(
            [batch, channels, height, width],
            self.kernel,
            self.stride,
            self.padding,
        )
    }

    fn out_shape(&self, geometry: &Geometry) -> Shape {
        (
            geometry.batch,
            self.out_channels,
            geometry.rows.out,
            geometry.columns.out,
        )
            .into()
    }
}

/// One call of a convolution with tensor operations.
struct TensorLayer<'a> {
    geometry: &'a Geometry,
    weight: &'a Tensor,
    /// `(1, C_out, 1, 1)`.
    bias: &'a Tensor,
    groups: usize,
}

impl TensorLayer<'_> {
    fn run(
        &self,
        pixels: &Tensor,
        residual: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        if pixels.device().is_cuda() && pixels.dtype() == DType::F32 {
            return self.run_on_gpu(pixels, residual, activation);
        }
        let padded = pad_tensor(pixels, self.geometry)?;
        let sum = padded
            .conv2d(self.weight, 0, self.geometry.stride, 1, self.groups)?
            .broadcast_add(self.bias)?;
        activation.apply(&match residual {
            Some(residual) => (sum + residual)?,
            None => sum,
        })
    }

    /// The sums by the library's convolution or product, all around them by own kernels.
    #[cfg(feature = "cuda")]
    fn run_on_gpu(
        &self,
        pixels: &Tensor,
        residual: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor> {
        if self.groups > 1 {
            let (weight, bias) = (self.weight, self.bias);
            return cuda::depthwise(pixels, weight, bias, residual, self.geometry, activation);
        }
        let sums = self.sums_on_gpu(pixels)?;
        cuda::finish(&sums, self.bias, residual, activation)
    }

    #[cfg(feature = "cuda")]
    fn sums_on_gpu(&self, pixels: &Tensor) -> Result<Tensor> {
        let Geometry { rows, columns, .. } = self.geometry;
        let sides = [rows.before, rows.after, columns.before, columns.after];
        if rows.reflect || sides.iter().any(|&side| side != rows.before) {
            return self.dense_on_gpu(&cuda::pad(pixels, self.geometry)?, 0);
        }
        self.dense_on_gpu(pixels, rows.before)
    }

    #[cfg(feature = "cudnn")]
    fn dense_on_gpu(&self, pixels: &Tensor, padding: usize) -> Result<Tensor> {
        cuda::conv2d(pixels, self.weight, padding, self.geometry.stride)
    }

    /// A convolution of single pixels is a matrix product.
    #[cfg(all(feature = "cuda", not(feature = "cudnn")))]
    fn dense_on_gpu(&self, pixels: &Tensor, padding: usize) -> Result<Tensor> {
        let (batch, channels, height, width) = pixels.dims4()?;
        let Geometry { kernel, stride, .. } = *self.geometry;
        let pixels = pixels.contiguous()?;
        if kernel > 1 || stride > 1 || padding > 0 {
            return pixels.conv2d(self.weight, padding, stride, 1, 1);
        }
        let out_channels = self.weight.dim(0)?;
        let weight = self.weight.reshape((1, out_channels, channels))?;
        weight
            .broadcast_as((batch, out_channels, channels))?
            .matmul(&pixels.reshape((batch, channels, height * width))?)?
            .reshape((batch, out_channels, height, width))
    }
}

/// One call of a convolution on the CPU.
struct CpuConv<'a> {
    conv: &'a Conv2d,
    geometry: Geometry,
    activation: Activation,
}

impl CpuConv<'_> {
    fn run(&self, pixels: &[f32], residual: Option<&[f32]>) -> Result<(CpuStorage, Shape)> {
        let output = match &self.conv.weights {
            Weights::Packed(weights) => {
                weights.run(pixels, &self.geometry, residual, self.activation)
            }
            Weights::Winograd(weights) => {
                weights.run(pixels, &self.geometry, residual, self.activation)
            }
            Weights::Filters(filters) => {
                filters.run(pixels, &self.geometry, residual, self.activation)
            }
            Weights::Tensors { .. } => bail!("weights of another device"),
        };
        Ok((CpuStorage::F32(output), self.conv.out_shape(&self.geometry)))
    }
}

impl CustomOp1 for CpuConv<'_> {
    fn name(&self) -> &'static str {
        "conv2d-fused"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        self.run(contiguous(storage, layout)?, None)
    }
}

impl CustomOp2 for CpuConv<'_> {
    fn name(&self) -> &'static str {
        "conv2d-fused-add"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.run(contiguous(s1, l1)?, Some(contiguous(s2, l2)?))
    }
}

/// The numbers of a contiguous `f32` tensor.
pub(super) fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!(
            "a tensor of shape {:?} that is not contiguous",
            layout.shape()
        ),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Result, Tensor};

    use super::{Activation, Channels, Conv2d, Padding};
    use crate::ops::lanes::Isa;

    /// Numbers between -1 and 1 without a pattern a wrong index could hide in.
    fn noise(dims: &[usize], salt: usize) -> Tensor {
        let count = dims.iter().product::<usize>();
        let values: Vec<f32> = (0..count)
            .map(|i| ((i * 7919 + salt * 104_729) as f32 * 0.618).sin())
            .collect();
        Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
    }

    fn largest_difference(a: &Tensor, b: &Tensor) -> f32 {
        assert_eq!(a.dims(), b.dims());
        largest(&(a - b).unwrap())
    }

    fn largest(tensor: &Tensor) -> f32 {
        tensor
            .abs()
            .unwrap()
            .flatten_all()
            .unwrap()
            .max(0)
            .unwrap()
            .to_scalar()
            .unwrap()
    }

    struct Case {
        channels: Channels,
        sizes: [usize; 2],
        kernel: usize,
        stride: usize,
        padding: Padding,
        picture: [usize; 2],
    }

    impl Case {
        fn input(&self) -> Tensor {
            noise(&[2, self.sizes[0], self.picture[0], self.picture[1]], 1)
        }

        fn parameters(&self) -> (Tensor, Tensor) {
            let seen = if self.channels == Channels::Own {
                1
            } else {
                self.sizes[0]
            };
            (
                noise(&[self.sizes[1], seen, self.kernel, self.kernel], 2),
                noise(&[self.sizes[1]], 3),
            )
        }

        fn reference(&self) -> Conv2d {
            let (weight, bias) = self.parameters();
            Conv2d::with_tensors(&weight, &bias, self.channels, self.stride, self.padding).unwrap()
        }

        fn quick(&self, isa: Isa) -> Conv2d {
            let (weight, bias) = self.parameters();
            Conv2d::with_isa(
                &weight,
                &bias,
                self.channels,
                self.stride,
                self.padding,
                isa,
            )
            .unwrap()
        }
    }

    fn cases() -> Vec<Case> {
        let dense = |sizes, kernel, stride, padding, picture| Case {
            channels: Channels::All,
            sizes,
            kernel,
            stride,
            padding,
            picture,
        };
        let own = |channels, kernel, stride, padding, picture| Case {
            channels: Channels::Own,
            sizes: [channels, channels],
            kernel,
            stride,
            padding,
            picture,
        };
        vec![
            dense([3, 10], 7, 2, Padding::Zeros(3), [23, 30]),
            dense([3, 8], 7, 2, Padding::Reflect(3), [8, 21]),
            dense([5, 16], 3, 1, Padding::Zeros(1), [9, 17]),
            dense([4, 3], 3, 1, Padding::Reflect(1), [2, 50]),
            dense([4, 9], 3, 2, Padding::Zeros(1), [7, 7]),
            dense([3, 4], 3, 2, Padding::Same, [12, 13]),
            dense([6, 24], 1, 1, Padding::Same, [11, 13]),
            dense([6, 7], 1, 2, Padding::Zeros(0), [11, 12]),
            dense([1, 1], 1, 1, Padding::Zeros(0), [1, 1]),
            dense([2, 5], 2, 3, Padding::Zeros(0), [8, 9]),
            dense([64, 65], 3, 1, Padding::Zeros(1), [1, 1]),
            dense([65, 64], 3, 1, Padding::Zeros(0), [7, 21]),
            dense([70, 81], 3, 1, Padding::Zeros(1), [14, 15]),
            dense([64, 75], 3, 1, Padding::Reflect(1), [9, 30]),
            dense([67, 64], 3, 1, Padding::Same, [16, 200]),
            own(5, 3, 1, Padding::Same, [9, 35]),
            own(5, 3, 2, Padding::Same, [10, 33]),
            own(3, 5, 1, Padding::Same, [4, 4]),
            own(3, 5, 2, Padding::Same, [13, 8]),
            own(2, 3, 1, Padding::Reflect(1), [5, 6]),
            own(2, 7, 2, Padding::Zeros(3), [9, 9]),
            own(1, 3, 1, Padding::Same, [1, 1]),
            own(3, 1, 1, Padding::Zeros(0), [5, 19]),
        ]
    }

    #[test]
    fn kernels_of_every_instruction_set_agree_with_the_reference() -> Result<()> {
        for (index, case) in cases().iter().enumerate() {
            let input = case.input();
            let expected = case.reference().forward(&input, Activation::None)?;
            let residual = noise(expected.dims(), 4);
            let added = case
                .reference()
                .forward_add(&input, &residual, Activation::Relu)?;
            for isa in Isa::available() {
                let quick = case.quick(isa);
                let difference =
                    largest_difference(&quick.forward(&input, Activation::None)?, &expected);
                let allowed = 2e-5 * largest(&expected).max(1.0);
                assert!(
                    difference < allowed,
                    "case {index} with {isa:?}: {difference}"
                );
                let sum = quick.forward_add(&input, &residual, Activation::Relu)?;
                let difference = largest_difference(&sum, &added);
                assert!(
                    difference < allowed,
                    "residual of case {index} with {isa:?}: {difference}"
                );
            }
        }
        Ok(())
    }

    #[test]
    fn a_picture_alone_and_in_a_batch_give_the_same_bits() -> Result<()> {
        for case in cases() {
            let quick = case.quick(Isa::best());
            let input = case.input();
            let both = quick.forward(&input, Activation::Relu6)?;
            let alone = quick.forward(&input.narrow(0, 1, 1)?, Activation::Relu6)?;
            assert_eq!(largest_difference(&both.narrow(0, 1, 1)?, &alone), 0.0);
        }
        Ok(())
    }

    #[test]
    fn an_empty_batch_gives_an_empty_result() -> Result<()> {
        let case = &cases()[2];
        let empty = case
            .quick(Isa::best())
            .forward(&case.input().narrow(0, 0, 0)?, Activation::None)?;
        assert_eq!(empty.dims(), [0, 16, 9, 17]);
        Ok(())
    }

    #[test]
    fn wrong_shapes_are_refused() {
        let case = &cases()[2];
        let quick = case.quick(Isa::best());
        assert!(
            quick
                .forward(&noise(&[1, 4, 9, 17], 0), Activation::None)
                .is_err()
        );
        assert!(
            quick
                .forward_add(&case.input(), &noise(&[2, 16, 9, 16], 0), Activation::None)
                .is_err()
        );
        let bias = noise(&[3], 0);
        let new = |weight: &Tensor, channels| {
            Conv2d::new(weight, &bias, channels, 1, Padding::Same).is_err()
        };
        assert!(new(&noise(&[3, 2, 3, 1], 0), Channels::All));
        assert!(new(&noise(&[4, 2, 3, 3], 0), Channels::All));
        assert!(new(&noise(&[3, 2, 3, 3], 0), Channels::Own));
    }
}
