//! `flawscope bench`: what this machine can do.

use anyhow::{Context, Result, ensure};

use super::arguments::BenchArguments;
use super::console::Console;
use super::output::{self, line};
use super::train::backbone_choice;
use crate::config::ModelName;
use crate::pipeline::{self, Bench, BenchRequest, Part};

/// Of the names of parts.
const NAME: usize = 52;

pub fn run(arguments: &BenchArguments) -> Result<()> {
    ensure!(
        arguments.seconds.is_finite() && (0.0..=3600.0).contains(&arguments.seconds),
        "--seconds {} makes no sense; each part can take 0 to 3600",
        arguments.seconds
    );
    let models = match arguments.model {
        Some(model) => vec![model],
        None => ModelName::ALL.to_vec(),
    };
    let request = BenchRequest {
        models,
        backbone: backbone_choice(&arguments.backbone, arguments.weights.as_deref())?,
        input: arguments.input,
        device: arguments.device,
        seconds: arguments.seconds,
    };
    let bench = {
        let console = Console::new();
        pipeline::bench(&request, &console)?
            .finished()
            .context("measuring was cancelled")?
    };
    if arguments.json {
        return output::json(&bench);
    }
    print(&bench);
    Ok(())
}

fn print(bench: &Bench) {
    let [width, height] = bench.input;
    line(&format!(
        "Flawscope {} on {} with {} threads, {} at {width} x {height} px",
        bench.program_version, bench.device, bench.threads, bench.backbone
    ));
    line("");
    line(&format!(
        "{:<NAME$}{:>11}{:>20}  {:<9}{:>8}{:>9}{:>9}",
        "", "median, ms", "10 to 90 %, ms", "for each", "GFLOP/s", "share", "peak MB"
    ));
    for part in &bench.parts {
        line(&row(part));
    }
    line("");
    line("share: of what the matrix product reaches. peak: the most memory held so far");
}

fn row(part: &Part) -> String {
    let seconds = part.seconds;
    let spread = if seconds.runs > 1 {
        format!(
            "{} to {}",
            milliseconds(seconds.low),
            milliseconds(seconds.high)
        )
    } else {
        "one run".to_owned()
    };
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.0}"));
    let share = part
        .share_of_product
        .map_or_else(String::new, |share| format!("{:.0} %", 100.0 * share));
    let peak = part.peak_memory.map(|bytes| bytes as f64 / 1e6);
    let row = format!(
        "{:<NAME$}{:>11}{spread:>20}  {:<9}{:>8}{share:>9}{:>9}",
        part.name,
        milliseconds(seconds.median),
        part.unit,
        number(part.gflops),
        number(peak)
    );
    row.trim_end().to_owned()
}

/// Three digits that count.
fn milliseconds(seconds: f64) -> String {
    let value = 1e3 * seconds;
    let digits = match value {
        value if value < 10.0 => 2,
        value if value < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::{milliseconds, row};
    use crate::pipeline::{Part, Timing};

    #[test]
    fn times_keep_the_digits_that_count() {
        let told: Vec<String> = [0.000_123, 0.012_34, 0.123_4, 12.0]
            .map(milliseconds)
            .to_vec();
        assert_eq!(told, ["0.12", "12.3", "123", "12000"]);
    }

    #[test]
    fn what_is_not_known_is_left_empty() {
        let seconds = Timing {
            median: 0.012,
            low: 0.012,
            high: 0.012,
            runs: 1,
        };
        let part = Part {
            name: "whole training".to_owned(),
            unit: "picture",
            seconds,
            gflops: None,
            share_of_product: None,
            peak_memory: None,
        };
        let row = row(&part);
        assert!(
            row.starts_with("whole training") && row.ends_with("one run  picture"),
            "{row}"
        );
    }
}
