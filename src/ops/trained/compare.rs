//! For tests: random tensors, gradients of any operation, and how close two results must be.

use candle_core::{DType, Device, Result, Tensor, Var};

/// Numbers between -1 and 1 without a pattern a wrong index could hide in, in `f64`.
pub(super) fn noise(dims: &[usize], salt: usize) -> Tensor {
    let count = dims.iter().product::<usize>();
    // Rounded to `f32`, so that both precisions start from the same numbers.
    let values: Vec<f64> = (0..count)
        .map(|i| f64::from(((i * 7919 + salt * 104_729) as f64 * 0.618).sin() as f32))
        .collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

/// The result of an operation, then the gradients to its inputs of the result's sum, weighted by noise.
pub(super) fn differentiate(
    inputs: &[Tensor],
    dtype: DType,
    operation: impl Fn(&[Tensor]) -> Result<Tensor>,
) -> Result<Vec<Tensor>> {
    let variables = inputs
        .iter()
        .map(|input| Var::from_tensor(&input.to_dtype(dtype)?))
        .collect::<Result<Vec<_>>>()?;
    let tensors: Vec<Tensor> = variables.iter().map(|v| v.as_tensor().clone()).collect();
    let result = operation(&tensors)?;
    let weights = noise(result.dims(), 77).to_dtype(dtype)?;
    let gradients = (&result * weights)?.sum_all()?.backward()?;
    let of = |variable: &Var| gradients.get(variable).unwrap().clone();
    Ok(std::iter::once(result.detach())
        .chain(variables.iter().map(of))
        .collect())
}

/// Compares in `f64`; `allowed` is relative to the largest expected number.
pub(super) fn assert_close(found: &Tensor, expected: &Tensor, allowed: f64, what: &str) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let largest = |tensor: &Tensor| -> f64 {
        let values = tensor.abs().unwrap().flatten_all().unwrap();
        values
            .to_vec1::<f64>()
            .unwrap()
            .into_iter()
            .fold(0.0, f64::max)
    };
    let found = found.to_dtype(DType::F64).unwrap();
    let expected = expected.to_dtype(DType::F64).unwrap();
    let size = largest(&expected);
    let difference = largest(&(found - expected).unwrap());
    assert!(
        difference <= allowed * size,
        "{what}: off by {difference} of {size}"
    );
}
