//! `flawscope predict`.

use anyhow::{Context, Result, bail};

use super::arguments::PredictArguments;
use super::console::Console;
use super::output;
use crate::pipeline::{self, PredictRequest, Prediction};

pub fn run(arguments: PredictArguments) -> Result<()> {
    let request = PredictRequest {
        model: arguments.model,
        input: arguments.input,
        out: arguments.out,
        weights: arguments.weights,
        device: arguments.device,
    };
    let prediction = {
        let console = Console::new();
        pipeline::predict(&request, &console)?
            .finished()
            .context("scoring was cancelled")?
    };
    if arguments.json {
        output::json(&prediction)?;
    } else {
        print(&prediction);
        output::line(&format!("Results in {}", request.out.display()));
    }
    match prediction.failed {
        0 => Ok(()),
        failed => bail!(
            "{failed} of {} pictures could not be scored; their rows in scores.csv say why",
            prediction.pictures.len()
        ),
    }
}

fn print(prediction: &Prediction) {
    output::rule(&prediction.rule);
    for picture in &prediction.pictures {
        match (picture.score, &picture.error) {
            (Some(score), _) => output::line(&format!(
                "{}  {score:.5}  {}",
                picture.verdict, picture.path
            )),
            (None, error) => output::line(&format!(
                "error  {}: {}",
                picture.path,
                error.as_deref().unwrap_or("not scored")
            )),
        }
    }
}
