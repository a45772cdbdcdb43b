//! Seen defects: checked before they are learnt from, and never judged by.

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use super::{Setting, cfa, prn, setting};
use crate::config::{DefectsConfig, DeviceChoice, Recipe, SeenChoice};
use crate::data::image::{Mask, Size};
use crate::data::synthetic::CATEGORY;
use crate::data::{self, Label, OpenOptions, Sample};
use crate::pipeline::{
    EvaluateRequest, SeenPolicy, Trained, evaluate, preview_augmentation, train,
};
use crate::progress::{Monitor, Progress, Silent};
use crate::store::annotations::Annotations;

/// Keeps the warnings.
#[derive(Default)]
struct Listener(Mutex<Vec<String>>);

impl Listener {
    fn heard(&self, part: &str) -> bool {
        self.0
            .lock()
            .unwrap()
            .iter()
            .any(|text| text.contains(part))
    }
}

impl Monitor for Listener {
    fn report(&self, progress: Progress) {
        if let Progress::Warning { text } = progress {
            self.0.lock().unwrap().push(text);
        }
    }

    fn should_stop(&self) -> bool {
        false
    }
}

fn with_seen(seen: SeenChoice) -> Setting {
    let mut setting = setting(prn());
    if let Some(defects) = &mut setting.config.defects {
        defects.seen = seen;
    }
    setting
}

fn list(setting: &mut Setting, ids: &[&str]) {
    if let Some(defects) = &mut setting.config.defects {
        defects.seen = SeenChoice::Listed(ids.iter().map(|&id| id.to_owned()).collect());
    }
}

fn defective(setting: &Setting) -> Vec<Sample> {
    let dataset = data::open(&setting.config.data, &OpenOptions::default()).unwrap();
    let test = dataset.categories[0].test.iter();
    test.filter(|sample| sample.label == Label::Defective)
        .cloned()
        .collect()
}

fn trained(setting: &Setting, monitor: &dyn Monitor) -> anyhow::Result<Trained> {
    let outcome = train(&setting.config, &setting.root.join("run"), monitor)?;
    Ok(outcome.finished().unwrap())
}

fn judged(
    setting: &Setting,
    data: Option<&Path>,
    seen: SeenPolicy,
) -> anyhow::Result<crate::metrics::Evaluation> {
    let request = EvaluateRequest {
        run: setting.root.join("run"),
        data: data.map(Path::to_path_buf),
        category: None,
        weights: None,
        device: DeviceChoice::Cpu,
        seen,
    };
    Ok(evaluate(&request, &Silent)?.finished().unwrap())
}

fn refusal(setting: &Setting) -> String {
    let error = format!("{:#}", trained(setting, &Silent).unwrap_err());
    assert!(!setting.root.join("run").exists(), "something was written");
    error
}

#[test]
fn seen_defects_are_named_with_the_numbers_and_never_judged_by() {
    let setting = with_seen(SeenChoice::Draw(3));
    let seen = trained(&setting, &Silent).unwrap().seen.unwrap();
    assert_eq!(seen.len(), 3);
    let error = format!(
        "{:#}",
        judged(&setting, None, SeenPolicy::Refuse).unwrap_err()
    );
    assert!(
        error.contains("--leave-out-seen") && error.contains(&seen[0].id),
        "{error}"
    );
    let evaluation = judged(&setting, None, SeenPolicy::LeaveOut).unwrap();
    let ids: Vec<String> = seen.iter().map(|seen| seen.id.clone()).collect();
    assert_eq!(evaluation.protocol.seen.as_ref(), Some(&ids));
    assert_eq!(
        evaluation.protocol.test_defective,
        defective(&setting).len() - 3
    );
    assert!(
        evaluation
            .images
            .iter()
            .all(|image| !ids.contains(&image.path))
    );

    // Under another name in another data set they are known by their content.
    let other = setting.root.join("other");
    for folder in ["train/good", "test/good", "test/bad", "test/unlabelled"] {
        fs::create_dir_all(other.join(folder)).unwrap();
    }
    let all = data::open(&setting.config.data, &OpenOptions::default()).unwrap();
    let category = &all.categories[0];
    let source = |id: &str| {
        category
            .test
            .iter()
            .find(|s| s.id == id)
            .unwrap()
            .image
            .clone()
    };
    for (number, good) in category.train.iter().enumerate() {
        fs::copy(&good.image, other.join(format!("train/good/{number}.png"))).unwrap();
        fs::copy(&good.image, other.join(format!("test/good/{number}.png"))).unwrap();
    }
    // Unlabelled it flatters no number.
    fs::copy(source(&ids[0]), other.join("test/unlabelled/seen.png")).unwrap();
    let harmless = judged(&setting, Some(&other), SeenPolicy::Refuse).unwrap();
    assert_eq!(harmless.protocol.unlabelled, 1);
    fs::copy(source(&ids[0]), other.join("test/bad/renamed.png")).unwrap();
    let error = format!(
        "{:#}",
        judged(&setting, Some(&other), SeenPolicy::Refuse).unwrap_err()
    );
    assert!(error.contains("test/bad/renamed.png"), "{error}");
}

#[test]
fn without_seen_defects_the_training_says_that_it_is_synthetic() {
    let setting = with_seen(SeenChoice::None);
    let listener = Listener::default();
    assert_eq!(trained(&setting, &listener).unwrap().seen, Some(vec![]));
    assert!(listener.heard("purely synthetic"));
    let evaluation = judged(&setting, None, SeenPolicy::Refuse).unwrap();
    assert_eq!(evaluation.protocol.seen, Some(vec![]));
}

#[test]
fn pictures_that_cannot_be_seen_defects_are_refused_before_anything_is_written() {
    let mut setting = with_seen(SeenChoice::Draw(3000));
    assert!(refusal(&setting).contains("3000 seen defects were asked for"));
    list(&mut setting, &["test/what/000.png"]);
    assert!(refusal(&setting).contains("test/what/000.png is not among the test pictures"));
    list(&mut setting, &["test/good/000.png"]);
    assert!(refusal(&setting).contains("is a good picture"));
    let sample = defective(&setting)[0].clone();
    let category = setting.config.data.join(CATEGORY);
    fs::create_dir(category.join("test/unlabelled")).unwrap();
    fs::copy(&sample.image, category.join("test/unlabelled/0.png")).unwrap();
    list(&mut setting, &["test/unlabelled/0.png"]);
    assert!(refusal(&setting).contains("is an unlabelled picture"));
}

/// Every bad mask beside a good one: left out, named, and tested on; alone: refused.
#[test]
fn defects_whose_masks_are_no_use_are_left_out_and_named() {
    let mut setting = with_seen(SeenChoice::None);
    let samples = defective(&setting);
    let (fine, broken) = (samples[0].clone(), samples[1].clone());
    let mask = broken.masks[0].clone();
    let size = Size {
        width: 256,
        height: 256,
    };
    let painted = |marked: bool, size: Size| {
        Mask::new(size.width, size.height, vec![marked; size.pixels()])
            .unwrap()
            .to_png()
            .unwrap()
    };
    let small = Size {
        width: 40,
        height: 32,
    };
    let cases: [(Option<Vec<u8>>, &str); 5] = [
        (Some(painted(false, size)), "marks nothing"),
        (Some(painted(true, size)), "marks the whole picture"),
        (Some(painted(true, small)), "40 x 32"),
        (Some(b"no picture".to_vec()), "mask"),
        (None, "has no mask"),
    ];
    for (content, reason) in cases {
        match content {
            Some(content) => fs::write(&mask, content).unwrap(),
            None => fs::remove_file(&mask).unwrap(),
        }
        list(&mut setting, &[&broken.id]);
        let error = refusal(&setting);
        assert!(error.contains("none of the 1 seen defects"), "{error}");
        list(&mut setting, &[&fine.id, &broken.id]);
        let listener = Listener::default();
        let preview = preview_augmentation(&setting.config, 1, &listener).unwrap();
        assert_eq!(preview.finished().unwrap().seen, 1);
        assert!(
            listener.heard(reason) && listener.heard(&broken.id),
            "{reason}: {:?}",
            listener.0
        );
    }
}

#[test]
fn painted_masks_take_the_place_of_missing_ones_until_the_picture_changes() {
    let mut setting = with_seen(SeenChoice::None);
    let sample = defective(&setting)[0].clone();
    fs::remove_file(&sample.masks[0]).unwrap();
    let folder = setting.root.join("notes");
    let mut annotations = Annotations::open(&folder).unwrap();
    let mut values = vec![false; 256 * 256];
    values[..2000].fill(true);
    let bare = Sample {
        masks: vec![],
        ..sample.clone()
    };
    annotations
        .save_mask(&bare, &Mask::new(256, 256, values).unwrap())
        .unwrap();
    setting.config.defects = Some(DefectsConfig {
        seen: SeenChoice::Listed(vec![sample.id.clone()]),
        annotations: Some(folder),
        ..DefectsConfig::synthetic(Recipe::Published)
    });
    let preview = || preview_augmentation(&setting.config, 2, &Silent);
    let augmentation = preview().unwrap().finished().unwrap();
    assert_eq!(augmentation.seen, 1);
    assert!(!augmentation.products.is_empty() && !augmentation.reason.is_empty());
    fs::copy(&defective(&setting)[1].image, &sample.image).unwrap();
    assert!(preview().is_err());
}

#[test]
fn other_models_refuse_to_be_shown_defects() {
    let mut setting = setting(cfa());
    setting.config.defects = Some(DefectsConfig::synthetic(Recipe::Refined));
    assert!(refusal(&setting).contains("learns from good pictures alone"));
}

#[test]
fn a_folder_without_textures_is_refused() {
    let mut setting = with_seen(SeenChoice::None);
    let empty = setting.root.join("textures");
    fs::create_dir(&empty).unwrap();
    fs::write(empty.join("broken.png"), b"no picture").unwrap();
    if let Some(defects) = &mut setting.config.defects {
        defects.textures = Some(empty.clone());
    }
    let error = format!("{:#}", trained(&setting, &Silent).unwrap_err());
    assert!(
        error.contains("textures") && error.contains("no readable picture"),
        "{error}"
    );
    fs::copy(&defective(&setting)[0].image, empty.join("fine.png")).unwrap();
    let listener = Listener::default();
    assert!(preview_augmentation(&setting.config, 1, &listener).is_ok());
    assert!(listener.heard("broken.png"));
}
