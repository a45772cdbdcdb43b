//! The operations' own kernels for NVIDIA GPUs: loading them, starting them, and tensors from and to their numbers. What
//! is computed stands in `kernels`, beside the files that call them.
//!
//! All work of a device is on one stream, so that a kernel sees what was started before it.

mod conv;
#[cfg(feature = "cudnn")]
mod cudnn;
mod device;
mod flow;
mod nearest;
mod pool;
mod product;
mod resample;

use std::sync::Arc;

use candle_core::cuda_backend::cudarc::driver::{
    CudaFunction, CudaSlice, CudaStream, CudaView, DeviceRepr, LaunchArgs, LaunchConfig,
};
use candle_core::cuda_backend::{CudaDType, CudaDevice};
use candle_core::op::BackpropOp;
use candle_core::{CudaStorage, Result, Shape, Storage, Tensor, bail};

pub(super) use conv::{depthwise, finish, pad};
#[cfg(feature = "cudnn")]
pub(super) use cudnn::conv2d;
pub use device::{GpuInfo, devices, free_bytes, open};
pub use flow::{FlowNumbers, FlowSizes, GpuFlow};
pub(super) use nearest::{Centred, nearest, weighted_differences};
pub(super) use pool::{average_3x3, max_3x3_stride_2};
pub(super) use resample::{add_upsampled, gather_upsampled};

/// The kernels of one source file.
#[derive(Clone, Copy)]
struct Kernels {
    name: &'static str,
    ptx: &'static str,
}

macro_rules! kernels {
    ($name:literal) => {
        Kernels {
            name: concat!("flawscope-", $name),
            ptx: include_str!(concat!(env!("OUT_DIR"), "/", $name, ".ptx")),
        }
    };
}

const FLOW: Kernels = kernels!("flow");
const LAYERS: Kernels = kernels!("layers");
const NEAREST: Kernels = kernels!("nearest");
const RESAMPLE: Kernels = kernels!("resample");

impl Kernels {
    fn load(self, device: &CudaDevice, function: &str) -> Result<Function> {
        let function = device.get_or_load_custom_func(function, self.name, self.ptx)?;
        Ok(Function {
            function: function.into_cuda_function(),
            stream: device.cuda_stream(),
        })
    }
}

/// A kernel, and the stream it is started on.
struct Function {
    function: CudaFunction,
    stream: Arc<CudaStream>,
}

impl Function {
    fn builder(&self) -> LaunchArgs<'_> {
        self.stream.launch_builder(&self.function)
    }
}

/// Starts a kernel: `launch!(function, blocks, threads, arguments ...)`.
///
/// Sound where the arguments are those of the kernel, in order, with slices as long as it reads and writes: every caller
/// checks its shapes before. A grid without blocks is an error of the driver, so callers return early on empty input.
macro_rules! launch {
    ($function:expr, $grid:expr, $block:expr, $($argument:expr),+ $(,)?) => {{
        use candle_core::cuda_backend::WrapErr;
        use candle_core::cuda_backend::cudarc::driver::PushKernelArg;
        let mut builder = $function.builder();
        // Each argument lives until the kernel has been started.
        $(
            let argument = $argument;
            builder.arg(argument);
        )+
        #[expect(unsafe_code, reason = "a kernel's arguments cannot be checked by the compiler")]
        // SAFETY: see the macro.
        unsafe { builder.launch($crate::ops::cuda::config($grid, $block)) }.w()?;
    }};
}
pub(in crate::ops) use launch;

fn config((x, y): (usize, usize), threads: usize) -> LaunchConfig {
    LaunchConfig {
        grid_dim: (x as u32, y as u32, 1),
        block_dim: (threads as u32, 1, 1),
        shared_mem_bytes: 0,
    }
}

/// Threads for a row of so many numbers: whole warps, at most 256.
fn threads_for(numbers: usize) -> usize {
    numbers.next_multiple_of(32).clamp(32, 256)
}

/// A size as kernels take it.
fn int(size: usize) -> Result<i32> {
    i32::try_from(size).map_err(candle_core::Error::wrap)
}

/// Hands the row-major numbers of a tensor on a GPU to `work`.
fn with_numbers<T: CudaDType + DeviceRepr, R>(
    tensor: &Tensor,
    work: impl FnOnce(&CudaView<T>, &CudaDevice) -> Result<R>,
) -> Result<R> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match (&*storage, layout.contiguous_offsets()) {
        (Storage::Cuda(storage), Some((start, end))) => {
            let slice = storage.as_cuda_slice::<T>()?.slice(start..end);
            work(&slice, &storage.device)
        }
        _ => bail!("expected a tensor on a GPU"),
    }
}

/// Room for numbers that a kernel is about to write, all of them.
fn room<T: DeviceRepr>(device: &CudaDevice, count: usize) -> Result<CudaSlice<T>> {
    #[expect(unsafe_code, reason = "the memory holds no numbers yet")]
    // SAFETY: any bits are numbers, and the kernel that gets this writes every one before anything reads it.
    unsafe {
        device.alloc::<T>(count)
    }
}

fn tensor<T: CudaDType>(
    numbers: CudaSlice<T>,
    device: &CudaDevice,
    shape: impl Into<Shape>,
) -> Tensor {
    let storage = CudaStorage::wrap_cuda_slice(numbers, device.clone());
    Tensor::from_storage(Storage::Cuda(storage), shape, BackpropOp::none(), false)
}
