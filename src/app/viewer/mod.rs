//! The picture in several views side by side that share zoom and position, with regions, a measuring line and a readout
//! of the pointer. Draws and handles the pointer; what the limits are is decided elsewhere.

mod decided;
mod measure;
mod paint;
mod readout;
mod region_list;
mod regions;
mod settings;
mod stage;
mod tool_line;

use std::path::Path;

pub use decided::decided_ui;
pub use measure::{Measure, Tool};
pub use readout::PixelReadout;
pub use region_list::{Listed, WIDTH as REGION_LIST_WIDTH, region_list_ui};
pub use regions::{FoundRegion, FoundRegions, cell_of, smallest_cells};
pub use settings::{ColourScale, Heatmap, Pane, ViewerSettings};
pub use stage::{Stage, carry_out, viewer_ui, wheel_zoom};
pub use tool_line::{HEIGHT as TOOL_LINE_HEIGHT, KEYS, measure_keys, tool_line_ui};

use eframe::egui::Rect;

use super::state::{State, last_name};
use crate::data::Sample;
use crate::worker::message::{Limits, RunSummary};
use region_list::Order;

/// What buttons and keys ask for; answered by whoever knows where the views are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoomRequest {
    In,
    Out,
    Natural,
}

/// What the model says, as far as drawing needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Raw scores at the two ends of the frozen colour scale.
    pub ends: (f32, f32),
    pub pixel_limit: f32,
    /// Regions below so many pixels of the picture are too small to count.
    pub smallest: f64,
}

impl Scale {
    /// Of the open run at the limits in force.
    pub fn in_force(state: &State, run: &RunSummary) -> Self {
        Self {
            ends: run.limits.scale,
            pixel_limit: state.pixel_limit(),
            smallest: state.limits.rule().area.pixels,
        }
    }

    fn of_model(limits: &Limits) -> Self {
        let rule = limits.rule();
        Self {
            ends: limits.scale,
            pixel_limit: rule.pixel.value,
            smallest: rule.area.pixels,
        }
    }
}

/// One run's view of the selected picture.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    pub run: &'a Path,
    pub sample: &'a Sample,
    /// The name of the run's folder.
    pub name: String,
    pub scale: Scale,
}

/// What other runs say about the selected picture, in the order in which they are compared; `None` where a run does not
/// know it.
pub fn compared_subjects(state: &State) -> Vec<Option<Subject<'_>>> {
    let runs = state.comparisons.iter();
    runs.map(|comparison| {
        let row = (*comparison.counterparts.get(state.selected)?)?;
        Some(Subject {
            run: &comparison.run.path,
            sample: comparison.run.samples.get(row)?,
            name: last_name(&comparison.run.path),
            scale: Scale::of_model(&comparison.run.limits),
        })
    })
    .collect()
}

/// What the user points at among the regions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RegionFocus {
    order: Order,
    /// Place in the list of the region under the pointer.
    pub hovered: Option<usize>,
    /// The region clicked last, and the picture it is on.
    pub chosen: Option<(String, usize)>,
    /// To be brought into view, in image pixels.
    pub go_to: Option<Rect>,
}

impl RegionFocus {
    /// The region to stand out on this picture.
    pub fn highlighted(&self, picture: &str) -> Option<usize> {
        let chosen = self.chosen.as_ref().filter(|(name, _)| name == picture);
        self.hovered.or(chosen.map(|(_, place)| *place))
    }
}
