//! Inner loops compiled for the widest vector instructions this machine has. Decides nothing about what they compute.
//!
//! The loops are plain Rust over arrays of fixed length; each is compiled once per instruction set, and the choice is
//! made when the program runs. On one machine the choice never changes, so results are reproducible to the bit.

#![expect(
    clippy::inline_always,
    reason = "only inlined code is compiled for the instruction set that was chosen"
)]

/// Values handled side by side in the inner loops.
pub(super) const LANES: usize = 16;

/// Rows multiplied with one panel at a time.
pub(super) const ROWS: usize = 6;

/// One value for each row of a block.
pub(super) type Block = [f32; ROWS];

/// Work to be compiled once per instruction set.
///
/// `run` must be `#[inline(always)]`, and so must everything hot it calls: only inlined code is compiled for the
/// caller's instruction set. `FUSED` says whether multiply-add is one instruction there.
pub(crate) trait Kernel {
    type Output;

    fn run<const FUSED: bool>(self) -> Self::Output;
}

/// Runs a kernel with the best instructions at hand.
pub(crate) fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        #[expect(
            unsafe_code,
            reason = "calling a function compiled for instructions that were just detected"
        )]
        // SAFETY: the two features `run_with_avx2` is compiled for were detected on this processor.
        return unsafe { run_with_avx2(kernel) };
    }
    kernel.run::<{ cfg!(target_arch = "aarch64") }>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_with_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true>()
}

/// `a * b + c`, in one rounding where the machine can. Without the instruction, `mul_add` would be a slow call.
#[inline(always)]
pub(crate) fn multiply_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// Squared Euclidean distance by direct differences, which unlike `|a|^2 + |b|^2 - 2 ab` cancels nothing.
#[inline(always)]
pub(super) fn squared_distance<const FUSED: bool>(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [[0.0_f32; LANES]; 2];
    let (pairs_a, rest_a) = a.as_chunks::<{ 2 * LANES }>();
    let (pairs_b, rest_b) = b.as_chunks::<{ 2 * LANES }>();
    for (a, b) in pairs_a.iter().zip(pairs_b) {
        for half in 0..2 {
            for lane in 0..LANES {
                let difference = a[half * LANES + lane] - b[half * LANES + lane];
                sums[half][lane] = multiply_add::<FUSED>(difference, difference, sums[half][lane]);
            }
        }
    }
    let mut total = 0.0;
    for (a, b) in rest_a.iter().zip(rest_b) {
        total = multiply_add::<FUSED>(a - b, a - b, total);
    }
    for (first, second) in sums[0].iter().zip(&sums[1]) {
        total += first + second;
    }
    total
}

/// A matrix (inner x columns) laid out for [`Panels::multiply`]: panels of `LANES` columns, the last filled with zeros.
#[derive(Debug, Clone)]
pub(super) struct Panels {
    inner: usize,
    data: Vec<[f32; LANES]>,
}

impl Panels {
    /// Lays out the matrix whose element in row `i`, column `j` is `at(i, j)`.
    pub(super) fn new(inner: usize, columns: usize, at: impl Fn(usize, usize) -> f32) -> Self {
        let mut data = vec![[0.0; LANES]; inner * columns.div_ceil(LANES)];
        for (index, lanes) in data.iter_mut().enumerate() {
            let (panel, i) = (index / inner, index % inner);
            for (lane, value) in lanes.iter_mut().enumerate() {
                let j = panel * LANES + lane;
                if j < columns {
                    *value = at(i, j);
                }
            }
        }
        Self { inner, data }
    }

    pub(super) fn count(&self) -> usize {
        self.data.len() / self.inner
    }

    /// Products of a block of rows (`block[i][r]`: element `i` of row `r`) with the columns of one panel.
    #[inline(always)]
    pub(super) fn multiply<const FUSED: bool>(
        &self,
        block: &[Block],
        panel: usize,
    ) -> [[f32; LANES]; ROWS] {
        let mut sums = [[0.0; LANES]; ROWS];
        let panel = &self.data[panel * self.inner..][..self.inner];
        for (a, b) in block.iter().zip(panel) {
            for row in 0..ROWS {
                for lane in 0..LANES {
                    sums[row][lane] = multiply_add::<FUSED>(a[row], b[lane], sums[row][lane]);
                }
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::{Block, Kernel, LANES, Panels, ROWS, dispatch, squared_distance};

    struct Distance<'a>(&'a [f32], &'a [f32]);

    impl Kernel for Distance<'_> {
        type Output = f32;

        #[inline(always)]
        fn run<const FUSED: bool>(self) -> f32 {
            squared_distance::<FUSED>(self.0, self.1)
        }
    }

    #[test]
    fn distances_are_right_at_every_length_and_on_every_path() {
        for length in [0, 1, 15, 16, 31, 32, 33, 64, 100, 448] {
            let a: Vec<f32> = (0..length).map(|i| (i as f32 * 0.37).sin()).collect();
            let b: Vec<f32> = (0..length).map(|i| (i as f32 * 0.11).cos()).collect();
            let expected: f64 = a
                .iter()
                .zip(&b)
                .map(|(a, b)| f64::from(a - b).powi(2))
                .sum();
            let plain = Distance(&a, &b).run::<false>();
            for found in [dispatch(Distance(&a, &b)), plain] {
                assert!(
                    (f64::from(found) - expected).abs() <= 1e-5 * expected.max(1.0),
                    "{length}: {found} {expected}"
                );
            }
        }
    }

    struct Product<'a>(&'a Panels, &'a [Block], usize);

    impl Kernel for Product<'_> {
        type Output = [[f32; LANES]; ROWS];

        #[inline(always)]
        fn run<const FUSED: bool>(self) -> Self::Output {
            self.0.multiply::<FUSED>(self.1, self.2)
        }
    }

    #[test]
    fn panels_multiply_like_a_matrix_and_fill_up_with_zeros() {
        let (inner, columns) = (5, 19);
        let at = |i: usize, j: usize| (i * 19 + j) as f32 * 0.01;
        let panels = Panels::new(inner, columns, at);
        assert_eq!(panels.count(), 2);
        let block: Vec<Block> = (0..inner)
            .map(|i| std::array::from_fn(|r| (i + r) as f32))
            .collect();
        for panel in 0..2 {
            let product = dispatch(Product(&panels, &block, panel));
            for (r, row) in product.iter().enumerate() {
                for (lane, &value) in row.iter().enumerate() {
                    let j = panel * LANES + lane;
                    let expected: f32 = if j < columns {
                        (0..inner).map(|i| (i + r) as f32 * at(i, j)).sum()
                    } else {
                        0.0
                    };
                    assert!((value - expected).abs() < 1e-4);
                }
            }
        }
    }
}
