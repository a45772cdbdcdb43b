//! Matrix products on plain slices, on one thread: whoever calls decides what runs side by side. Shapes are checked here,
//! so that nothing above needs unsafe code.

use gemm::{Parallelism, gemm};

/// A matrix lying in a slice: element `(i, j)` is `values[i * row_stride + j * column_stride]`.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> View<'a> {
    /// The first `columns` of each row of a row-major matrix whose rows are `stride` long; its number of rows follows from
    /// the slice.
    pub fn new(values: &'a [f32], columns: usize, stride: usize) -> Self {
        let rows = match values.len() {
            0 => 0,
            _ if columns == 0 => values.len().div_ceil(stride.max(1)),
            len => (len + stride - columns) / stride,
        };
        let view = Self {
            values,
            rows,
            columns,
            row_stride: stride,
            column_stride: 1,
        };
        view.check();
        view
    }

    /// The matrix mirrored at its diagonal.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// Every element lies in the slice.
    fn check(&self) {
        if self.rows > 0 && self.columns > 0 {
            let last = (self.rows - 1) * self.row_stride + (self.columns - 1) * self.column_stride;
            assert!(last < self.values.len(), "a matrix outside of its slice");
        }
    }
}

/// What becomes of the numbers that are in the result's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Replace,
    AddTo,
}

/// `a * b` into the row-major `out`, whose rows are `stride` long.
///
/// # Panics
/// Where the shapes do not fit, as indexing a slice does.
pub fn multiply(a: View, b: View, out: &mut [f32], stride: usize, target: Target) {
    assert_eq!(a.columns, b.rows, "matrices that cannot be multiplied");
    let (rows, columns) = (a.rows, b.columns);
    if rows == 0 || columns == 0 {
        return;
    }
    assert!(columns <= stride, "rows of a product overlap");
    assert!((rows - 1) * stride + columns <= out.len());
    let add = target == Target::AddTo;
    #[expect(unsafe_code, reason = "the library takes pointers")]
    // SAFETY: `View::check` and the assertion above put every element read or written into its slice, and `out` is
    // borrowed exclusively, so it overlaps neither factor.
    unsafe {
        gemm(
            rows,
            columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            stride as isize,
            add,
            a.values.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.values.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            f32::from(u8::from(add)),
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{Target, View, multiply};

    fn numbers(count: usize, salt: usize) -> Vec<f32> {
        (0..count)
            .map(|i| ((i * 7919 + salt) as f32 * 0.618).sin())
            .collect()
    }

    fn at(view: View, i: usize, j: usize) -> f64 {
        f64::from(view.values[i * view.row_stride + j * view.column_stride])
    }

    fn assert_product(a: View, b: View) {
        let stride = b.columns + 2;
        let start = numbers(a.rows * stride, 3);
        for target in [Target::Replace, Target::AddTo] {
            let mut out = start.clone();
            multiply(a, b, &mut out, stride, target);
            for i in 0..a.rows {
                for j in 0..stride {
                    let (found, before) = (out[i * stride + j], start[i * stride + j]);
                    if j >= b.columns {
                        assert_eq!(found, before, "padding was written");
                        continue;
                    }
                    let sum: f64 = (0..a.columns).map(|k| at(a, i, k) * at(b, k, j)).sum();
                    let add = if target == Target::AddTo { before } else { 0.0 };
                    let expected = sum + f64::from(add);
                    assert!((f64::from(found) - expected).abs() < 1e-4);
                }
            }
        }
    }

    #[test]
    fn products_are_right_for_odd_sizes_strides_and_transposes() {
        for (m, n, k) in [(1, 1, 1), (3, 5, 7), (17, 2, 33), (64, 40, 20), (2, 70, 1)] {
            let a = numbers(m * (k + 3), 1);
            let b = numbers(k * (n + 1), 2);
            let (a, b) = (View::new(&a, k, k + 3), View::new(&b, n, n + 1));
            assert_product(a, b);
            assert_product(b.transposed(), a.transposed());
        }
    }

    #[test]
    fn an_empty_sum_is_zero() {
        let none = View::new(&[], 0, 1);
        let mut out = [5.0; 1];
        multiply(
            View { rows: 1, ..none },
            View {
                columns: 1,
                row_stride: 1,
                ..none
            },
            &mut out,
            1,
            Target::Replace,
        );
        assert_eq!(out, [0.0]);
    }

    #[test]
    #[should_panic(expected = "cannot be multiplied")]
    fn shapes_that_do_not_fit_are_refused() {
        let values = numbers(6, 0);
        let view = View::new(&values, 2, 2);
        multiply(view, view, &mut [0.0; 9], 3, Target::Replace);
    }
}
