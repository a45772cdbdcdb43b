//! The extents of all pictures of a test set: what moving the pixel limit or the smallest area needs to know, at a few
//! hundred bytes a picture.

use super::decision::{AreaRule, Region};
use super::extent::{DefectCells, MapExtent, step_of};

/// For each picture, and for each true defect, the highest limit at which there is a region of each area.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RegionTable {
    /// Steps of the area for which there are levels.
    pub steps: usize,
    /// Pixels of the picture in one map pixel, for each picture.
    pub pixels_per_cell: Vec<f64>,
    /// `(pictures, steps)`: of the largest region anywhere on the picture.
    pub levels: Vec<f32>,
    /// The picture of each true defect, ascending.
    pub defect_pictures: Vec<u32>,
    /// Its area in pixels of the picture.
    pub defect_areas: Vec<f64>,
    /// `(defects, steps)`: of the largest region that touches the defect.
    pub defect_levels: Vec<f32>,
}

impl RegionTable {
    /// Adds the next picture. `pixels_per_cell` is the area of one map pixel in pixels of the picture.
    pub fn push(&mut self, pixels_per_cell: f64, extent: &MapExtent, defects: &[DefectCells]) {
        self.widen(extent.largest.len());
        let picture = self.pixels_per_cell.len() as u32;
        self.pixels_per_cell.push(pixels_per_cell);
        append(&mut self.levels, &extent.largest, self.steps);
        for (defect, levels) in defects.iter().zip(&extent.defects) {
            self.defect_pictures.push(picture);
            self.defect_areas.push(defect.area);
            append(&mut self.defect_levels, levels, self.steps);
        }
    }

    /// Maps of another size have more steps.
    fn widen(&mut self, steps: usize) {
        if steps <= self.steps {
            return;
        }
        for levels in [&mut self.levels, &mut self.defect_levels] {
            let before = std::mem::take(levels);
            for row in before.chunks(self.steps.max(1)) {
                append(levels, row, steps);
            }
        }
        self.steps = steps;
    }

    pub fn pictures(&self) -> usize {
        self.pixels_per_cell.len()
    }

    /// Whether all parts fit together, as they must when they were read from a file.
    pub fn is_consistent(&self) -> bool {
        let defects = self.defect_pictures.len();
        let known = |&picture: &u32| (picture as usize) < self.pictures();
        self.levels.len() == self.pictures() * self.steps
            && self.defect_areas.len() == defects
            && self.defect_levels.len() == defects * self.steps
            && self.defect_pictures.iter().all(known)
            && self.defect_pictures.is_sorted()
            && self.pixels_per_cell.iter().all(|&area| area > 0.0)
    }

    /// The smallest area of this rule in map pixels of a picture: whole ones, rounded up to the next step.
    fn step(&self, picture: usize, area: AreaRule) -> Option<usize> {
        let cell = self.pixels_per_cell.get(picture)?;
        let cells = (area.pixels / cell).ceil().clamp(1.0, f64::from(u32::MAX));
        Some(step_of(cells as usize))
    }

    /// The highest pixel limit at which the picture shows a region of the smallest area; minus infinity where there is
    /// none at any limit. `None`: not measured.
    pub fn level(&self, picture: usize, area: AreaRule) -> Option<f32> {
        let step = self.step(picture, area)?;
        Some(self.level_at(&self.levels, picture, step))
    }

    fn level_at(&self, levels: &[f32], row: usize, step: usize) -> f32 {
        let column = (step < self.steps).then_some(row * self.steps + step);
        let level = column.and_then(|at| levels.get(at));
        level.copied().unwrap_or(f32::NEG_INFINITY)
    }

    /// Whether the picture shows a region of the smallest area at this pixel limit.
    pub fn region(&self, picture: usize, pixel_limit: f32, area: AreaRule) -> Region {
        match self.level(picture, area) {
            None => Region::Unknown,
            Some(level) if level >= pixel_limit => Region::LargeEnough,
            Some(_) => Region::TooSmall,
        }
    }

    /// Every true defect with whether a region of the smallest area touches it at this pixel limit.
    pub fn defects(&self, pixel_limit: f32, area: AreaRule) -> impl Iterator<Item = DefectFound> {
        let rows = self.defect_pictures.iter().zip(&self.defect_areas);
        rows.enumerate().map(move |(row, (&picture, &pixels))| {
            let picture = picture as usize;
            let step = self.step(picture, area);
            let level = step.map(|step| self.level_at(&self.defect_levels, row, step));
            DefectFound {
                picture,
                area: pixels,
                found: level.is_some_and(|level| level >= pixel_limit),
            }
        })
    }
}

/// One true defect at one limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DefectFound {
    /// Index of its picture.
    pub picture: usize,
    /// In pixels of the picture.
    pub area: f64,
    pub found: bool,
}

fn append(levels: &mut Vec<f32>, row: &[f32], steps: usize) {
    levels.extend_from_slice(row);
    levels.extend(std::iter::repeat_n(
        f32::NEG_INFINITY,
        steps.saturating_sub(row.len()),
    ));
}

#[cfg(test)]
mod tests {
    use super::RegionTable;
    use crate::metrics::decision::{AreaRule, Combination, Region};
    use crate::metrics::extent::{DefectCells, MapExtent};

    fn area(pixels: f64) -> AreaRule {
        AreaRule {
            combination: Combination::ScoreAndArea,
            pixels,
        }
    }

    /// A picture of 4 x 2 map pixels, each 10 pixels of the picture, and one of 2 x 1, each 1 pixel.
    fn table() -> RegionTable {
        let mut table = RegionTable::default();
        let defect = DefectCells {
            area: 25.0,
            cells: vec![3],
        };
        let small = [1.0, 2.0];
        table.push(1.0, &MapExtent::of(&small, 2, &[]), &[]);
        let values = [5.0, 4.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0];
        let extent = MapExtent::of(&values, 4, std::slice::from_ref(&defect));
        table.push(10.0, &extent, &[defect]);
        table
    }

    #[test]
    fn areas_are_pixels_of_the_picture_rounded_up_to_map_pixels() {
        let table = table();
        assert!(table.is_consistent());
        assert_eq!(table.level(1, area(0.0)), Some(5.0));
        assert_eq!(table.level(1, area(10.0)), Some(5.0));
        assert_eq!(table.level(1, area(10.1)), Some(4.0));
        assert_eq!(table.level(1, area(1e9)), Some(f32::NEG_INFINITY));
        assert_eq!(table.level(0, area(2.0)), Some(1.0));
        assert_eq!(table.level(0, area(3.0)), Some(f32::NEG_INFINITY));
        assert_eq!(table.level(2, area(1.0)), None);
    }

    #[test]
    fn a_region_at_the_limit_counts() {
        let table = table();
        assert_eq!(table.region(1, 4.0, area(20.0)), Region::LargeEnough);
        assert_eq!(table.region(1, 4.1, area(20.0)), Region::TooSmall);
        assert_eq!(table.region(9, 0.0, area(1.0)), Region::Unknown);
    }

    #[test]
    fn a_defect_is_found_by_the_region_that_touches_it() {
        let table = table();
        let found = |limit, pixels| {
            let defects: Vec<_> = table.defects(limit, area(pixels)).collect();
            assert_eq!(
                (defects.len(), defects[0].picture, defects[0].area),
                (1, 1, 25.0)
            );
            defects[0].found
        };
        assert!(found(3.0, 1.0));
        assert!(!found(3.5, 1.0), "a region elsewhere is no find");
        assert!(!found(3.0, 20.0));
    }

    #[test]
    fn parts_that_do_not_fit_are_noticed() {
        let broken = |change: fn(&mut RegionTable)| {
            let mut table = table();
            change(&mut table);
            !table.is_consistent()
        };
        assert!(broken(|table| table.steps += 1));
        assert!(broken(|table| table.defect_pictures[0] = 2));
        assert!(broken(|table| table.defect_areas.clear()));
        assert!(broken(|table| table.pixels_per_cell[0] = f64::NAN));
        assert!(RegionTable::default().is_consistent());
    }
}
