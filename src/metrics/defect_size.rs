//! How the share of defects that are found depends on their size. Does not decide what a defect is or when it counts as
//! found.

use serde::{Deserialize, Serialize};

use super::interval::{Interval, clopper_pearson};
use super::{AreaRule, RegionTable};

/// Of the interval beside each bin's rate.
const CONFIDENCE: f64 = 0.95;

/// More would make a curve of noise.
const MOST_BINS: usize = 10;

/// One true defect and whether it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizedDefect {
    /// In pixels of the picture.
    pub area: usize,
    pub found: bool,
}

/// Defects of similar size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SizeBin {
    /// Smallest and largest area among them, in pixels of the picture.
    pub from: usize,
    pub to: usize,
    pub found: usize,
    /// At least 1.
    pub total: usize,
    /// Share found, 0 to 1.
    pub rate: f64,
    /// The detection rates that these counts leave open at 95 % confidence, two-sided.
    pub interval: Interval,
}

impl SizeBin {
    fn of(sorted: &[SizedDefect]) -> Option<Self> {
        let (first, last) = (sorted.first()?, sorted.last()?);
        let found = sorted.iter().filter(|defect| defect.found).count();
        Some(Self {
            from: first.area,
            to: last.area,
            found,
            total: sorted.len(),
            rate: found as f64 / sorted.len() as f64,
            interval: clopper_pearson(found, sorted.len(), CONFIDENCE)?,
        })
    }
}

/// Detection rate over defect size. Areas are in pixels of the picture; empty and `None` without defects.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SizeCurve {
    /// From small to large, with about as many defects in each; they share no area.
    pub bins: Vec<SizeBin>,
    pub smallest_found: Option<usize>,
    pub largest_missed: Option<usize>,
    /// Every defect of at least this area was found, and there is one of just this area. `None` when a largest defect was
    /// missed.
    pub all_found_from: Option<usize>,
}

impl SizeCurve {
    /// Every true defect of a test set at a pixel limit: found when a region touches it, one of the smallest area where the
    /// area rule is on.
    pub fn at(regions: &RegionTable, pixel_limit: f32, area: AreaRule) -> Self {
        let area = if area.is_off() {
            AreaRule::default()
        } else {
            area
        };
        let defects = regions
            .defects(pixel_limit, area)
            .map(|defect| SizedDefect {
                area: defect.area.round().max(1.0) as usize,
                found: defect.found,
            });
        Self::of(&defects.collect::<Vec<_>>())
    }

    pub fn of(defects: &[SizedDefect]) -> Self {
        let mut sorted = defects.to_vec();
        sorted.sort_unstable_by_key(|defect| defect.area);
        let areas = |found: bool| {
            let alike = sorted.iter().filter(move |defect| defect.found == found);
            alike.map(|defect| defect.area)
        };
        let largest_missed = areas(false).next_back();
        Self {
            bins: bins(&sorted),
            smallest_found: areas(true).next(),
            largest_missed,
            all_found_from: areas(true)
                .find(|&area| largest_missed.is_none_or(|missed| missed < area)),
        }
    }
}

/// About the square root of the number of defects, each with about that many. Equal areas stay together, so a bin may
/// swallow the next one.
fn bins(sorted: &[SizedDefect]) -> Vec<SizeBin> {
    let total = sorted.len();
    let wanted = total.isqrt().clamp(1, MOST_BINS);
    let mut bins = Vec::with_capacity(wanted);
    let mut start = 0;
    for bin in 1..=wanted {
        let end = end_of_area(sorted, total * bin / wanted);
        bins.extend(sorted.get(start..end).and_then(SizeBin::of));
        start = end;
    }
    bins
}

/// `end`, moved behind the last defect as large as the one before it.
fn end_of_area(sorted: &[SizedDefect], end: usize) -> usize {
    match end.checked_sub(1).and_then(|last| sorted.get(last)) {
        Some(last) => sorted.partition_point(|defect| defect.area <= last.area),
        None => end,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AreaRule, Combination, DefectCells, MapExtent, RegionTable};
    use super::{SizeCurve, SizedDefect};
    use crate::metrics::clopper_pearson;

    fn defects(areas: impl IntoIterator<Item = (usize, bool)>) -> Vec<SizedDefect> {
        let sized = |(area, found)| SizedDefect { area, found };
        areas.into_iter().map(sized).collect()
    }

    #[test]
    fn bins_hold_about_as_many_defects_each_and_lose_none() {
        for total in 1..300 {
            let curve = SizeCurve::of(&defects((0..total).map(|area| (area * area, true))));
            let sizes: Vec<usize> = curve.bins.iter().map(|bin| bin.total).collect();
            assert_eq!(sizes.iter().sum::<usize>(), total);
            assert_eq!(sizes.len(), total.isqrt().clamp(1, 10));
            let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            assert!(most - least <= 1);
            assert!(curve.bins.windows(2).all(|pair| pair[0].to < pair[1].from));
        }
    }

    #[test]
    fn each_bin_counts_what_was_found_with_its_exact_interval() {
        let curve = SizeCurve::of(&defects([
            (900, true),
            (5, false),
            (40, true),
            (30, false),
            (7, true),
            (800, true),
            (9, false),
            (50, true),
            (1000, true),
        ]));
        let told: Vec<_> = curve
            .bins
            .iter()
            .map(|bin| (bin.from, bin.to, bin.found, bin.total))
            .collect();
        assert_eq!(told, [(5, 9, 1, 3), (30, 50, 2, 3), (800, 1000, 3, 3)]);
        for bin in &curve.bins {
            assert_eq!(bin.rate, bin.found as f64 / bin.total as f64);
            let interval = clopper_pearson(bin.found, bin.total, 0.95).unwrap();
            assert_eq!(bin.interval, interval);
        }
    }

    #[test]
    fn the_ends_of_finding_and_missing_are_named() {
        let ends = |areas: &[(usize, bool)]| {
            let curve = SizeCurve::of(&defects(areas.iter().copied()));
            (
                curve.smallest_found,
                curve.largest_missed,
                curve.all_found_from,
            )
        };
        let overlapping = [(50, true), (9, true), (5, false), (30, false), (70, true)];
        assert_eq!(ends(&overlapping), (Some(9), Some(30), Some(50)));
        assert_eq!(ends(&[(8, true), (4, true)]), (Some(4), None, Some(4)));
        assert_eq!(ends(&[(8, false), (4, false)]), (None, Some(8), None));
        assert_eq!(ends(&[(8, false), (4, true)]), (Some(4), Some(8), None));
        // Of two defects of one size one was missed: only from the next size on all were found.
        let tied = [(8, true), (8, false), (9, true)];
        assert_eq!(ends(&tied), (Some(8), Some(8), Some(9)));
        assert_eq!(ends(&[(8, false), (8, true)]), (Some(8), Some(8), None));
    }

    #[test]
    fn defects_of_one_size_make_one_bin() {
        let curve = SizeCurve::of(&defects((0..100).map(|number| (12, number % 4 > 0))));
        let [bin] = curve.bins[..] else {
            panic!("{} bins", curve.bins.len());
        };
        assert_eq!((bin.from, bin.to, bin.found, bin.total), (12, 12, 75, 100));
    }

    #[test]
    fn equal_areas_are_never_parted() {
        let curve = SizeCurve::of(&defects((0..90).map(|number| (number / 40, true))));
        let told: Vec<_> = curve.bins.iter().map(|bin| (bin.from, bin.to)).collect();
        assert_eq!(told, [(0, 0), (1, 1), (2, 2)]);
    }

    #[test]
    fn no_defects_make_no_curve() {
        assert_eq!(SizeCurve::of(&[]), SizeCurve::default());
    }

    #[test]
    fn a_curve_survives_being_saved() {
        let curve = SizeCurve::of(&defects([(3, false), (8, true), (9, true), (30, true)]));
        let saved = serde_json::to_string(&curve).unwrap();
        assert_eq!(serde_json::from_str::<SizeCurve>(&saved).unwrap(), curve);
    }

    #[test]
    fn a_defect_is_found_by_a_region_that_is_large_enough() {
        let defect = DefectCells {
            area: 2.0,
            cells: vec![0, 1],
        };
        let mut regions = RegionTable::default();
        let extent = MapExtent::of(&[0.9, 0.8, 0.1], 3, std::slice::from_ref(&defect));
        regions.push(1.0, &extent, &[defect]);
        let found = |limit, pixels| {
            let area = AreaRule {
                combination: Combination::ScoreAndArea,
                pixels,
            };
            SizeCurve::at(&regions, limit, area).smallest_found
        };
        assert_eq!(found(0.85, 1.0), Some(2));
        assert_eq!(found(0.85, 2.0), None, "only a speck lies above");
        assert_eq!(found(0.8, 2.0), Some(2));
    }
}
