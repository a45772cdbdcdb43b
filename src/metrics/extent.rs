//! How large the regions of a map are at every limit, worked out once, so that a limit or a smallest area can be moved
//! without looking at a map again. One sweep from the highest score down joins pixels into 8-connected regions.

use std::collections::BTreeMap;

/// Steps of equal width in each doubling of the area beyond [`EXACT`].
const PER_OCTAVE: usize = 16;
/// Areas up to this many map pixels are told apart; larger ones are rounded up by at most a sixteenth.
const EXACT: usize = 64;

/// The area, in map pixels, that step `index` stands for: 1, 2, … 64, 68, 72, … 128, 136, …
pub fn step_area(index: usize) -> usize {
    match index.checked_sub(EXACT) {
        None => index + 1,
        Some(beyond) => {
            let width = (EXACT / PER_OCTAVE) << (beyond / PER_OCTAVE);
            (EXACT << (beyond / PER_OCTAVE)) + width * (beyond % PER_OCTAVE + 1)
        }
    }
}

/// The first step whose area is at least `area` map pixels; nothing counts as one pixel.
pub fn step_of(area: usize) -> usize {
    if area <= EXACT {
        return area.max(1) - 1;
    }
    let octave = ((area - 1) / EXACT).ilog2() as usize;
    let width = (EXACT / PER_OCTAVE) << octave;
    EXACT + octave * PER_OCTAVE + (area - (EXACT << octave)).div_ceil(width) - 1
}

/// A true defect as the map sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct DefectCells {
    /// Its area in pixels of the picture.
    pub area: f64,
    /// The map pixels it lies on, row-major; empty where the network did not see it.
    pub cells: Vec<u32>,
}

/// For each step of the area the highest limit at which there is a region of at least that area; minus infinity where
/// there is none at any limit.
pub type Levels = Vec<f32>;

/// What the sweep finds out about one map.
#[derive(Debug, Clone, PartialEq)]
pub struct MapExtent {
    /// Of the largest region anywhere.
    pub largest: Levels,
    /// Of the largest region that touches each defect.
    pub defects: Vec<Levels>,
}

impl MapExtent {
    /// Sweeps a row-major map of `width` columns. Scores that are not numbers belong to no region.
    pub fn of(values: &[f32], width: usize, defects: &[DefectCells]) -> Self {
        let steps = step_of(values.len()) + 1;
        let mut sweep = Sweep::new(values, width, defects, steps);
        for cell in descending(values) {
            sweep.add(cell);
        }
        let mut levels = sweep.climbs.into_iter().map(|climb| climb.levels);
        Self {
            largest: levels.next().unwrap_or_default(),
            defects: levels.collect(),
        }
    }
}

/// Indices of all numbers, the largest first.
fn descending(values: &[f32]) -> Vec<u32> {
    let mut keys: Vec<u64> = values
        .iter()
        .enumerate()
        .filter(|(_, value)| !value.is_nan())
        .map(|(index, value)| u64::from(!sortable(*value)) << 32 | index as u64)
        .collect();
    keys.sort_unstable();
    keys.into_iter().map(|key| key as u32).collect()
}

/// The bits in the order of the numbers.
fn sortable(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits >> 31 == 1 {
        !bits
    } else {
        bits | 1 << 31
    }
}

/// How far the largest region of something has grown.
struct Climb {
    levels: Levels,
    next: usize,
}

impl Climb {
    fn new(steps: usize) -> Self {
        Self {
            levels: vec![f32::NEG_INFINITY; steps],
            next: 0,
        }
    }

    fn grow(&mut self, area: u32, level: f32) {
        while let Some(slot) = self.levels.get_mut(self.next)
            && area as usize >= step_area(self.next)
        {
            *slot = level;
            self.next += 1;
        }
    }
}

const APART: u32 = u32::MAX;

struct Sweep<'a> {
    values: &'a [f32],
    width: usize,
    /// Of each pixel; [`APART`] until it is added.
    parents: Vec<u32>,
    /// Of each region, at its root.
    areas: Vec<u32>,
    /// The defects on a pixel, then those that the region of a root touches.
    touched: BTreeMap<u32, Vec<usize>>,
    /// Of the whole map, then of each defect.
    climbs: Vec<Climb>,
}

impl<'a> Sweep<'a> {
    fn new(values: &'a [f32], width: usize, defects: &[DefectCells], steps: usize) -> Self {
        let mut touched: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (index, defect) in defects.iter().enumerate() {
            for &cell in &defect.cells {
                touched.entry(cell).or_default().push(index + 1);
            }
        }
        Self {
            values,
            width: width.max(1),
            parents: vec![APART; values.len()],
            areas: vec![1; values.len()],
            touched,
            climbs: (0..=defects.len()).map(|_| Climb::new(steps)).collect(),
        }
    }

    fn add(&mut self, cell: u32) {
        self.parents[cell as usize] = cell;
        let (x, y) = (cell as usize % self.width, cell as usize / self.width);
        let height = self.values.len() / self.width;
        for row in y.saturating_sub(1)..(y + 2).min(height) {
            for column in x.saturating_sub(1)..(x + 2).min(self.width) {
                let neighbour = (row * self.width + column) as u32;
                if neighbour != cell && self.parents[neighbour as usize] != APART {
                    self.join(cell, neighbour);
                }
            }
        }
        let root = self.root(cell);
        let (area, level) = (self.areas[root as usize], self.values[cell as usize]);
        self.climbs[0].grow(area, level);
        if let Some(touched) = self.touched.get(&root) {
            for &defect in touched {
                self.climbs[defect].grow(area, level);
            }
        }
    }

    fn root(&mut self, mut cell: u32) -> u32 {
        while self.parents[cell as usize] != cell {
            let above = self.parents[self.parents[cell as usize] as usize];
            self.parents[cell as usize] = above;
            cell = above;
        }
        cell
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let (large, small) = if self.areas[a as usize] >= self.areas[b as usize] {
            (a, b)
        } else {
            (b, a)
        };
        self.parents[small as usize] = large;
        self.areas[large as usize] += self.areas[small as usize];
        if let Some(moved) = self.touched.remove(&small) {
            let kept = self.touched.entry(large).or_default();
            for defect in moved {
                if !kept.contains(&defect) {
                    kept.push(defect);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::{DefectCells, MapExtent, step_area, step_of};
    use crate::metrics::region::Regions;

    #[test]
    fn steps_are_whole_areas_in_ascending_order_and_round_up() {
        let areas: Vec<usize> = (0..300).map(step_area).collect();
        assert!(areas.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(areas[63..67], [64, 68, 72, 76]);
        assert_eq!(areas[79..82], [128, 136, 144]);
        for area in 1..100_000 {
            let step = step_of(area);
            assert!(step_area(step) >= area && (step == 0 || step_area(step - 1) < area));
            assert!(step_area(step) * 16 <= area * 17, "{area}");
        }
        assert_eq!(step_of(0), 0);
    }

    /// By thresholding at every score and labelling the regions anew.
    fn reference(values: &[f32], width: usize, defects: &[DefectCells]) -> MapExtent {
        let steps = step_of(values.len()) + 1;
        let best = |counts: &dyn Fn(&Regions, usize) -> bool| {
            let mut levels = vec![f32::NEG_INFINITY; steps];
            for &limit in values.iter().filter(|value| !value.is_nan()) {
                let mask: Vec<bool> = values.iter().map(|&value| value >= limit).collect();
                let regions = Regions::of(&mask, width);
                for region in (0..regions.sizes.len()).filter(|&r| counts(&regions, r)) {
                    for (step, level) in levels.iter_mut().enumerate() {
                        if regions.sizes[region] >= step_area(step) {
                            *level = level.max(limit);
                        }
                    }
                }
            }
            levels
        };
        let touches = |defect: &DefectCells, regions: &Regions, region: usize| {
            regions
                .runs
                .iter()
                .filter(|run| run.region == region)
                .any(|run| {
                    (run.from..run.to)
                        .any(|x| defect.cells.contains(&((run.row * width + x) as u32)))
                })
        };
        MapExtent {
            largest: best(&|_, _| true),
            defects: defects
                .iter()
                .map(|defect| best(&|regions, region| touches(defect, regions, region)))
                .collect(),
        }
    }

    #[test]
    fn the_sweep_finds_what_labelling_at_every_limit_finds() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for round in 0..60 {
            let (width, height) = (rng.random_range(1..9), rng.random_range(1..9));
            // Few different scores, so that there are ties; some negative, some not numbers.
            let values: Vec<f32> = (0..width * height)
                .map(|_| match rng.random_range(0..9) {
                    8 if round % 3 == 0 => f32::NAN,
                    step => step as f32 - 3.0,
                })
                .collect();
            let defects: Vec<DefectCells> = (0..rng.random_range(0..4))
                .map(|_| DefectCells {
                    area: 1.0,
                    cells: (0..rng.random_range(0..4))
                        .map(|_| rng.random_range(0..values.len() as u32))
                        .collect(),
                })
                .collect();
            assert_eq!(
                MapExtent::of(&values, width, &defects),
                reference(&values, width, &defects),
                "{width} wide: {values:?} {defects:?}"
            );
        }
    }

    #[test]
    fn a_single_pixel_reaches_the_highest_score_and_the_whole_map_the_lowest() {
        let values = [0.5, 3.0, -1.0, 2.0];
        let extent = MapExtent::of(&values, 2, &[]);
        assert_eq!(extent.largest, [3.0, 2.0, 0.5, -1.0]);
        assert!(extent.defects.is_empty());
    }

    #[test]
    fn nothing_has_no_extent_and_an_unseen_defect_is_never_found() {
        assert_eq!(MapExtent::of(&[], 0, &[]).largest, [f32::NEG_INFINITY]);
        let unseen = DefectCells {
            area: 4.0,
            cells: Vec::new(),
        };
        let extent = MapExtent::of(&[1.0, 1.0], 2, &[unseen]);
        assert_eq!(extent.defects, [[f32::NEG_INFINITY; 2]]);
        assert_eq!(extent.largest, [1.0, 1.0]);
    }
}
