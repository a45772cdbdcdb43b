//! The report of a run: written by the command line and by the window's job, read as a file, as a table and in a browser.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod browser;
#[path = "../support/made_run.rs"]
mod made_run;
mod trained;
mod window_numbers;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use assert_cmd::Command as Program;
use flawscope::metrics::{Judgement, Limit, LimitOrigin, Outcome, Truth, Verdict};
use flawscope::progress::{Monitor, Progress, Silent};
use flawscope::store::{self, RunFolder};
use flawscope::worker::message::{Command, Event, JobId, Limits};
use flawscope::worker::{Jobs, PipelineJobs};
use made_run::{Tested, make_named};

const NAMES: [&str; 3] = ["report.html", "report.csv", "report.json"];

/// A run whose folder's name would be markup.
fn make(home: &Path, tested: Tested) -> PathBuf {
    make_named(home, "lid & co", 0, tested)
}

fn flawscope(folder: &Path, arguments: &[&str]) -> Output {
    let mut program = Program::cargo_bin("flawscope").unwrap();
    program
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let output = flawscope(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Writes a report from within the folder of the run and gives the page.
fn written(run: &Path) -> String {
    let output = flawscope(run, &["report", "--run", ".", "--out", "../report.html"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let out = run.parent().unwrap().join("report.html");
    fs::read_to_string(out).unwrap()
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = flawscope(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Runs the job behind the window's button and gives the page it names.
fn by_job(run: &Path, limits: Option<Limits>, out: &Path) -> anyhow::Result<PathBuf> {
    let named = Mutex::new(None);
    let command = Command::WriteReport {
        run: run.to_path_buf(),
        limits: limits.map(Box::new),
        out: out.to_path_buf(),
    };
    PipelineJobs.run(command, JobId(1), &Silent, &|event| {
        if let Event::ReportWritten { out, .. } = event {
            *named.lock().unwrap() = Some(out);
        }
    })?;
    Ok(named.into_inner().unwrap().unwrap())
}

#[test]
fn the_command_line_and_the_window_write_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    let run = make(home.path(), Tested::Everything);
    written(&run);
    let other = home.path().join("other");
    fs::create_dir(&other).unwrap();
    // Without an ending the page gets its own.
    let out = by_job(&run, None, &other.join("report")).unwrap();
    assert_eq!(out, other.join("report.html"));
    for name in NAMES {
        let bytes = |folder: &Path| fs::read(folder.join(name)).unwrap();
        assert!(bytes(home.path()) == bytes(&other), "{name} differs");
    }
    let left: Vec<_> = fs::read_dir(&other).unwrap().collect();
    assert_eq!(left.len(), 3, "nothing half-written stays: {left:?}");
}

#[test]
fn the_page_needs_nothing_else_and_escapes_every_name() {
    let home = tempfile::tempdir().unwrap();
    let page = written(&make(home.path(), Tested::Everything));
    for outside in [
        "http:", "https:", "<script", "@import", "url(", "<b>", " href=",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    let sources = page.matches(" src=\"").count();
    assert_eq!(
        sources,
        page.matches(" src=\"data:image/jpeg;base64,").count()
    );
    assert!(sources >= 4, "{sources} pictures");
    assert!(page.contains("print &lt;b&gt;&amp;&quot;shift&quot;"));
    assert!(page.contains("lid &amp; co"));
    assert!(page.contains("scored 2026-11-25 14:03 UTC"));
    // Every picture and plot has words for those who cannot see it.
    assert_eq!(sources, page.matches(" alt=\"test/").count());
    let plots = page.matches("<svg class=\"plot\"").count();
    assert!(plots >= 5, "{plots}");
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    assert!(!has_odd_numbers(&page));
}

/// Whether a number is none. Letters of embedded pictures do not count.
fn has_odd_numbers(page: &str) -> bool {
    let mut texts = page.split("data:image/jpeg;base64,").enumerate();
    texts.any(|(index, part)| {
        let text = match part.split_once('"') {
            Some((_, text)) if index > 0 => text,
            _ => part,
        };
        text.contains("NaN") || text.contains(">inf")
    })
}

#[test]
fn parts_stand_in_the_order_in_which_a_reader_asks() {
    let home = tempfile::tempdir().unwrap();
    let page = written(&make(home.path(), Tested::Everything));
    let parts = [
        "<h1>",
        "id=\"verdict\"",
        "id=\"data\"",
        "id=\"protocol\"",
        "id=\"limits\"",
        "id=\"numbers\"",
        "id=\"curves\"",
        "id=\"confusion\"",
        "id=\"recall\"",
        "id=\"sizes\"",
        "id=\"false-rejects\"",
        "id=\"escapes\"",
        "id=\"settings\"",
    ];
    let places: Vec<_> = parts.iter().map(|part| page.find(part)).collect();
    assert!(places.iter().all(Option::is_some), "{places:?}");
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn verdicts_are_those_of_the_window_in_every_file() {
    let home = tempfile::tempdir().unwrap();
    let run = make(home.path(), Tested::Everything);
    let page = written(&run);
    let summary = store::open_run(&run).unwrap();
    let rows = &summary.evaluation.as_ref().unwrap().images;
    let rule = summary.limits.rule();
    let judgement = Judgement::of(rows, summary.regions.as_deref(), &rule);

    let table = fs::read_to_string(home.path().join("report.csv")).unwrap();
    let mut lines = table.lines();
    assert_eq!(
        lines.next().unwrap(),
        "path,label,defect,score,verdict,outcome,largest_region_px"
    );
    for (index, (row, line)) in rows.iter().zip(lines).enumerate() {
        let fields: Vec<&str> = line.rsplitn(4, ',').collect();
        let outcome = Outcome::of(row.truth(), &judgement, index);
        assert_eq!(fields[2], outcome.verdict.word(), "{line}");
        assert_eq!(fields[1], outcome.of_one());
        // Maps have pixels of 25 pixels of a picture each.
        assert_eq!(fields[0].parse::<usize>().unwrap() % 25, 0, "{line}");
    }
    assert_eq!(table.lines().count(), rows.len() + 1);

    let tally = &judgement.tally;
    let text = fs::read_to_string(home.path().join("report.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["overkill"]["events"], tally.overkill().events);
    assert_eq!(json["escapes"]["of"], tally.escapes().of);
    assert_eq!(json["review"]["events"], tally.review().events);
    assert_eq!(
        json["escapes"]["interval"]["high"],
        tally.escapes().interval().unwrap().high
    );
    assert_eq!(json["model"]["checksum"], summary.checksum);
    let overkill = tally.count(Truth::Good, Verdict::Fail);
    assert!(overkill > 0 && tally.escapes().events > 0 && tally.review().events > 0);
    let said = format!(
        "{overkill} of {} good pictures fail",
        tally.pictures(Truth::Good)
    );
    assert!(page.contains(&said), "{said}");
}

#[test]
fn limits_that_were_not_saved_are_saved_first_and_those_from_the_test_set_are_marked() {
    let home = tempfile::tempdir().unwrap();
    let run = make(home.path(), Tested::Everything);
    let before = store::open_run(&run).unwrap();
    let oracle = Limit {
        value: 0.7,
        origin: LimitOrigin::Oracle,
    };
    let limits = before
        .limits
        .with_rule(before.limits.rule().with_fail(oracle), None);
    assert!(!written(&run).contains("chosen on the test pictures</span>"));
    let out = home.path().join("by_window.html");
    by_job(&run, Some(limits.clone()), &out).unwrap();
    assert_eq!(store::open_run(&run).unwrap().limits, limits);
    let page = fs::read_to_string(&out).unwrap();
    assert!(page.contains("chosen on the test pictures</span>"));
    assert_eq!(page, written(&run), "the command line reports them, too");

    // A name that is refused leaves the model alone.
    assert!(by_job(&run, Some(before.limits), home.path()).is_err());
    assert_eq!(store::open_run(&run).unwrap().limits, limits);
}

#[test]
fn what_is_missing_is_said_in_its_place() {
    let home = tempfile::tempdir().unwrap();
    let page = written(&make(home.path(), Tested::OnlyGood));
    for said in [
        "no defective ones to measure escapes on",
        "The test set has no defective pictures",
        "Not available: the test set has no defective pictures",
        "No test picture has a mask that marks a defect.",
        "No defective picture passes.",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert!(!has_odd_numbers(&page));

    let home = tempfile::tempdir().unwrap();
    let page = written(&make(home.path(), Tested::WithoutRegions));
    assert!(page.contains("measured no regions"));
    assert!(page.contains("kept no date"));
}

#[test]
fn pictures_and_maps_that_are_gone_become_notes() {
    let home = tempfile::tempdir().unwrap();
    let run = make(home.path(), Tested::Everything);
    for entry in fs::read_dir(&run).unwrap() {
        let path = entry.unwrap().path();
        if path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with("maps-")
        {
            fs::remove_file(path).unwrap();
        }
    }
    let page = written(&run);
    assert!(page.contains("data:image/jpeg") && page.contains("Cannot be shown: "));
    fs::remove_dir_all(home.path().join("data")).unwrap();
    let page = written(&run);
    assert!(!page.contains("data:image/jpeg"));
    assert!(
        page.contains("Cannot be shown: reading picture "),
        "the file is named"
    );
}

#[test]
fn what_cannot_be_reported_is_refused_with_the_remedy() {
    let home = tempfile::tempdir().unwrap();
    let run = make(home.path(), Tested::Everything);
    let name = run.to_str().unwrap();
    let report = |out: &str| refused(home.path(), &["report", "--run", name, "--out", out]);
    assert!(report(".").contains("is a folder"));
    assert!(report("report.pdf").contains("end in .html"));
    assert!(report("absent/report.html").contains("its folder does not exist"));
    fs::remove_file(RunFolder::open(&run).unwrap().evaluation_path()).unwrap();
    let said = report("report.html");
    assert!(said.contains("flawscope eval --run"), "{said}");
    assert!(!home.path().join("report.csv").exists());
    let usage = flawscope(home.path(), &["report", "--run", name]);
    assert_eq!(usage.status.code(), Some(2));
    let help = flawscope(home.path(), &["report", "--help"]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("report.csv"));
}

/// Stops after a number of questions.
struct Patience(AtomicUsize);

impl Monitor for Patience {
    fn report(&self, _: Progress) {}

    fn should_stop(&self) -> bool {
        let left = self.0.load(Ordering::Relaxed);
        self.0.store(left.saturating_sub(1), Ordering::Relaxed);
        left == 0
    }
}

#[test]
fn a_cancelled_report_leaves_the_old_one_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    let run = make(home.path(), Tested::Everything);
    let out = home.path().join("report.html");
    fs::write(&out, "old").unwrap();
    // While maps are read, and while pictures are drawn.
    for patience in [0, 10, 49] {
        let monitor = Patience(AtomicUsize::new(patience));
        let outcome = flawscope::report::write(&run, &out, &monitor).unwrap();
        assert!(outcome.finished().is_none(), "{patience}");
        assert_eq!(fs::read_to_string(&out).unwrap(), "old");
        assert!(!home.path().join("report.csv").exists());
    }
}

#[test]
fn the_job_tells_of_limits_it_saved_whatever_becomes_of_the_report() {
    let home = tempfile::tempdir().unwrap();
    let run = make(home.path(), Tested::Everything);
    let limits = store::open_run(&run).unwrap().limits;
    let rule = limits.rule().with_fail(Limit::manual(0.9));
    let limits = Box::new(limits.with_rule(rule, None));
    let told = Mutex::new(Vec::new());
    let command = |out: PathBuf| Command::WriteReport {
        run: run.clone(),
        limits: Some(limits.clone()),
        out,
    };
    let hear = |event| {
        if let Event::LimitsChanged { run, .. } = event {
            told.lock()
                .unwrap()
                .push((run.checksum.clone(), run.limits.image.value));
        }
    };
    let out = home.path().join("report.html");
    let impatient = Patience(AtomicUsize::new(0));
    PipelineJobs
        .run(command(out), JobId(1), &impatient, &hear)
        .unwrap();
    let saved = store::open_run(&run).unwrap();
    assert_eq!(*told.lock().unwrap(), [(saved.checksum, 0.9)]);
    let refused = home.path().join("report.pdf");
    assert!(
        PipelineJobs
            .run(command(refused), JobId(1), &Silent, &hear)
            .is_err()
    );
    assert_eq!(
        told.lock().unwrap().len(),
        1,
        "a refused name changes nothing"
    );
}
