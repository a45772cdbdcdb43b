//! The code of a fibre's place in its grid, which the flow is conditioned on (Gudovskiy et al. 2022, section 4.3; the
//! sinusoids are those of Vaswani et al. 2017). Rows and columns are coded apart, so a grid needs `h + w` codes, not `h * w`.

/// Codes of all rows and all columns of a grid. The condition of the cell in row `i`, column `j` is `columns[j]` followed by
/// `rows[i]`.
#[derive(Debug, Clone, PartialEq)]
pub struct PositionCode {
    /// Length of one code: half of the condition.
    pub half: usize,
    /// `(h, half)`, row-major.
    pub rows: Vec<f32>,
    /// `(w, half)`, row-major.
    pub columns: Vec<f32>,
}

impl PositionCode {
    /// Sines and cosines of the index times `10000^(-2k / half)`; indices start at 0 and are not scaled by the grid's size.
    pub fn sinusoidal(condition: usize, height: usize, width: usize) -> Self {
        let half = condition / 2;
        Self {
            half,
            rows: codes(half, height),
            columns: codes(half, width),
        }
    }

    /// Rows and columns of the grid.
    pub fn grid(&self) -> (usize, usize) {
        (self.rows.len() / self.half, self.columns.len() / self.half)
    }

    /// The whole condition of one cell.
    pub fn condition(&self, row: usize, column: usize) -> Vec<f32> {
        let part = |codes: &[f32], index: usize| codes[index * self.half..][..self.half].to_vec();
        [part(&self.columns, column), part(&self.rows, row)].concat()
    }
}

fn codes(half: usize, count: usize) -> Vec<f32> {
    let code = |index: usize| {
        (0..half).map(move |channel| {
            let frequency = 10_000_f64.powf(-((channel / 2 * 2) as f64) / half as f64);
            let angle = index as f64 * frequency;
            (if channel % 2 == 0 {
                angle.sin()
            } else {
                angle.cos()
            }) as f32
        })
    };
    (0..count).flat_map(code).collect()
}

#[cfg(test)]
mod tests {
    use super::PositionCode;

    fn assert_close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn codes_follow_the_reference() {
        let code = PositionCode::sinusoidal(128, 4, 4);
        assert_eq!(code.grid(), (4, 4));
        let column = |channel: usize| -> Vec<f32> {
            (0..4).map(|j| code.condition(0, j)[channel]).collect()
        };
        let row = |channel: usize| -> Vec<f32> {
            (0..4).map(|i| code.condition(i, 0)[channel]).collect()
        };
        assert_close(&column(0), &[0.0, 0.841_471, 0.909_297, 0.141_120]);
        assert_close(&column(1), &[1.0, 0.540_302, -0.416_147, -0.989_992]);
        assert_close(&column(2), &[0.0, 0.681_561, 0.997_480, 0.778_273]);
        assert_close(&column(3), &[1.0, 0.731_761, 0.070_948, -0.627_927]);
        assert_close(&column(62), &[0.0, 0.000_133, 0.000_267, 0.000_400]);
        assert_close(&row(64), &[0.0, 0.841_471, 0.909_297, 0.141_120]);
        assert_close(&row(66), &[0.0, 0.681_561, 0.997_480, 0.778_273]);
        let cell = code.condition(1, 2);
        assert_close(
            &cell[..6],
            &[
                0.909_297, -0.416_147, 0.997_480, 0.070_948, 0.902_131, 0.431_463,
            ],
        );
        assert_close(
            &cell[64..70],
            &[
                0.841_471, 0.540_302, 0.681_561, 0.731_761, 0.533_168, 0.846_009,
            ],
        );
    }

    #[test]
    fn sums_over_a_whole_grid_are_the_published_ones() {
        let code = PositionCode::sinusoidal(128, 4, 4);
        let all: Vec<f64> = (0..16)
            .flat_map(|cell| code.condition(cell / 4, cell % 4))
            .map(f64::from)
            .collect();
        assert_eq!(all.len(), 2048);
        assert!((all.iter().sum::<f64>() - 1_063.683_659).abs() < 1e-3);
        assert!((all.iter().map(|x| x * x).sum::<f64>() - 1024.0).abs() < 1e-3);
    }
}
