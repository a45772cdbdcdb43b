//! The largest region of each picture at the pixel limit in force, for the table. Read from the score maps, so it is exact
//! where the table of regions counts in steps.

use super::facts::Facts;
use crate::metrics::region::Regions;
use crate::progress::{Monitor, Progress};

/// Areas in pixels of the picture, in the order of the rows; 0 where nothing lies above the limit, `None` where the run keeps
/// no map of the picture or never measured its size. `None` of all when the monitor asked to stop.
pub fn largest(facts: &Facts, monitor: &dyn Monitor) -> Option<Vec<Option<f64>>> {
    let mut areas = Vec::with_capacity(facts.rows().len());
    for index in 0..facts.rows().len() {
        if monitor.should_stop() {
            return None;
        }
        areas.push(largest_of(facts, index));
        monitor.report(Progress::Step { done: index + 1 });
    }
    Some(areas)
}

fn largest_of(facts: &Facts, index: usize) -> Option<f64> {
    let source = &facts.source;
    let pixels_per_cell = source.regions.as_ref()?.pixels_per_cell.get(index)?;
    let id = &source.record.samples.get(index)?.id;
    let map = source.maps.as_ref().ok()?.read(id).ok()?;
    let limit = facts.rule.pixel.value;
    let above: Vec<bool> = map.values().iter().map(|&score| score >= limit).collect();
    let sizes = Regions::of(&above, map.width()).sizes;
    let cells = sizes.into_iter().max().unwrap_or(0);
    Some(cells as f64 * pixels_per_cell)
}
