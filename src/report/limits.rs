//! The limits in force, where each came from, how they make a verdict, and what the held-out pictures prove about them.

use super::facts::Facts;
use super::html::{Cell, Column, Table, escape, origin, paragraph, section};
use crate::metrics::proof::caveats;
use crate::metrics::wording::{area, rule_sentence, score, unbroken};
use crate::metrics::{Limit, what_it_proves};

/// Of every statement about parts to come.
pub const CONFIDENCE: f64 = 0.95;

pub fn limits(facts: &Facts) -> String {
    let rule = &facts.rule;
    let mut table = Table::new(
        "Limits in force",
        &[
            ("Limit", Column::Words),
            ("Value", Column::Numbers),
            ("Meaning", Column::Words),
            ("Where it comes from", Column::Words),
        ],
    );
    table.class = "limits";
    table.rows = vec![
        match &rule.review {
            Some(review) => of_limit(
                "T1",
                review,
                "Scores below it PASS; from T1 to T2 is REVIEW",
            ),
            None => without("T1", "No REVIEW band: scores below T2 PASS"),
        },
        of_limit("T2", &rule.fail, "Scores at or above it FAIL"),
        of_limit(
            "Pixel limit",
            &rule.pixel,
            "Map pixels at or above it belong to a region",
        ),
        area_rule(facts),
        scale(facts),
    ];
    let sentence = rule_sentence(rule, facts.pixels_per_mm());
    let body = format!(
        "{}<p><strong>How they combine:</strong> {}.</p>\n{}",
        table.markup(),
        escape(&unbroken(&sentence)),
        proof(facts)
    );
    section("limits", "Limits and what they prove", &body)
}

fn of_limit(name: &str, limit: &Limit, meaning: &str) -> Vec<Cell> {
    vec![
        Cell::head(name),
        Cell::text(score(limit.value)),
        Cell::text(meaning),
        Cell::Markup(origin(&limit.origin)),
    ]
}

fn without(name: &str, meaning: &str) -> Vec<Cell> {
    vec![
        Cell::head(name),
        Cell::text("none"),
        Cell::text(meaning),
        Cell::text(""),
    ]
}

fn area_rule(facts: &Facts) -> Vec<Cell> {
    let rule = facts.rule.area;
    if rule.is_off() {
        return without("Area rule", rule.combination.meaning());
    }
    let meaning = if facts.source.regions.is_some() {
        rule.combination.meaning().to_owned()
    } else {
        format!(
            "{}. Not applied: an earlier program scored these pictures and measured no regions",
            rule.combination.meaning()
        )
    };
    vec![
        Cell::head("Area rule"),
        Cell::text(area(rule.pixels.max(1.0), facts.pixels_per_mm())),
        Cell::text(meaning),
        Cell::text(format!("{}, set by hand", rule.combination.name())),
    ]
}

fn scale(facts: &Facts) -> Vec<Cell> {
    match facts.pixels_per_mm() {
        None => without("Scale", "Not measured: areas are in pixels of the picture"),
        Some(scale) => vec![
            Cell::head("Scale"),
            Cell::text(format!("{} px/mm", score(scale as f32))),
            Cell::text("Pixels of a picture on one millimetre of the product"),
            Cell::text("measured by hand"),
        ],
    }
}

fn proof(facts: &Facts) -> String {
    let said = |limit: f32| what_it_proves(facts.held_out(), limit, CONFIDENCE).sentence();
    let at_t2 = format!(
        "<p><strong>What T2 proves:</strong> {}.</p>\n",
        escape(&unbroken(&said(facts.rule.fail_from())))
    );
    let caveats: String = caveats(&facts.rule)
        .map(|caveat| paragraph("caution", &format!("{caveat}.")))
        .collect();
    let review = facts.rule.review.as_ref();
    let review = review.filter(|_| !facts.held_out().is_empty());
    let at_t1 = review.map_or_else(String::new, |review| {
        format!(
            "<p><strong>What T1 proves,</strong> reading “fail” as “do not pass”: {}.</p>\n",
            escape(&unbroken(&said(review.value)))
        )
    });
    let conditions = paragraph(
        "muted small",
        "Exact binomial bounds. They hold for parts like the held-out ones, and for limits that were fixed before looking at \
         them or come from their order; a limit moved about until it pleases proves less.",
    );
    format!("<div class=\"proof\">\n{at_t2}{caveats}{at_t1}{conditions}</div>\n")
}
