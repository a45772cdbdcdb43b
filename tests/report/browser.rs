//! The page in headless Chromium: what its reader finds there, and that there is something to see.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::RgbImage;

use super::made_run::Tested;
use super::{make, written};

/// The browser on the path. Only where everything is checked it must be there.
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|file| file.is_file());
    if found.is_none() {
        let is_required = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(!is_required, "chromium is not on the path; install it");
        println!("skipped: chromium is not on the path");
    }
    found
}

fn browse(chromium: &Path, page: &Path, arguments: &[&str]) -> Output {
    let profile = page.with_file_name("profile");
    let profile = format!("--user-data-dir={}", profile.display());
    Command::new(chromium)
        .args(["--no-sandbox", "--headless=new", "--disable-gpu"])
        .args(["--hide-scrollbars", "--window-size=1100,3000", &profile])
        .args(arguments)
        .arg(page)
        .output()
        .unwrap()
}

/// What the browser made of the page of such a run: its elements, and how it looks.
fn opened(tested: Tested, name: &str) -> Option<(String, RgbImage)> {
    let chromium = chromium()?;
    let home = tempfile::tempdir().unwrap();
    written(&make(home.path(), tested));
    let page = home.path().join("report.html");
    let dom = browse(&chromium, &page, &["--dump-dom"]).stdout;
    // Kept for those who want to look at it.
    let folder = match std::env::var_os("FLAWSCOPE_LOOK") {
        Some(folder) => {
            let folder = PathBuf::from(folder);
            std::fs::copy(&page, folder.join(name).with_extension("html")).unwrap();
            folder
        }
        None => home.path().to_path_buf(),
    };
    let picture = folder.join(name).with_extension("png");
    let shot = format!("--screenshot={}", picture.display());
    let said = browse(&chromium, &page, &[&shot]).stderr;
    let seen = image::open(&picture);
    let seen = seen.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&said)));
    Some((String::from_utf8(dom).unwrap(), seen.to_rgb8()))
}

fn colours(picture: &RgbImage) -> usize {
    let mut colours: Vec<_> = picture.pixels().map(|pixel| pixel.0).collect();
    colours.sort_unstable();
    colours.dedup();
    colours.len()
}

#[test]
fn a_browser_shows_tables_plots_and_pictures() {
    let Some((dom, picture)) = opened(Tested::Everything, "report") else {
        return;
    };
    for part in [
        "<caption>Limits in force</caption>",
        "<caption>Pictures by truth and verdict</caption>",
        "<caption>Caught means FAIL. The worst caught type comes first</caption>",
        "<caption>Defects of similar size together</caption>",
        "<caption>Settings of the run</caption>",
        "</footer>",
    ] {
        assert!(dom.contains(part), "{part} is not in {} bytes", dom.len());
    }
    assert_eq!((picture.width(), picture.height()), (1100, 3000));
    // The bar beside the verdict: the page's style is in force.
    let bar = image::Rgb([0x07, 0x6e, 0x63]);
    let is_drawn = picture.pixels().any(|pixel| *pixel == bar);
    assert!(is_drawn, "the style was refused");
    assert!(colours(&picture) > 200, "{}", colours(&picture));
}

#[test]
fn a_browser_shows_a_test_set_without_defects() {
    let Some((dom, picture)) = opened(Tested::OnlyGood, "report_good") else {
        return;
    };
    assert!(dom.contains("</footer>"), "{} bytes", dom.len());
    assert!(colours(&picture) > 100, "{}", colours(&picture));
}
