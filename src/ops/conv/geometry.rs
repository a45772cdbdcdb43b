//! Where a convolution reads: output sizes, padding rules, and the padded copy of a batch the CPU kernels work on.

use std::borrow::Cow;
use std::ops::Range;

use candle_core::{Result, Tensor, bail};
use rayon::prelude::*;

/// What surrounds the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// This many zeros on each side.
    Zeros(usize),
    /// This many pixels on each side, mirrored at the edge without repeating it: `… x2 x1 | x0 x1 x2 …`.
    Reflect(usize),
    /// TensorFlow's "same": zeros so that the output has `ceil(n / stride)` pixels, the smaller half first.
    Same,
}

/// Padding and output size along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ops) struct Axis {
    pub(in crate::ops) size: usize,
    pub(in crate::ops) before: usize,
    pub(in crate::ops) after: usize,
    pub(in crate::ops) out: usize,
    pub(in crate::ops) reflect: bool,
}

impl Axis {
    pub(in crate::ops) fn new(
        padding: Padding,
        size: usize,
        kernel: usize,
        stride: usize,
    ) -> Result<Self> {
        let (before, after) = match padding {
            Padding::Zeros(pad) | Padding::Reflect(pad) => (pad, pad),
            Padding::Same => {
                let reach = (size.div_ceil(stride).max(1) - 1) * stride + kernel;
                let total = reach.saturating_sub(size);
                (total / 2, total - total / 2)
            }
        };
        let reflect = matches!(padding, Padding::Reflect(pad) if pad > 0);
        if size == 0 || size + before + after < kernel {
            bail!(
                "a picture side of {size} pixels is too small for a {kernel} pixel wide convolution"
            );
        }
        if reflect && size <= before {
            bail!(
                "a picture side of {size} pixels is too small to be mirrored over {before} pixels"
            );
        }
        let out = (size + before + after - kernel) / stride + 1;
        Ok(Self {
            size,
            before,
            after,
            out,
            reflect,
        })
    }

    /// Which source pixel stands at a padded position; none where a zero does.
    pub(in crate::ops) fn source(&self, padded: usize) -> Option<usize> {
        let inside = self.before..self.before + self.size;
        if inside.contains(&padded) {
            return Some(padded - self.before);
        }
        if !self.reflect || padded >= inside.end + self.after {
            return None;
        }
        let mirrored = if padded < inside.start {
            self.before - padded
        } else {
            2 * (self.size - 1) - (padded - self.before)
        };
        Some(mirrored)
    }

    fn is_unpadded(&self) -> bool {
        self.before == 0 && self.after == 0
    }
}

/// Sizes of one convolution of one batch.
#[derive(Debug, Clone, Copy)]
pub(in crate::ops) struct Geometry {
    pub(in crate::ops) batch: usize,
    pub(in crate::ops) channels: usize,
    pub(in crate::ops) rows: Axis,
    pub(in crate::ops) columns: Axis,
    pub(in crate::ops) kernel: usize,
    pub(in crate::ops) stride: usize,
}

impl Geometry {
    pub(in crate::ops) fn new(
        dims: [usize; 4],
        kernel: usize,
        stride: usize,
        padding: Padding,
    ) -> Result<Self> {
        let [batch, channels, height, width] = dims;
        Ok(Self {
            batch,
            channels,
            rows: Axis::new(padding, height, kernel, stride)?,
            columns: Axis::new(padding, width, kernel, stride)?,
            kernel,
            stride,
        })
    }

    /// Output pixels of one channel.
    pub(in crate::ops) fn out_pixels(&self) -> usize {
        self.rows.out * self.columns.out
    }

    pub(in crate::ops) fn layout(&self) -> PlaneLayout {
        let phases = self.stride.min(self.kernel);
        let phase = self.columns.out + (self.kernel - 1) / self.stride;
        // A convolution that reads the picture as it is needs no copy, so the layout is the picture's own.
        let verbatim = self.stride == 1 && self.rows.is_unpadded() && self.columns.is_unpadded();
        let rows = if verbatim {
            self.rows.size
        } else {
            (self.rows.out - 1) * self.stride + self.kernel
        };
        PlaneLayout {
            verbatim,
            phase,
            row: phases * phase,
            plane: rows * phases * phase,
            stride: self.stride,
        }
    }
}

/// How a padded channel lies in memory.
///
/// With a stride of 2 each row is split into its even and its odd pixels ("phases"), so that whatever kernel position,
/// neighbouring outputs read neighbouring numbers.
#[derive(Debug, Clone, Copy)]
pub(in crate::ops) struct PlaneLayout {
    verbatim: bool,
    /// Numbers in one phase of one row.
    phase: usize,
    /// Numbers in a row.
    row: usize,
    /// Numbers in a channel.
    pub(in crate::ops) plane: usize,
    stride: usize,
}

impl PlaneLayout {
    /// Offset in a channel of what the output at row 0, column 0 reads through this position of the kernel.
    pub(in crate::ops) fn tap(&self, y: usize, x: usize) -> usize {
        y * self.row + (x % self.stride) * self.phase + x / self.stride
    }

    /// Offset to add for the output at this row and column.
    pub(in crate::ops) fn output(&self, row: usize, column: usize) -> usize {
        row * self.stride * self.row + column
    }
}

/// The batch, padded and split into phases; borrowed where that changes nothing.
pub(in crate::ops) fn padded<'a>(pixels: &'a [f32], geometry: &Geometry) -> Cow<'a, [f32]> {
    let layout = geometry.layout();
    if layout.verbatim {
        return Cow::Borrowed(pixels);
    }
    let source_plane = geometry.rows.size * geometry.columns.size;
    let mut all = vec![0.0; geometry.batch * geometry.channels * layout.plane];
    all.par_chunks_mut(layout.plane)
        .zip(pixels.par_chunks(source_plane))
        .for_each(|(target, source)| pad_plane(source, target, geometry, &layout));
    Cow::Owned(all)
}

/// Fills one channel. Every number of `target` is written.
pub(in crate::ops) fn pad_plane(
    source: &[f32],
    target: &mut [f32],
    geometry: &Geometry,
    layout: &PlaneLayout,
) {
    let columns = &geometry.columns;
    for (y, row) in target.chunks_mut(layout.row).enumerate() {
        let Some(source_y) = geometry.rows.source(y) else {
            row.fill(0.0);
            continue;
        };
        let source_row = &source[source_y * columns.size..][..columns.size];
        for (phase, line) in row.chunks_mut(layout.phase).enumerate() {
            let inside = inside_phase(columns, phase, geometry.stride, line.len());
            let edge = |index: usize| {
                columns
                    .source(index * geometry.stride + phase)
                    .map_or(0.0, |x| source_row[x])
            };
            (0..inside.start).for_each(|index| line[index] = edge(index));
            (inside.end..line.len()).for_each(|index| line[index] = edge(index));
            if inside.is_empty() {
                continue;
            }
            let from = &source_row[inside.start * geometry.stride + phase - columns.before..];
            let line = &mut line[inside];
            if geometry.stride == 1 {
                line.copy_from_slice(&from[..line.len()]);
            } else {
                line.iter_mut()
                    .zip(from.iter().step_by(geometry.stride))
                    .for_each(|(to, &value)| *to = value);
            }
        }
    }
}

/// The adjoint of padding with zeros: each pixel of a channel takes the number at its place in a padded one, 0 where it
/// has none. Every number of `target` is written.
pub(in crate::ops) fn unpad_plane(
    padded: &[f32],
    target: &mut [f32],
    geometry: &Geometry,
    layout: &PlaneLayout,
) {
    let (before, stride) = (geometry.columns.before, geometry.stride);
    for (y, line) in target.chunks_mut(geometry.columns.size).enumerate() {
        line.fill(0.0);
        let Some(row) = padded.chunks(layout.row).nth(y + geometry.rows.before) else {
            continue;
        };
        for (phase, source) in row.chunks(layout.phase).enumerate() {
            let first = before.saturating_sub(phase).div_ceil(stride);
            let places = line.iter_mut().skip(first * stride + phase - before);
            for (to, &value) in places.step_by(stride).zip(source.iter().skip(first)) {
                *to = value;
            }
        }
    }
}

/// The positions of a phase that lie on the picture itself.
fn inside_phase(columns: &Axis, phase: usize, stride: usize, length: usize) -> Range<usize> {
    let first = |position: usize| position.saturating_sub(phase).div_ceil(stride).min(length);
    first(columns.before)..first(columns.before + columns.size)
}

/// The same padding with tensor operations, for any device.
pub(in crate::ops) fn pad_tensor(pixels: &Tensor, geometry: &Geometry) -> Result<Tensor> {
    let padded = pad_dimension(pixels, 2, &geometry.rows)?;
    pad_dimension(&padded, 3, &geometry.columns)
}

fn pad_dimension(pixels: &Tensor, dimension: usize, axis: &Axis) -> Result<Tensor> {
    if !axis.reflect {
        return pixels.pad_with_zeros(dimension, axis.before, axis.after);
    }
    let count = axis.before + axis.size + axis.after;
    let sources = (0..count)
        .filter_map(|padded| axis.source(padded))
        .map(|source| source as u32);
    let index = Tensor::from_iter(sources, pixels.device())?;
    pixels.index_select(&index, dimension)
}

#[cfg(test)]
mod tests {
    use super::{Axis, Geometry, Padding, pad_plane, unpad_plane};

    fn sources(padding: Padding, size: usize, kernel: usize) -> Vec<Option<usize>> {
        let axis = Axis::new(padding, size, kernel, 1).unwrap();
        (0..axis.before + size + axis.after)
            .map(|position| axis.source(position))
            .collect()
    }

    #[test]
    fn reflection_mirrors_without_repeating_the_edge() {
        let expected = [2, 1, 0, 1, 2, 3, 2, 1].map(Some);
        assert_eq!(sources(Padding::Reflect(2), 4, 3), expected);
    }

    #[test]
    fn zeros_have_no_source() {
        assert_eq!(
            sources(Padding::Zeros(1), 2, 3),
            [None, Some(0), Some(1), None]
        );
    }

    #[test]
    fn same_padding_puts_the_smaller_half_first() {
        let even = Axis::new(Padding::Same, 64, 3, 2).unwrap();
        assert_eq!((even.before, even.after, even.out), (0, 1, 32));
        let odd = Axis::new(Padding::Same, 57, 5, 2).unwrap();
        assert_eq!((odd.before, odd.after, odd.out), (2, 2, 29));
        let tiny = Axis::new(Padding::Same, 1, 3, 2).unwrap();
        assert_eq!((tiny.before, tiny.after, tiny.out), (1, 1, 1));
    }

    #[test]
    fn what_was_padded_is_found_again_unless_no_output_reads_it() {
        let picture: Vec<f32> = (1..=56).map(|i| i as f32).collect();
        for (kernel, stride, padding) in [(3, 1, 1), (3, 2, 1), (5, 4, 2), (1, 1, 0), (2, 3, 0)] {
            let dims = [1, 1, 7, 8];
            let geometry = Geometry::new(dims, kernel, stride, Padding::Zeros(padding)).unwrap();
            let layout = geometry.layout();
            let mut padded = vec![0.0; layout.plane];
            pad_plane(&picture, &mut padded, &geometry, &layout);
            let mut found = vec![-1.0; picture.len()];
            unpad_plane(&padded, &mut found, &geometry, &layout);
            let gaps = found.iter().filter(|&&value| value == 0.0).count();
            let kept = |(found, value): (&f32, &f32)| found == value || *found == 0.0;
            assert!(found.iter().zip(&picture).all(kept));
            assert_eq!(gaps > 0, stride > kernel, "{kernel} {stride}");
        }
    }

    #[test]
    fn pictures_too_small_are_refused() {
        assert!(Axis::new(Padding::Zeros(0), 2, 3, 1).is_err());
        assert!(Axis::new(Padding::Reflect(3), 3, 7, 2).is_err());
        assert!(Axis::new(Padding::Reflect(3), 4, 7, 2).is_ok());
        assert!(Axis::new(Padding::Same, 0, 3, 2).is_err());
    }
}
