//! On what the numbers rest: which pictures there were and what they were used for, and how the model was made and judged.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::html::{Cell, Column, Table, pairs, paragraph, section};
use crate::metrics::wording::{count, grouped, score};
use crate::metrics::{Limit, Protocol};

/// The pictures by their use, and by defect type.
pub fn data(facts: &Facts) -> String {
    let config = &facts.source.model.meta.config;
    let mut folders = vec![(
        "Training pictures".to_owned(),
        config.data.display().to_string(),
    )];
    if let Some(folder) = facts.test_folder() {
        folders.push(("Test pictures".to_owned(), folder.display().to_string()));
    }
    let body = uses(facts.protocol()) + &types(facts) + &pairs("Folders", &folders);
    section("data", "Pictures", &body)
}

fn uses(protocol: &Protocol) -> String {
    let mut table = Table::new(
        "What the pictures were used for",
        &[
            ("Pictures", Column::Words),
            ("Number", Column::Numbers),
            ("Use", Column::Words),
        ],
    );
    let seen = protocol.seen.as_ref().map_or(0, Vec::len);
    let rows = [
        (
            "Training, good",
            Some(protocol.training_pictures),
            "the model learnt from these",
        ),
        (
            "Training, real defects",
            protocol.seen.is_some().then_some(seen),
            "learnt from and left out of the test",
        ),
        (
            "Calibration, good",
            Some(protocol.calibration_pictures),
            "held out of training; limits come from these, and they prove something about parts to come",
        ),
        ("Test, good", Some(protocol.test_good), "measure overkill"),
        (
            "Test, defective",
            Some(protocol.test_defective),
            "measure escapes",
        ),
        (
            "Test, unlabelled",
            positive(protocol.unlabelled),
            "scored, but nobody has judged them: they count in no number",
        ),
        (
            "Test, unreadable",
            positive(protocol.unreadable),
            "could not be read and are left out",
        ),
    ];
    table.rows = rows
        .into_iter()
        .filter_map(|(name, number, purpose)| Some((name, number?, purpose)))
        .map(|(name, number, purpose)| {
            vec![
                Cell::head(name),
                Cell::text(grouped(number)),
                Cell::text(purpose),
            ]
        })
        .collect();
    table.markup()
}

fn positive(number: usize) -> Option<usize> {
    (number > 0).then_some(number)
}

/// Test pictures of each defect type, and how many of them have a mask.
fn types(facts: &Facts) -> String {
    let mut types: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    let samples = &facts.source.record.samples;
    for (row, sample) in facts.rows().iter().zip(samples) {
        if row.is_defective() {
            let [pictures, masks] = types.entry(&row.defect).or_default();
            *pictures += 1;
            *masks += usize::from(!sample.masks.is_empty());
        }
    }
    if types.is_empty() {
        return paragraph("muted", "The test set has no defective pictures.");
    }
    let mut table = Table::new(
        "Defective test pictures by type",
        &[
            ("Defect type", Column::Words),
            ("Pictures", Column::Numbers),
            ("With a mask", Column::Numbers),
        ],
    );
    let rows = types.into_iter().map(|(name, numbers)| {
        let mut row = vec![Cell::head(name)];
        row.extend(numbers.map(|number| Cell::text(grouped(number))));
        row
    });
    table.rows = rows.collect();
    table.markup()
}

/// Everything that was decided before the test pictures were looked at.
pub fn protocol(facts: &Facts) -> String {
    let protocol = facts.protocol();
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let limit = |limit: &Limit| format!("{}, {}", score(limit.value), limit.origin.describe());
    let mut rows = vec![
        fact(
            "Model",
            facts.source.model.meta.config.model.title().to_owned(),
        ),
        fact("Backbone", protocol.backbone.clone()),
        fact(
            "Input",
            format!(
                "{}: the network sees {} × {} px",
                protocol.input, protocol.input_width, protocol.input_height
            ),
        ),
        fact("Seed", protocol.seed.to_string()),
        fact(
            "Epochs",
            format!(
                "{}, always the last; none is picked by looking at test pictures",
                protocol.epochs
            ),
        ),
        fact(
            "Trained on",
            count(protocol.training_pictures, "good picture"),
        ),
        fact(
            "Held out for calibration",
            count(protocol.calibration_pictures, "good picture"),
        ),
    ];
    rows.extend(seen(protocol));
    rows.extend([
        fact(
            "Tested on",
            format!(
                "{} good, {} defective, {} unlabelled",
                grouped(protocol.test_good),
                grouped(protocol.test_defective),
                grouped(protocol.unlabelled)
            ),
        ),
        fact(
            "Defective without a mask",
            format!(
                "{}: judged as pictures, absent from the pixel numbers",
                grouped(protocol.without_mask)
            ),
        ),
        fact(
            "Unreadable",
            format!("{}: left out", grouped(protocol.unreadable)),
        ),
        fact("Image limit when scored", limit(&protocol.image_limit)),
        fact("Pixel limit when scored", limit(&protocol.pixel_limit)),
        fact(
            "Speed",
            format!(
                "{:.2} pictures/s, decoding included ({:.1} s)",
                facts.evaluation().images_per_second,
                facts.evaluation().seconds
            ),
        ),
        fact("Device", protocol.device.clone()),
    ]);
    let body = pairs("How the model was made and judged", &rows);
    section("protocol", "Protocol", &body)
}

/// A model that learns from defects must say from which.
fn seen(protocol: &Protocol) -> Option<(String, String)> {
    let said = match protocol.seen.as_deref()? {
        [] => "none: purely synthetic training; published numbers of the method do not apply"
            .to_owned(),
        ids => format!(
            "{}, learnt from and not tested on: {}",
            ids.len(),
            ids.join(", ")
        ),
    };
    Some(("Seen defects".to_owned(), said))
}
