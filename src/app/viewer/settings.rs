//! How the pictures are looked at: which views, which colours, which marks. Plain data that can be kept.

use serde::{Deserialize, Serialize};

use crate::render::Palette;

/// One way to look at the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pane {
    Original,
    Overlay,
    Map,
    GroundTruth,
    /// The overlay of the compared run at this index.
    Compared(usize),
}

impl Pane {
    /// Whether it can be shown when so many other runs are compared.
    pub fn is_there(self, compared: usize) -> bool {
        !matches!(self, Self::Compared(index) if index >= compared)
    }

    pub const ALL: [Self; 6] = [
        Self::Original,
        Self::Overlay,
        Self::Map,
        Self::GroundTruth,
        Self::Compared(0),
        Self::Compared(1),
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Original => "Original",
            Self::Overlay => "Overlay",
            Self::Map => "Map",
            Self::GroundTruth => "Ground truth",
            Self::Compared(0) => "Second model",
            Self::Compared(_) => "Third model",
        }
    }
}

/// Whether the overlay shows the coloured map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Heatmap {
    Shown,
    Hidden,
}

/// What the ends of the colours stand for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColourScale {
    /// The same scores on every picture of a model.
    #[default]
    Frozen,
    /// The lowest and highest score of this picture.
    Stretched,
}

/// How the picture is shown. Never reaches the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches that the user sets independently"
)]
pub struct ViewerSettings {
    /// Never empty; drawn in the order of [`Pane::ALL`].
    pub panes: Vec<Pane>,
    pub heatmap: Heatmap,
    /// Of the heatmap over the picture, 0 to 1.
    pub opacity: f32,
    pub palette: Palette,
    /// Not kept: stretched colours must be asked for anew each time.
    #[serde(skip)]
    pub colours: ColourScale,
    pub only_above_limit: bool,
    pub contour: bool,
    pub mask: bool,
    /// The list of regions beside the views.
    pub region_list: bool,
}

impl Default for ViewerSettings {
    fn default() -> Self {
        Self {
            panes: vec![Pane::Original, Pane::Overlay],
            heatmap: Heatmap::Shown,
            opacity: 0.5,
            palette: Palette::default(),
            colours: ColourScale::default(),
            only_above_limit: false,
            contour: true,
            mask: true,
            region_list: false,
        }
    }
}

impl ViewerSettings {
    pub fn shows(&self, pane: Pane) -> bool {
        self.panes.contains(&pane)
    }

    /// The views to draw when so many other runs are compared; never empty.
    pub fn visible(&self, compared: usize) -> Vec<Pane> {
        let there = |pane: &Pane| pane.is_there(compared);
        let panes: Vec<Pane> = self.panes.iter().copied().filter(there).collect();
        if panes.is_empty() {
            vec![Pane::Overlay]
        } else {
            panes
        }
    }

    /// Shows or hides a view; the last one stays.
    pub fn toggle_pane(&mut self, pane: Pane) {
        let panes = Pane::ALL.into_iter();
        let toggled: Vec<Pane> = panes.filter(|&p| self.shows(p) != (p == pane)).collect();
        if !toggled.is_empty() {
            self.panes = toggled;
        }
    }

    pub fn toggle_heatmap(&mut self) {
        self.heatmap = match self.heatmap {
            Heatmap::Shown => Heatmap::Hidden,
            Heatmap::Hidden => Heatmap::Shown,
        };
    }

    pub fn change_opacity(&mut self, by: f32) {
        self.opacity = ((self.opacity + by) * 20.0).round().clamp(0.0, 20.0) / 20.0;
    }
}

#[cfg(test)]
mod tests {
    use super::{ColourScale, Pane, ViewerSettings};

    #[test]
    fn the_last_view_cannot_be_hidden() {
        let mut settings = ViewerSettings::default();
        settings.toggle_pane(Pane::Original);
        settings.toggle_pane(Pane::Overlay);
        assert_eq!(settings.panes, [Pane::Overlay]);
        for pane in Pane::ALL {
            if pane != Pane::Overlay {
                settings.toggle_pane(pane);
            }
        }
        assert_eq!(settings.panes, Pane::ALL);
    }

    #[test]
    fn views_of_runs_that_are_not_compared_are_left_out() {
        let mut settings = ViewerSettings {
            panes: vec![Pane::Compared(0), Pane::Compared(1)],
            ..ViewerSettings::default()
        };
        assert_eq!(settings.visible(0), [Pane::Overlay]);
        assert_eq!(settings.visible(1), [Pane::Compared(0)]);
        settings.toggle_pane(Pane::Original);
        assert_eq!(settings.visible(0), [Pane::Original]);
    }

    #[test]
    fn opacity_stays_between_nothing_and_all() {
        let mut settings = ViewerSettings::default();
        settings.change_opacity(0.1);
        assert_eq!(settings.opacity, 0.6);
        settings.change_opacity(9.0);
        assert_eq!(settings.opacity, 1.0);
        settings.change_opacity(-9.0);
        assert_eq!(settings.opacity, 0.0);
    }

    #[test]
    fn a_kept_view_comes_back_with_frozen_colours() {
        let settings = ViewerSettings {
            panes: vec![Pane::Map, Pane::Compared(1)],
            colours: ColourScale::Stretched,
            ..ViewerSettings::default()
        };
        let text = serde_json::to_string(&settings).unwrap();
        let kept: ViewerSettings = serde_json::from_str(&text).unwrap();
        assert_eq!(kept.panes, settings.panes);
        assert_eq!(kept.colours, ColourScale::Frozen);
        let empty: ViewerSettings = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, ViewerSettings::default());
    }
}
