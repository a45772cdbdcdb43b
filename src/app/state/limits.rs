//! The limits in force in the window: they start at the model's own, follow the user's hand, and can be undone. Whatever
//! depends on them is judged once for each change. Plain data.

use std::sync::Arc;

use crate::metrics::{AreaRule, DecisionRule, Judgement, Limit};
use crate::worker::message::{Limits, RunSummary};

/// Changes of the same kind within this many seconds are one step back: a drag is one gesture.
const GESTURE: f64 = 0.8;

/// How many steps back there are.
const STEPS: usize = 200;

/// One change of the limits.
#[derive(Debug, Clone, PartialEq)]
pub enum LimitEdit {
    /// T1 by hand; `None` closes the REVIEW band.
    Review(Option<f32>),
    /// T2 by hand. Without a REVIEW band it is the only limit.
    Fail(f32),
    Pixel(f32),
    Area(AreaRule),
    /// Pixels of a picture on one millimetre.
    Scale(Option<f64>),
    /// All at once, with their origins.
    Rule(DecisionRule),
}

/// What a verdict and a measure depend on.
#[derive(Debug, Clone, PartialEq)]
struct Setting {
    rule: DecisionRule,
    pixels_per_mm: Option<f64>,
}

impl Setting {
    fn of(limits: &Limits) -> Self {
        Self {
            rule: limits.rule(),
            pixels_per_mm: limits.pixels_per_mm,
        }
    }

    fn edited(&self, edit: &LimitEdit) -> Self {
        let rule = self.rule.clone();
        let rule = match edit {
            LimitEdit::Review(value) => rule.with_review(value.map(Limit::manual)),
            LimitEdit::Fail(value) => rule.with_fail(Limit::manual(*value)),
            LimitEdit::Pixel(value) => rule.with_pixel(Limit::manual(*value)),
            LimitEdit::Area(area) => rule.with_area(*area),
            LimitEdit::Rule(rule) => rule.clone(),
            LimitEdit::Scale(pixels_per_mm) => {
                return Self {
                    rule,
                    pixels_per_mm: *pixels_per_mm,
                };
            }
        };
        Self {
            rule,
            pixels_per_mm: self.pixels_per_mm,
        }
    }
}

/// The limits, the verdicts they make, and the way back.
#[derive(Debug)]
pub struct LimitsInForce {
    now: Setting,
    judgement: Arc<Judgement>,
    back: Vec<Setting>,
    forth: Vec<Setting>,
    /// What was changed last, and when.
    last: Option<(std::mem::Discriminant<LimitEdit>, f64)>,
}

impl Default for LimitsInForce {
    /// Without a run nothing fails.
    fn default() -> Self {
        let nothing = Limit::manual(f32::INFINITY);
        Self {
            now: Setting {
                rule: DecisionRule::single(nothing.clone(), nothing),
                pixels_per_mm: None,
            },
            judgement: Arc::default(),
            back: Vec::new(),
            forth: Vec::new(),
            last: None,
        }
    }
}

impl LimitsInForce {
    /// Those in the model of a run, without a way back.
    pub fn of(run: &RunSummary) -> Self {
        let mut limits = Self::default();
        limits.set(run, Setting::of(&run.limits));
        limits
    }

    pub fn rule(&self) -> &DecisionRule {
        &self.now.rule
    }

    pub fn pixels_per_mm(&self) -> Option<f64> {
        self.now.pixels_per_mm
    }

    /// The verdicts on the pictures of the run.
    pub fn judgement(&self) -> &Arc<Judgement> {
        &self.judgement
    }

    /// As they would be saved in the model of this run.
    pub fn to_save(&self, run: &RunSummary) -> Limits {
        let Setting {
            rule,
            pixels_per_mm,
        } = self.now.clone();
        run.limits.with_rule(rule, pixels_per_mm)
    }

    /// Whether the model of this run has them.
    pub fn are_saved(&self, run: &RunSummary) -> bool {
        self.now == Setting::of(&run.limits)
    }

    pub fn can_undo(&self) -> bool {
        !self.back.is_empty()
    }

    pub fn can_redo(&self) -> bool {
        !self.forth.is_empty()
    }

    /// Changes the limits; `now` in seconds on any clock that only goes forward. What is no number changes nothing.
    pub fn edit(&mut self, run: &RunSummary, edit: &LimitEdit, now: f64) {
        let next = self.now.edited(edit);
        if next == self.now || !is_usable(&next) {
            return;
        }
        let kind = std::mem::discriminant(edit);
        let same_gesture = !matches!(edit, LimitEdit::Rule(_))
            && self
                .last
                .is_some_and(|(last, at)| last == kind && now - at < GESTURE);
        if !same_gesture {
            self.back.push(self.now.clone());
            let surplus = self.back.len().saturating_sub(STEPS);
            self.back.drain(..surplus);
        }
        self.forth.clear();
        self.last = Some((kind, now));
        self.set(run, next);
    }

    pub fn undo(&mut self, run: &RunSummary) {
        if let Some(before) = self.back.pop() {
            self.forth.push(self.now.clone());
            self.last = None;
            self.set(run, before);
        }
    }

    pub fn redo(&mut self, run: &RunSummary) {
        if let Some(after) = self.forth.pop() {
            self.back.push(self.now.clone());
            self.last = None;
            self.set(run, after);
        }
    }

    fn set(&mut self, run: &RunSummary, setting: Setting) {
        self.now = setting;
        let rows = run.evaluation.as_ref().map(|e| e.images.as_slice());
        let rows = rows.unwrap_or_default();
        let judgement = Judgement::of(rows, run.regions.as_deref(), &self.now.rule);
        self.judgement = Arc::new(judgement);
    }
}

/// What may be judged by and saved.
fn is_usable(setting: &Setting) -> bool {
    let rule = &setting.rule;
    let limits = [rule.pass_below(), rule.fail_from(), rule.pixel.value];
    let is_size = |size: f64| size.is_finite() && size >= 0.0;
    limits.into_iter().all(f32::is_finite)
        && is_size(rule.area.pixels)
        && setting
            .pixels_per_mm
            .is_none_or(|scale| is_size(scale) && scale > 0.0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::{GESTURE, LimitEdit, LimitsInForce};
    use crate::config::RunConfig;
    use crate::metrics::{AreaRule, Combination, DecisionRule, Limit, LimitOrigin};
    use crate::worker::message::{Limits, RunSummary};

    fn run() -> RunSummary {
        let limit = |value| Limit {
            value,
            origin: LimitOrigin::HeldOutMaximum { pictures: 4 },
        };
        RunSummary {
            path: "/runs/bottle-cfa".into(),
            config: RunConfig::first_look(Path::new("/data/bottle")),
            checksum: String::new(),
            limits: Limits::new(limit(0.5), limit(0.25), (0.0, 0.5)),
            proposed: DecisionRule::single(limit(0.5), limit(0.25)),
            calibration_scores: vec![0.1, 0.5],
            evaluation: None,
            samples: Vec::new(),
            regions: None,
        }
    }

    #[test]
    fn a_drag_is_one_step_back_and_a_pause_begins_another() {
        let run = run();
        let mut limits = LimitsInForce::of(&run);
        for (value, at) in [(0.6, 0.0), (0.7, 0.5), (0.8, 1.0), (0.9, 1.0 + GESTURE)] {
            limits.edit(&run, &LimitEdit::Fail(value), at);
        }
        assert_eq!(limits.rule().fail.origin, LimitOrigin::Manual);
        let mut seen = Vec::new();
        while limits.can_undo() {
            limits.undo(&run);
            seen.push(limits.rule().fail_from());
        }
        assert_eq!(seen, [0.8, 0.5]);
        assert!(limits.are_saved(&run), "with its origin");
        limits.redo(&run);
        assert_eq!(limits.rule().fail_from(), 0.8);
        limits.edit(&run, &LimitEdit::Pixel(0.3), 9.0);
        assert!(!limits.can_redo(), "another way was taken");
    }

    #[test]
    fn different_changes_are_different_steps_and_no_change_is_none() {
        let run = run();
        let mut limits = LimitsInForce::of(&run);
        let area = AreaRule {
            combination: Combination::ScoreAndArea,
            pixels: 20.0,
        };
        for edit in [
            LimitEdit::Review(Some(0.4)),
            LimitEdit::Pixel(0.3),
            LimitEdit::Area(area),
            LimitEdit::Scale(Some(8.0)),
            LimitEdit::Scale(Some(8.0)),
            LimitEdit::Fail(f32::NAN),
            LimitEdit::Scale(Some(0.0)),
        ] {
            limits.edit(&run, &edit, 0.0);
        }
        let saved = limits.to_save(&run);
        assert_eq!(saved.review.as_ref().map(|limit| limit.value), Some(0.4));
        assert_eq!((saved.area, saved.pixels_per_mm), (area, Some(8.0)));
        assert_eq!(saved.scale, (0.0, 0.5));
        let mut steps = 0;
        while limits.can_undo() {
            limits.undo(&run);
            steps += 1;
        }
        assert_eq!(steps, 4);
    }

    #[test]
    fn the_judgement_follows_in_the_same_breath() {
        let run = run();
        let mut limits = LimitsInForce::of(&run);
        let before = Arc::clone(limits.judgement());
        limits.edit(&run, &LimitEdit::Fail(0.1), 0.0);
        assert!(!Arc::ptr_eq(&before, limits.judgement()));
    }
}
