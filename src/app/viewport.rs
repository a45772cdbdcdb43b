//! Zoom and position of the picture views. One viewport serves all views of a picture, which keeps them in step; it is
//! kept when the picture changes. *Image* pixels are those of the picture's file, *ui* points those of the window.

use eframe::egui::{Pos2, Rect, Vec2, pos2};
use serde::{Deserialize, Serialize};

/// Points per image pixel beyond which zooming in shows nothing new.
const MAX_ZOOM: f32 = 64.0;

/// What part of the picture is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Viewport {
    /// Points per image pixel; `None` fits the picture into its view, whatever the view's size.
    zoom: Option<f32>,
    /// The point of the picture in the middle of the view, as shares of its width and height.
    centre: [f32; 2],
}

impl Default for Viewport {
    fn default() -> Self {
        Self {
            zoom: None,
            centre: [0.5, 0.5],
        }
    }
}

/// A view on the screen and the picture it shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// In ui points.
    pub pane: Rect,
    /// Width and height in image pixels.
    pub image: Vec2,
    /// Physical pixels per ui point.
    pub pixels_per_point: f32,
}

impl View {
    fn fitting_zoom(&self) -> f32 {
        let ratio = self.pane.size() / self.image;
        ratio.x.min(ratio.y).max(f32::MIN_POSITIVE)
    }

    /// One image pixel on one physical pixel.
    fn natural_zoom(&self) -> f32 {
        1.0 / self.pixels_per_point
    }
}

impl Viewport {
    /// Points per image pixel in this view.
    pub fn zoom(&self, view: &View) -> f32 {
        self.zoom.unwrap_or_else(|| view.fitting_zoom())
    }

    /// As it was kept, or the whole picture where what was kept makes no sense.
    pub fn sound(self) -> Self {
        let zoom = self.zoom.is_none_or(|zoom| zoom > 0.0 && zoom <= MAX_ZOOM);
        let centre = self.centre.iter().all(|share| (0.0..=1.0).contains(share));
        if zoom && centre {
            self
        } else {
            Self::default()
        }
    }

    pub fn is_fitting(&self) -> bool {
        self.zoom.is_none()
    }

    /// Where the whole picture lies, in ui points; reaches beyond the pane when zoomed in.
    pub fn image_rect(&self, view: &View) -> Rect {
        let size = view.image * self.zoom(view);
        let middle = |centre: f32, pane_middle: f32, size: f32, pane: f32| {
            let slack = ((size - pane) / 2.0).max(0.0);
            pane_middle + ((0.5 - centre) * size).clamp(-slack, slack)
        };
        let pane = view.pane;
        let centre = pos2(
            middle(self.centre[0], pane.center().x, size.x, pane.width()),
            middle(self.centre[1], pane.center().y, size.y, pane.height()),
        );
        Rect::from_center_size(centre, size)
    }

    pub fn fit(&mut self) {
        *self = Self::default();
    }

    /// One image pixel on one physical pixel; the image stays under `anchor` (ui).
    pub fn natural(&mut self, view: &View, anchor: Pos2) {
        self.set_zoom(view, anchor, view.natural_zoom());
    }

    /// From any other zoom to 1:1, from 1:1 to fitting.
    pub fn toggle_natural(&mut self, view: &View, anchor: Pos2) {
        if self.zoom == Some(view.natural_zoom()) {
            self.fit();
        } else {
            self.natural(view, anchor);
        }
    }

    /// Multiplies the zoom; the image stays under `anchor` (ui). Zooming out ends where the picture fits.
    pub fn zoom_by(&mut self, view: &View, anchor: Pos2, factor: f32) {
        let smallest = view.fitting_zoom().min(view.natural_zoom());
        let zoom = (self.zoom(view) * factor).clamp(smallest, MAX_ZOOM.max(smallest));
        if zoom == view.fitting_zoom() {
            self.fit();
        } else {
            self.set_zoom(view, anchor, zoom);
        }
    }

    /// Moves the picture with the pointer, by `delta` in ui points.
    pub fn pan(&mut self, view: &View, delta: Vec2) {
        let moved = self.image_rect(view).translate(delta);
        self.look_at(view, moved);
    }

    /// Brings a part of the picture, in image pixels, to the middle of the view with room around it.
    pub fn show(&mut self, view: &View, part: Rect) {
        const ROOM: f32 = 3.0;
        let wanted = (view.pane.size() / (part.size().max(Vec2::splat(1.0)) * ROOM)).min_elem();
        let smallest = view.fitting_zoom();
        let zoom = wanted.clamp(smallest, MAX_ZOOM.max(smallest));
        self.zoom = Some(zoom);
        let min = view.pane.center() - part.center().to_vec2() * zoom;
        self.look_at(view, Rect::from_min_size(min, view.image * zoom));
    }

    fn set_zoom(&mut self, view: &View, anchor: Pos2, zoom: f32) {
        let before = self.image_rect(view);
        let held = (anchor - before.min) / before.size();
        self.zoom = Some(zoom);
        let size = view.image * zoom;
        self.look_at(view, Rect::from_min_size(anchor - held * size, size));
    }

    /// Takes the centre from where the picture should lie; [`Viewport::image_rect`] keeps it in the pane.
    fn look_at(&mut self, view: &View, image_rect: Rect) {
        self.centre = ((view.pane.center() - image_rect.min) / image_rect.size()).into();
        let kept = self.image_rect(view);
        self.centre = ((view.pane.center() - kept.min) / kept.size()).into();
    }
}

#[cfg(test)]
mod tests {
    use eframe::egui::{Pos2, Rect, pos2, vec2};

    use super::{View, Viewport};

    const VIEW: View = View {
        pane: Rect {
            min: Pos2::new(100.0, 50.0),
            max: Pos2::new(500.0, 250.0),
        },
        image: vec2(100.0, 100.0),
        pixels_per_point: 2.0,
    };

    fn image_from_ui(viewport: &Viewport, at: Pos2) -> Pos2 {
        let rect = viewport.image_rect(&VIEW);
        ((at - rect.min) / viewport.zoom(&VIEW)).to_pos2()
    }

    #[test]
    fn a_fitting_picture_touches_the_pane_and_is_centred() {
        let rect = Viewport::default().image_rect(&VIEW);
        assert_eq!(
            rect,
            Rect::from_center_size(VIEW.pane.center(), vec2(200.0, 200.0))
        );
    }

    #[test]
    fn zooming_keeps_the_pixel_under_the_cursor() {
        let mut viewport = Viewport::default();
        let cursor = pos2(330.0, 170.0);
        let before = image_from_ui(&viewport, cursor);
        viewport.zoom_by(&VIEW, cursor, 8.0);
        let after = image_from_ui(&viewport, cursor);
        assert!((before - after).length() < 1e-3, "{before:?} {after:?}");
    }

    #[test]
    fn a_kept_viewport_that_makes_no_sense_shows_the_whole_picture() {
        let mut viewport = Viewport::default();
        viewport.zoom_by(&VIEW, pos2(330.0, 170.0), 8.0);
        assert_eq!(viewport.sound(), viewport);
        for zoom in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            let broken = Viewport {
                zoom: Some(zoom),
                ..viewport
            };
            assert!(broken.sound().is_fitting(), "{zoom}");
        }
        let broken = Viewport {
            centre: [f32::NAN, 0.5],
            ..viewport
        };
        assert!(broken.sound().is_fitting());
    }

    #[test]
    fn panning_moves_with_the_pointer_and_stops_at_the_border() {
        let mut viewport = Viewport::default();
        viewport.zoom_by(&VIEW, VIEW.pane.center(), 8.0);
        let before = viewport.image_rect(&VIEW);
        viewport.pan(&VIEW, vec2(30.0, -20.0));
        let expected = before.min + vec2(30.0, -20.0);
        assert!((viewport.image_rect(&VIEW).min - expected).length() < 0.01);
        viewport.pan(&VIEW, vec2(1e6, 1e6));
        assert!((viewport.image_rect(&VIEW).min - VIEW.pane.min).length() < 0.01);
    }

    #[test]
    fn zooming_out_ends_at_the_smaller_of_fitting_and_one_to_one() {
        let mut viewport = Viewport::default();
        viewport.zoom_by(&VIEW, VIEW.pane.center(), 1e-6);
        assert_eq!(viewport.zoom(&VIEW), 0.5);
        viewport.zoom_by(&VIEW, VIEW.pane.center(), 1e9);
        assert_eq!(viewport.zoom(&VIEW), 64.0);
    }

    #[test]
    fn one_to_one_is_one_physical_pixel_and_toggles_back() {
        let mut viewport = Viewport::default();
        viewport.toggle_natural(&VIEW, VIEW.pane.center());
        assert_eq!(viewport.zoom(&VIEW), 0.5);
        viewport.toggle_natural(&VIEW, VIEW.pane.center());
        assert!(viewport.is_fitting());
    }
}
