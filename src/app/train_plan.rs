//! What a training will do with the pictures at hand, and why it cannot start: worked out beforehand. No widgets.

use std::collections::BTreeMap;

use super::state::{MaskKind, OpenData, State};
use super::train_form::{TrainForm, backbone_name, works_with};
use crate::config::{CalibrationConfig, ModelConfig};
use crate::data::image::{InputPreset, InputSpec, Size};
use crate::data::{MIN_CALIBRATION, MIN_TRAIN};

/// Why training cannot start now; `None` when it can.
pub fn obstacle(state: &State, form: &TrainForm) -> Option<String> {
    let Some(data) = &state.data else {
        return Some("Open a folder of pictures first".to_owned());
    };
    let Some(category) = data.category() else {
        return Some("The data set has no category".to_owned());
    };
    if category.train.is_empty() {
        return Some("There are no good pictures to train on".to_owned());
    }
    let share = Share::of(data);
    if share.training < MIN_TRAIN {
        return Some(format!(
            "Training needs at least {} good pictures: {MIN_TRAIN} to learn from and {MIN_CALIBRATION} to hold out",
            MIN_TRAIN + MIN_CALIBRATION
        ));
    }
    if let Some(obstacle) = defects_obstacle(data, form) {
        return Some(obstacle);
    }
    if !works_with(form.model, form.backbone.kind) {
        return Some(format!(
            "{} does not work with {}; choose another backbone",
            form.model.title(),
            backbone_name(form.backbone.kind)
        ));
    }
    state.is_busy().then(|| "Another job is running".to_owned())
}

/// Why a model that learns from defects cannot be trained as ticked.
fn defects_obstacle(data: &OpenData, form: &TrainForm) -> Option<String> {
    if !form.model.learns_from_defects() {
        return None;
    }
    let annotated = data.annotated.get(&data.category)?;
    let said = match &annotated.notes {
        None => "Reading which defects are ticked…",
        Some(Err(_)) => {
            "What was ticked and painted before cannot be read; the card Seen defects in Data says why"
        }
        Some(Ok(_)) => {
            let seen = SeenDefects::of(data);
            let useless = seen.ticked() > 0 && seen.usable() == 0;
            return useless.then(|| {
                "No ticked defect has a mask; paint one in Data, or tick none".to_owned()
            });
        }
    };
    Some(said.to_owned())
}

/// The pictures of the chosen category that are ticked to be learned from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenDefects {
    /// How many of each type have a mask, in the order of the types.
    pub types: Vec<(String, usize)>,
    /// Those without a mask that can be used: nothing can be learned from them.
    pub without_mask: usize,
}

impl SeenDefects {
    pub fn of(data: &OpenData) -> Self {
        let mut types = BTreeMap::<&str, usize>::new();
        let mut without_mask = 0;
        for sample in data.defective().filter(|sample| data.is_seen(&sample.id)) {
            match data.mask_kind(sample) {
                MaskKind::Own | MaskKind::Painted => {
                    *types.entry(&sample.defect).or_default() += 1;
                }
                MaskKind::Broken | MaskKind::Missing => without_mask += 1,
            }
        }
        let types = types.into_iter();
        Self {
            types: types
                .map(|(name, count)| (name.to_owned(), count))
                .collect(),
            without_mask,
        }
    }

    /// Those that can be learned from. They are left out of the test pictures.
    pub fn usable(&self) -> usize {
        self.types.iter().map(|(_, count)| count).sum()
    }

    pub fn ticked(&self) -> usize {
        self.usable() + self.without_mask
    }
}

/// How the good pictures of the chosen category will be parted, as far as can be told beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub training: usize,
    /// Held out of training for the limit.
    pub held_out: usize,
}

impl Share {
    pub fn of(data: &OpenData) -> Self {
        let train = data.category().map_or(&[][..], |category| &category.train);
        let calibration = CalibrationConfig::default();
        let share = (train.len() as f64 * calibration.fraction).round() as usize;
        let held_out = share.max(calibration.at_least).min(train.len());
        // Which side they would have been on is not known; the smaller number is safe.
        let unreadable = train
            .iter()
            .filter(|sample| data.report.unreadable.contains(&sample.image))
            .count();
        Self {
            training: (train.len() - held_out).saturating_sub(unreadable),
            held_out,
        }
    }
}

/// A batch that had to be made smaller than the preset's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmallerBatch {
    /// All pictures that train.
    pub pictures: usize,
    pub preset: usize,
}

/// What replaces the preset's batch when there are too few pictures to fill one.
pub fn smaller_batch(form: &TrainForm, data: &OpenData) -> Option<SmallerBatch> {
    let pictures = Share::of(data).training;
    let model = form.model_config();
    let too_few = pictures >= MIN_TRAIN && model.batch_for(pictures).is_err();
    let preset = model.batch_size();
    too_few.then_some(SmallerBatch { pictures, preset })
}

/// How many optimiser steps the training takes. `None` where pictures of different shapes leave the input size open.
pub fn steps(form: &TrainForm, data: &OpenData) -> Option<usize> {
    let config = form.run_config(data);
    let pictures = Share::of(data).training;
    if let ModelConfig::Prn(prn) = &config.model {
        let shown = prn.epoch_pictures.unwrap_or(2 * pictures);
        return Some(prn.epochs * (shown / prn.batch_size.max(1)).max(1));
    }
    let batch = config.model.batch_for(pictures).ok()?.max(1);
    let steps = match &config.model {
        ModelConfig::Cfa(_) | ModelConfig::Prn(_) => 1,
        ModelConfig::Cflow(cflow) => {
            let size = input_size(data, config.input)?;
            let taps = config.backbone.kind.taps().iter();
            let read = taps.filter(|tap| cflow.taps.iter().any(|name| name == tap.name));
            // Each scale takes a step for every `fibres` cells of the batch.
            read.map(|tap| {
                let cells = size.width.div_ceil(tap.stride) * size.height.div_ceil(tap.stride);
                (batch * cells / cflow.fibres).max(1)
            })
            .sum()
        }
    };
    Some(config.model.epochs() * (pictures / batch) * steps)
}

/// The size the network will see, when all pictures lead to the same.
fn input_size(data: &OpenData, input: InputPreset) -> Option<Size> {
    let sizes = data.report.sizes.iter();
    let mut sizes = sizes.map(|(size, _)| Some(InputSpec::for_pictures(input, *size).ok()?.size()));
    let first = sizes.next()??;
    sizes.all(|size| size == Some(first)).then_some(first)
}

/// The largest share of false rejects that `pictures` good pictures below the limit leave possible at 95 % confidence:
/// the exact one-sided bound `1 - 0.05^(1/n)` for no reject among `n`.
pub fn proven_false_rejects(pictures: usize) -> f64 {
    if pictures == 0 {
        return 1.0;
    }
    1.0 - 0.05_f64.powf(1.0 / pictures as f64)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::{
        SeenDefects, Share, SmallerBatch, obstacle, proven_false_rejects, smaller_batch, steps,
    };
    use crate::app::state::{Annotated, OpenData, State};
    use crate::app::train_form::TrainForm;
    use crate::app::train_form::samples::{bottle, category, data, form};
    use crate::config::{ModelName, Preset};
    use crate::data::check::CheckReport;
    use crate::data::image::{Orientation, Size};
    use crate::data::{Label, Sample};
    use crate::worker::annotations::Notes;

    #[test]
    fn training_needs_data_with_enough_good_pictures() {
        let mut state = State::default();
        let mut said = |data: Option<OpenData>| {
            state.data = data;
            obstacle(&state, &TrainForm::default())
        };
        assert_eq!(
            said(None).as_deref(),
            Some("Open a folder of pictures first")
        );
        assert!(said(Some(data(Vec::new()))).is_some());
        let none = said(Some(bottle(0)));
        assert_eq!(
            none.as_deref(),
            Some("There are no good pictures to train on")
        );
        let few = said(Some(bottle(7))).unwrap();
        assert!(few.contains("at least 8 good pictures"), "{few}");
        assert_eq!(said(Some(bottle(8))), None);
    }

    #[test]
    fn a_tenth_is_held_out_but_never_fewer_than_the_minimum_or_more_than_there_are() {
        for (good, expected) in [(209, 21), (12, 4), (3, 3), (0, 0)] {
            assert_eq!(Share::of(&bottle(good)).held_out, expected);
        }
    }

    #[test]
    fn sixty_goods_prove_five_percent_and_one_percent_needs_299() {
        assert!((proven_false_rejects(60) - 0.049).abs() < 0.001);
        assert!(proven_false_rejects(299) <= 0.01);
        assert!(proven_false_rejects(298) > 0.01);
        assert_eq!(proven_false_rejects(0), 1.0);
    }
    #[test]
    fn too_few_pictures_for_a_batch_make_it_smaller_and_that_is_said() {
        let paper = form(ModelName::Cflow, Preset::Paper256);
        assert_eq!(smaller_batch(&paper, &bottle(36)), None);
        assert_eq!(paper.run_config(&bottle(36)).model.batch_size(), 32);
        let few = bottle(35);
        let smaller = SmallerBatch {
            pictures: 31,
            preset: 32,
        };
        assert_eq!(smaller_batch(&paper, &few), Some(smaller));
        assert_eq!(paper.run_config(&few).model.batch_size(), 31);
        assert_eq!(smaller_batch(&TrainForm::default(), &few), None);
        assert_eq!(
            smaller_batch(&paper, &bottle(7)),
            None,
            "too few for any training"
        );
    }

    #[test]
    fn pictures_that_cannot_be_read_fill_no_batch() {
        let paper = form(ModelName::Cflow, Preset::Paper256);
        let mut data = bottle(36);
        let mut report = CheckReport::default();
        report.unreadable.insert(PathBuf::from("3.png"));
        data.report = Arc::new(report);
        assert_eq!(Share::of(&data).training, 31);
        assert_eq!(paper.run_config(&data).model.batch_size(), 31);
    }

    #[test]
    fn steps_are_counted_as_the_papers_do() {
        let cfa = TrainForm::default();
        assert_eq!(steps(&cfa, &bottle(209)), Some(30 * 47));
        // 188 pictures are 5 batches of 32, of 128 + 32 + 8 steps at 256 px.
        let paper = form(ModelName::Cflow, Preset::Paper256);
        assert_eq!(steps(&paper, &bottle(209)), Some(200 * 5 * 168));
        let sizes = form(ModelName::Cflow, Preset::Paper);
        assert_eq!(steps(&sizes, &bottle(209)), Some(200 * 5 * 672));
        let mut mixed = bottle(209);
        let size = |width, height| (Size { width, height }, 1);
        mixed.report = Arc::new(CheckReport {
            sizes: vec![size(900, 900), size(700, 700)],
            ..CheckReport::default()
        });
        assert_eq!(steps(&paper, &mixed), Some(200 * 5 * 168), "the same input");
        mixed.report = Arc::new(CheckReport {
            sizes: vec![size(900, 900), size(900, 700)],
            ..CheckReport::default()
        });
        assert_eq!(steps(&paper, &mixed), None);
        assert_eq!(steps(&cfa, &mixed), Some(30 * 47));
    }

    /// Ten good pictures, a dent with a mask and a scratch without.
    fn with_notes(notes: Option<Result<Notes, String>>) -> OpenData {
        let mut part = category("part", 10);
        for (id, defect, masks) in [("a", "dent", 1), ("b", "scratch", 0)] {
            part.test.push(Sample {
                id: id.to_owned(),
                image: PathBuf::from(id),
                masks: vec![PathBuf::from("mask.png"); masks],
                label: Label::Defective,
                defect: defect.to_owned(),
                orientation: Orientation::Ignore,
            });
        }
        let mut data = data(vec![part]);
        let folder = PathBuf::from("/notes");
        data.annotated.insert(0, Annotated { folder, notes });
        data
    }

    fn ticked(ids: &[&str]) -> OpenData {
        let seen = ids.iter().map(|&id| id.to_owned()).collect();
        let notes = Notes {
            seen,
            ..Notes::default()
        };
        with_notes(Some(Ok(notes)))
    }

    #[test]
    fn only_ticked_defects_with_a_mask_are_learned_from() {
        let none = SeenDefects::of(&ticked(&[]));
        assert_eq!((none.ticked(), none.usable()), (0, 0));
        let both = SeenDefects::of(&ticked(&["a", "b"]));
        assert_eq!(both.types, [("dent".to_owned(), 1)]);
        assert_eq!((both.usable(), both.without_mask, both.ticked()), (1, 1, 2));
    }

    #[test]
    fn a_model_that_learns_from_defects_waits_for_the_notes_and_needs_a_mask_for_ticked_ones() {
        let prn = form(ModelName::Prn, Preset::Lite);
        let said = |data: OpenData, form: &TrainForm| {
            let state = State {
                data: Some(data),
                ..State::default()
            };
            obstacle(&state, form)
        };
        assert_eq!(said(ticked(&[]), &prn), None, "purely synthetic");
        assert_eq!(said(ticked(&["a", "b"]), &prn), None);
        assert!(said(ticked(&["b"]), &prn).unwrap().contains("has a mask"));
        assert!(said(with_notes(None), &prn).unwrap().starts_with("Reading"));
        let broken = with_notes(Some(Err("cut short".to_owned())));
        assert!(
            said(broken.clone(), &prn)
                .unwrap()
                .contains("cannot be read")
        );
        assert_eq!(
            said(broken, &TrainForm::default()),
            None,
            "CFA needs no notes"
        );
    }
}
