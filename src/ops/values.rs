//! Plain slices of CPU tensors, without copies. No arithmetic.

use candle_core::{Result, Storage, Tensor, bail};

/// Hands the row-major values of an `f32` CPU tensor to `work`. A view that is not row-major is copied first.
pub(crate) fn with_values<T>(tensor: &Tensor, work: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match (&*storage, layout.contiguous_offsets()) {
        (Storage::Cpu(storage), Some((start, end))) => {
            work(&storage.as_slice::<f32>()?[start..end])
        }
        _ => bail!("expected a tensor on the CPU"),
    }
}

/// Hands the row-major values of a `u32` CPU tensor to `work`.
pub(super) fn with_indices<T>(
    tensor: &Tensor,
    work: impl FnOnce(&[u32]) -> Result<T>,
) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match (&*storage, layout.contiguous_offsets()) {
        (Storage::Cpu(storage), Some((start, end))) => {
            work(&storage.as_slice::<u32>()?[start..end])
        }
        _ => bail!("expected a tensor on the CPU"),
    }
}
