//! The worst errors with their pictures: what a person should look at before believing the rates.

use super::facts::{Facts, Worst};
use super::findings::badge_of;
use super::html::{escape, paragraph, section};
use super::pictures::{Pictures, Shown, Views};
use crate::metrics::wording::{count, score};

pub fn false_rejects(facts: &Facts, pictures: &Pictures) -> String {
    let body = body(
        facts,
        (&facts.overkill, &pictures.overkill),
        "No good picture fails.",
        "Good pictures that fail, the highest score first.",
    );
    section("false-rejects", "Worst false rejects", &body)
}

pub fn escapes(facts: &Facts, pictures: &Pictures) -> String {
    let body = body(
        facts,
        (&facts.escapes, &pictures.escapes),
        "No defective picture passes.",
        "Defective pictures that pass, the lowest score first. A yellow outline surrounds the defect as it was marked.",
    );
    section("escapes", "Worst escapes", &body)
}

fn body(facts: &Facts, (all, views): (&Worst, &[Views]), nothing: &str, meaning: &str) -> String {
    if views.is_empty() {
        return paragraph("muted", nothing);
    }
    let left_out = all.rows.len() - views.len();
    let more = match left_out {
        0 => String::new(),
        _ => format!(
            " {} of {} are shown; the table beside this page has all.",
            views.len(),
            count(all.rows.len(), "picture")
        ),
    };
    let meaning = format!(
        "{meaning}{more} Left as it is, right its heatmap, from {} (dark) to {} (bright); the white contour surrounds what \
         reaches the pixel limit, {}.",
        score(facts.limits().scale.0),
        score(facts.limits().scale.1),
        score(facts.rule.pixel.value)
    );
    let figures: Vec<String> = views.iter().map(|views| figure(facts, views)).collect();
    paragraph("muted", &meaning) + "<div class=\"worst\">\n" + &figures.concat() + "</div>\n"
}

fn figure(facts: &Facts, views: &Views) -> String {
    let Some(row) = facts.rows().get(views.index) else {
        return String::new();
    };
    let pair = [
        shown(&views.picture, &row.path),
        shown(
            &views.heatmap,
            &format!("{}, heatmap with the contour at the pixel limit", row.path),
        ),
    ];
    let pair = match (&views.picture, &views.heatmap) {
        // One file, one reason.
        (Err(one), Err(other)) if one == other => note(one),
        _ => pair.concat(),
    };
    format!(
        "<figure>\n<div class=\"pair\">{pair}</div>\n<figcaption>{} <span class=\"path\">{}</span>\
         <span class=\"muted\">{}, score {}{}</span></figcaption>\n</figure>\n",
        badge_of(facts, views.index),
        escape(&row.path),
        escape(&row.defect),
        score(row.score),
        by_area(facts, views.index)
    )
}

/// Said where the score alone would have judged otherwise.
fn by_area(facts: &Facts, index: usize) -> &'static str {
    let row = facts.rows().get(index);
    let judged = row.zip(facts.judgement.verdicts.get(index));
    match judged {
        Some((row, &verdict)) if facts.rule.of_score(row.score) != verdict => {
            ", judged by the area rule"
        }
        _ => "",
    }
}

fn shown(shown: &Shown, alternative: &str) -> String {
    match shown {
        Ok(image) => format!(
            "<img src=\"{}\" width=\"{}\" height=\"{}\" alt=\"{}\">",
            image.address,
            image.width,
            image.height,
            escape(alternative)
        ),
        Err(reason) => note(reason),
    }
}

fn note(reason: &str) -> String {
    format!("<p class=\"gone\">Cannot be shown: {}</p>", escape(reason))
}
