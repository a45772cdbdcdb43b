//! The top of the page: what was inspected by what, and the verdict in two sentences.

use super::date::date;
use super::facts::Facts;
use super::html::{escape, paragraph};
use crate::metrics::wording::{NOT_AVAILABLE, count, grouped, interval, percent, score};
use crate::metrics::{Rate, Truth};

pub fn header(facts: &Facts) -> String {
    let config = &facts.source.model.meta.config;
    let protocol = facts.protocol();
    let scored = match facts.source.record.scored_at {
        Some(seconds) => format!("scored {}", date(seconds)),
        None => "scored by an earlier program that kept no date".to_owned(),
    };
    let line = format!(
        "{} on {}, input {} × {} px · {scored} · run folder {}",
        config.model.title(),
        protocol.backbone,
        protocol.input_width,
        protocol.input_height,
        facts.source.run
    );
    format!(
        "<header>\n<p class=\"kind\">Inspection report</p>\n<h1>{}</h1>\n{}</header>\n",
        escape(&facts.product()),
        paragraph("muted", &line)
    )
}

/// The box everybody reads.
pub fn verdict(facts: &Facts) -> String {
    let tally = facts.tally();
    let tiles = [
        tile(
            "Overkill",
            "good picture",
            ["fails", "fail"],
            tally.overkill(),
        ),
        tile(
            "Escapes",
            "defective picture",
            ["passes", "pass"],
            tally.escapes(),
        ),
        tile(
            "Review",
            "picture",
            ["goes to a person", "go to a person"],
            tally.review(),
        ),
    ];
    let caution = if facts.flatters_itself() {
        "<p class=\"caution\"><span class=\"badge warning\">chosen on the test pictures</span> A limit in force was chosen by \
         looking at these very pictures, so the rates flatter it: do not expect them on parts to come.</p>\n"
    } else {
        ""
    };
    let intervals = paragraph(
        "muted small",
        "Intervals are exact (Clopper and Pearson) at 95 % confidence: the rates that these counts leave open.",
    );
    format!(
        "<section class=\"verdict\" id=\"verdict\" aria-labelledby=\"verdict-title\">\n\
         <h2 id=\"verdict-title\">Verdict</h2>\n{}<div class=\"tiles\">{}</div>\n{caution}{intervals}</section>\n",
        paragraph("sentence", &sentence(facts)),
        tiles.concat()
    )
}

fn tile(name: &str, what: &str, verbs: [&str; 2], rate: Rate) -> String {
    let share = rate.share();
    let value = share.map_or_else(|| NOT_AVAILABLE.to_owned(), percent);
    let counts = counted(rate, what, verbs);
    let counts = counts.unwrap_or_else(|| format!("there is no {what} to count"));
    let open = share.map_or_else(String::new, |_| {
        format!(
            "<span>95\u{a0}% interval {}</span>",
            escape(&interval(rate))
        )
    });
    format!(
        "<div class=\"tile\"><span class=\"name\">{name}</span><strong>{}</strong><span>{}</span>{open}</div>\n",
        escape(&value.replace(' ', "\u{a0}")),
        escape(&counts),
    )
}

fn sentence(facts: &Facts) -> String {
    let tally = facts.tally();
    let fail = score(facts.rule.fail_from());
    let limits = match &facts.rule.review {
        Some(review) => format!("T1 {} and T2 {fail}", score(review.value)),
        None => format!("T2 {fail}"),
    };
    let good = told(
        tally.overkill(),
        "good picture",
        ["fails", "fail"],
        "overkill",
    )
    .unwrap_or_else(|| "there are no good test pictures to measure overkill on".to_owned());
    let defective = told(
        tally.escapes(),
        "defective picture",
        ["passes", "pass"],
        "escapes",
    )
    .unwrap_or_else(|| "there are no defective ones to measure escapes on".to_owned());
    format!(
        "At the limits in force ({limits}), {good}, and {defective}. {}.",
        review(facts)
    )
}

/// Such as "1 of 12 good pictures fails (overkill 8.3 %, 95 % interval 0.2 % to 38.5 %)"; `None` of nothing.
fn told(rate: Rate, what: &str, verbs: [&str; 2], name: &str) -> Option<String> {
    Some(format!(
        "{} ({name} {}, 95 % interval {})",
        counted(rate, what, verbs)?,
        percent(rate.share()?),
        interval(rate)
    ))
}

/// Such as "1 of 12 good pictures fails"; `None` of nothing.
fn counted(rate: Rate, what: &str, [one, more]: [&str; 2]) -> Option<String> {
    let verb = if rate.events == 1 { one } else { more };
    let events = match rate.events {
        0 => "none".to_owned(),
        events => grouped(events),
    };
    (rate.of > 0).then(|| format!("{events} of {} {verb}", count(rate.of, what)))
}

fn review(facts: &Facts) -> String {
    let tally = facts.tally();
    let rate = tally.review();
    let unlabelled = match tally.pictures(Truth::Unlabelled) {
        0 => String::new(),
        1 => "; 1 unlabelled picture was scored, too".to_owned(),
        number => format!("; {} unlabelled pictures were scored, too", grouped(number)),
    };
    if facts.rule.review.is_none() {
        return format!("There is no REVIEW band, so no picture goes to a person{unlabelled}");
    }
    match rate.events {
        0 => format!("No picture goes to review{unlabelled}"),
        events => format!(
            "{} of {} {} to review ({}, 95 % interval {}){unlabelled}",
            grouped(events),
            count(rate.of, "picture"),
            if events == 1 { "goes" } else { "go" },
            rate.share().map_or_else(String::new, percent),
            interval(rate)
        ),
    }
}
