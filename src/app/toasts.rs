//! Messages that pop up over the place the user is in, and the list in which they are all kept.

use eframe::egui::{
    Align2, Area, CornerRadius, Frame, Id, Label, Margin, Order, Popup, Response, RichText,
    ScrollArea, Sides, Stroke, Ui, vec2,
};

use super::controls::{icon, icon_button, muted, severity_mark, small_button};
use super::icons::Icon;
use super::state::{Action, Message, State};
use super::theme::{self, RADIUS};
use crate::data::Severity;

const WIDTH: f32 = 380.0;
/// More than these at once cover the window; older ones stay in the list.
const SHOWN: usize = 3;
/// Seconds a message stays unless it is an error. Errors stay until they are dismissed.
const LIFETIME: f64 = 6.0;

/// Which messages are on screen.
#[derive(Debug, Default)]
pub struct Toasts {
    /// Messages below this index were shown already.
    seen: usize,
    live: Vec<Toast>,
}

#[derive(Debug)]
struct Toast {
    message: usize,
    expires: Option<f64>,
}

impl Toasts {
    /// Puts new messages on screen and takes expired ones off. Returns when the next one expires.
    fn update(&mut self, messages: &[Message], now: f64) -> Option<f64> {
        let unseen = messages.iter().enumerate().skip(self.seen);
        for (index, message) in unseen.filter(|(_, message)| !message.shown_in_place) {
            let stays = message.severity == Severity::Error;
            self.live.push(Toast {
                message: index,
                expires: (!stays).then_some(now + LIFETIME),
            });
        }
        self.seen = messages.len();
        self.live
            .retain(|toast| toast.expires.is_none_or(|expires| expires > now));
        let excess = self.live.len().saturating_sub(SHOWN);
        self.live.drain(..excess);
        self.live
            .iter()
            .filter_map(|toast| toast.expires)
            .min_by(f64::total_cmp)
    }
}

/// Draws the messages at the lower right, newest at the bottom.
pub fn toasts_ui(ui: &mut Ui, state: &State, toasts: &mut Toasts, now: f64) -> Option<Action> {
    if let Some(expires) = toasts.update(&state.messages, now) {
        let wait = std::time::Duration::from_secs_f64((expires - now).max(0.0));
        ui.ctx().request_repaint_after(wait);
    }
    let mut action = None;
    let mut dismissed = None;
    Area::new(Id::unique("toasts"))
        .order(Order::Foreground)
        .anchor(Align2::RIGHT_BOTTOM, vec2(-16.0, -44.0))
        .show(ui.ctx(), |ui| {
            ui.set_width(WIDTH);
            for toast in &toasts.live {
                let Some(message) = state.messages.get(toast.message) else {
                    continue;
                };
                match toast_ui(ui, message) {
                    Some(Pressed::Copy(text)) => action = Some(Action::CopyText(text)),
                    Some(Pressed::Dismiss) => dismissed = Some(toast.message),
                    None => {}
                }
            }
        });
    if let Some(message) = dismissed {
        toasts.live.retain(|toast| toast.message != message);
    }
    action
}

enum Pressed {
    Copy(String),
    Dismiss,
}

fn toast_ui(ui: &mut Ui, message: &Message) -> Option<Pressed> {
    let palette = theme::palette(ui);
    let (shape, color) = severity_mark(ui, message.severity);
    let mut pressed = None;
    Frame::new()
        .fill(palette.card)
        .stroke(Stroke::new(1.0, color))
        .corner_radius(CornerRadius::same(RADIUS + 2))
        .shadow(ui.visuals().popup_shadow)
        .inner_margin(Margin::symmetric(12, 8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            Sides::new().shrink_left().show(
                ui,
                |ui| {
                    icon(ui, shape, color);
                    let title = RichText::new(&message.title).color(palette.strong);
                    ui.add(Label::new(title).truncate());
                },
                |ui| {
                    if icon_button(ui, Icon::Cross, "Dismiss").clicked() {
                        pressed = Some(Pressed::Dismiss);
                    }
                },
            );
            if !message.detail.is_empty() {
                muted(ui, message.detail.as_str());
            }
            if message.severity == Severity::Error && ui.button("Copy details").clicked() {
                pressed = Some(Pressed::Copy(copied(message)));
            }
            if let Some(path) = &message.path
                && small_button(ui, "Copy path").clicked()
            {
                pressed = Some(Pressed::Copy(path.display().to_string()));
            }
        });
    pressed
}

/// The list of all messages, opened by `button`, newest first.
pub fn message_list_ui(button: &Response, state: &State) -> Option<Action> {
    let mut action = None;
    Popup::from_toggle_button_response(button)
        .close_behavior(eframe::egui::PopupCloseBehavior::CloseOnClickOutside)
        .accessible_name("Messages")
        .width(420.0)
        .show(|ui| {
            ui.set_width(420.0);
            if state.messages.is_empty() {
                muted(ui, "No messages yet");
                return;
            }
            if ui.button("Copy all").clicked() {
                let all: Vec<String> = state.messages.iter().map(copied).collect();
                action = Some(Action::CopyText(all.join("\n")));
            }
            ui.separator();
            ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
                for message in state.messages.iter().rev() {
                    if row_ui(ui, message) {
                        action = Some(Action::CopyText(copied(message)));
                    }
                }
            });
        });
    action
}

/// One message of the list. Returns whether it shall be copied.
fn row_ui(ui: &mut Ui, message: &Message) -> bool {
    let (shape, color) = severity_mark(ui, message.severity);
    let mut copy = false;
    Sides::new().shrink_left().show(
        ui,
        |ui| {
            icon(ui, shape, color);
            ui.add(Label::new(&message.title).truncate());
        },
        |ui| copy = small_button(ui, "Copy").clicked(),
    );
    if !message.detail.is_empty() {
        muted(ui, message.detail.as_str());
    }
    ui.add_space(4.0);
    copy
}

/// A message as it goes to the clipboard.
fn copied(message: &Message) -> String {
    if message.detail.is_empty() {
        return message.title.clone();
    }
    format!("{}: {}", message.title, message.detail)
}

#[cfg(test)]
mod tests {
    use super::{LIFETIME, Message, SHOWN, Toasts, copied};
    use crate::data::Severity;

    fn message(severity: Severity) -> Message {
        Message {
            severity,
            title: "Opening bottle failed".to_owned(),
            detail: "/data/bottle: no pictures".to_owned(),
            shown_in_place: false,
            path: None,
        }
    }

    #[test]
    fn errors_stay_and_notes_expire() {
        let messages = [message(Severity::Note), message(Severity::Error)];
        let mut toasts = Toasts::default();
        assert_eq!(toasts.update(&messages, 1.0), Some(1.0 + LIFETIME));
        assert_eq!(toasts.live.len(), 2);
        assert_eq!(toasts.update(&messages, 1.0 + LIFETIME), None);
        assert_eq!(toasts.live.len(), 1);
        assert_eq!(toasts.live[0].message, 1);
        toasts.update(&messages, 1e6);
        assert_eq!(toasts.live.len(), 1, "an error waits to be dismissed");
    }

    #[test]
    fn a_message_pops_up_once() {
        let messages = [message(Severity::Error)];
        let mut toasts = Toasts::default();
        toasts.update(&messages, 0.0);
        toasts.live.clear();
        toasts.update(&messages, 1.0);
        assert!(toasts.live.is_empty());
    }

    #[test]
    fn only_the_newest_few_are_on_screen() {
        let messages = vec![message(Severity::Error); SHOWN + 2];
        let mut toasts = Toasts::default();
        toasts.update(&messages, 0.0);
        let shown: Vec<usize> = toasts.live.iter().map(|toast| toast.message).collect();
        assert_eq!(shown, [2, 3, 4]);
    }

    #[test]
    fn what_is_copied_holds_the_whole_story() {
        assert_eq!(
            copied(&message(Severity::Error)),
            "Opening bottle failed: /data/bottle: no pictures"
        );
    }
}
