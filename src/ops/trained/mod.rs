//! Operations of networks that are trained from scratch, with their gradients: convolution, batch norm, upsampling.
//!
//! On the CPU in `f32` own kernels run; elsewhere compositions of candle's differentiable operations, which are also the
//! plain reference the kernels are tested against. Results do not depend on the number of threads.

mod conv;
mod norm;
mod per_channel;
mod upsample;
mod weight_gradient;

#[cfg(test)]
mod compare;
#[cfg(test)]
mod speed;

use candle_core::{DType, Tensor};

pub use conv::{Window, conv2d};
pub use norm::{AfterNorm, BatchStatistics, batch_norm};
pub use upsample::upsample;

/// Whether the kernels can take this tensor.
fn has_kernels(tensor: &Tensor) -> bool {
    tensor.device().is_cpu() && tensor.dtype() == DType::F32
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Result, Tensor};
    use serde::Deserialize;

    use super::compare::{assert_close, differentiate, noise};
    use super::{AfterNorm, Window, batch_norm, conv2d, upsample};

    /// What `tests/fixtures/trained_ops/reference.py` says of PyTorch's operations.
    #[derive(Deserialize)]
    struct Fixture {
        convolutions: Vec<Convolution>,
        norms: Vec<Norm>,
        upsamplings: Vec<Upsampling>,
    }

    /// The result, then the gradient to each input.
    type Expected = Vec<Vec<f64>>;

    #[derive(Deserialize)]
    struct Convolution {
        dims: [usize; 4],
        weight: [usize; 4],
        stride: usize,
        padding: usize,
        groups: usize,
        expected: Expected,
    }

    #[derive(Deserialize)]
    struct Norm {
        dims: [usize; 4],
        after: String,
        expected: Expected,
    }

    #[derive(Deserialize)]
    struct Upsampling {
        dims: [usize; 4],
        size: [usize; 2],
        expected: Expected,
    }

    fn fixture() -> Fixture {
        let text = include_str!("../../../tests/fixtures/trained_ops/expected.json");
        serde_json::from_str(text).unwrap()
    }

    fn assert_expected(
        inputs: &[Tensor],
        expected: &Expected,
        operation: impl Fn(&[Tensor]) -> Result<Tensor>,
    ) {
        let found = differentiate(inputs, DType::F32, operation).unwrap();
        assert_eq!(found.len(), expected.len());
        for (part, (found, expected)) in found.iter().zip(expected).enumerate() {
            let expected = Tensor::new(expected.as_slice(), &Device::Cpu).unwrap();
            let expected = expected.reshape(found.dims()).unwrap();
            assert_close(found, &expected, 1e-5, &format!("part {part}"));
        }
    }

    #[test]
    fn convolutions_are_those_of_pytorch() {
        for case in fixture().convolutions {
            let window = Window {
                stride: case.stride,
                padding: case.padding,
                groups: case.groups,
            };
            let bias = noise(&case.weight[..1], 3);
            let inputs = [noise(&case.dims, 1), noise(&case.weight, 2), bias];
            assert_expected(&inputs, &case.expected, |x| {
                conv2d(&x[0], &x[1], &x[2], window)
            });
        }
    }

    #[test]
    fn norms_are_those_of_pytorch() {
        for case in fixture().norms {
            let after = match case.after.as_str() {
                "relu" => AfterNorm::Relu,
                _ => AfterNorm::Nothing,
            };
            let channels = &case.dims[1..2];
            let inputs = [noise(&case.dims, 1), noise(channels, 2), noise(channels, 3)];
            assert_expected(&inputs, &case.expected, |x| {
                batch_norm(&x[0], &x[1], &x[2], 1e-5, after).map(|(output, _)| output)
            });
        }
    }

    #[test]
    fn upsamplings_are_those_of_pytorch() {
        for case in fixture().upsamplings {
            assert_expected(&[noise(&case.dims, 1)], &case.expected, |x| {
                upsample(&x[0], case.size[0], case.size[1])
            });
        }
    }
}
