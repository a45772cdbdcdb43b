//! Carries out the commands that change the window itself or walk through the pictures.

use eframe::egui::{Context, Theme, ViewportCommand};

use super::super::App;
use super::super::state::Place;
use super::super::verdict::Outcome;
use super::{Overlay, Step, WindowAction};
use crate::data::Severity;

/// How large everything can be made, against its natural size.
pub const SIZES: std::ops::RangeInclusive<f32> = 0.5..=3.0;
const SIZE_STEP: f32 = 0.1;

impl App {
    pub(in super::super) fn window_action(&mut self, action: WindowAction, ctx: &Context) {
        match action {
            WindowAction::ShowPalette => self.overlay = Overlay::palette(),
            WindowAction::ShowKeys => self.overlay = Overlay::Keys,
            WindowAction::Enlarge => resize(ctx, ctx.zoom_factor() + SIZE_STEP),
            WindowAction::Shrink => resize(ctx, ctx.zoom_factor() - SIZE_STEP),
            WindowAction::NaturalSize => resize(ctx, 1.0),
            WindowAction::SwitchTheme => ctx.set_theme(match ctx.theme() {
                Theme::Dark => Theme::Light,
                Theme::Light => Theme::Dark,
            }),
            WindowAction::Quit => ctx.send_viewport_cmd(ViewportCommand::Close),
        }
    }

    /// Says why something that was asked for by its keys is not done. Asking again says nothing new.
    pub(in super::super) fn explain(&mut self, title: String, reason: &str) {
        let last = self.state.messages.last();
        if last.is_none_or(|message| message.title != title || message.detail != reason) {
            self.state.tell(Severity::Note, title, reason);
        }
    }

    pub(in super::super) fn step(&mut self, step: Step) {
        let selected = self.state.selected;
        let listing = self.inspect_view.gallery.listing(&self.state);
        let next = match step {
            Step::NextPicture => listing.step(selected, 1),
            Step::PreviousPicture => listing.step(selected, -1),
            Step::NextError => self.error_after(selected, Direction::Down),
            Step::PreviousError => self.error_after(selected, Direction::Up),
        };
        let Some(next) = next else {
            let detail = "The list shows what the filters of Inspect let through";
            let title = "The list has no such picture there";
            return self.explain(title.to_owned(), detail);
        };
        self.inspect_view.arrive(&self.state);
        self.state.selected = next;
        self.go(Place::Inspect);
    }

    /// The nearest wrong verdict in the list, from this picture on.
    fn error_after(&mut self, picture: usize, direction: Direction) -> Option<usize> {
        let run = self.state.run.clone()?;
        let rows = &run.evaluation.as_ref()?.images;
        let judgement = self.state.limits.judgement().clone();
        let is_error = |index: &usize| {
            let row = rows.get(*index);
            row.is_some_and(|row| Outcome::of(row.truth(), &judgement, *index).is_error())
        };
        let listing = self.inspect_view.gallery.listing(&self.state);
        let here = listing.position(picture);
        match direction {
            Direction::Down => {
                let after = listing.rows.get(here.map_or(0, |at| at + 1)..)?;
                after.iter().copied().find(is_error)
            }
            Direction::Up => {
                let before = listing.rows.get(..here.unwrap_or(0))?;
                before.iter().rev().copied().find(is_error)
            }
        }
    }
}

/// Through a list.
#[derive(Debug, Clone, Copy)]
enum Direction {
    Down,
    Up,
}

/// Rounded to whole steps, so that going there and back ends where it began.
fn resize(ctx: &Context, size: f32) {
    let size = (size / SIZE_STEP).round() * SIZE_STEP;
    ctx.set_zoom_factor(size.clamp(*SIZES.start(), *SIZES.end()));
}
