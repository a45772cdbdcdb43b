//! Made-up data sets, weights and runs for the window to show.

use std::path::PathBuf;
use std::sync::Arc;

use super::fake_run;
use flawscope::config::{BackboneKind, ModelName, Preset, RunConfig};
use flawscope::data::augment::{Example, ExampleKind, ForegroundRule, Frame, Source};
use flawscope::data::check::CheckReport;
use flawscope::data::image::{Orientation, Size};
use flawscope::data::{
    Category, Dataset, Finding, FolderRole, Label, LayoutKind, Role, Sample, Severity,
};
use flawscope::metrics::{DecisionRule, Limit, LimitOrigin};
use flawscope::worker::message::{
    Augmentation, Event, InterruptedTraining, JobId, Limits, RunSummary, WeightsInfo, WeightsOrigin,
};

/// In the list of [`scored_run`], the first picture whose verdict is wrong.
pub const FIRST_ERROR: &str = "test/good/011.png";

const ROOT: &str = "/home/anna/pictures/line 3";

pub fn weights() -> Vec<WeightsInfo> {
    vec![
        WeightsInfo {
            kind: BackboneKind::EfficientNetLite0,
            origin: WeightsOrigin::Embedded,
            sha256: "9f2c51e07ab4d3c8".to_owned(),
            verified: true,
        },
        WeightsInfo {
            kind: BackboneKind::ResNet18,
            origin: WeightsOrigin::File(PathBuf::from("/weights/resnet18.safetensors")),
            sha256: "5c106cde386e87d4".to_owned(),
            verified: false,
        },
    ]
}

fn sample(folder: &str, number: usize, label: Label, defect: &str) -> Sample {
    let id = format!("{folder}/{number:03}.png");
    let masked = label == Label::Defective && number != 2;
    Sample {
        image: PathBuf::from(ROOT).join(&id),
        masks: if masked {
            vec![PathBuf::from("mask.png")]
        } else {
            Vec::new()
        },
        id,
        label,
        defect: defect.to_owned(),
        orientation: Orientation::Ignore,
    }
}

pub fn category(name: &str, train: usize, test_good: usize, defects: &[(&str, usize)]) -> Category {
    let good = |folder: &'static str, count| {
        (0..count).map(move |i| sample(folder, i, Label::Good, "good"))
    };
    let bad = defects.iter().flat_map(|(defect, count)| {
        (0..*count).map(move |i| sample(&format!("test/{defect}"), i, Label::Defective, defect))
    });
    Category {
        name: name.to_owned(),
        train: good("train/good", train).collect(),
        test: good("test/good", test_good).chain(bad).collect(),
    }
}

fn dataset(categories: Vec<Category>) -> Dataset {
    Dataset {
        root: PathBuf::from(ROOT),
        layout: LayoutKind::Mvtec,
        categories,
        folders: Vec::new(),
        findings: Vec::new(),
    }
}

fn report(findings: Vec<Finding>) -> CheckReport {
    let size = Size {
        width: 900,
        height: 900,
    };
    CheckReport {
        findings,
        sizes: vec![(size, 480)],
        ..CheckReport::default()
    }
}

/// Three categories, a few problems.
pub fn line3(job: JobId) -> Event {
    let mut data = dataset(vec![
        category(
            "bottle",
            209,
            20,
            &[
                ("broken_large", 20),
                ("broken_small", 22),
                ("contamination", 21),
            ],
        ),
        category("cable", 224, 58, &[("bent_wire", 13), ("cable_swap", 12)]),
        category(
            "screw",
            320,
            41,
            &[
                ("scratch_head", 24),
                ("scratch_neck", 25),
                ("thread_top", 23),
            ],
        ),
    ]);
    let finding = |severity, path: &str, text: &str| Finding {
        severity,
        path: PathBuf::from(ROOT).join(path),
        text: text.to_owned(),
    };
    data.findings = vec![
        finding(
            Severity::Warning,
            "bottle/test/broken_small/002.png",
            "no mask was found; judged as a whole picture only",
        ),
        finding(
            Severity::Error,
            "cable/train/good/017.png",
            "the file is cut short after 112 of 1024 rows; left out",
        ),
        finding(
            Severity::Note,
            "bottle/readme.txt",
            "not a picture; ignored",
        ),
    ];
    Event::DataOpened {
        job,
        dataset: Arc::new(data),
        report: Arc::new(report(Vec::new())),
    }
}

/// One category, no problems: what the sample data set looks like.
pub fn sample_set(job: JobId) -> Event {
    let defects = [
        ("dent", 8),
        ("missing piece", 8),
        ("print shift", 8),
        ("scratch", 8),
        ("stain", 8),
    ];
    Event::DataOpened {
        job,
        dataset: Arc::new(dataset(vec![category("part", 60, 20, &defects)])),
        report: Arc::new(report(Vec::new())),
    }
}

/// Fewer good pictures than CFLOW-AD's published batch needs.
pub fn few_parts(job: JobId) -> Event {
    let bottle = category("bottle", 30, 6, &[("contamination", 9)]);
    Event::DataOpened {
        job,
        dataset: Arc::new(dataset(vec![bottle])),
        report: Arc::new(report(Vec::new())),
    }
}

/// The plain folder layout with roles that can be corrected.
pub fn plain_folders(job: JobId) -> Event {
    let folder = |path: &str, role, pictures| FolderRole {
        path: path.to_owned(),
        role,
        pictures,
    };
    let mut data = dataset(vec![category("line 3", 120, 24, &[("scratched", 17)])]);
    data.layout = LayoutKind::Folder;
    data.folders = vec![
        folder("ok", Role::Good, 144),
        folder("scratched", Role::Defective, 17),
        folder("old", Role::Ignored, 310),
    ];
    Event::DataOpened {
        job,
        dataset: Arc::new(data),
        report: Arc::new(report(Vec::new())),
    }
}

/// A CFLOW-AD training on bottle that stopped after 37 epochs.
pub fn interrupted(job: JobId, failure: Option<&str>) -> Event {
    let kind = BackboneKind::EfficientNetLite0;
    let training = InterruptedTraining {
        run: PathBuf::from("/runs/bottle-cflow"),
        config: RunConfig {
            category: Some("bottle".to_owned()),
            model: Preset::Paper.model(ModelName::Cflow, kind),
            ..RunConfig::first_look(&PathBuf::from(ROOT))
        },
        epochs: 37,
    };
    Event::Interrupted {
        job,
        training: Arc::new(training),
        failure: failure.map(str::to_owned),
    }
}

/// A finished run without an evaluation, as a lone model file has none.
pub fn run(job: JobId) -> Event {
    let limit = |value| Limit {
        value,
        origin: LimitOrigin::HeldOutMaximum { pictures: 21 },
    };
    Event::RunOpened {
        job,
        run: Arc::new(RunSummary {
            path: PathBuf::from("/runs/bottle-cfa"),
            config: RunConfig::first_look(&PathBuf::from(ROOT)),
            checksum: "5c".repeat(32),
            limits: Limits::new(limit(0.5), limit(0.25), (0.0, 0.5)),
            proposed: DecisionRule::single(limit(0.5), limit(0.25)),
            calibration_scores: vec![0.1, 0.5],
            evaluation: None,
            samples: Vec::new(),
            regions: None,
        }),
    }
}

/// A scored run in this folder.
pub fn scored_run(job: JobId, path: &str) -> Event {
    let run = Arc::new(run_at(path));
    Event::RunOpened { job, run }
}

/// The same folder after another training.
pub fn retrained_run(job: JobId, path: &str) -> Event {
    let run = RunSummary {
        checksum: "a7".repeat(32),
        ..run_at(path)
    };
    let run = Arc::new(run);
    Event::RunOpened { job, run }
}

/// A scored run to be compared with the open one.
pub fn compared_run(job: JobId, path: &str) -> Event {
    let run = Arc::new(run_at(path));
    Event::ComparisonOpened { job, run }
}

fn run_at(path: &str) -> RunSummary {
    RunSummary {
        path: PathBuf::from(path),
        ..fake_run::run()
    }
}

/// Side of a made-up example, in pixels.
const SIDE: usize = 64;

fn distance(index: usize, centre: (f32, f32)) -> f32 {
    let (x, y) = ((index % SIDE) as f32, (index / SIDE) as f32);
    (x - centre.0).hypot(y - centre.1)
}

/// A bright ring before dark ground, with a blot of this colour at `blot`.
fn ring(blot: Option<((f32, f32), [u8; 3])>) -> (Frame, Vec<bool>, Vec<bool>) {
    let inside: Vec<f32> = (0..SIDE * SIDE)
        .map(|i| distance(i, (31.5, 31.5)))
        .collect();
    let is_blot = |i: usize| {
        let (x, y) = ((i % SIDE) as f32, (i / SIDE) as f32);
        let wave = 1.5 * (x * 0.9).sin() + 1.5 * (y * 0.7).cos();
        blot.is_some_and(|(centre, _)| distance(i, centre) + wave < 6.5)
    };
    let marked: Vec<bool> = (0..SIDE * SIDE).map(is_blot).collect();
    let rgb = (0..SIDE * SIDE).flat_map(|i| match (blot, inside[i]) {
        (Some((_, colour)), _) if marked[i] => colour,
        (_, 12.0..25.0) => {
            let light = 150 + (inside[i] * 3.0) as u8;
            [light, light - 8, light - 30]
        }
        _ => [34, 38, 46],
    });
    let frame = Frame::new(SIDE, SIDE, rgb.collect()).unwrap();
    let product = inside.iter().map(|distance| *distance < 25.0).collect();
    (frame, marked, product)
}

/// Examples of every kind; without seen defects only good and simulated ones.
pub fn augmentation(job: JobId, seen: usize) -> Event {
    let example = |number: usize, kind: ExampleKind, defect: Option<&str>| {
        let turn = number as f32 * 1.3;
        let centre = (31.5 + 18.0 * turn.cos(), 31.5 + 18.0 * turn.sin());
        let colours = [[120, 60, 40], [60, 70, 60], [235, 235, 225], [20, 20, 24]];
        let blot = (kind != ExampleKind::Good).then_some((centre, colours[number % 4]));
        let (frame, mask, _) = ring(blot);
        Example {
            frame,
            mask,
            kind,
            good: number,
            defect: defect.map(str::to_owned),
        }
    };
    let types = ["contamination", "broken_small", "broken_large"];
    let mut examples: Vec<Example> = (0..4)
        .map(|i| example(i, ExampleKind::Good, None))
        .collect();
    for kind in [ExampleKind::Seen, ExampleKind::Extended] {
        examples.extend((0..seen).map(|i| example(i, kind, Some(types[i % 3]))));
    }
    let sources = [Source::Shuffled, Source::Procedural, Source::OtherGood];
    examples.extend((0..6).map(|i| example(i, ExampleKind::Simulated(sources[i / 2]), None)));
    let (frame, _, product) = ring(None);
    let frame = Arc::new(frame);
    Event::AugmentationDrawn {
        job,
        augmentation: Arc::new(Augmentation {
            examples,
            products: vec![(frame, product); 4],
            rule: ForegroundRule::Bright,
            reason: "a bright product on a dark background; it covers 42 % of the picture"
                .to_owned(),
            seen,
        }),
    }
}
