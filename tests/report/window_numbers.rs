//! Every number of the window is the command line's: the places are drawn for a run on disk, their labels are read, and each
//! number is held against what `flawscope eval`, `report` and `compare` tell about the same run.

mod compared;
mod evaluated;
mod labels;
mod limits;
mod results;
mod told;

use std::path::Path;

use flawscope::metrics::{AreaRule, Combination, DecisionRule, Limit};
use flawscope::store;
use serde_json::Value;

use self::labels::{Labels, Place};
use self::told::Told;
use super::made_run::{Tested, make_named};
use super::{make, succeed};

/// The rules under which every number is looked at: a single limit, a REVIEW band, and both uses of regions.
fn rules(fail: f32, pixel: f32, area: f64) -> [DecisionRule; 4] {
    let single = DecisionRule::single(Limit::manual(fail), Limit::manual(pixel));
    let band = single.clone().with_review(Some(Limit::manual(0.85 * fail)));
    let with = |combination| AreaRule {
        combination,
        pixels: area,
    };
    let and = band.clone().with_area(with(Combination::ScoreAndArea));
    let or = single.clone().with_area(with(Combination::ScoreOrArea));
    [single, band, and, or]
}

fn save(run: &Path, rule: &DecisionRule) {
    let limits = store::open_run(run).unwrap().limits;
    let limits = limits.with_rule(rule.clone(), limits.pixels_per_mm);
    store::save_limits(run, &limits).unwrap();
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What `flawscope report` tells programs.
fn report(at: &Path, run: &Path) -> Value {
    let run = run.to_str().unwrap();
    succeed(at, &["report", "--run", run, "--out", "report.html"]);
    parsed(&std::fs::read_to_string(at.join("report.json")).unwrap())
}

#[test]
fn results_and_inspect_show_the_numbers_of_the_report_under_every_rule() {
    let home = tempfile::tempdir().unwrap();
    let run = make(home.path(), Tested::Everything);
    let mut tallies = Vec::new();
    for rule in rules(0.6, 0.55, 60.0) {
        save(&run, &rule);
        let report = report(home.path(), &run);
        let shown = Labels::of(Place::Results, &run, &[]);
        let mut told = Told::default();
        results::check(&shown, &report, &mut told);
        limits::check(&shown, &report, &mut told);
        limits::check_drawer(&Labels::of(Place::Inspect, &run, &[]), &report, &mut told);
        assert_eq!(told.count, 81, "numbers that were compared");
        tallies.push(report["tally"].clone());
    }
    for (index, tally) in tallies.iter().enumerate() {
        assert!(
            !tallies[..index].contains(tally),
            "rule {index} has its own verdicts"
        );
    }
}

#[test]
fn what_is_undefined_is_so_in_the_window_and_in_the_report() {
    let home = tempfile::tempdir().unwrap();
    let run = make(home.path(), Tested::OnlyGood);
    let report = report(home.path(), &run);
    assert!(report["numbers"]["image_auroc"].is_null());
    let shown = Labels::of(Place::Results, &run, &[]);
    let mut told = Told::default();
    results::check(&shown, &report, &mut told);
    limits::check(&shown, &report, &mut told);
    assert_eq!(told.count, 50, "numbers that were compared");
}

#[test]
fn a_trained_run_shows_what_eval_prints() {
    let home = tempfile::tempdir().unwrap();
    let at = home.path();
    succeed(at, &["sample", "--out", "data", "--count", "12"]);
    let train = ["train", "--data", "data", "--out", "run", "--model", "cfa"];
    succeed(
        at,
        &[&train[..], &["--input", "128", "--epochs", "1"]].concat(),
    );
    let run = at.join("run");
    let own = store::open_run(&run).unwrap().limits.rule();
    // Scoring takes its time: the rule in which everything has a say stands for all.
    let [_, _, rule, _] = rules(own.fail_from(), own.pixel.value, 200.0);
    save(&run, &rule);
    let text = succeed(at, &["eval", "--run", "run"]);
    let json = parsed(&succeed(at, &["eval", "--run", "run", "--json"]));
    let report = report(at, &run);
    let shown = Labels::of(Place::Results, &run, &[]);
    let mut told = Told::default();
    evaluated::check_text(&shown, &text, &mut told);
    evaluated::check_json(&shown, &json, &mut told);
    assert_eq!(told.count, 48, "numbers of eval that were compared");
    results::check(&shown, &report, &mut told);
    limits::check(&shown, &report, &mut told);
    let types = report["defect_types"].as_array().unwrap().len();
    assert!(types > 0);
    assert_eq!(told.count, 102 + 6 * types, "numbers that were compared");
}

#[test]
fn compare_shows_the_numbers_of_the_command_line() {
    let home = tempfile::tempdir().unwrap();
    let made = |name, seed| make_named(home.path(), name, seed, Tested::Everything);
    let runs = [made("a", 0), made("b", 1), made("c", 2)];
    let [single, band, and, _] = rules(0.62, 0.5, 60.0);
    for (run, rule) in runs.iter().zip([band, single, and]) {
        save(run, &rule);
    }
    let json = ["compare", "a", "b", "c", "--json", "--pictures", "10000"];
    let json = parsed(&succeed(home.path(), &json));
    let text = succeed(home.path(), &["compare", "a", "b", "c", "--pictures", "3"]);
    let shown = Labels::of(Place::Compare, &runs[0], &runs[1..]);
    let mut told = Told::default();
    compared::check(&shown, &json, &mut told);
    compared::check_text(&text, &json, &mut told);
    assert!(told.count >= 150, "{} numbers were compared", told.count);
}
