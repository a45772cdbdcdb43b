//! Sums of dense convolutions by cuDNN. What it takes to choose an algorithm for a shape is kept, for it takes longer than
//! most convolutions.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use candle_core::cuda_backend::cudarc::cudnn::sys::{
    cudnnConvolutionFwdAlgo_t as Algorithm, cudnnConvolutionMode_t as Mode,
    cudnnTensorFormat_t as Format,
};
use candle_core::cuda_backend::cudarc::cudnn::{
    ConvDescriptor, ConvForward, Cudnn, FilterDescriptor, TensorDescriptor,
};
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView};
use candle_core::cuda_backend::{CudaDevice, DeviceId};
use candle_core::{Error, Result, Tensor, bail};

use super::{int, room, tensor, with_numbers};

/// What decides how a convolution is computed: `(B, C, H, W)`, `(C_out, C, k, k)`, zeros around the picture, stride.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Shape {
    pixels: [i32; 4],
    weight: [i32; 4],
    padding: i32,
    stride: i32,
}

struct Plan {
    conv: ConvDescriptor<f32>,
    pixels: TensorDescriptor<f32>,
    weight: FilterDescriptor<f32>,
    output: TensorDescriptor<f32>,
    algorithm: Algorithm,
    workspace_bytes: usize,
}

/// One thread's use of the library on one GPU; its handles must not change threads.
struct Library {
    handle: Arc<Cudnn>,
    plans: HashMap<Shape, Plan>,
    workspace: Option<CudaSlice<u8>>,
}

thread_local! {
    static LIBRARIES: RefCell<HashMap<DeviceId, Library>> = RefCell::default();
}

/// `(B, C, H, W)` by `(C_out, C, k, k)` with as many zeros on each side: `(B, C_out, H', W')`. Products may be rounded to
/// 10 bits (TF32) where the GPU has units for that; the environment's `NVIDIA_TF32_OVERRIDE=0` forbids it.
pub(in crate::ops) fn conv2d(
    pixels: &Tensor,
    weight: &Tensor,
    padding: usize,
    stride: usize,
) -> Result<Tensor> {
    let (batch, channels, height, width) = pixels.dims4()?;
    let (out_channels, seen, kernel, _) = weight.dims4()?;
    let out = |size: usize| {
        (size + 2 * padding)
            .checked_sub(kernel)
            .map(|rest| rest / stride + 1)
    };
    let (Some(out_height), Some(out_width)) = (out(height), out(width)) else {
        bail!("a picture of {height} x {width} pixels is smaller than the convolution");
    };
    if seen != channels {
        bail!("{channels} channels for a convolution of {seen}");
    }
    let shape = Shape {
        pixels: [int(batch)?, int(channels)?, int(height)?, int(width)?],
        weight: [
            int(out_channels)?,
            int(channels)?,
            int(kernel)?,
            int(kernel)?,
        ],
        padding: int(padding)?,
        stride: int(stride)?,
    };
    let out_dims = [batch, out_channels, out_height, out_width];
    with_numbers::<f32, _>(pixels, |pixels, device| {
        with_numbers::<f32, _>(weight, |weight, _| {
            let mut output = room::<f32>(device, out_dims.iter().product())?;
            if !output.is_empty() {
                LIBRARIES.with_borrow_mut(|libraries| {
                    let library = match libraries.remove(&device.id()) {
                        Some(library) => library,
                        None => Library::open(device)?,
                    };
                    let library = libraries.entry(device.id()).or_insert(library);
                    library.run(device, shape, out_dims, (pixels, weight, &mut output))
                })?;
            }
            Ok(tensor(output, device, &out_dims[..]))
        })
    })
}

impl Library {
    fn open(device: &CudaDevice) -> Result<Self> {
        Ok(Self {
            handle: Cudnn::new(device.cuda_stream()).map_err(Error::wrap)?,
            plans: HashMap::new(),
            workspace: None,
        })
    }

    fn run(
        &mut self,
        device: &CudaDevice,
        shape: Shape,
        out_dims: [usize; 4],
        (pixels, weight, output): (&CudaView<f32>, &CudaView<f32>, &mut CudaSlice<f32>),
    ) -> Result<()> {
        let plan = match self.plans.remove(&shape) {
            Some(plan) => plan,
            None => Plan::new(&self.handle, shape, out_dims)?,
        };
        let plan = self.plans.entry(shape).or_insert(plan);
        let bytes = plan.workspace_bytes.max(1);
        let workspace = match self.workspace.take() {
            Some(workspace) if workspace.len() >= bytes => workspace,
            _ => room::<u8>(device, bytes)?,
        };
        let workspace = self.workspace.insert(workspace);
        let forward = ConvForward {
            conv: &plan.conv,
            x: &plan.pixels,
            w: &plan.weight,
            y: &plan.output,
        };
        #[expect(unsafe_code, reason = "the library takes pointers")]
        // SAFETY: the plan was made for the sizes of these very slices, and the workspace is as large as it asked for.
        unsafe {
            forward.launch(
                plan.algorithm,
                Some(workspace),
                (1.0, 0.0),
                pixels,
                weight,
                output,
            )
        }
        .map_err(Error::wrap)
    }
}

impl Plan {
    fn new(handle: &Arc<Cudnn>, shape: Shape, out_dims: [usize; 4]) -> Result<Self> {
        let format = Format::CUDNN_TENSOR_NCHW;
        let [batch, channels, height, width] = out_dims.map(int);
        let out_dims = [batch?, channels?, height?, width?];
        let (padding, stride) = ([shape.padding; 2], [shape.stride; 2]);
        let conv =
            handle.create_conv2d::<f32>(padding, stride, [1, 1], Mode::CUDNN_CROSS_CORRELATION);
        let mut plan = Self {
            conv: conv.map_err(Error::wrap)?,
            pixels: handle
                .create_4d_tensor(format, shape.pixels)
                .map_err(Error::wrap)?,
            weight: handle
                .create_4d_filter(format, shape.weight)
                .map_err(Error::wrap)?,
            output: handle
                .create_4d_tensor(format, out_dims)
                .map_err(Error::wrap)?,
            algorithm: Algorithm::CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
            workspace_bytes: 0,
        };
        let forward = ConvForward {
            conv: &plan.conv,
            x: &plan.pixels,
            w: &plan.weight,
            y: &plan.output,
        };
        let algorithm = forward.pick_algorithm().map_err(Error::wrap)?;
        let bytes = forward.get_workspace_size(algorithm).map_err(Error::wrap)?;
        (plan.algorithm, plan.workspace_bytes) = (algorithm, bytes);
        Ok(plan)
    }
}
