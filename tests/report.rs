//! The report of a run: the same each time, whole without a network, and readable in a browser.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

struct Setting {
    folder: TempDir,
}

impl Setting {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn flawscope(arguments: &[&str]) -> String {
    let mut command = assert_cmd::Command::cargo_bin("flawscope").unwrap();
    let output = command.args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn refusal(arguments: &[&str]) -> String {
    let mut command = assert_cmd::Command::cargo_bin("flawscope").unwrap();
    let output = command.args(arguments).output().unwrap();
    assert!(!output.status.success(), "{arguments:?} must be refused");
    String::from_utf8(output.stderr).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A small sample, trained for one epoch, not scored yet.
fn trained() -> Setting {
    let setting = Setting {
        folder: tempfile::tempdir().unwrap(),
    };
    let (data, run) = (setting.path("data"), setting.path("run"));
    flawscope(&["sample", "--out", text(&data), "--count", "12"]);
    flawscope(&[
        "train",
        "--data",
        text(&data),
        "--model",
        "cfa",
        "--input",
        "128",
        "--epochs",
        "1",
        "--out",
        text(&run),
    ]);
    setting
}

#[test]
fn a_report_is_one_page_with_its_numbers_beside_it() {
    let setting = trained();
    let (run, out) = (setting.path("run"), setting.path("report.html"));
    let refused = refusal(&["report", "--run", text(&run), "--out", text(&out)]);
    assert!(refused.contains("flawscope eval --run"), "{refused}");
    assert!(!out.exists());

    let told = flawscope(&["eval", "--run", text(&run), "--json"]);
    let written = flawscope(&["report", "--run", text(&run), "--out", text(&out)]);
    assert_eq!(written.lines().count(), 3, "{written}");
    let page = fs::read_to_string(&out).unwrap();
    let evaluation: serde_json::Value = serde_json::from_str(&told).unwrap();
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(out.with_extension("json")).unwrap()).unwrap();
    assert_eq!(report["numbers"]["image_auroc"], evaluation["image_auroc"]);
    assert_eq!(report["numbers"]["aupro"], evaluation["aupro"]);
    let auroc = evaluation["image_auroc"].as_f64().unwrap();
    assert!(page.contains(&format!("<td>{auroc:.4}</td>")), "{auroc}");
    let pictures = evaluation["images"].as_array().unwrap().len();
    let table = fs::read_to_string(out.with_extension("csv")).unwrap();
    assert_eq!(table.lines().count(), pictures + 1);

    // Nothing is fetched: the only addresses are the name of the drawing language and pictures inside the page.
    let elsewhere = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!elsewhere.contains("http"), "an address outside the page");

    let again = setting.path("again.html");
    flawscope(&["report", "--run", text(&run), "--out", text(&again)]);
    assert_eq!(fs::read(&again).unwrap(), fs::read(&out).unwrap());
    let refused = refusal(&[
        "report",
        "--run",
        text(&run),
        "--out",
        text(setting.folder.path()),
    ]);
    assert!(refused.contains("is a folder"), "{refused}");
    in_a_browser(&setting, &out);
}

/// Opens the page in a browser without a network, and looks at what it made of it.
#[expect(clippy::print_stdout, reason = "a skipped check says so")]
fn in_a_browser(setting: &Setting, page: &Path) {
    let browser = ["chromium", "chromium-browser", "google-chrome"].into_iter();
    let mut browser = browser.filter(|name| Command::new(name).arg("--version").output().is_ok());
    let Some(browser) = browser.next() else {
        assert!(
            std::env::var_os("CI").is_none(),
            "no browser to open the report in"
        );
        println!("skipped: there is no Chromium to open the report in");
        return;
    };
    let home = format!("--user-data-dir={}", setting.path("profile").display());
    let address = format!("file://{}", page.display());
    let open = |what: &str| {
        let quiet = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
        ];
        let mut command = Command::new(browser);
        command
            .args(quiet)
            .args(["--window-size=1100,3600", &home, what, &address]);
        command.output().unwrap()
    };
    let dom = String::from_utf8(open("--dump-dom").stdout).unwrap();
    for heading in [
        "Limits and what they prove",
        "Verdicts",
        "Caught by defect type",
        "Settings and hashes",
    ] {
        assert!(dom.contains(heading), "{heading}");
    }
    let shot = match std::env::var_os("FLAWSCOPE_LOOK") {
        Some(folder) => Path::new(&folder).join("report.png"),
        None => setting.path("report.png"),
    };
    open(&format!("--screenshot={}", shot.display()));
    let picture = image::open(&shot).expect("a screenshot").to_rgb8();
    let ground = *picture.get_pixel(2, 2);
    let drawn = picture.pixels().filter(|pixel| **pixel != ground).count();
    assert!(
        drawn > 50_000,
        "the page is nearly empty: {drawn} pixels drawn"
    );
}
