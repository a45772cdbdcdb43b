//! The CPU kernel of depthwise convolutions: each channel has a small filter of its own. One channel at a time, its
//! outputs in whole registers, bias and activation before they leave them.
#![expect(
    unsafe_code,
    reason = "register kernels read the padded channel through pointers"
)]
#![expect(
    clippy::inline_always,
    reason = "vector instructions must be compiled inside the function that enables them"
)]

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::Activation;
use super::geometry::{Geometry, PlaneLayout, pad_plane};
use crate::ops::lanes::{Isa, Lanes, Task, WIDEST, load_part, store_part};

/// Filters `(C, k * k)` and biases `(C,)`.
pub(super) struct Filters {
    pub(super) isa: Isa,
    pub(super) weights: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl Filters {
    /// Convolves a batch `(B, C, H, W)`; `residual` has the shape of the result `(B, C, h, w)`.
    pub(super) fn run(
        &self,
        pixels: &[f32],
        geometry: &Geometry,
        residual: Option<&[f32]>,
        activation: Activation,
    ) -> Vec<f32> {
        let layout = geometry.layout();
        let size = geometry.kernel * geometry.kernel;
        let source_plane = geometry.rows.size * geometry.columns.size;
        let out_plane = geometry.out_pixels();
        let out_size = geometry.batch * geometry.channels * out_plane;
        let mut output = Vec::with_capacity(out_size);
        let planes = output.spare_capacity_mut()[..out_size].par_chunks_mut(out_plane);
        let planes = planes.zip(pixels.par_chunks(source_plane)).enumerate();
        // The margin lets the last register of the last row be read whole.
        let scratch = || vec![0.0; layout.plane + WIDEST];
        planes.for_each_init(scratch, |padded, (plane, (target, source))| {
            let channel = plane % geometry.channels;
            pad_plane(source, &mut padded[..layout.plane], geometry, &layout);
            self.isa.run(PlaneTask {
                filter: &self.weights[channel * size..][..size],
                bias: self.bias[channel],
                padded,
                layout,
                geometry,
                residual: residual.map(|values| &values[plane * out_plane..][..out_plane]),
                activation,
                target,
            });
        });
        // SAFETY: each plane is written from its first to its last row.
        unsafe { output.set_len(out_size) };
        output
    }
}

/// One channel of one picture.
struct PlaneTask<'a> {
    filter: &'a [f32],
    bias: f32,
    padded: &'a [f32],
    layout: PlaneLayout,
    geometry: &'a Geometry,
    residual: Option<&'a [f32]>,
    activation: Activation,
    target: &'a mut [MaybeUninit<f32>],
}

impl Task for PlaneTask<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes, const ROWS: usize, const N: usize>(self) {
        // SAFETY: the caller vouches for the instructions of `V`. The sizes in use are spelled out so that their loops
        // are unrolled.
        unsafe {
            match self.geometry.kernel {
                3 => self.convolve::<V>(3),
                5 => self.convolve::<V>(5),
                kernel => self.convolve::<V>(kernel),
            }
        }
    }
}

impl PlaneTask<'_> {
    #[inline(always)]
    unsafe fn convolve<V: Lanes>(self, kernel: usize) {
        let width = self.geometry.columns.out;
        for (y, row) in self.target.chunks_mut(width).enumerate() {
            for x in (0..width).step_by(V::COUNT) {
                let at = y * width + x;
                let count = (width - x).min(V::COUNT);
                let source = &self.padded[self.layout.output(y, x)..];
                debug_assert!(
                    source.len() >= self.layout.tap(kernel - 1, kernel - 1) + V::COUNT,
                    "the margin"
                );
                // SAFETY: every tap of the last output lies in the plane, and after it comes the margin of a register;
                // `count` outputs are left in this row, here and in the residual.
                unsafe {
                    let mut sum = V::splat(self.bias);
                    for ky in 0..kernel {
                        for kx in 0..kernel {
                            let values = V::load(source.as_ptr().add(self.layout.tap(ky, kx)));
                            sum = V::splat(*self.filter.get_unchecked(ky * kernel + kx))
                                .mul_add(values, sum);
                        }
                    }
                    if let Some(residual) = self.residual {
                        sum = sum.add(load_part(residual.as_ptr().add(at), count));
                    }
                    store_part(
                        self.activation.apply_lanes(sum),
                        row.as_mut_ptr().add(x).cast(),
                        count,
                    );
                }
            }
        }
    }
}
