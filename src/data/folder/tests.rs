//! The plain folder layout on folders as people have them.

use std::path::Path;

use super::{Folder, folder_roles};
use crate::data::image::Orientation;
use crate::data::image::testing::{self, write};
use crate::data::layout::Layout;
use crate::data::{Dataset, Label, OpenOptions, Role, Severity};

fn folder(files: &[(&str, usize)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (pattern, count) in files {
        for i in 0..*count {
            write(
                &folder.path().join(pattern.replace('*', &format!("{i:02}"))),
                b"",
            );
        }
    }
    folder
}

fn options(roles: &[(&str, Role)]) -> OpenOptions {
    OpenOptions {
        layout: None,
        roles: roles
            .iter()
            .map(|(path, role)| ((*path).to_owned(), *role))
            .collect(),
    }
}

fn read(root: &Path, roles: &[(&str, Role)]) -> Dataset {
    Folder.read(root, &options(roles)).expect("a data set")
}

fn roles(dataset: &Dataset) -> Vec<(&str, Role, usize)> {
    dataset
        .folders
        .iter()
        .map(|f| (f.path.as_str(), f.role, f.pictures))
        .collect()
}

/// Pictures in training, good and defective in testing.
fn counts(dataset: &Dataset) -> (usize, usize, usize) {
    let category = &dataset.categories[0];
    let of = |label| category.test.iter().filter(|s| s.label == label).count();
    let (good, defective) = (of(Label::Good), of(Label::Defective));
    (category.train.len(), good, defective)
}

fn texts(dataset: &Dataset, severity: Severity) -> Vec<&str> {
    let matching = dataset.findings.iter().filter(|f| f.severity == severity);
    matching.map(|f| f.text.as_str()).collect()
}

#[test]
fn one_folder_of_good_pictures_is_enough() {
    let root = folder(&[("*.png", 20)]);
    let dataset = read(root.path(), &[]);
    assert_eq!(roles(&dataset), [(".", Role::Good, 20)]);
    assert_eq!(counts(&dataset), (16, 4, 0));
    assert!(texts(&dataset, Severity::Warning).is_empty());
    assert!(
        dataset.categories[0]
            .samples()
            .all(|s| s.orientation == Orientation::Apply && !s.id.contains('/'))
    );
}

#[test]
fn the_pictures_held_out_are_always_the_same() {
    let root = folder(&[("good/*.png", 20)]);
    let held_out = || -> Vec<String> {
        read(root.path(), &[]).categories[0]
            .test
            .iter()
            .map(|s| s.id.clone())
            .collect()
    };
    assert_eq!(
        held_out(),
        ["good/09.png", "good/11.png", "good/13.png", "good/15.png"]
    );
}

#[test]
fn folders_of_good_and_bad_pictures_are_told_apart_by_name() {
    let root = folder(&[
        ("OK/*.jpg", 12),
        ("NG/scratch/*.jpg", 3),
        ("NG/dent/*.jpg", 2),
        ("good test/*.jpg", 5),
    ]);
    let dataset = read(root.path(), &[]);
    assert_eq!(
        roles(&dataset),
        [
            ("NG/dent", Role::Defective, 2),
            ("NG/scratch", Role::Defective, 3),
            ("OK", Role::Good, 12),
            ("good test", Role::GoodTest, 5),
        ]
    );
    assert_eq!(counts(&dataset), (12, 5, 5));
    assert_eq!(dataset.categories[0].test[0].defect, "dent");
    assert_eq!(
        texts(&dataset, Severity::Note),
        ["no masks: numbers are for whole pictures only"]
    );
}

#[test]
fn good_pictures_in_the_root_with_defects_in_folders_are_understood() {
    let root = folder(&[("*.png", 10), ("crack/*.png", 2)]);
    let dataset = read(root.path(), &[]);
    assert_eq!(
        roles(&dataset),
        [(".", Role::Good, 10), ("crack", Role::Defective, 2)]
    );
    assert_eq!(counts(&dataset), (8, 2, 2));
}

#[test]
fn what_no_name_tells_is_guessed_aloud() {
    let root = folder(&[("monday/*.png", 9), ("friday/*.png", 10), ("test/*.png", 3)]);
    let dataset = read(root.path(), &[]);
    assert_eq!(
        roles(&dataset),
        [
            ("friday", Role::Good, 10),
            ("monday", Role::Ignored, 9),
            ("test", Role::Ignored, 3)
        ]
    );
    let warnings = texts(&dataset, Severity::Warning);
    assert!(
        warnings[0].starts_with("taken for the folder of good pictures"),
        "{warnings:?}"
    );
    assert!(
        warnings[1].starts_with("not used: the name does not say"),
        "{warnings:?}"
    );
}

#[test]
fn the_users_word_goes_before_every_guess() {
    let root = folder(&[("good/*.png", 9), ("bad/*.png", 3), ("more/*.png", 4)]);
    let corrections = [
        ("bad", Role::Ignored),
        ("more", Role::GoodTest),
        ("gone", Role::Good),
    ];
    let dataset = read(root.path(), &corrections);
    assert_eq!(counts(&dataset), (9, 4, 0));
    assert!(texts(&dataset, Severity::Warning)[0].contains("no pictures in it"));
    let swapped = read(
        root.path(),
        &[("bad", Role::Good), ("good", Role::Defective)],
    );
    assert_eq!(counts(&swapped).2, 9 + 4);
    assert!(
        swapped.categories[0]
            .test
            .iter()
            .all(|s| s.label == Label::Good || s.defect != "good")
    );
}

#[test]
fn unlabelled_pictures_are_neither_trained_on_nor_held_out() {
    let labelled = [("good/*.png", 20), ("bad/*.png", 2)];
    let root = folder(&labelled);
    let without = read(root.path(), &[]);
    for i in 0..30 {
        write(&root.path().join(format!("Unsorted/cam 1/{i:02}.png")), b"");
        write(&root.path().join(format!("production/{i:02}.png")), b"");
    }
    let dataset = read(root.path(), &[]);
    assert_eq!(
        roles(&dataset)[..2],
        [
            ("Unsorted/cam 1", Role::Unlabelled, 30),
            ("bad", Role::Defective, 2)
        ]
    );
    assert_eq!(counts(&dataset), (16, 4, 2));
    let (with, without) = (&dataset.categories[0], &without.categories[0]);
    assert_eq!(with.train, without.train);
    assert!(with.judged().eq(&without.test));
    assert_eq!(with.unlabelled().count(), 60);
    assert!(with.unlabelled().all(|s| s.defect == "unlabelled"));
    assert!(with.test.is_sorted_by(|a, b| a.id < b.id));
}

#[test]
fn production_pictures_are_unlabelled_only_beside_known_good_ones() {
    let beside = folder(&[("ok/*.png", 9), ("production/*.png", 20)]);
    let dataset = read(beside.path(), &[]);
    assert_eq!(
        roles(&dataset),
        [("ok", Role::Good, 9), ("production", Role::Unlabelled, 20)]
    );
    let alone = folder(&[("production/*.png", 20), ("crack/*.png", 2)]);
    assert_eq!(
        roles(&read(alone.path(), &[])),
        [("crack", Role::Ignored, 2), ("production", Role::Good, 20)]
    );
}

#[test]
fn unlabelled_pictures_alone_cannot_train_a_model() {
    let root = folder(&[("unlabelled/*.png", 20)]);
    let error = Folder.read(root.path(), &OpenOptions::default());
    let text = error.expect_err("no good ones").to_string();
    assert!(
        text.ends_with(
            "found `unlabelled` (unlabelled, only scored, 20 pictures); say which folder holds good ones"
        ),
        "{text}"
    );
}

#[test]
fn any_folder_can_be_made_unlabelled_and_back() {
    let root = folder(&[("good/*.png", 9), ("test/*.png", 3), ("unknown/*.png", 4)]);
    let corrections = [("test", Role::Unlabelled), ("unknown", Role::Defective)];
    let dataset = read(root.path(), &corrections);
    assert_eq!(counts(&dataset), (8, 1, 4));
    let category = &dataset.categories[0];
    let ids: Vec<&str> = category.unlabelled().map(|s| s.id.as_str()).collect();
    assert_eq!(ids, ["test/00.png", "test/01.png", "test/02.png"]);
    // A defect type must not be called like the pictures that nobody has judged.
    let defects = category.judged().filter(|s| s.label == Label::Defective);
    assert!(defects.into_iter().all(|s| s.defect == "defective"));
}

#[test]
fn masks_beside_unlabelled_pictures_are_no_pictures_and_are_not_used() {
    let root = folder(&[
        ("good/*.png", 9),
        ("unlabelled/*.png", 2),
        ("unlabelled/*_mask.png", 2),
    ]);
    let dataset = read(root.path(), &[]);
    let mut unlabelled = dataset.categories[0].unlabelled();
    assert!(unlabelled.all(|s| s.masks.is_empty() && !s.id.contains("mask")));
    let notes = texts(&dataset, Severity::Note);
    assert!(
        notes.contains(
            &"2 files beside the unlabelled pictures taken for masks by the name: not used"
        )
    );
}

#[test]
fn without_good_pictures_the_error_lists_what_there_is() {
    let root = folder(&[("bad/*.png", 3)]);
    let text = Folder
        .read(root.path(), &OpenOptions::default())
        .expect_err("no good ones")
        .to_string();
    assert!(
        text.ends_with("found `bad` (defective, 3 pictures); say which folder holds good ones"),
        "{text}"
    );
    let shown = folder_roles(root.path(), &options(&[("bad", Role::Good)])).expect("roles");
    assert_eq!((shown[0].role, shown[0].pictures), (Role::Good, 3));
}

#[test]
fn masks_are_matched_by_name_wherever_they_lie() {
    let root = folder(&[
        ("good/*.png", 10),
        ("bad/crack/*.png", 2),
        ("bad/dent/*.png", 2),
        ("bad/stain/*.png", 1),
        ("bad/stain/*_mask.png", 1),
        ("bad/dent/masks/*.png", 2),
        ("masks/crack/*_mask.png", 1),
    ]);
    let dataset = read(root.path(), &[]);
    let mask = |id: &str| {
        let sample = dataset.categories[0]
            .test
            .iter()
            .find(|s| s.id == id)
            .expect("a sample");
        sample
            .masks
            .iter()
            .map(|m| crate::data::listing::relative(m, root.path()))
            .collect::<Vec<_>>()
            .join(",")
    };
    assert_eq!(mask("bad/crack/00.png"), "masks/crack/00_mask.png");
    assert_eq!(mask("bad/crack/01.png"), "");
    assert_eq!(mask("bad/dent/01.png"), "bad/dent/masks/01.png");
    assert_eq!(mask("bad/stain/00.png"), "bad/stain/00_mask.png");
    assert_eq!(
        texts(&dataset, Severity::Warning),
        ["no mask: it counts for image-level numbers only"]
    );
    assert!(
        dataset.categories[0]
            .samples()
            .all(|s| s.orientation == Orientation::Ignore)
    );
}

#[test]
fn a_mask_that_may_belong_to_two_pictures_is_used_for_neither() {
    let root = folder(&[
        ("good/*.png", 10),
        ("crack/*.png", 1),
        ("dent/*.png", 1),
        ("masks/*.png", 1),
    ]);
    let dataset = read(root.path(), &[]);
    assert_eq!(
        texts(&dataset, Severity::Warning),
        [
            "may be the mask of crack/00.png or dent/00.png: it is not used; keep masks in one folder per defect type"
        ]
    );
    assert!(
        dataset.categories[0]
            .test
            .iter()
            .all(|s| s.masks.is_empty())
    );
}

#[test]
fn too_few_good_pictures_are_all_kept_for_training_and_reported() {
    let root = folder(&[("good/*.png", 6), ("bad/*.png", 1)]);
    let dataset = read(root.path(), &[]);
    assert_eq!(counts(&dataset), (6, 0, 1));
    assert!(texts(&dataset, Severity::Warning)[0].starts_with("no good pictures to test with"));
    assert!(texts(&dataset, Severity::Error)[0].ends_with("but there are 6"));
    let nine = folder(&[("good/*.png", 9)]);
    assert_eq!(counts(&read(nine.path(), &[])), (8, 1, 0));
}

#[test]
fn pictures_too_deep_are_not_looked_for() {
    let root = folder(&[("1/2/3/4/5/6/*.png", 1)]);
    assert!(!Folder.recognises(root.path()));
    assert!(Folder.recognises(&root.path().join("1")));
}

#[test]
fn pictures_and_masks_in_folders_of_their_own_are_paired() {
    let Some(data) = testing::shared_data() else {
        return;
    };
    let dataset = read(&data.join("layouts/mvtec3d_mini/tire"), &[]);
    for sample in dataset.categories[0]
        .test
        .iter()
        .filter(|s| s.label == Label::Defective)
    {
        let mask = sample.image.to_string_lossy().replace("/rgb/", "/gt/");
        assert_eq!(sample.masks, [std::path::PathBuf::from(mask)]);
    }
    assert_eq!(counts(&dataset), (2, 4, 8));
    assert!(texts(&dataset, Severity::Warning).is_empty());
}

#[test]
fn a_folder_guessed_among_others_is_a_warning_and_the_only_folder_is_not() {
    let several = folder(&[("broken/*.png", 2), ("monday/*.png", 9)]);
    assert_eq!(
        texts(&read(several.path(), &[]), Severity::Warning).len(),
        1
    );
    let one = folder(&[("monday/*.png", 9)]);
    assert!(texts(&read(one.path(), &[]), Severity::Warning).is_empty());
}
