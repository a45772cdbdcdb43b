//! What the examples cost, by kind; run with
//! `cargo test --release --lib data::augment::speed -- --ignored --nocapture`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use super::tests::{augmenter, round_product};
use super::{AugmentSettings, Example};

fn report(title: &str, costs: &BTreeMap<String, Vec<Duration>>) {
    let _ = writeln!(std::io::stderr(), "{title}");
    for (kind, times) in costs {
        let total: Duration = times.iter().sum();
        let mean = total.as_secs_f64() * 1000.0 / times.len() as f64;
        let worst = times.iter().max().map_or(0.0, Duration::as_secs_f64) * 1000.0;
        let count = times.len();
        let _ = writeln!(
            std::io::stderr(),
            "  {kind:40} {mean:6.2} ms on average, {worst:6.2} at worst ({count})"
        );
    }
}

#[test]
#[ignore = "a measurement, not a check"]
fn what_an_example_of_each_kind_costs() {
    for (name, settings) in [
        ("published", AugmentSettings::published()),
        ("refined", AugmentSettings::refined()),
    ] {
        let goods = (0..40).map(|i| round_product(256, 256, i)).collect();
        let augmenter = augmenter(goods, 5, 3, settings);
        let mut costs: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
        // The first epoch finds out where the products are.
        for epoch in 0..8 {
            for slot in 0..augmenter.slots() {
                let start = Instant::now();
                let Example { kind, .. } = augmenter.example(1, epoch, slot);
                let spent = start.elapsed();
                if epoch > 0 {
                    costs.entry(kind.to_string()).or_default().push(spent);
                    costs.entry("all".to_owned()).or_default().push(spent);
                }
            }
        }
        report(name, &costs);
    }
}
