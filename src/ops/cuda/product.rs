//! Matrix products of parts of buffers by cuBLAS.

use candle_core::cuda_backend::cudarc::cublas::sys::{
    cublasMath_t as Math, cublasOperation_t as Operation, cublasSetMathMode,
};
use candle_core::cuda_backend::cudarc::cublas::{CudaBlas, Gemm, GemmConfig, StridedBatchedConfig};
use candle_core::cuda_backend::cudarc::driver::{DevicePtr, DevicePtrMut};
use candle_core::cuda_backend::{CudaDevice, WrapErr};
use candle_core::{Result, bail};

use super::int;

/// How factors are rounded before they are multiplied. Sums are in `f32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    Full,
    /// To 10 bits behind the first where the GPU has units for that: several times as fast.
    Tf32,
}

impl Precision {
    /// For what the library does from now on.
    fn set(self, library: &CudaBlas) -> Result<()> {
        let mode = match self {
            Self::Full => Math::CUBLAS_DEFAULT_MATH,
            Self::Tf32 => Math::CUBLAS_TF32_TENSOR_OP_MATH,
        };
        #[expect(unsafe_code, reason = "a call of the library's C interface")]
        // SAFETY: the handle is open as long as `library` lives.
        unsafe { cublasSetMathMode(*library.handle(), mode) }
            .result()
            .w()
    }
}

/// How a factor of a product lies in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    AsIs,
    Turned,
}

impl Order {
    fn operation(self) -> Operation {
        match self {
            Self::AsIs => Operation::CUBLAS_OP_N,
            Self::Turned => Operation::CUBLAS_OP_T,
        }
    }
}

/// `c = a b + beta c` of row-major matrices, `sizes` `[m, n, k]`: `a` is `(m, k)` and `b` `(k, n)`, or stored turned. Each
/// factor, and the result, with the numbers from one of its stored rows to the next.
pub(super) struct Product {
    pub(super) a: (Order, usize),
    pub(super) b: (Order, usize),
    pub(super) c: usize,
    pub(super) sizes: [usize; 3],
    pub(super) beta: f32,
    pub(super) precision: Precision,
}

impl Product {
    /// Of `f32` as they are, in the place of what was there.
    pub(super) fn full(a: (Order, usize), b: (Order, usize), c: usize, sizes: [usize; 3]) -> Self {
        Self {
            a,
            b,
            c,
            sizes,
            beta: 0.0,
            precision: Precision::Full,
        }
    }

    /// The same, added to what is there.
    pub(super) fn adding(self) -> Self {
        Self { beta: 1.0, ..self }
    }

    /// The library's matrices are column-major: to it ours are transposed, and so is the product.
    fn config(&self) -> Result<GemmConfig<f32>> {
        let [m, n, k] = self.sizes;
        Ok(GemmConfig {
            transa: self.b.0.operation(),
            transb: self.a.0.operation(),
            m: int(n)?,
            n: int(m)?,
            k: int(k)?,
            alpha: 1.0,
            lda: int(self.b.1)?,
            ldb: int(self.a.1)?,
            beta: self.beta,
            ldc: int(self.c)?,
        })
    }

    /// Numbers that a matrix of `rows` stored rows of `columns`, `ld` apart, reaches over.
    fn reach(rows: usize, columns: usize, ld: usize) -> usize {
        rows.saturating_sub(1) * ld + columns
    }

    /// What the three matrices reach over, to be checked against what there is.
    fn reaches(&self) -> [usize; 3] {
        let [m, n, k] = self.sizes;
        let of = |(order, ld): (Order, usize), rows, columns| match order {
            Order::AsIs => Self::reach(rows, columns, ld),
            Order::Turned => Self::reach(columns, rows, ld),
        };
        [
            of(self.a, m, k),
            of(self.b, k, n),
            Self::reach(m, n, self.c),
        ]
    }

    pub(super) fn run(
        &self,
        device: &CudaDevice,
        a: &impl DevicePtr<f32>,
        b: &impl DevicePtr<f32>,
        c: &mut impl DevicePtrMut<f32>,
    ) -> Result<()> {
        check(self.reaches(), [a.len(), b.len(), c.len()])?;
        let config = self.config()?;
        let library = device.cublas_handle();
        self.precision.set(&library)?;
        #[expect(unsafe_code, reason = "the library takes pointers")]
        // SAFETY: all three matrices lie within their slices, as was just checked.
        let done = unsafe { library.gemm(config, b, a, c) };
        Precision::Full.set(&library)?;
        done.w()
    }

    /// `batch` products, their matrices `strides` numbers apart.
    pub(super) fn run_batch(
        &self,
        device: &CudaDevice,
        (a, b, c): (
            &impl DevicePtr<f32>,
            &impl DevicePtr<f32>,
            &mut impl DevicePtrMut<f32>,
        ),
        batch: usize,
        strides: [usize; 3],
    ) -> Result<()> {
        let mut reaches = self.reaches();
        for (reach, stride) in reaches.iter_mut().zip(strides) {
            *reach += batch.saturating_sub(1) * stride;
        }
        check(reaches, [a.len(), b.len(), c.len()])?;
        let [stride_a, stride_b, stride_c] = strides.map(|stride| stride as i64);
        let config = StridedBatchedConfig {
            gemm: self.config()?,
            batch_size: int(batch)?,
            stride_a: stride_b,
            stride_b: stride_a,
            stride_c,
        };
        let library = device.cublas_handle();
        self.precision.set(&library)?;
        #[expect(unsafe_code, reason = "the library takes pointers")]
        // SAFETY: all matrices lie within their slices, as was just checked.
        let done = unsafe { library.gemm_strided_batched(config, b, a, c) };
        Precision::Full.set(&library)?;
        done.w()
    }
}

fn check(reaches: [usize; 3], lengths: [usize; 3]) -> Result<()> {
    if reaches
        .iter()
        .zip(lengths)
        .any(|(&reach, length)| reach > length)
    {
        bail!("a matrix product beyond its matrices");
    }
    Ok(())
}
