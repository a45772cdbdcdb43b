//! The operations of networks that are trained, with their gradients.

use candle_core::{Device, Result, Tensor, Var};
use flawscope::ops::trained::{AfterNorm, Window, batch_norm, conv2d, upsample};

use crate::support::{assert_close, gpu, noise};

/// The result, then the gradients to the inputs of the result's sum, weighted by noise.
fn differentiate(
    inputs: &[Tensor],
    device: &Device,
    operation: impl Fn(&[Tensor]) -> Result<Tensor>,
) -> Vec<Tensor> {
    let variable = |input: &Tensor| Var::from_tensor(&input.to_device(device).unwrap()).unwrap();
    let variables: Vec<Var> = inputs.iter().map(variable).collect();
    let tensors: Vec<Tensor> = variables.iter().map(|v| v.as_tensor().clone()).collect();
    let result = operation(&tensors).unwrap();
    let weights = noise(result.dims(), 77).to_device(device).unwrap();
    let sum = (&result * weights).unwrap().sum_all().unwrap();
    let gradients = sum.backward().unwrap();
    let of = |variable: &Var| gradients.get(variable).unwrap().clone();
    std::iter::once(result.detach())
        .chain(variables.iter().map(of))
        .collect()
}

fn compare(
    inputs: &[Tensor],
    gpu: &Device,
    allowed: f64,
    what: &str,
    operation: impl Fn(&[Tensor]) -> Result<Tensor>,
) {
    let expected = differentiate(inputs, &Device::Cpu, &operation);
    let found = differentiate(inputs, gpu, &operation);
    for (part, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_close(found, expected, allowed, &format!("{what}, part {part}"));
    }
}

#[test]
fn convolutions_and_their_gradients_agree() {
    let Some(gpu) = gpu() else { return };
    for (dims, to, kernel, stride, padding, groups) in [
        ([2, 5, 6, 7], 4, 1, 1, 0, 1),
        ([2, 36, 16, 16], 64, 3, 1, 1, 1),
        ([2, 20, 11, 8], 1, 3, 1, 1, 1),
        ([2, 4, 9, 8], 5, 3, 2, 1, 1),
        ([2, 4, 8, 8], 8, 3, 2, 1, 4),
        ([2, 4, 16, 16], 16, 5, 4, 2, 4),
        ([2, 3, 5, 6], 3, 3, 1, 1, 3),
        ([2, 6, 7, 5], 4, 3, 1, 1, 2),
    ] {
        let window = Window {
            stride,
            padding,
            groups,
        };
        let weight = noise(&[to, dims[1] / groups, kernel, kernel], 2);
        let inputs = [noise(&dims, 1), weight, noise(&[to], 3)];
        let what = format!("{dims:?} to {to} with {window:?}");
        compare(&inputs, &gpu, 3e-3, &what, |x| {
            conv2d(&x[0], &x[1], &x[2], window)
        });
    }
}

#[test]
fn norms_and_their_gradients_agree() {
    let Some(gpu) = gpu() else { return };
    for after in [AfterNorm::Nothing, AfterNorm::Relu] {
        for dims in [[2, 3, 5, 7], [4, 16, 8, 8]] {
            let channels = &dims[1..2];
            let inputs = [noise(&dims, 1), noise(channels, 2), noise(channels, 3)];
            compare(&inputs, &gpu, 1e-4, &format!("{dims:?} {after:?}"), |x| {
                batch_norm(&x[0], &x[1], &x[2], 1e-5, after).map(|(output, _)| output)
            });
        }
    }
}

#[test]
fn upsamplings_and_their_gradients_agree() {
    let Some(gpu) = gpu() else { return };
    for (dims, to) in [([2, 3, 4, 5], [8, 10]), ([1, 2, 3, 3], [7, 5])] {
        compare(&[noise(&dims, 1)], &gpu, 1e-5, &format!("{dims:?}"), |x| {
            upsample(&x[0], to[0], to[1])
        });
    }
}
