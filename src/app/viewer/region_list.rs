//! The regions of the picture as a list: number, area, peak. A click brings a region to the middle.

use eframe::egui::{Button, Grid, RichText, ScrollArea, Ui};

use super::super::{numbers, theme};
use super::readout::area_text;
use super::{FoundRegion, RegionFocus};

/// Points.
pub const WIDTH: f32 = 214.0;
/// A map of specks must not make a list nobody reads; the largest stay.
const MOST: usize = 200;

/// By what the list is sorted, the largest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Area,
    Peak,
}

/// What the list says about the regions.
pub struct Listed<'a> {
    pub regions: &'a [FoundRegion],
    /// Regions of fewer map pixels are too small to count.
    pub smallest_cells: usize,
    pub pixels_per_mm: Option<f64>,
    /// The picture they are on.
    pub picture: &'a str,
}

pub fn region_list_ui(ui: &mut Ui, listed: &Listed, focus: &mut RegionFocus) {
    focus.hovered = None;
    let palette = theme::palette(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.label(RichText::new("Regions").color(palette.strong));
        for (order, text, name) in [
            (Order::Area, "Area", "Sort regions by area"),
            (Order::Peak, "Peak", "Sort regions by peak score"),
        ] {
            let button = Button::selectable(focus.order == order, text).frame_when_inactive(true);
            let button = ui.add(button);
            let button = button.accessible_name(name).on_hover_text(name);
            if button.clicked() {
                focus.order = order;
            }
        }
    });
    if listed.regions.is_empty() {
        ui.label(RichText::new("Nothing reaches the pixel limit").color(palette.muted));
        return;
    }
    ScrollArea::vertical()
        .id_salt("regions")
        .auto_shrink(false)
        .show(ui, |ui| {
            Grid::new("regions").striped(true).show(ui, |ui| {
                for place in sorted(listed.regions, focus.order) {
                    if let Some(region) = listed.regions.get(place) {
                        row_ui(ui, listed, focus, place, region);
                        ui.end_row();
                    }
                }
            });
        });
}

/// Places in the list of all regions.
fn sorted(regions: &[FoundRegion], order: Order) -> Vec<usize> {
    let mut places: Vec<usize> = (0..regions.len().min(MOST)).collect();
    let peak = |place: &usize| regions.get(*place).map_or(f32::MIN, |region| region.peak);
    if order == Order::Peak {
        places.sort_by(|a, b| peak(b).total_cmp(&peak(a)));
    }
    places
}

fn row_ui(
    ui: &mut Ui,
    listed: &Listed,
    focus: &mut RegionFocus,
    place: usize,
    region: &FoundRegion,
) {
    let palette = theme::palette(ui);
    let counts = region.cells >= listed.smallest_cells;
    let colour = if counts { palette.text } else { palette.muted };
    let chosen = focus
        .chosen
        .as_ref()
        .is_some_and(|(picture, chosen)| picture == listed.picture && *chosen == place);
    let area = area_text(region.area, listed.pixels_per_mm);
    let mut name = format!(
        "Region {}, {area}, peak {}",
        place + 1,
        numbers::score(region.peak)
    );
    if !counts {
        name.push_str(", too small");
    }
    let hint = format!(
        "{name}. Centre at x {:.0}, y {:.0}. Click to look at it",
        region.centre.x, region.centre.y
    );
    let number = RichText::new(format!("{}", place + 1)).color(colour);
    let button = ui.add(Button::selectable(chosen, number).frame_when_inactive(true));
    let button = button.accessible_name(&name).on_hover_text(hint);
    let peak = numbers::score(region.peak);
    let small = if counts { "" } else { "too small" };
    for text in [area.as_str(), &peak, small] {
        ui.label(RichText::new(text).small().color(colour));
    }
    if button.hovered() || button.has_focus() {
        focus.hovered = Some(place);
    }
    if button.clicked() {
        focus.chosen = Some((listed.picture.to_owned(), place));
        focus.go_to = Some(region.bounds);
    }
}

#[cfg(test)]
mod tests {
    use eframe::egui::{Pos2, Rect};

    use super::{FoundRegion, Order, sorted};

    #[test]
    fn the_list_is_sorted_by_area_or_by_peak() {
        let region = |cells: usize, peak| FoundRegion {
            cells,
            area: cells as f64,
            peak,
            centre: Pos2::ZERO,
            bounds: Rect::ZERO,
        };
        let regions = [region(9, 1.0), region(4, 3.0), region(1, 2.0)];
        assert_eq!(sorted(&regions, Order::Area), [0, 1, 2]);
        assert_eq!(sorted(&regions, Order::Peak), [1, 2, 0]);
        assert!(sorted(&[], Order::Peak).is_empty());
    }
}
