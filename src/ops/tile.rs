//! The innermost loop of convolutions: a tile of sums that stays in the registers. Knows neither where
//! its operands come from nor what becomes of the sums.
#![expect(
    unsafe_code,
    reason = "register kernels read their operands through pointers"
)]
#![expect(
    clippy::inline_always,
    reason = "vector instructions must be compiled inside the function that enables them"
)]

use super::lanes::{Lanes, WIDEST};

/// `ROWS` rows of `N` registers.
pub(super) type Tile<V, const ROWS: usize, const N: usize> = [[V; N]; ROWS];

/// Numbers in lines as the cache has them: whole registers then never straddle two.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Line(
    #[expect(dead_code, reason = "written and read in registers, through pointers")] [f32; WIDEST],
);

/// A buffer that starts with a line of the cache.
#[derive(Default)]
pub(super) struct Lines(Vec<Line>);

impl Lines {
    /// Room for `count` numbers and a register more, which may be written past the end. What is in it is left from
    /// before.
    pub(super) fn reserve(&mut self, count: usize) -> *mut f32 {
        let lines = count.div_ceil(WIDEST) + 1;
        if self.0.len() < lines {
            self.0.resize(lines, Line([0.0; WIDEST]));
        }
        self.0.as_mut_ptr().cast()
    }
}

impl Lines {
    /// Room for `count` numbers without any in it: each must be written before it is read.
    pub(super) fn room(count: usize) -> Self {
        Self(Vec::with_capacity(count.div_ceil(WIDEST)))
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut f32 {
        self.0.as_mut_ptr().cast()
    }
}

/// `sums + left * right`: `left` is `depth` times `ROWS` numbers, `right` `depth` times `N` registers.
///
/// # Safety
/// As [`Lanes`]; the pointers are valid for that many numbers.
#[inline(always)]
pub(super) unsafe fn accumulate<V: Lanes, const ROWS: usize, const N: usize>(
    mut sums: Tile<V, ROWS, N>,
    mut left: *const f32,
    mut right: *const f32,
    depth: usize,
) -> Tile<V, ROWS, N> {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        for _ in 0..depth {
            let mut values = [V::splat(0.0); N];
            for (register, value) in values.iter_mut().enumerate() {
                *value = V::load(right.add(register * V::COUNT));
            }
            for (row, sums) in sums.iter_mut().enumerate() {
                let factor = V::splat(*left.add(row));
                for (sum, &value) in sums.iter_mut().zip(&values) {
                    *sum = factor.mul_add(value, *sum);
                }
            }
            left = left.add(ROWS);
            right = right.add(N * V::COUNT);
        }
        sums
    }
}
