//! Painting where the defect is: a view of its own in the Data place. `canvas`, `history` and `shapes` know no window;
//! reading and saving masks is the worker's business.

mod canvas;
mod history;
mod keys;
mod overlay;
mod pointer;
mod shapes;
mod stage;
mod tools;

use eframe::egui::{Align, Frame, Layout, Margin, Spinner, Ui, Vec2};

use super::badge::warning_badge;
use super::controls::{Answer as Reply, Question, from_right, muted, primary, question_ui, title};
use super::state::{Action, MaskKind};
use super::textures::{Shown, Textures};
use super::theme;
use super::viewport::Viewport;
use crate::data::Sample;
use crate::data::image::Mask;
use crate::worker::annotations::{Answer, Task};
use canvas::{Canvas, Ink};
use history::History;
use overlay::Overlay;
use shapes::Point;

pub use keys::KEYS;

const MAX_SIZE: f32 = 500.0;

/// What the painter asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum PainterAction {
    /// The data set's own mask, to go on from.
    ReadOwn,
    Save(Mask),
    /// Forget the painted mask.
    Remove,
    Close,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Brush,
    Eraser,
    Polygon,
}

impl Tool {
    fn ink(self) -> Ink {
        match self {
            Self::Eraser => Ink::Erase,
            Self::Brush | Self::Polygon => Ink::Mark,
        }
    }
}

/// What the painter waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    ForMask,
    ForSave,
}

/// A question about what would be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    Discard,
    Remove,
}

/// The canvas with its past and its look on screen.
struct Work {
    canvas: Canvas,
    history: History,
    overlay: Overlay,
}

/// One picture whose mask is being painted.
pub struct MaskPainter {
    sample: Sample,
    kind: MaskKind,
    /// `None` until the picture and the mask to start from are there.
    work: Option<Work>,
    /// What to start from.
    start: Option<Mask>,
    waiting: Option<Waiting>,
    asking: Option<Asking>,
    /// Why the mask cannot be saved, in a sentence; gone with the next change.
    refusal: Option<&'static str>,
    tool: Tool,
    /// Diameter of brush and eraser in image pixels; `None` until the picture's size is known.
    size: Option<f32>,
    viewport: Viewport,
    pen: pointer::Pen,
    /// Corners of the unfinished polygon, in image pixels.
    polygon: Vec<Point>,
    /// The pixel under the pointer.
    pointed: Option<(usize, usize)>,
}

impl MaskPainter {
    /// Waits for the picture's mask where there is one.
    pub fn new(sample: Sample, kind: MaskKind) -> Self {
        let has_mask = matches!(kind, MaskKind::Painted | MaskKind::Own);
        Self {
            sample,
            kind,
            work: None,
            start: None,
            waiting: has_mask.then_some(Waiting::ForMask),
            asking: None,
            refusal: None,
            tool: Tool::Brush,
            size: None,
            viewport: Viewport::default(),
            pen: pointer::Pen::default(),
            polygon: Vec::new(),
            pointed: None,
        }
    }

    pub fn sample(&self) -> &Sample {
        &self.sample
    }

    /// Whether closing would lose anything.
    pub fn is_changed(&self) -> bool {
        let work = self.work.as_ref();
        work.is_some_and(|work| work.history.is_changed()) || !self.polygon.is_empty()
    }

    /// Takes in what became of an order. Returns whether the painter is done.
    pub fn hear(&mut self, task: &Task, result: &Result<Answer, String>) -> bool {
        let (about, saves) = match task {
            Task::ReadOwn { sample } | Task::ReadPainted { sample } => (sample, false),
            Task::SaveMask { sample, .. } | Task::RemoveMask { sample } => (sample, true),
            Task::Open { .. } | Task::SetSeen { .. } => return false,
        };
        if about != &self.sample {
            return false;
        }
        self.waiting = None;
        if let Ok(Answer::Mask(mask)) = result {
            self.draw(mask);
        }
        saves && result.is_ok()
    }

    fn draw(&mut self, mask: &Mask) {
        match &mut self.work {
            Some(work) => {
                work.canvas.draw(mask);
                work.history.commit(&mut work.canvas);
            }
            None => self.start = Some(mask.clone()),
        }
    }

    /// Starts to work as soon as the picture's size is known and no mask is on its way.
    fn begin(&mut self, size: Vec2) {
        if self.work.is_some() || self.waiting.is_some() {
            return;
        }
        let bounds = (size.x as usize, size.y as usize);
        let start = self.start.take();
        let fits = |canvas: &Canvas| canvas.bounds() == bounds;
        let canvas = start.as_ref().map(Canvas::of).filter(fits);
        self.work = Some(Work {
            canvas: canvas.unwrap_or_else(|| Canvas::new(bounds)),
            history: History::default(),
            overlay: Overlay::default(),
        });
        let longest = size.max_elem();
        self.size = Some((longest / 50.0).round().clamp(3.0, 60.0));
    }

    fn radius(&self) -> f32 {
        self.size.unwrap_or(1.0) / 2.0
    }

    /// The next size up or down: a quarter more or less, at least a pixel.
    fn resize(&mut self, direction: f32) {
        if let Some(size) = &mut self.size {
            let step = (*size * 0.25).round().max(1.0);
            *size = (*size + direction * step).clamp(1.0, MAX_SIZE);
        }
    }

    /// Ends what is being drawn as one step.
    fn commit(&mut self) {
        if let Some(work) = &mut self.work {
            work.history.commit(&mut work.canvas);
        }
        self.refusal = None;
    }

    fn undo(&mut self) {
        if let Some(work) = &mut self.work {
            work.history.undo(&mut work.canvas);
        }
    }

    fn redo(&mut self) {
        if let Some(work) = &mut self.work {
            work.history.redo(&mut work.canvas);
        }
    }

    fn clear(&mut self) {
        if let Some(work) = &mut self.work {
            work.canvas.clear();
        }
        self.commit();
    }

    /// Fills the polygon that was clicked; fewer than three corners enclose nothing and are kept.
    fn close_polygon(&mut self, ink: Ink) {
        if self.polygon.len() < 3 {
            return;
        }
        let corners = std::mem::take(&mut self.polygon);
        if let Some(work) = &mut self.work {
            let spans = shapes::polygon(&corners, work.canvas.bounds());
            work.canvas.fill(&spans, ink);
        }
        self.commit();
    }

    fn save(&mut self) -> Option<PainterAction> {
        let work = self.work.as_ref()?;
        self.refusal = refusal(&work.canvas, &self.polygon);
        if self.refusal.is_some() {
            return None;
        }
        if !work.history.is_changed() && self.kind != MaskKind::Missing {
            return Some(PainterAction::Close);
        }
        let mask = work.canvas.to_mask()?;
        self.waiting = Some(Waiting::ForSave);
        Some(PainterAction::Save(mask))
    }

    fn cancel(&mut self) -> Option<PainterAction> {
        if self.is_changed() {
            self.asking = Some(Asking::Discard);
            return None;
        }
        Some(PainterAction::Close)
    }

    fn is_idle(&self) -> bool {
        self.work.is_some() && self.waiting.is_none() && self.asking.is_none()
    }
}

fn refusal(canvas: &Canvas, polygon: &[Point]) -> Option<&'static str> {
    if !polygon.is_empty() {
        return Some("A polygon is unfinished: close it with Enter or drop it with Esc, then save");
    }
    if canvas.is_empty() {
        return Some("Nothing is marked: paint over the defect, then save");
    }
    let all = "The whole picture is marked: mark only the defect, then save";
    canvas.is_full().then_some(all)
}

/// Takes the place of the Data place while a mask is painted.
pub fn painter_ui(
    ui: &mut Ui,
    painter: &mut MaskPainter,
    textures: &mut Textures,
) -> Option<Action> {
    let mut action = None;
    Frame::new()
        .inner_margin(Margin::symmetric(16, 12))
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 8.0;
            action = header_ui(ui, painter);
            let mut shown = textures.picture(None, &painter.sample);
            if let Shown::Ready(picture) = &mut shown {
                painter.begin(picture.size());
            }
            let keys = keys::pressed(ui, painter);
            action = keys.or(action.take());
            let request = tools::tools_ui(ui, painter, &mut action);
            match shown {
                Shown::Ready(picture) if painter.work.is_some() => {
                    stage::stage_ui(ui, painter, picture, request);
                }
                Shown::Failed(message) => {
                    ui.colored_label(theme::palette(ui).error, message);
                }
                Shown::Ready(_) | Shown::Loading => {
                    ui.centered_and_justified(|ui| ui.add(Spinner::new().size(24.0)));
                }
            }
        });
    let answered = painter
        .asking
        .and_then(|asking| ask_ui(ui, painter, asking));
    answered.or(action).map(Action::Painter)
}

/// Whose mask it is, and the two ways out.
fn header_ui(ui: &mut Ui, painter: &mut MaskPainter) -> Option<PainterAction> {
    from_right(ui, 46.0, |ui| {
        let saving = painter.waiting == Some(Waiting::ForSave);
        let save = primary(ui, "Save mask").min_size([110.0, 34.0].into());
        let save = ui.add_enabled(painter.work.is_some() && !saving, save);
        let mut action = None;
        if save.on_hover_text("Ctrl+S").clicked() {
            action = painter.save();
        }
        let cancel = eframe::egui::Button::new("Cancel").min_size([90.0, 34.0].into());
        if ui.add_enabled(!saving, cancel).clicked() {
            action = painter.cancel();
        }
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            title(ui, &format!("Mask of {}", painter.sample.id));
            match painter.refusal {
                Some(text) => {
                    let colour = theme::palette(ui).warning;
                    warning_badge(ui, text, colour);
                }
                None => {
                    muted(
                        ui,
                        format!("Mark every pixel of the defect ({})", painter.sample.defect),
                    );
                }
            }
        });
        action
    })
}

fn ask_ui(ui: &Ui, painter: &mut MaskPainter, asking: Asking) -> Option<PainterAction> {
    let question = match asking {
        Asking::Discard => Question {
            title: "Discard what you painted?",
            consequence: "Strokes since the mask was opened are lost",
            path: None,
            yes: "Discard",
            no: "Keep painting",
        },
        Asking::Remove => Question {
            title: "Remove the painted mask?",
            consequence: if painter.sample.masks.is_empty() {
                "The picture has no mask then, and nothing can be learned from it"
            } else {
                "The data set's own mask counts again"
            },
            path: None,
            yes: "Remove",
            no: "Keep it",
        },
    };
    let reply = question_ui(ui, "painter question", &question)?;
    painter.asking = None;
    match (reply, asking) {
        (Reply::No, _) => None,
        (Reply::Yes, Asking::Discard) => Some(PainterAction::Close),
        (Reply::Yes, Asking::Remove) => {
            painter.waiting = Some(Waiting::ForSave);
            Some(PainterAction::Remove)
        }
    }
}

#[cfg(test)]
mod tests;
