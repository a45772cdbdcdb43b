//! Connected regions of a ground-truth mask: pixels that touch at an edge or a corner (8-connected) belong together.
//! Works on runs of pixels, not on pixels, so a mask costs what its outline costs.

/// Neighbouring defective pixels of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub row: usize,
    /// First column, and the one after the last.
    pub from: usize,
    pub to: usize,
    /// Counted from 0 in the order in which regions first appear, row by row.
    pub region: usize,
}

/// The regions of one mask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regions {
    /// In row-major order.
    pub runs: Vec<Run>,
    /// Pixels of each region.
    pub sizes: Vec<usize>,
}

impl Regions {
    /// Finds the regions of a row-major mask, whose length is a multiple of `width`.
    pub fn of(mask: &[bool], width: usize) -> Self {
        if width == 0 {
            return Self::default();
        }
        let mut runs = runs(mask, width);
        let mut parents: Vec<usize> = (0..runs.len()).collect();
        join_rows(&runs, &mut parents);

        let mut sizes = Vec::new();
        for i in 0..runs.len() {
            let root = root(&mut parents, i);
            // A root is the first run of its region, so it has been numbered before any other of them.
            let region = if root == i {
                sizes.len()
            } else {
                runs[root].region
            };
            if root == i {
                sizes.push(0);
            }
            runs[i].region = region;
            sizes[region] += runs[i].to - runs[i].from;
        }
        Self { runs, sizes }
    }
}

fn runs(mask: &[bool], width: usize) -> Vec<Run> {
    let mut runs = Vec::new();
    for (row, pixels) in mask.chunks_exact(width).enumerate() {
        let mut to = 0;
        while let Some(skipped) = pixels[to..].iter().position(|&set| set) {
            let from = to + skipped;
            to = pixels[from..]
                .iter()
                .position(|&set| !set)
                .map_or(width, |length| from + length);
            runs.push(Run {
                row,
                from,
                to,
                region: 0,
            });
        }
    }
    runs
}

/// Joins each run with those of the row above that it touches, walking both rows side by side.
fn join_rows(runs: &[Run], parents: &mut [usize]) {
    let mut above = 0;
    for (i, run) in runs.iter().enumerate() {
        let is_passed =
            |other: &Run| other.row + 1 < run.row || (other.row < run.row && other.to < run.from);
        while is_passed(&runs[above]) {
            above += 1;
        }
        // Columns may just miss each other: such runs touch at a corner.
        let touches = |other: &&Run| other.row < run.row && other.from <= run.to;
        for offset in 0..runs[above..i].iter().take_while(touches).count() {
            join(parents, above + offset, i);
        }
    }
}

fn join(parents: &mut [usize], one: usize, other: usize) {
    let (one, other) = (root(parents, one), root(parents, other));
    parents[one.max(other)] = one.min(other);
}

/// The first run of the region that `i` belongs to, halving the path on the way.
fn root(parents: &mut [usize], mut i: usize) -> usize {
    while parents[i] != i {
        parents[i] = parents[parents[i]];
        i = parents[i];
    }
    i
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any};
    use proptest::{collection, prop_assert_eq, proptest};

    use super::Regions;

    fn mask(rows: &[&str]) -> (Vec<bool>, usize) {
        (
            rows.concat().bytes().map(|byte| byte == b'#').collect(),
            rows[0].len(),
        )
    }

    fn sizes(rows: &[&str]) -> Vec<usize> {
        let (mask, width) = mask(rows);
        Regions::of(&mask, width).sizes
    }

    #[test]
    fn pixels_that_touch_at_a_corner_belong_together() {
        assert_eq!(sizes(&["##..", "#...", "..#.", "...#"]), [3, 2]);
        assert_eq!(sizes(&["....", ".#..", "#...", "..#."]), [2, 1]);
    }

    #[test]
    fn arms_that_meet_further_down_are_one_region() {
        assert_eq!(
            sizes(&["#.#.#", "#.#.#", "#####", ".....", "#...#"]),
            [11, 1, 1]
        );
        assert_eq!(
            sizes(&[
                "#######", "......#", "#####.#", "#...#.#", "#.###.#", "#.....#", "#######"
            ]),
            [31]
        );
        assert_eq!(sizes(&["...#", ".#.#", "#.#.", "...."]), [5]);
    }

    #[test]
    fn the_end_of_a_row_does_not_touch_the_start_of_the_next() {
        assert_eq!(sizes(&["...#", "#...", "...#"]), [1, 1, 1]);
        assert_eq!(sizes(&["..##", "....", "##.."]), [2, 2]);
    }

    #[test]
    fn empty_and_full_masks_have_no_region_and_one() {
        assert_eq!(sizes(&["...", "..."]), [0; 0]);
        assert_eq!(sizes(&["###", "###"]), [6]);
        assert_eq!(sizes(&["#"]), [1]);
        assert_eq!(Regions::of(&[], 0), Regions::default());
        assert_eq!(Regions::of(&[], 3), Regions::default());
    }

    /// Region numbers by flooding, `None` outside.
    fn flooded(mask: &[bool], width: usize) -> Vec<Option<usize>> {
        let mut labels = vec![None; mask.len()];
        let mut regions = 0;
        for seed in 0..mask.len() {
            let mut stack = vec![seed];
            let mut grew = false;
            while let Some(i) = stack.pop() {
                if !mask[i] || labels[i].is_some() {
                    continue;
                }
                (labels[i], grew) = (Some(regions), true);
                let touches = |j: &usize| {
                    (j / width).abs_diff(i / width) <= 1 && (j % width).abs_diff(i % width) <= 1
                };
                stack.extend((0..mask.len()).filter(touches));
            }
            regions += usize::from(grew);
        }
        labels
    }

    proptest! {
        #[test]
        fn runs_find_the_regions_that_flooding_finds(
            (width, mask) in (1usize..9, 0usize..9)
                .prop_flat_map(|(width, height)| (Just(width), collection::vec(any::<bool>(), width * height)))
        ) {
            let regions = Regions::of(&mask, width);
            let mut labels = vec![None; mask.len()];
            for run in &regions.runs {
                labels[run.row * width..][run.from..run.to].fill(Some(run.region));
            }
            prop_assert_eq!(&labels, &flooded(&mask, width));
            for (region, &size) in regions.sizes.iter().enumerate() {
                prop_assert_eq!(size, labels.iter().filter(|&&label| label == Some(region)).count());
            }
        }
    }
}
