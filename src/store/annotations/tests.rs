//! Notes on disk: round trips, what does not belong together any more, what cannot be understood.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Annotations, MANIFEST};
use crate::data::image::{Mask, Orientation, Size, load_mask, testing};
use crate::data::{Label, Sample};

struct Bench {
    home: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn notes(&self) -> PathBuf {
        self.home.path().join("notes")
    }

    fn open(&self) -> Annotations {
        Annotations::open(self.notes()).unwrap()
    }

    /// A picture of 6 x 4 on disk.
    fn sample(&self, name: &str) -> Sample {
        let image = self.home.path().join(name);
        testing::write_png(&image, 6, 4, 9);
        sample(name, &image, Orientation::Ignore)
    }

    /// Files in the notes' folder other than the manifest.
    fn pngs(&self) -> usize {
        let entries = fs::read_dir(self.notes()).unwrap();
        entries.count() - usize::from(self.notes().join(MANIFEST).exists())
    }
}

fn sample(id: &str, image: &Path, orientation: Orientation) -> Sample {
    Sample {
        id: id.to_owned(),
        image: image.to_path_buf(),
        masks: vec!["own.png".into()],
        label: Label::Defective,
        defect: "crack".to_owned(),
        orientation,
    }
}

fn mask(width: usize, height: usize, marked: &[usize]) -> Mask {
    let values = (0..width * height).map(|i| marked.contains(&i)).collect();
    Mask::new(width, height, values).unwrap()
}

fn story<T: std::fmt::Debug>(result: anyhow::Result<T>) -> String {
    format!("{:#}", result.unwrap_err())
}

#[test]
fn without_a_manifest_nothing_is_noted_and_nothing_is_written() {
    let bench = Bench::new();
    let notes = bench.open();
    assert!(notes.seen.is_empty() && notes.painted().next().is_none());
    assert_eq!(notes.mask_of(&bench.sample("a.png")).unwrap(), None);
    assert!(!bench.notes().exists());
}

#[test]
fn seen_pictures_come_back_sorted_and_once() {
    let bench = Bench::new();
    let ids = ["b", "a", "b"].map(str::to_owned);
    bench.open().set_seen(ids).unwrap();
    assert_eq!(bench.open().seen, ["a", "b"]);
    bench.open().set_seen([]).unwrap();
    assert!(bench.open().seen.is_empty());
}

#[test]
fn a_painted_mask_takes_the_place_of_the_samples_own() {
    let bench = Bench::new();
    let (painted, other) = (bench.sample("a.png"), bench.sample("b.png"));
    let drawn = mask(6, 4, &[0, 7, 23]);
    bench.open().save_mask(&painted, &drawn).unwrap();
    let notes = bench.open();
    assert_eq!(notes.painted().collect::<Vec<_>>(), ["a.png"]);
    let mut samples = [painted, other];
    notes.apply(&mut samples).unwrap();
    let size = Size {
        width: 6,
        height: 4,
    };
    assert_eq!(load_mask(&samples[0].masks, size).unwrap(), drawn);
    assert_eq!(samples[1].masks, [PathBuf::from("own.png")]);
}

#[test]
fn a_new_mask_replaces_the_old_one_and_seen_pictures_stay() {
    let bench = Bench::new();
    let sample = bench.sample("a.png");
    let mut notes = bench.open();
    notes.set_seen(["a.png".to_owned()]).unwrap();
    notes.save_mask(&sample, &mask(6, 4, &[0])).unwrap();
    notes.save_mask(&sample, &mask(6, 4, &[5])).unwrap();
    assert_eq!(bench.open(), notes);
    assert_eq!((notes.seen.len(), bench.pngs()), (1, 1));
    notes.save_mask(&sample, &mask(6, 4, &[5])).unwrap();
    assert!(notes.mask_of(&sample).unwrap().unwrap().is_file());
    notes.remove_mask("a.png").unwrap();
    notes.remove_mask("never painted").unwrap();
    assert_eq!((notes.mask_of(&sample).unwrap(), bench.pngs()), (None, 0));
    assert_eq!(bench.open().seen, ["a.png"]);
}

#[test]
fn masks_that_say_nothing_or_do_not_fit_are_refused_in_a_sentence() {
    let bench = Bench::new();
    let sample = bench.sample("a.png");
    let mut notes = bench.open();
    let all: Vec<usize> = (0..24).collect();
    let empty = story(notes.save_mask(&sample, &mask(6, 4, &[])));
    assert!(empty.contains("marks nothing"), "{empty}");
    let full = story(notes.save_mask(&sample, &mask(6, 4, &all)));
    assert!(full.contains("marks the whole picture"), "{full}");
    let turned = story(notes.save_mask(&sample, &mask(4, 6, &[1])));
    assert!(
        turned.contains("4 x 6") && turned.contains("6 x 4"),
        "{turned}"
    );
    fs::remove_file(&sample.image).unwrap();
    let gone = story(notes.save_mask(&sample, &mask(6, 4, &[1])));
    assert!(gone.contains("a.png"), "{gone}");
    assert!(!bench.notes().exists());
}

#[test]
fn a_mask_of_a_changed_picture_names_the_picture_and_the_remedy() {
    let bench = Bench::new();
    let sample = bench.sample("a.png");
    let mut notes = bench.open();
    notes.save_mask(&sample, &mask(6, 4, &[1])).unwrap();
    testing::write_png(&sample.image, 6, 4, 10);
    let changed = story(notes.mask_of(&sample));
    for part in ["a.png", "has changed", "paint it again"] {
        assert!(changed.contains(part), "{changed}");
    }
    assert!(notes.apply(&mut [sample]).is_err());
}

#[test]
fn a_mask_file_that_was_exchanged_or_lost_is_noticed() {
    let bench = Bench::new();
    let sample = bench.sample("a.png");
    let mut notes = bench.open();
    notes.save_mask(&sample, &mask(6, 4, &[1])).unwrap();
    let path = notes.mask_of(&sample).unwrap().unwrap();
    testing::write_mask(&path, 3, 2, [0, 0, 1, 1]);
    let exchanged = story(notes.mask_of(&sample));
    assert!(exchanged.contains("3 x 2"), "{exchanged}");
    fs::remove_file(&path).unwrap();
    assert!(story(notes.mask_of(&sample)).contains("reading mask"));
    notes.save_mask(&sample, &mask(6, 4, &[1])).unwrap();
    assert!(notes.mask_of(&sample).is_ok());
}

#[test]
fn masks_lie_on_the_picture_as_it_is_shown() {
    let bench = Bench::new();
    let image = bench.home.path().join("held.jpg");
    testing::write(&image, &testing::with_exif_rotation(&testing::jpeg(40, 20)));
    let shown = sample("held.jpg", &image, Orientation::Apply);
    let drawn = mask(20, 40, &[3, 799]);
    let mut notes = bench.open();
    notes.save_mask(&shown, &drawn).unwrap();
    let mut samples = [shown];
    notes.apply(&mut samples).unwrap();
    let size = Size {
        width: 20,
        height: 40,
    };
    assert_eq!(samples[0].mask(size).unwrap(), Some(drawn));
    let lying = sample("held.jpg", &image, Orientation::Ignore);
    assert!(story(notes.mask_of(&lying)).contains("turned"));
}

#[test]
fn a_manifest_that_cannot_be_understood_is_named_and_left_alone() {
    let bench = Bench::new();
    fs::create_dir(bench.notes()).unwrap();
    let path = bench.notes().join(MANIFEST);
    let elsewhere = r#"{"version":1,"seen":[],"masks":{"a":{"file":"../a.png","width":1,"height":1,
        "picture_sha256":"","orientation":"ignore"}}}"#;
    for (text, reason) in [
        ("", "EOF"),
        ("{\"version\":1,\"seen\":[", "EOF"),
        ("{\"version\":2,\"sights\":[]}", "version 2"),
        (elsewhere, "not the name of a file"),
    ] {
        fs::write(&path, text).unwrap();
        let told = story(Annotations::open(bench.notes()));
        for part in [path.to_str().unwrap(), "move it away", reason] {
            assert!(told.contains(part), "{told}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_failed_write_changes_nothing_in_memory_either() {
    let bench = Bench::new();
    fs::write(bench.notes(), "a file where the folder should be").unwrap();
    let sample = bench.sample("a.png");
    let mut notes = Annotations {
        folder: bench.notes(),
        seen: Vec::new(),
        masks: std::collections::BTreeMap::new(),
    };
    assert!(notes.save_mask(&sample, &mask(6, 4, &[1])).is_err());
    assert!(notes.set_seen(["a.png".to_owned()]).is_err());
    assert!(notes.seen.is_empty() && notes.painted().next().is_none());
    assert!(Annotations::open(bench.notes()).is_err());
}
