//! The whole page, in the order in which a reader asks: the verdict, on what it rests, the curves, the errors, the settings.

use anyhow::Result;
use sha2::{Digest, Sha256};

use super::data_uri::base64;
use super::facts::Facts;
use super::html::{escape, paragraph};
use super::pictures::Pictures;
use super::{charts, findings, limits, numbers, protocol, settings, sizes, summary, worst};

const STYLE: &str = include_str!("style.css");

/// What a browser may use of the page: the pictures inside it and the one style that has this hash. Nothing is fetched and
/// nothing runs, whatever a name might smuggle in.
fn policy() -> String {
    let hash = base64(&Sha256::digest(style()));
    format!("default-src 'none'; img-src data:; style-src 'sha256-{hash}'")
}

/// The text of the style element, every character of which counts for the hash.
fn style() -> String {
    format!("\n{}", STYLE.replace('\r', ""))
}

pub fn page(facts: &Facts, pictures: &Pictures) -> Result<String> {
    let title = escape(&format!("Inspection report: {}", facts.product()));
    let parts = [
        summary::header(facts),
        summary::verdict(facts),
        protocol::data(facts),
        protocol::protocol(facts),
        limits::limits(facts),
        numbers::numbers(facts),
        charts::curves(facts),
        findings::confusion(facts),
        findings::recall(facts),
        sizes::sizes(facts),
        worst::false_rejects(facts, pictures),
        worst::escapes(facts, pictures),
        settings::settings(facts)?,
    ];
    let footer = paragraph(
        "muted",
        &format!(
            "Written by Flawscope {}. This page needs no network and runs no program.",
            env!("CARGO_PKG_VERSION")
        ),
    );
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n{}</main>\n\
         <footer>{footer}</footer>\n</body>\n</html>\n",
        policy(),
        style(),
        parts.concat(),
    ))
}
