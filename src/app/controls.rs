//! Cards, buttons and captions in the shapes every place uses. No place-specific text.

use eframe::egui::text::LayoutJob;
use eframe::egui::{
    Align, Button, Color32, CornerRadius, FontSelection, Frame, Id, Label, Layout, Margin, Modal,
    ProgressBar, Response, RichText, Role, ScrollArea, Sense, Sides, Stroke, TextStyle, Ui, Vec2,
    WidgetInfo, vec2,
};

use super::icons::{self, Icon};
use super::theme::{self, RADIUS};
use crate::data::Severity;

/// A raised group across the whole width.
pub fn card<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let palette = theme::palette(ui);
    Frame::new()
        .fill(palette.card)
        .stroke(Stroke::new(1.0, palette.outline))
        .corner_radius(CornerRadius::same(RADIUS + 2))
        .inner_margin(Margin::same(16))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            contents(ui)
        })
        .inner
}

/// The whole place, scrolled where it is too long; the scroll bar stands at the window's edge.
pub fn scrolled<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> R {
    ScrollArea::vertical()
        .auto_shrink(false)
        .show(ui, |ui| {
            Frame::new()
                .inner_margin(Margin::symmetric(24, 20))
                .show(ui, contents)
                .inner
        })
        .inner
}

/// A line across the whole width, laid out from the right; what is on the left comes last and takes what is left over.
pub fn from_right<R>(ui: &mut Ui, height: f32, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let size = vec2(ui.available_width(), height);
    let layout = Layout::right_to_left(Align::Center);
    ui.allocate_ui_with_layout(size, layout, contents).inner
}

/// The one thing to do next on a place.
pub fn primary(ui: &Ui, text: &str) -> Button<'static> {
    let palette = theme::palette(ui);
    Button::new(RichText::new(text).size(15.0).color(palette.on_accent))
        .fill(palette.accent)
        .stroke(Stroke::new(1.0, palette.accent))
        .min_size(vec2(0.0, 34.0))
}

/// The title of a place.
pub fn title(ui: &mut Ui, text: &str) -> Response {
    let strong = theme::palette(ui).strong;
    ui.add(Label::new(RichText::new(text).size(22.0).color(strong)).truncate())
}

/// The heading of a card.
pub fn heading(ui: &mut Ui, text: &str) -> Response {
    let strong = theme::palette(ui).strong;
    ui.label(RichText::new(text).size(16.0).color(strong))
}

/// A hint, unit or explanation.
pub fn muted(ui: &mut Ui, text: impl Into<String>) -> Response {
    let color = theme::palette(ui).muted;
    ui.add(Label::new(RichText::new(text).color(color)).wrap())
}

/// A path, cut in the middle where it does not fit; whole on hover.
pub fn path_label(ui: &mut Ui, path: &str) -> Response {
    let color = theme::palette(ui).muted;
    let font = TextStyle::Small.resolve(ui.style());
    let wide = font.size * 0.55;
    let room = (ui.available_width() / wide).max(8.0) as usize;
    ui.add(Label::new(RichText::new(shortened(path, room)).small().color(color)).truncate())
        .on_hover_text(path)
}

/// `text` with its middle left out, at most `room` characters long.
pub fn shortened(text: &str, room: usize) -> String {
    let length = text.chars().count();
    if length <= room || room < 5 {
        return text.to_owned();
    }
    let head = (room - 1) / 3;
    let tail = room - 1 - head;
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(length - tail).collect();
    format!("{start}…{end}")
}

/// A number or word under its name.
pub fn fact(ui: &mut Ui, name: &str, value: &str) {
    let palette = theme::palette(ui);
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.label(RichText::new(name).small().color(palette.muted));
        ui.label(RichText::new(value).size(16.0).color(palette.strong));
    });
}

/// A name and its value in running text; a row that wraps keeps them together.
pub fn named_value(ui: &mut Ui, name: &str, value: &str) {
    let palette = theme::palette(ui);
    let mut job = LayoutJob::default();
    for (text, colour) in [
        (name, palette.muted),
        ("  ", palette.muted),
        (value, palette.strong),
    ] {
        let text = RichText::new(text).color(colour);
        text.append_to(&mut job, ui.style(), FontSelection::Default, Align::Center);
    }
    ui.add(Label::new(job).extend());
    ui.add_space(6.0);
}

/// A row of a form: its name on the left, the control on the right, a hint below.
pub fn form_row<R>(ui: &mut Ui, name: &str, hint: &str, control: impl FnOnce(&mut Ui) -> R) -> R {
    const NAME_WIDTH: f32 = 92.0;
    let result = ui.horizontal(|ui| {
        let height = ui.spacing().interact_size.y;
        let strong = theme::palette(ui).strong;
        ui.allocate_ui_with_layout(
            vec2(NAME_WIDTH, height),
            Layout::left_to_right(Align::Center),
            |ui| {
                ui.set_width(NAME_WIDTH);
                ui.label(RichText::new(name).color(strong));
            },
        );
        control(ui)
    });
    if !hint.is_empty() {
        ui.scope(|ui| {
            ui.spacing_mut().interact_size.y = 0.0;
            ui.horizontal(|ui| {
                ui.add_space(NAME_WIDTH + ui.spacing().item_spacing.x);
                let color = theme::palette(ui).muted;
                ui.add(Label::new(RichText::new(hint).small().color(color)).wrap());
            });
        });
    }
    ui.add_space(10.0);
    result.inner
}

/// An icon of text height that takes part in the layout.
pub fn icon(ui: &mut Ui, icon: Icon, color: Color32) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(18.0), Sense::hover());
    icons::paint(ui.painter(), rect, icon, color);
    response
}

/// How far something is, 0 to 1, in a trough that can be seen on every ground.
pub fn progress_bar(ui: &mut Ui, fraction: f32, size: Vec2) {
    let palette = theme::palette(ui);
    ui.scope(|ui| {
        ui.visuals_mut().extreme_bg_color = palette.button;
        let bar = ProgressBar::new(fraction).fill(palette.accent);
        ui.add(bar.desired_width(size.x).desired_height(size.y));
    });
}

/// A button beside a line of text.
pub fn small_button(ui: &mut Ui, text: &str) -> Response {
    ui.scope(|ui| {
        ui.spacing_mut().button_padding = vec2(8.0, 2.0);
        ui.spacing_mut().interact_size.y = 20.0;
        ui.button(RichText::new(text).small())
    })
    .inner
}

/// One of a few choices that stand side by side.
pub fn segment<T: PartialEq>(ui: &mut Ui, chosen: &mut T, choice: T, name: &str) -> Response {
    let button = Button::selectable(*chosen == choice, name).frame_when_inactive(true);
    let response = ui.add(button);
    if response.clicked() {
        *chosen = choice;
    }
    response
}

/// A square button with an icon; `name` is its tooltip and what screen readers say.
pub fn icon_button(ui: &mut Ui, icon: Icon, name: &str) -> Response {
    let side = ui.spacing().interact_size.y;
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), name));
    let palette = theme::palette(ui);
    let hovered = response.hovered() || response.has_focus();
    if hovered {
        ui.painter()
            .rect_filled(rect, CornerRadius::same(RADIUS), palette.button_hovered);
    }
    let color = if hovered {
        palette.strong
    } else {
        palette.muted
    };
    icons::paint(ui.painter(), rect.shrink(6.0), icon, color);
    response.on_hover_text(name)
}

/// What was answered to a question that can only be answered one of two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
}

/// What may be lost, in words.
pub struct Question<'a> {
    pub title: &'a str,
    pub consequence: &'a str,
    /// The folder it is about.
    pub path: Option<&'a str>,
    /// The two buttons; the second is the safe one.
    pub yes: &'a str,
    pub no: &'a str,
}

/// Asks before something is lost. `None` until it is answered; leaving the question is a no.
pub fn question_ui(ui: &Ui, id: &str, question: &Question<'_>) -> Option<Answer> {
    const BUTTON: Vec2 = vec2(96.0, 34.0);
    let frame = Frame::window(ui.style()).inner_margin(Margin::same(16));
    let modal = Modal::new(Id::unique(id)).frame(frame);
    let shown = modal.show(ui.ctx(), |ui| {
        ui.set_width(380.0);
        heading(ui, question.title);
        muted(ui, question.consequence);
        if let Some(path) = question.path {
            path_label(ui, path);
        }
        ui.add_space(10.0);
        let (yes, no) = Sides::new().height(BUTTON.y).show(
            ui,
            |ui| ui.add(Button::new(question.yes).min_size(BUTTON)).clicked(),
            |ui| {
                let no = primary(ui, question.no).min_size(BUTTON);
                ui.add(no).clicked()
            },
        );
        match (yes, no) {
            (true, _) => Some(Answer::Yes),
            (_, true) => Some(Answer::No),
            _ => None,
        }
    });
    let left = shown.should_close().then_some(Answer::No);
    shown.inner.or(left)
}

/// Shape and colour of a severity.
pub fn severity_mark(ui: &Ui, severity: Severity) -> (Icon, Color32) {
    let palette = theme::palette(ui);
    match severity {
        Severity::Note => (Icon::Note, palette.accent),
        Severity::Warning => (Icon::Warning, palette.warning),
        Severity::Error => (Icon::Cross, palette.error),
    }
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn long_paths_lose_their_middle() {
        assert_eq!(shortened("/data/bottle", 20), "/data/bottle");
        let short = shortened("/home/anna/pictures/line 3/bottle", 16);
        assert_eq!(short, "/home…e 3/bottle");
        assert_eq!(short.chars().count(), 16);
    }

    #[test]
    fn shortening_counts_characters_not_bytes() {
        assert_eq!(shortened("ééééééééééé", 6), "é…éééé");
        assert_eq!(
            shortened("abcdefgh", 3),
            "abcdefgh",
            "too little room to say anything"
        );
    }
}
