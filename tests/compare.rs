//! `flawscope compare` on made-up runs in a folder: what it says, as text and as JSON, and what it refuses.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "support/made_run.rs"]
mod made_run;

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use flawscope::store::{RunFolder, checkpoint, model_file};
use made_run::{Tested, make_named};
use serde_json::Value;
use tempfile::TempDir;

fn flawscope(folder: &Path, arguments: &[&str]) -> Output {
    Command::cargo_bin("flawscope")
        .unwrap()
        .current_dir(folder)
        .arg("compare")
        .args(arguments)
        .output()
        .unwrap()
}

fn told(folder: &Path, arguments: &[&str]) -> String {
    let output = flawscope(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    serde_json::from_str(&told(folder, &arguments)).unwrap()
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = flawscope(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Runs `a`, `b` and `c` on the same pictures.
fn three() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    for (seed, name) in (0..).zip(["a", "b", "c"]) {
        make_named(home.path(), name, seed, Tested::Everything);
    }
    home
}

#[test]
fn runs_on_the_same_pictures_are_ranked_and_their_differences_named() {
    let home = three();
    let text = told(home.path(), &["a", "b", "c"]);
    for said in [
        "A  a: cfa on efficientnet-lite0, input 256 (341 x 256), seed 0",
        "C  c: ",
        "REVIEW from 0.5200, FAIL from 0.6000 (maximum of 21 held-out",
        "score and area: 50 px or more above 0.5500",
        "48, by name and label the same for all runs",
        "Picture AUROC",
        " best",
        "They differ in: seed",
        "A 0; B 1; C 2",
        "of 48 pictures get different verdicts",
        "A and B agree on ",
        "A and C agree on ",
    ] {
        assert!(text.contains(said), "{said} in {text}");
    }
    assert!(
        !text.contains("test/"),
        "no picture is named unless asked for"
    );
    let json = json(home.path(), &["a", "b", "c"]);
    assert_eq!(json["runs"][2]["letter"], "C");
    assert_eq!(json["test_pictures"]["are_same"], true);
    assert_eq!(json["warning"], Value::Null);
    let auroc = &json["numbers"][0];
    assert_eq!(
        (&auroc["name"], &auroc["better"]),
        (&"Picture AUROC".into(), &"higher".into())
    );
    let cells = auroc["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 3);
    assert!(cells.iter().any(|cell| cell["is_best"] == true));
    let value = |index: usize| cells[index]["value"].as_f64().unwrap();
    assert_eq!(cells[1]["difference"], value(1) - value(0));
    assert_eq!(json["pictures"]["named"].as_array().unwrap().len(), 0);
}

#[test]
fn contested_pictures_are_named_the_worst_first_and_no_others() {
    let home = three();
    let json = json(home.path(), &["a", "b", "--pictures", "1000"]);
    let pictures = &json["pictures"];
    let named = pictures["named"].as_array().unwrap();
    assert_eq!(pictures["contested"], named.len());
    assert!(named.len() > 3);
    let apart = |picture: &Value| picture["disagreement"].as_f64().unwrap();
    assert!(named.iter().all(|picture| apart(picture) >= 1.0));
    assert!(named.is_sorted_by(|one, next| apart(one) >= apart(next)));
    let agreement = &pictures["agreement"][0];
    let same = agreement["same"].as_u64().unwrap();
    assert_eq!(agreement["of"], same + named.len() as u64);

    let text = told(home.path(), &["a", "b", "--pictures", "2"]);
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("test/")).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains(named[0]["path"].as_str().unwrap()));
    assert!(lines[0].contains(": A ") && lines[0].contains(", B "));
}

#[test]
fn runs_on_other_pictures_are_not_ranked() {
    let home = three();
    make_named(home.path(), "good", 0, Tested::OnlyGood);
    let text = told(home.path(), &["a", "good"]);
    assert!(
        text.contains("not the same, so nothing is ranked"),
        "{text}"
    );
    assert!(text.contains("24 of the 48 pictures of A"), "{text}");
    assert!(!text.contains(" best"), "{text}");
    let json = json(home.path(), &["a", "good"]);
    assert_eq!(json["test_pictures"]["are_same"], false);
    assert!(json["warning"].is_string());
    for line in json["numbers"].as_array().unwrap() {
        for cell in line["cells"].as_array().unwrap() {
            assert_eq!(
                (&cell["is_best"], &cell["difference"]),
                (&false.into(), &Value::Null)
            );
        }
    }
    assert_eq!(json["numbers"][0]["cells"][1]["value"], Value::Null);
}

#[test]
fn a_run_is_the_same_as_itself() {
    let home = three();
    let text = told(home.path(), &["b", "b", "--pictures", "5"]);
    assert!(text.contains("The same in all runs"), "{text}");
    assert!(
        text.contains("0 of 48 pictures get different verdicts"),
        "{text}"
    );
    assert!(text.contains("A and B agree on 48 of 48"), "{text}");
    assert!(!text.contains(" best") && !text.contains("test/"), "{text}");
}

#[test]
fn what_cannot_be_compared_is_named_with_the_remedy() {
    let home = three();
    let at = home.path();
    let said = refused(at, &["a", "absent"]);
    assert!(said.contains("absent does not exist"), "{said}");

    let model = at.join("c").join("model.safetensors");
    let mut meta = model_file::inspect(&model).unwrap().meta;
    meta.provenance.seed = 99;
    checkpoint::save(&model, &meta, &[]).unwrap();
    let said = refused(at, &["a", "c"]);
    assert!(
        said.contains("another model") && said.contains("flawscope eval --run c"),
        "{said}"
    );

    fs::remove_file(RunFolder::open(&at.join("b")).unwrap().evaluation_path()).unwrap();
    let said = refused(at, &["a", "b"]);
    assert!(said.contains("have not been scored"), "{said}");
    assert!(said.contains("flawscope eval --run b"), "{said}");
    let said = refused(at, &["b/model.safetensors", "a"]);
    assert!(said.contains("name the run folder"), "{said}");
}

#[test]
fn one_run_or_four_are_wrong_usage() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [&["a"][..], &["a", "b", "c", "d"]] {
        assert_eq!(flawscope(home.path(), arguments).status.code(), Some(2));
    }
    let help = String::from_utf8(flawscope(home.path(), &["--help"]).stdout).unwrap();
    assert!(
        help.contains("--pictures <N>") && help.contains("Nothing is scored again"),
        "{help}"
    );
}
