//! Drives the built binary in a temporary folder: output, files, exit codes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

fn flawscope(folder: &Path, arguments: &[&str]) -> Output {
    Command::cargo_bin("flawscope")
        .unwrap()
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let output = flawscope(folder, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?} failed: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail with exit code 1 and gives what it said.
fn fail(folder: &Path, arguments: &[&str]) -> String {
    let output = flawscope(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    let error = said.lines().last().unwrap_or_default().to_owned();
    assert!(error.starts_with("error: "), "{said}");
    error
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&succeed(folder, arguments)).unwrap()
}

/// Pictures of the sample's test set, one of each kind.
fn some_pictures(sample: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for category in fs::read_dir(sample).unwrap() {
        let test = category.unwrap().path().join("test");
        if let Ok(kinds) = fs::read_dir(test) {
            found.extend(kinds.map(|kind| kind.unwrap().path().join("000.png")));
        }
    }
    found.sort();
    found
}

#[test]
fn the_whole_road_works_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(
        at,
        &["sample", "--out", "sample", "--seed", "3", "--count", "12"],
    );
    let train = |out: &str| {
        json(
            at,
            &[
                "train", "--data", "sample", "--epochs", "1", "--device", "cpu", "--out", out,
                "--json",
            ],
        )
    };
    let trained = train("run");
    assert_eq!(trained["epochs"], 1);

    // Same seed, same machine: the same bytes.
    train("again");
    let model = fs::read(at.join("run/model.safetensors")).unwrap();
    assert!(model == fs::read(at.join("again/model.safetensors")).unwrap());

    let evaluation = json(at, &["eval", "--run", "run", "--json"]);
    for name in [
        "image_auroc",
        "pixel_auroc",
        "aupro",
        "image_ap",
        "pixel_ap",
        "image_f1",
        "image_f1_max",
        "pixel_f1_max",
        "seconds",
        "images_per_second",
    ] {
        assert!(evaluation[name].is_f64(), "{name} is {}", evaluation[name]);
    }
    let image = &evaluation["images"][0];
    assert!(image["path"].is_string() && image["label"].is_string() && image["score"].is_f64());
    assert_eq!(
        evaluation["protocol"]["image_limit"]["origin"]["kind"],
        "held-out-maximum"
    );
    let saved: Value =
        serde_json::from_slice(&fs::read(at.join("run/evaluation.json")).unwrap()).unwrap();
    assert_eq!(saved["image_auroc"], evaluation["image_auroc"]);

    // A run finds its pictures again from any folder.
    let elsewhere = tempfile::tempdir().unwrap();
    let run = at.join("run");
    let again = json(
        elsewhere.path(),
        &["eval", "--run", run.to_str().unwrap(), "--json"],
    );
    assert_eq!(again["images"], evaluation["images"]);

    predict_names_the_broken_picture(at);
}

fn predict_names_the_broken_picture(at: &Path) {
    let input = at.join("Prüfling 1");
    fs::create_dir(&input).unwrap();
    for (index, picture) in some_pictures(&at.join("sample")).iter().take(3).enumerate() {
        fs::copy(picture, input.join(format!("{index}.png"))).unwrap();
    }
    fs::write(input.join("broken.png"), b"\x89PNG\r\n\x1a\nnot really").unwrap();
    let arguments = [
        "predict",
        "--model",
        "run/model.safetensors",
        "--input",
        "Prüfling 1",
        "--out",
        "out",
        "--json",
    ];
    let output = flawscope(at, &arguments);
    assert_eq!(output.status.code(), Some(1));
    let prediction: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(prediction["failed"], 1);
    assert_eq!(prediction["pictures"].as_array().unwrap().len(), 4);
    let table = fs::read_to_string(at.join("out/scores.csv")).unwrap();
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(table.contains("broken.png"));
}

#[test]
fn cflow_needs_no_other_road() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, &["sample", "--out", "sample", "--count", "12"]);
    let train = |out: &str, more: &[&str]| -> Vec<String> {
        let fixed = [
            "train", "--data", "sample", "--model", "cflow", "--preset", "quick",
        ];
        let rest = ["--epochs", "2", "--input", "128", "--out", out, "--json"];
        let all = fixed.iter().chain(&rest).chain(more);
        all.map(|&text| text.to_owned()).collect()
    };
    let run = |out, more: &[&str]| {
        let arguments = train(out, more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        json(at, &arguments)
    };
    let refuse = |more: &[&str]| {
        let arguments = train("refused", more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        fail(at, &arguments)
    };
    let trained = run("run", &["--adam", "shared", "--clamp", "arctan"]);
    assert_eq!(trained["epochs"], 2);
    assert!(trained["last_loss"].as_f64().unwrap().is_finite());
    assert!(!at.join("run/training.safetensors").exists());
    let judged = json(at, &["eval", "--run", "run", "--json"]);
    assert_eq!(judged["protocol"]["model"], "cflow");
    assert!(judged["image_f1_max"].as_f64().is_some());
    let scores = |out| {
        succeed(
            at,
            &[
                "predict", "--model", "run", "--input", "sample", "--out", out,
            ],
        );
        fs::read(at.join(out).join("scores.csv")).unwrap()
    };
    assert_eq!(scores("first"), scores("second"));
    assert!(refuse(&["--batch", "9"]).contains("--batch 8"));
    let said = refuse(&["--learning-rate", "0"]);
    assert!(said.contains("learning rate must be positive"), "{said}");
    assert!(!at.join("refused").exists());
    let cfa = fail(
        at,
        &[
            "train", "--data", "sample", "--clamp", "tanh", "--out", "refused",
        ],
    );
    assert!(cfa.contains("--model cflow"), "{cfa}");
    let finished = fail(at, &["train", "--resume", "run"]);
    assert!(finished.contains("nothing to resume"), "{finished}");
}

#[test]
fn what_prn_is_taught_can_be_looked_at_and_its_settings_are_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, &["sample", "--out", "sample", "--count", "12"]);
    let run = |command: &[&str]| -> Vec<String> {
        let data = [
            "train", "--data", "sample", "--preset", "lite", "--input", "128",
        ];
        data.iter()
            .chain(command)
            .map(|&text| text.to_owned())
            .collect()
    };
    let preview = |more: &[&str]| {
        let mut arguments = run(&["--model", "prn", "--preview-augmentation", "sheet.png"]);
        arguments.extend(more.iter().map(|&text| text.to_owned()));
        arguments
    };
    let refuse = |arguments: Vec<String>| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        fail(at, &arguments)
    };
    for more in [
        &["--seen", "3"][..],
        &["--foreground", "everything", "--recipe", "published"],
    ] {
        let arguments = preview(more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        succeed(at, &arguments);
        assert!(
            fs::read(at.join("sheet.png"))
                .unwrap()
                .starts_with(b"\x89PNG")
        );
        fs::remove_file(at.join("sheet.png")).unwrap();
    }
    let said = refuse(preview(&["--seen", "test/none/000.png"]));
    assert!(said.contains("test/none/000.png"), "{said}");
    let said = refuse(preview(&["--masks", "sample", "--seen", "4000"]));
    assert!(said.contains("4000 seen defects were asked for"), "{said}");
    assert!(!at.join("sheet.png").exists());
    let said = refuse(run(&["--seen", "3", "--out", "run"]));
    assert!(said.contains("--model prn"), "{said}");
    let said = refuse(run(&["--model", "prn", "--clamp", "tanh", "--out", "run"]));
    assert!(said.contains("belong to CFLOW-AD"), "{said}");
    assert!(!at.join("run").exists());
}

#[test]
fn wrong_usage_is_code_two() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["train"][..],
        &["train", "--data", "x", "--out", "y", "--device", "gpu"],
        &["train", "--data", "x", "--out", "y", "--epochs", "0"],
        &["eval", "--rum", "x"],
        &["frobnicate"],
    ] {
        assert_eq!(
            flawscope(folder.path(), arguments).status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
}

#[test]
fn bad_folders_are_named_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::create_dir(at.join("empty")).unwrap();
    fs::write(at.join("file"), "x").unwrap();
    for data in ["missing", "empty", "file"] {
        let error = fail(at, &["train", "--data", data, "--out", "run"]);
        assert!(error.contains(data), "{error}");
        assert!(
            !at.join("run").exists(),
            "nothing half-written stays behind"
        );
    }
}

#[test]
fn too_few_good_pictures_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, &["sample", "--out", "sample", "--count", "12"]);
    let source = some_pictures(&at.join("sample")).remove(0);
    fs::create_dir(at.join("few")).unwrap();
    for index in 0..3 {
        fs::copy(&source, at.join(format!("few/{index}.png"))).unwrap();
    }
    let error = fail(at, &["train", "--data", "few", "--out", "run"]);
    assert!(error.contains('3') || error.contains('2'), "{error}");
    assert!(!at.join("run").exists());
}

#[test]
fn foreign_and_damaged_models_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, &["sample", "--out", "sample", "--count", "12"]);
    succeed(
        at,
        &["train", "--data", "sample", "--epochs", "1", "--out", "run"],
    );
    let model = fs::read(at.join("run/model.safetensors")).unwrap();

    fs::write(at.join("short.safetensors"), &model[..model.len() / 2]).unwrap();
    let mut altered = model.clone();
    let last = altered.len() - 5;
    altered[last] ^= 0x40;
    fs::write(at.join("altered.safetensors"), &altered).unwrap();
    fs::write(at.join("text.safetensors"), "not a model").unwrap();
    for name in [
        "short.safetensors",
        "altered.safetensors",
        "text.safetensors",
    ] {
        let error = fail(
            at,
            &[
                "predict", "--model", name, "--input", "sample", "--out", "out",
            ],
        );
        assert!(error.contains(name), "{error}");
        assert!(!at.join("out").exists());
    }

    let error = fail(
        at,
        &[
            "train",
            "--data",
            "sample",
            "--backbone",
            "resnet18",
            "--weights",
            "run/model.safetensors",
            "--out",
            "other",
        ],
    );
    assert!(error.contains("model.safetensors"), "{error}");
}

#[test]
fn an_unwritable_run_folder_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeed(at, &["sample", "--out", "sample", "--count", "12"]);
    fs::write(at.join("taken"), "a file, not a folder").unwrap();
    let error = fail(
        at,
        &[
            "train", "--data", "sample", "--epochs", "1", "--out", "taken",
        ],
    );
    assert!(error.contains("taken"), "{error}");
    assert_eq!(
        fs::read_to_string(at.join("taken")).unwrap(),
        "a file, not a folder"
    );
}

#[test]
fn weights_are_listed_with_their_hashes() {
    let folder = tempfile::tempdir().unwrap();
    let listed = json(folder.path(), &["weights", "list", "--json"]);
    let first = &listed["found"][0];
    assert_eq!(first["backbone"], "efficientnet-lite0");
    assert_eq!(first["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn the_machine_is_measured_and_nothing_is_left_behind() {
    let home = tempfile::tempdir().unwrap();
    let arguments = [
        "bench",
        "--model",
        "cfa",
        "--input",
        "128",
        "--seconds",
        "0",
    ];
    let told = succeed(home.path(), &arguments);
    for part in ["matrix product", "CFA: score map from features", "GFLOP/s"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let measured = json(home.path(), &[&arguments[..], &["--json"]].concat());
    assert!(measured["product_gflops"].as_f64().unwrap() > 0.0);
    let names = measured["parts"].as_array().unwrap();
    assert!(
        names
            .iter()
            .all(|part| part["seconds"]["median"].as_f64().unwrap() > 0.0)
    );
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    let error = fail(home.path(), &["bench", "--seconds=-1"]);
    assert!(error.contains("makes no sense"), "{error}");
}
