//! The limits of Results and of Inspect's drawer, what they prove, and the protocol, against `report.json`.

use serde_json::Value;

use super::labels::Labels;
use super::told::Told;

/// T1, T2 and pixel limit of a report. Without a band T1 is T2.
fn limits(report: &Value) -> [&Value; 3] {
    let limits = &report["limits"];
    let t2 = &limits["image"]["value"];
    let t1 = match &limits["review"] {
        Value::Null => t2,
        review => &review["value"],
    };
    [t1, t2, &limits["pixel"]["value"]]
}

pub fn check(shown: &Labels, report: &Value, told: &mut Told) {
    let [t1, t2, pixel] = limits(report);
    told.number("T1", &shown.field("T1, pass below"), t1);
    told.number("T2", &shown.field("T2, fail from"), t2);
    told.number("pixel limit", &shown.field("Pixel limit"), pixel);
    let mark = shown.with("The mark is the pixel limit, ");
    let (_, mark) = mark.split_once("limit, ").unwrap();
    told.number("marked pixel limit", mark, pixel);
    told.is("rule", shown.says(report["rule"].as_str().unwrap()));
    let sentence = report["proof"]["sentence"].as_str().unwrap();
    told.is(sentence, shown.says(sentence));
    facts(shown, report, told);
}

/// How the numbers were measured.
fn facts(shown: &Labels, report: &Value, told: &mut Told) {
    let fact = |name: &str| shown.after("How they were measured", name)[0];
    let [_, t2, pixel] = limits(report);
    for (name, value) in [("T2", t2), ("Pixel limit", pixel)] {
        let (number, _) = fact(name).split_once(", ").unwrap();
        told.number(name, number, value);
    }
    let protocol = &report["protocol"];
    told.text("seed", fact("Seed"), &protocol["seed"].to_string());
    let tested = format!(
        "{} good, {} defective",
        protocol["test_good"], protocol["test_defective"]
    );
    told.text("test pictures", fact("Tested on"), &tested);
    for (name, key) in [
        ("Trained on", "training_pictures"),
        ("Held out", "calibration_pictures"),
    ] {
        let number = fact(name).split(' ').next().unwrap();
        told.number(name, number, &protocol[key]);
    }
    let speed = fact("Speed").split(' ').next().unwrap();
    let per_second = report["numbers"]["images_per_second"].as_f64().unwrap();
    // Slow ones are told the other way round.
    let speed_told = if per_second >= 1.0 {
        per_second
    } else {
        1.0 / per_second
    };
    told.number("speed", speed, &speed_told.into());
}

/// Sliders and rates below a picture.
pub fn check_drawer(shown: &Labels, report: &Value, told: &mut Told) {
    let [t1, t2, pixel] = limits(report);
    for (name, value) in [
        ("T1, pass below", t1),
        ("T2, fail from", t2),
        ("Pixels from", pixel),
    ] {
        told.number(name, &shown.field(name), value);
    }
    for (name, key) in [
        ("Overkill", "overkill"),
        ("Escapes", "escapes"),
        ("Review", "review"),
    ] {
        let value = shown.after("Limits", name)[0];
        told.percent(name, value, &report[key]["share"]);
    }
}
