//! Which GPUs there are, and opening one.

use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::{CudaContext, result, sys};
use candle_core::{Device, Result};

/// A GPU of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuInfo {
    /// As in `cuda:0`.
    pub ordinal: usize,
    pub name: String,
    pub free_bytes: usize,
    pub total_bytes: usize,
    /// Major and minor version of CUDA that the driver is for.
    pub driver: (i32, i32),
}

/// The GPUs the driver knows; an error where there is no driver or no GPU.
pub fn devices() -> Result<Vec<GpuInfo>> {
    let count = CudaContext::device_count().w()?;
    (0..count as usize).map(describe).collect()
}

fn describe(ordinal: usize) -> Result<GpuInfo> {
    let context = CudaContext::new(ordinal).w()?;
    let (free_bytes, total_bytes) = context.mem_get_info().w()?;
    Ok(GpuInfo {
        ordinal,
        name: context.name().w()?,
        free_bytes,
        total_bytes,
        driver: driver_version()?,
    })
}

/// What the driver can do at most, as `(13, 0)`.
fn driver_version() -> Result<(i32, i32)> {
    let mut version = 0;
    #[expect(unsafe_code, reason = "a call of the driver's C interface")]
    // SAFETY: the call writes one number to where it is told to.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }
        .result()
        .w()?;
    Ok((version / 1000, version % 1000 / 10))
}

/// Opens a GPU. Memory that was freed is kept for the next tensor: to give it back at every wait and to ask for it again
/// takes longer than most kernels run.
pub fn open(ordinal: usize) -> Result<Device> {
    let device = Device::new_cuda(ordinal)?;
    let context = device.as_cuda_device()?.cuda_stream().context().clone();
    let mut kept = u64::MAX;
    #[expect(unsafe_code, reason = "a call of the driver's C interface")]
    // SAFETY: the attribute is a number of 64 bits, read during the call; the pool is the device's own and lives as long.
    unsafe {
        let pool = result::device::get_mem_pool(context.cu_device()).w()?;
        result::mem_pool::set_attribute(
            pool,
            sys::CUmemPool_attribute_enum::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD,
            (&raw mut kept).cast(),
        )
        .w()?;
    }
    Ok(device)
}

/// Memory that is free on an open GPU.
pub fn free_bytes(device: &Device) -> Result<usize> {
    let stream = device.as_cuda_device()?.cuda_stream();
    let (free, _) = stream.context().mem_get_info().w()?;
    Ok(free)
}
