//! What holds for every example that is dealt out, whatever the pictures.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::data::image::{InputPreset, InputSpec, Size, read_picture};

/// A dark disc on a bright, slightly uneven background; each number has a disc of its own.
pub(super) fn round_product(width: usize, height: usize, number: usize) -> Frame {
    let radius = 0.38 * width.min(height) as f32;
    Frame::from_fn(Size { width, height }, |x, y| {
        let dx = x as f32 - width as f32 / 2.0 - (number % 3) as f32;
        let dy = y as f32 - height as f32 / 2.0;
        let grain = ((x * 7 + y * 13 + number * 5) % 11) as u8;
        if dx.hypot(dy) < radius {
            [40 + grain, 50 + grain, 35 + grain]
        } else {
            [215 + grain, 220 + grain, 210 + grain]
        }
    })
}

fn marked(frame: Frame, number: usize) -> MarkedFrame {
    let (width, height) = (frame.width(), frame.height());
    let (left, top) = (width / 3 + number, height / 3);
    let mask: Vec<bool> = (0..width * height)
        .map(|i| {
            (left..left + width / 8).contains(&(i % width))
                && (top..top + height / 10).contains(&(i / width))
        })
        .collect();
    let mut frame = frame;
    for i in (0..mask.len()).filter(|&i| mask[i]) {
        frame.set(i, [180, 30, 30]);
    }
    MarkedFrame {
        frame,
        mask,
        defect: ["red", "crack"][number % 2].to_owned(),
        id: format!("test/red/{number:03}.png"),
    }
}

pub(super) fn augmenter(
    goods: Vec<Frame>,
    seen: usize,
    textures: usize,
    settings: AugmentSettings,
) -> Augmenter {
    let seen = (0..seen).map(|i| marked(goods[i % goods.len()].clone(), i));
    let textures = (0..textures).map(|i| round_product(goods[0].width(), goods[0].height(), i));
    let (seen, textures) = (seen.collect(), textures.collect());
    let goods = goods.into_iter().map(Arc::new).collect();
    let made = Augmenter::new(goods, seen, textures, ForegroundRule::Automatic, settings);
    made.expect("an augmenter")
}

fn discs(count: usize, width: usize, height: usize) -> Vec<Frame> {
    (0..count)
        .map(|i| round_product(width, height, i))
        .collect()
}

fn both_settings() -> [AugmentSettings; 2] {
    [AugmentSettings::published(), AugmentSettings::refined()]
}

fn counted(augmenter: &Augmenter, epoch: usize) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for slot in 0..augmenter.slots() {
        let kind = match augmenter.example(3, epoch, slot).kind {
            ExampleKind::Simulated(_) => "simulated".to_owned(),
            kind => kind.to_string(),
        };
        *counts.entry(kind).or_default() += 1;
    }
    counts
}

#[test]
fn exactly_the_examples_that_are_not_good_mark_something() {
    for settings in both_settings() {
        for (width, height) in [(64, 64), (96, 64), (48, 75)] {
            for seen in [0, 3] {
                let augmenter = augmenter(discs(6, width, height), seen, 2, settings.clone());
                for epoch in 0..2 {
                    for slot in 0..augmenter.slots() {
                        let example = augmenter.example(0, epoch, slot);
                        assert_eq!(example.frame.size(), Size { width, height });
                        assert_eq!(example.mask.len(), width * height);
                        let is_good = example.kind == ExampleKind::Good;
                        assert_eq!(example.mask.contains(&true), !is_good);
                    }
                }
            }
        }
    }
}

#[test]
fn an_example_depends_on_seed_epoch_and_slot_only() {
    let make = || augmenter(discs(5, 64, 64), 2, 0, AugmentSettings::refined());
    let (one, other) = (make(), make());
    let forward: Vec<Example> = (0..10).map(|slot| one.example(7, 2, slot)).collect();
    let mut backward: Vec<Example> = (0..10)
        .rev()
        .map(|slot| other.example(7, 2, slot))
        .collect();
    backward.reverse();
    assert_eq!(forward, backward);
    let frames = |seed, epoch| -> Vec<Frame> {
        (0..10)
            .map(|slot| one.example(seed, epoch, slot).frame)
            .collect()
    };
    assert_ne!(frames(7, 2), frames(8, 2));
    assert_ne!(frames(7, 2), frames(7, 3));
    assert_eq!(one.example(7, 2, 3), one.example(7, 2, 13));
}

#[test]
fn half_an_epoch_is_good_a_quarter_real_and_a_quarter_simulated() {
    let augmenter = augmenter(discs(16, 48, 48), 10, 0, AugmentSettings::published());
    assert_eq!(augmenter.slots(), 32);
    let counts = counted(&augmenter, 0);
    assert_eq!(counts["good"], 16);
    assert_eq!(counts["seen"] + counts["extended"], 8);
    assert_eq!((counts["seen"], counts["simulated"]), (4, 8));
}

#[test]
fn every_good_picture_is_shown_once_and_every_seen_one_in_turn() {
    let augmenter = augmenter(discs(8, 48, 48), 4, 0, AugmentSettings::published());
    let mut seen = [0; 4];
    for epoch in 0..4 {
        let mut goods = [0; 8];
        for slot in 0..16 {
            let example = augmenter.example(0, epoch, slot);
            match example.kind {
                ExampleKind::Good => goods[example.good] += 1,
                ExampleKind::Seen => seen[example.good] += 1,
                _ => {}
            }
        }
        assert_eq!(goods, [1; 8]);
    }
    assert_eq!(seen, [2; 4]);
}

#[test]
fn few_seen_pictures_are_not_repeated_without_end() {
    let augmenter = augmenter(discs(40, 32, 32), 1, 0, AugmentSettings::published());
    let counts = counted(&augmenter, 0);
    assert_eq!((counts["seen"], counts["extended"]), (5, 15));
}

#[test]
fn without_seen_defects_all_are_simulated() {
    let augmenter = augmenter(discs(6, 48, 48), 0, 0, AugmentSettings::refined());
    let counts = counted(&augmenter, 0);
    assert_eq!((counts["good"], counts["simulated"]), (6, 6));
    assert_eq!(counts.len(), 2);
}

#[test]
fn one_good_picture_is_enough_and_sees_all_kinds() {
    let augmenter = augmenter(discs(1, 64, 48), 1, 0, AugmentSettings::refined());
    assert_eq!(augmenter.slots(), 2);
    let mut kinds = BTreeMap::new();
    for epoch in 0..8 {
        for (kind, count) in counted(&augmenter, epoch) {
            *kinds.entry(kind).or_insert(0) += count;
        }
    }
    assert_eq!(kinds["good"], 8);
    assert!(
        ["seen", "extended", "simulated"]
            .iter()
            .all(|kind| kinds[*kind] > 0),
        "{kinds:?}"
    );
}

#[test]
fn sources_come_as_often_as_the_settings_say_among_those_there_are() {
    let mut settings = AugmentSettings::published();
    settings.simulated.sources = SourceShares {
        shuffled: 0.25,
        procedural: 0.25,
        other_good: 0.5,
        folder: 1.0,
    };
    let augmenter = augmenter(discs(20, 32, 32), 0, 0, settings);
    let mut counts = BTreeMap::new();
    for epoch in 0..10 {
        for slot in 0..40 {
            if let ExampleKind::Simulated(source) = augmenter.example(0, epoch, slot).kind {
                *counts.entry(source.name()).or_insert(0) += 1;
            }
        }
    }
    assert!(
        (35..65).contains(&counts["other good picture"]),
        "{counts:?}"
    );
    assert!((13..38).contains(&counts["shuffled self"]), "{counts:?}");
    assert_eq!(counts.len(), 3);
}

#[test]
fn simulated_defects_stay_on_the_product() {
    for mut settings in both_settings() {
        settings.simulated.turn.chance = 0.0;
        let augmenter = augmenter(discs(8, 64, 64), 0, 2, settings);
        assert_eq!(augmenter.foreground().rule(), ForegroundRule::Dark);
        for slot in 0..16 {
            let example = augmenter.example(0, 0, slot);
            let good = round_product(64, 64, example.good);
            let product = augmenter.foreground().mask(&good);
            let on_product = example.mask.iter().zip(&product).all(|(&m, &p)| !m || p);
            assert!(on_product, "{}", example.kind);
        }
    }
}

#[test]
fn good_pictures_are_turned_only_when_the_settings_say_so() {
    let mut settings = AugmentSettings::refined();
    let still = augmenter(discs(4, 48, 40), 0, 0, settings.clone());
    settings.good_turn = Turn {
        chance: 1.0,
        degrees: 90.0,
    };
    let turning = augmenter(discs(4, 48, 40), 0, 0, settings);
    for slot in 0..8 {
        let example = still.example(0, 0, slot);
        if example.kind == ExampleKind::Good {
            let original = round_product(48, 40, example.good);
            assert_eq!(example.frame, original);
            assert_ne!(turning.example(0, 0, slot).frame, original);
        }
    }
}

#[test]
fn the_product_is_found_in_real_pictures() {
    let Some(data) = crate::data::image::testing::shared_data() else {
        return;
    };
    for (set, rule, covered) in [
        ("bottle_256", ForegroundRule::Dark, 0.58..0.66),
        ("hazelnut_toy", ForegroundRule::Pale, 0.2..0.3),
    ] {
        let dataset = crate::data::open(&data.join(set), &crate::data::OpenOptions::default());
        let dataset = dataset.expect("a data set");
        let read = |sample: &crate::data::Sample| {
            let picture = read_picture(&sample.image, sample.orientation).expect("a picture");
            let spec = InputSpec::for_pictures(InputPreset::Resize128, picture.size());
            Frame::of(&picture, &spec.expect("a spec")).expect("a frame")
        };
        let goods: Vec<Frame> = dataset.categories[0].train[..8].iter().map(read).collect();
        let goods: Vec<&Frame> = goods.iter().collect();
        let foreground = Foreground::resolve(ForegroundRule::Automatic, &goods);
        assert_eq!(foreground.rule(), rule, "{set}: {}", foreground.reason());
        let mask = foreground.mask(goods[0]);
        let (width, height) = (goods[0].width(), goods[0].height());
        assert!(mask[height / 2 * width + width / 2] && !mask[0], "{set}");
        let share = mask.iter().filter(|&&m| m).count() as f32 / mask.len() as f32;
        assert!(covered.contains(&share), "{set}: {share}");
    }
}

#[test]
fn pictures_that_cannot_be_used_are_refused_by_name() {
    let good = Arc::new(round_product(48, 48, 0));
    let new = |goods: Vec<Arc<Frame>>, seen: Vec<MarkedFrame>, settings| {
        let made = Augmenter::new(goods, seen, vec![], ForegroundRule::Automatic, settings);
        made.err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    let published = AugmentSettings::published;
    assert!(new(vec![], vec![], published()).contains("no good pictures"));
    let other = Arc::new(round_product(40, 48, 0));
    let text = new(vec![good.clone(), other], vec![], published());
    assert!(text.starts_with("good picture 2 is 40 x 48"), "{text}");
    let mut unmarked = marked(round_product(48, 48, 0), 1);
    unmarked.mask.fill(false);
    let text = new(vec![good.clone()], vec![unmarked], published());
    assert!(
        text.starts_with("test/red/001.png marks no pixel"),
        "{text}"
    );
    let mut settings = published();
    settings.raw_share = 2.0;
    assert!(new(vec![good], vec![], settings).contains("from 0 to 1"));
}

#[test]
fn a_preview_shows_the_kinds_there_are_in_order() {
    let augmenter = augmenter(discs(3, 48, 48), 2, 0, AugmentSettings::refined());
    let preview = augmenter.preview(0, 4);
    let captions: Vec<String> = preview.iter().map(Example::caption).collect();
    assert_eq!(captions[..3], ["good", "good", "good"]);
    assert_eq!(captions[3..5], ["seen: red", "seen: crack"]);
    let count = |text: &str| captions.iter().filter(|c| c.starts_with(text)).count();
    assert_eq!(count("extended: "), 4);
    assert_eq!(count("simulated: shuffled self"), 4);
    assert_eq!(count("simulated: texture folder"), 0);
    assert_eq!(preview, augmenter.preview(0, 4));
    assert!(augmenter.preview(0, 0).is_empty());
}
