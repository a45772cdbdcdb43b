//! The painter without a window: what it waits for, what it refuses, what it hands out.

use std::sync::Arc;

use eframe::egui::vec2;

use super::canvas::Ink;
use super::{MaskPainter, PainterAction, Waiting, shapes};
use crate::app::state::MaskKind;
use crate::data::image::{Mask, Orientation};
use crate::data::{Label, Sample};
use crate::worker::annotations::{Answer, Task};

const SIZE: eframe::egui::Vec2 = vec2(20.0, 10.0);

fn sample() -> Sample {
    Sample {
        id: "test/dent/000.png".to_owned(),
        image: "000.png".into(),
        masks: vec!["000_mask.png".into()],
        label: Label::Defective,
        defect: "dent".to_owned(),
        orientation: Orientation::Ignore,
    }
}

fn mask(marked: usize) -> Mask {
    Mask::new(20, 10, (0..200).map(|i| i < marked).collect()).unwrap()
}

/// At work on a picture without a mask.
fn painter() -> MaskPainter {
    let mut painter = MaskPainter::new(sample(), MaskKind::Missing);
    painter.begin(SIZE);
    painter
}

fn dab(painter: &mut MaskPainter, radius: f32) {
    let work = painter.work.as_mut().unwrap();
    let spans = shapes::stroke([5.0, 5.0], [5.0, 5.0], radius, work.canvas.bounds());
    work.canvas.fill(&spans, Ink::Mark);
    painter.commit();
}

fn marked(painter: &MaskPainter) -> usize {
    painter.work.as_ref().unwrap().canvas.marked()
}

fn read() -> Task {
    Task::ReadOwn { sample: sample() }
}

fn saved() -> Task {
    Task::SaveMask {
        sample: sample(),
        mask: Arc::new(mask(1)),
    }
}

#[test]
fn work_begins_when_the_picture_and_its_mask_are_there() {
    let mut painter = MaskPainter::new(sample(), MaskKind::Own);
    painter.begin(SIZE);
    assert!(painter.work.is_none(), "the mask is on its way");
    assert!(!painter.hear(&read(), &Ok(Answer::Mask(mask(7)))));
    painter.begin(SIZE);
    assert_eq!(marked(&painter), 7);
    assert!(!painter.is_changed());
}

#[test]
fn a_mask_that_cannot_be_read_or_does_not_fit_leaves_an_empty_canvas() {
    let mut painter = MaskPainter::new(sample(), MaskKind::Own);
    painter.hear(&read(), &Err("no such file".to_owned()));
    painter.begin(SIZE);
    assert_eq!(marked(&painter), 0);
    let mut painter = MaskPainter::new(sample(), MaskKind::Own);
    painter.hear(&read(), &Ok(Answer::Mask(mask(7))));
    painter.begin(vec2(30.0, 10.0));
    assert_eq!(marked(&painter), 0);
}

#[test]
fn starting_from_the_data_sets_mask_is_a_step_that_can_be_undone() {
    let mut painter = painter();
    dab(&mut painter, 2.0);
    let before = marked(&painter);
    painter.hear(&read(), &Ok(Answer::Mask(mask(30))));
    assert_eq!(marked(&painter), 30);
    painter.undo();
    assert_eq!(marked(&painter), before);
}

#[test]
fn masks_that_mark_nothing_or_everything_are_refused_with_a_sentence() {
    let mut painter = painter();
    assert_eq!(painter.save(), None);
    assert!(painter.refusal.unwrap().starts_with("Nothing is marked"));
    dab(&mut painter, 40.0);
    assert_eq!(painter.refusal, None, "gone with the next stroke");
    assert_eq!(painter.save(), None);
    assert!(painter.refusal.unwrap().starts_with("The whole picture"));
}

#[test]
fn an_unfinished_polygon_is_neither_saved_nor_lost_silently() {
    let mut painter = painter();
    dab(&mut painter, 2.0);
    painter.polygon = vec![[1.0, 1.0], [9.0, 1.0], [9.0, 9.0]];
    assert_eq!(painter.save(), None);
    assert!(painter.refusal.unwrap().starts_with("A polygon"));
    painter.close_polygon(Ink::Mark);
    assert!(matches!(painter.save(), Some(PainterAction::Save(_))));
}

#[test]
fn two_corners_enclose_nothing_and_stay() {
    let mut painter = painter();
    painter.polygon = vec![[1.0, 1.0], [9.0, 1.0]];
    painter.close_polygon(Ink::Mark);
    assert_eq!((painter.polygon.len(), marked(&painter)), (2, 0));
    assert!(painter.is_changed());
}

#[test]
fn a_polygon_can_take_away() {
    let mut painter = painter();
    dab(&mut painter, 40.0);
    painter.polygon = vec![[0.0, 0.0], [20.0, 0.0], [20.0, 5.0], [0.0, 5.0]];
    painter.close_polygon(Ink::Erase);
    assert_eq!(marked(&painter), 100);
}

#[test]
fn what_is_saved_is_what_was_painted_and_a_failure_keeps_it() {
    let mut painter = painter();
    dab(&mut painter, 2.0);
    let Some(PainterAction::Save(mask)) = painter.save() else {
        panic!("not saved")
    };
    assert_eq!(mask.marked(), marked(&painter));
    assert_eq!(painter.waiting, Some(Waiting::ForSave));
    assert!(!painter.hear(&saved(), &Err("disk full".to_owned())));
    assert!(painter.is_idle() && painter.is_changed());
    assert!(painter.hear(&saved(), &Ok(Answer::Done)));
}

#[test]
fn answers_about_other_pictures_change_nothing() {
    let mut painter = painter();
    let other = Sample {
        id: "other.png".to_owned(),
        ..sample()
    };
    let task = Task::ReadOwn { sample: other };
    assert!(!painter.hear(&task, &Ok(Answer::Mask(mask(9)))));
    assert_eq!(marked(&painter), 0);
}

#[test]
fn an_unchanged_mask_is_not_written_and_not_asked_about() {
    let mut painter = MaskPainter::new(sample(), MaskKind::Own);
    painter.hear(&read(), &Ok(Answer::Mask(mask(7))));
    painter.begin(SIZE);
    assert_eq!(painter.save(), Some(PainterAction::Close));
    assert_eq!(painter.cancel(), Some(PainterAction::Close));
    dab(&mut painter, 3.0);
    assert_eq!(painter.cancel(), None);
    assert!(painter.asking.is_some());
}

#[test]
fn sizes_change_by_a_quarter_and_stay_within_bounds() {
    let mut painter = painter();
    painter.size = Some(20.0);
    painter.resize(1.0);
    assert_eq!(painter.size, Some(25.0));
    for _ in 0..50 {
        painter.resize(-1.0);
    }
    assert_eq!(painter.size, Some(1.0));
    for _ in 0..50 {
        painter.resize(1.0);
    }
    assert_eq!(painter.size, Some(super::MAX_SIZE));
}
