//! `flawscope eval`.

use std::path::Path;

use anyhow::{Context, Result};

use super::arguments::EvalArguments;
use super::console::Console;
use super::output;
use crate::metrics::Evaluation;
use crate::pipeline::{self, EvaluateRequest, SeenPolicy};

pub fn run(arguments: EvalArguments) -> Result<()> {
    let (json, run) = (arguments.json, arguments.run.clone());
    let evaluation = evaluate_with_console(&EvaluateRequest {
        run: arguments.run,
        data: arguments.data,
        category: arguments.category,
        weights: arguments.weights,
        device: arguments.device,
        seen: if arguments.leave_out_seen {
            SeenPolicy::LeaveOut
        } else {
            SeenPolicy::Refuse
        },
    })?;
    if json {
        return output::json(&evaluation);
    }
    verdicts_of(&run, &evaluation)
}

/// Prints the numbers with the verdicts at the limits in the run's model.
pub fn verdicts_of(run: &Path, evaluation: &Evaluation) -> Result<()> {
    let judged = pipeline::judge(run)?;
    output::evaluation(evaluation, &judged.rule, &judged.judgement.tally);
    Ok(())
}

/// Evaluates with progress in the terminal.
pub fn evaluate_with_console(request: &EvaluateRequest) -> Result<Evaluation> {
    let console = Console::new();
    pipeline::evaluate(request, &console)?
        .finished()
        .context("the evaluation was cancelled")
}
