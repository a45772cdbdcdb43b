//! Pictures that nobody has judged: scored like all others, and counted in no number.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Setting, cfa, setting};
use crate::config::DeviceChoice;
use crate::data::Label;
use crate::data::synthetic::CATEGORY;
use crate::metrics::{Evaluation, ImageMetrics, PixelMetrics, Truth};
use crate::pipeline::{EvaluateRequest, SeenPolicy, evaluate, train};
use crate::progress::Silent;
use crate::store::RunFolder;
use crate::store::results::EvaluationRecord;

const COPIES: [(&str, &str); 3] = [
    ("good/000.png", "a.png"),
    ("good/001.png", "b.png"),
    ("scratch/007.png", "c.png"),
];

fn trained() -> Setting {
    let setting = setting(cfa());
    let run = setting.root.join("run");
    train(&setting.config, &run, &Silent).unwrap();
    setting
}

fn judged(setting: &Setting, data: Option<&Path>) -> Evaluation {
    let request = EvaluateRequest {
        run: setting.root.join("run"),
        data: data.map(Path::to_path_buf),
        category: None,
        weights: None,
        device: DeviceChoice::Cpu,
        seen: SeenPolicy::Refuse,
    };
    evaluate(&request, &Silent).unwrap().finished().unwrap()
}

/// The one category's folder.
fn category(setting: &Setting) -> PathBuf {
    setting.config.data.join(CATEGORY)
}

/// Copies of good and defective test pictures that no longer say what they are.
fn add_unlabelled(from: &Path, to: &Path) {
    let folder = to.join("test/unlabelled");
    fs::create_dir_all(&folder).unwrap();
    for (original, copy) in COPIES {
        fs::copy(from.join("test").join(original), folder.join(copy)).unwrap();
    }
}

fn is_unlabelled(row: &crate::metrics::ImageRow) -> bool {
    row.truth() == Truth::Unlabelled
}

/// What must not change when unlabelled pictures are added.
fn numbers(mut evaluation: Evaluation) -> Evaluation {
    evaluation.images.retain(|row| !is_unlabelled(row));
    evaluation.protocol.unlabelled = 0;
    evaluation.seconds = 0.0;
    evaluation.images_per_second = 0.0;
    evaluation
}

#[test]
fn unlabelled_pictures_are_scored_and_change_no_number() {
    let setting = trained();
    let without = judged(&setting, None);
    let own = category(&setting);
    add_unlabelled(&own, &own);
    let with = judged(&setting, None);

    assert_eq!(
        (without.protocol.unlabelled, with.protocol.unlabelled),
        (0, 3)
    );
    assert_eq!(with.images.len(), without.images.len() + 3);
    let score = |id: &str| {
        let row = with.images.iter().find(|row| row.path == id);
        row.unwrap_or_else(|| panic!("{id} has no row")).score
    };
    for (original, copy) in COPIES {
        let copy = score(&format!("test/unlabelled/{copy}"));
        assert_eq!(copy, score(&format!("test/{original}")));
    }
    kept_on_disk(&setting, &with);
    assert_eq!(numbers(with), numbers(without));
}

/// Map, sample and line of the table.
fn kept_on_disk(setting: &Setting, evaluation: &Evaluation) {
    let folder = RunFolder::open(&setting.root.join("run")).unwrap();
    let record = EvaluationRecord::read(&folder.evaluation_path()).unwrap();
    assert_eq!(&record.evaluation, evaluation);
    let maps = folder.maps(&record).unwrap();
    let table = fs::read_to_string(folder.scores_path()).unwrap();
    let limit = evaluation.protocol.image_limit.value;
    for row in evaluation.images.iter().filter(|row| is_unlabelled(row)) {
        assert!(maps.contains(&row.path));
        let sample = record.samples.iter().find(|s| s.id == row.path).unwrap();
        assert_eq!(sample.label, Label::Unlabelled);
        let verdict = if row.score >= limit { "FAIL" } else { "PASS" };
        let line = format!(
            "{},unlabelled,unlabelled,{},{verdict}\n",
            row.path, row.score
        );
        assert!(table.contains(&line), "{line}{table}");
    }
}

#[test]
fn unlabelled_pictures_alone_are_scored_and_every_number_is_undefined() {
    let setting = trained();
    let (own, other) = (category(&setting), setting.root.join("other"));
    fs::create_dir_all(other.join("train/good")).unwrap();
    fs::copy(
        own.join("train/good/000.png"),
        other.join("train/good/000.png"),
    )
    .unwrap();
    add_unlabelled(&own, &other);
    let evaluation = judged(&setting, Some(&other));
    assert!(evaluation.images.iter().all(is_unlabelled));
    let protocol = &evaluation.protocol;
    let counts = (protocol.test_good, protocol.test_defective);
    assert_eq!((counts, protocol.unlabelled), ((0, 0), 3));
    assert_eq!(evaluation.image, ImageMetrics::default());
    assert_eq!(evaluation.image_f1, None);
    assert_eq!(evaluation.pixel_at_input, PixelMetrics::default());
    assert_eq!(evaluation.pixel_at_original, PixelMetrics::default());
}
