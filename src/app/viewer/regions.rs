//! The regions of a score map at the pixel limit, with what a person wants to know of each. Connected as the limits
//! connect them: map pixels that touch at an edge or a corner belong together.

use eframe::egui::{Pos2, Rect, pos2, vec2};

use crate::metrics::extent::{step_area, step_of};
use crate::metrics::region::Regions;
use crate::score_map::ScoreMap;

/// One region.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundRegion {
    /// Map pixels.
    pub cells: usize,
    /// Pixels of the picture.
    pub area: f64,
    /// The highest raw score in it.
    pub peak: f32,
    /// Its centre of gravity, in image pixels.
    pub centre: Pos2,
    /// In image pixels.
    pub bounds: Rect,
}

/// All regions of one picture, the largest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FoundRegions {
    pub list: Vec<FoundRegion>,
    /// For each map pixel the place of its region in the list plus one; 0 outside.
    labels: Vec<usize>,
    width: usize,
}

impl FoundRegions {
    /// Of everything at or above `limit`; `map_rect` is where the map lies on the picture, in image pixels.
    pub fn of(map: &ScoreMap, limit: f32, map_rect: Rect) -> Self {
        let width = map.width();
        let mask: Vec<bool> = map.values().iter().map(|&score| score >= limit).collect();
        let regions = Regions::of(&mask, width);
        let mut largest_first: Vec<usize> = (0..regions.sizes.len()).collect();
        largest_first.sort_by_key(|&region| std::cmp::Reverse(regions.sizes[region]));
        let mut rank = vec![0; regions.sizes.len()];
        for (place, &region) in largest_first.iter().enumerate() {
            rank[region] = place;
        }
        let mut sums = vec![Sum::default(); rank.len()];
        let mut labels = vec![0; mask.len()];
        for run in &regions.runs {
            let place = rank[run.region];
            let cells = run.row * width + run.from..run.row * width + run.to;
            labels[cells.clone()].fill(place + 1);
            sums[place].add(run.row, run.from, run.to, &map.values()[cells]);
        }
        let cell = map_rect.size() / vec2(width as f32, map.height() as f32);
        let place = |at: [f32; 2]| map_rect.min + vec2(at[0], at[1]) * cell;
        Self {
            list: sums
                .iter()
                .map(|sum| sum.region(f64::from(cell.x) * f64::from(cell.y), place))
                .collect(),
            labels,
            width,
        }
    }

    /// The place in the list of the region on a map pixel.
    pub fn on(&self, column: usize, row: usize) -> Option<usize> {
        if column >= self.width {
            return None;
        }
        self.labels.get(row * self.width + column)?.checked_sub(1)
    }

    /// The region whose contour runs through this point between map pixels.
    pub fn beside(&self, x: f32, y: f32) -> Option<usize> {
        let (left, top) = ((x - 0.5).floor(), (y - 0.5).floor());
        let corners = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)];
        corners.into_iter().find_map(|(dx, dy)| {
            let (column, row) = (left + dx, top + dy);
            (column >= 0.0 && row >= 0.0)
                .then(|| self.on(column as usize, row as usize))
                .flatten()
        })
    }
}

/// The smallest region, in map pixels, that an area rule of so many image pixels lets count: as for the verdicts.
pub fn smallest_cells(pixels: f64, pixels_per_cell: f64) -> usize {
    let cells = (pixels / pixels_per_cell).ceil();
    step_area(step_of(cells.clamp(1.0, f64::from(u32::MAX)) as usize))
}

#[derive(Debug, Clone)]
struct Sum {
    cells: usize,
    peak: f32,
    at: [f64; 2],
    from: [usize; 2],
    to: [usize; 2],
}

impl Default for Sum {
    fn default() -> Self {
        Self {
            cells: 0,
            peak: f32::NEG_INFINITY,
            at: [0.0; 2],
            from: [usize::MAX; 2],
            to: [0; 2],
        }
    }
}

impl Sum {
    fn add(&mut self, row: usize, from: usize, to: usize, scores: &[f32]) {
        let length = to - from;
        self.cells += length;
        self.peak = scores.iter().copied().fold(self.peak, f32::max);
        self.at[0] += (from + to) as f64 / 2.0 * length as f64;
        self.at[1] += (row as f64 + 0.5) * length as f64;
        self.from = [self.from[0].min(from), self.from[1].min(row)];
        self.to = [self.to[0].max(to), self.to[1].max(row + 1)];
    }

    fn region(&self, pixels_per_cell: f64, place: impl Fn([f32; 2]) -> Pos2) -> FoundRegion {
        let corner = |at: [usize; 2]| place(at.map(|v| v as f32));
        let cells = self.cells.max(1) as f64;
        FoundRegion {
            cells: self.cells,
            area: self.cells as f64 * pixels_per_cell,
            peak: self.peak,
            centre: place(self.at.map(|sum| (sum / cells) as f32)),
            bounds: Rect::from_min_max(corner(self.from), corner(self.to)),
        }
    }
}

/// The largest region in words, for the line below the views.
pub fn summary(list: &[FoundRegion]) -> String {
    match list {
        [] => "No region at the pixel limit".to_owned(),
        [only] => format!("1 region, {:.0} px", only.area),
        [largest, ..] => format!("{} regions, largest {:.0} px", list.len(), largest.area),
    }
}

/// Where an image pixel lies on the map, as column and row; `None` outside.
pub fn cell_of(map: &ScoreMap, map_rect: Rect, x: usize, y: usize) -> Option<(usize, usize)> {
    let centre = pos2(x as f32 + 0.5, y as f32 + 0.5);
    if !map_rect.contains(centre) {
        return None;
    }
    let on_map = (centre - map_rect.min) / map_rect.size();
    let column = (on_map.x * map.width() as f32) as usize;
    let row = (on_map.y * map.height() as f32) as usize;
    Some((column.min(map.width() - 1), row.min(map.height() - 1)))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use eframe::egui::{Rect, pos2};

    use super::{FoundRegions, smallest_cells, summary};
    use crate::score_map::ScoreMap;

    /// 4 x 3 map pixels on 8 x 12 pixels of the picture.
    fn found(values: [f32; 12], limit: f32) -> FoundRegions {
        let map = ScoreMap::new(4, 3, values.to_vec()).unwrap();
        FoundRegions::of(
            &map,
            limit,
            Rect::from_min_max(pos2(0.0, 0.0), pos2(8.0, 12.0)),
        )
    }

    const VALUES: [f32; 12] = [
        2.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        1.0,
        3.0,
        0.0,
        0.0,
        1.0,
        f32::NAN,
    ];

    #[test]
    fn the_largest_region_comes_first_with_its_area_peak_and_centre() {
        let regions = found(VALUES, 1.0);
        assert_eq!(regions.list.len(), 2);
        let largest = &regions.list[0];
        assert_eq!((largest.cells, largest.area, largest.peak), (3, 24.0, 3.0));
        assert_eq!(
            largest.bounds,
            Rect::from_min_max(pos2(4.0, 4.0), pos2(8.0, 12.0))
        );
        assert!((largest.centre.x - 5.666_667).abs() < 1e-4);
        assert_eq!(regions.on(3, 1), Some(0));
        assert_eq!(regions.on(0, 0), Some(1));
        assert_eq!(regions.on(3, 2), None, "not a number");
        assert_eq!(regions.on(9, 0), None);
        assert_eq!(regions.beside(0.9, 0.9), Some(1));
        assert_eq!(summary(&regions.list), "2 regions, largest 24 px");
    }

    #[test]
    fn nothing_reaches_a_limit_above_everything() {
        let regions = found(VALUES, f32::INFINITY);
        assert!(regions.list.is_empty());
        assert_eq!(summary(&regions.list), "No region at the pixel limit");
    }

    #[test]
    fn a_region_counts_from_the_same_size_as_for_the_verdict() {
        assert_eq!(smallest_cells(0.0, 8.0), 1);
        assert_eq!(smallest_cells(24.0, 8.0), 3);
        assert_eq!(smallest_cells(25.0, 8.0), 4);
        assert_eq!(smallest_cells(65.0, 1.0), 68, "rounded up to the next step");
    }

    #[test]
    fn a_map_of_256_pixels_a_side_follows_a_drag() {
        let values = (0..256 * 256).map(|i| ((i * 7919) % 101) as f32).collect();
        let map = ScoreMap::new(256, 256, values).unwrap();
        let rect = Rect::from_min_max(pos2(0.0, 0.0), pos2(256.0, 256.0));
        let started = Instant::now();
        let regions = FoundRegions::of(&map, 70.0, rect);
        // Far below a frame even without optimisation.
        assert!(started.elapsed().as_millis() < 200 && !regions.list.is_empty());
    }
}
