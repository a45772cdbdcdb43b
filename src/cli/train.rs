//! `flawscope train`.

use std::path::Path;

use anyhow::{Context, Result};

use super::arguments::{CflowArguments, TrainArguments};
use super::console::Console;
use super::output;
use crate::config::{BackboneChoice, BackboneKind, CalibrationConfig, ModelConfig, RunConfig};
use crate::data::OpenOptions;
use crate::pipeline::{self, Trained};
use crate::progress::Outcome;
use crate::store::RunFolder;

pub fn run(arguments: &TrainArguments) -> Result<()> {
    let (out, trained) = match (&arguments.resume, &arguments.data, &arguments.out) {
        (Some(run), ..) => (run, resume_with_console(run)?),
        (None, Some(data), Some(out)) => {
            let config = run_config(arguments, data)?;
            (out, train_with_console(&config, out)?)
        }
        _ => anyhow::bail!("--data and --out are needed, or --resume"),
    };
    if arguments.json {
        return output::json(&trained);
    }
    print(&trained);
    output::line(&format!(
        "Next                flawscope eval --run {}",
        out.display()
    ));
    Ok(())
}

/// Trains with progress in the terminal.
pub fn train_with_console(config: &RunConfig, out: &Path) -> Result<Trained> {
    let console = Console::new();
    finished(pipeline::train(config, out, &console)?, out)
}

fn resume_with_console(run: &Path) -> Result<Trained> {
    let console = Console::new();
    finished(pipeline::resume(run, &console)?, run)
}

fn finished(outcome: Outcome<Trained>, run: &Path) -> Result<Trained> {
    let kept = RunFolder::open_interrupted(run).is_ok();
    let run = run.display();
    outcome.finished().with_context(|| {
        if kept {
            format!("training was cancelled; go on with `flawscope train --resume {run}`")
        } else {
            "training was cancelled before its first step; nothing was kept".to_owned()
        }
    })
}

/// What training gave, for people.
pub fn print(trained: &Trained) {
    output::line(&format!(
        "Trained             {} pictures in {:.1} s ({:.2} s an epoch, {} epochs), last loss {:.4}",
        trained.training_pictures,
        trained.seconds,
        trained.seconds_per_epoch,
        trained.epochs,
        trained.last_loss
    ));
    output::line(&format!(
        "Limit               {:.5}, {}",
        trained.image_limit.value,
        trained.image_limit.origin.describe()
    ));
    output::line(&format!("Model               {}", trained.model.display()));
}

fn run_config(arguments: &TrainArguments, data: &Path) -> Result<RunConfig> {
    let backbone = backbone_choice(&arguments.backbone, arguments.weights.as_deref())?;
    let model = model_config(arguments, backbone.kind)?;
    let category = arguments.category.clone();
    // A category's own folder is named like it.
    let named = category
        .as_deref()
        .or_else(|| data.file_name().and_then(|name| name.to_str()));
    let input = arguments
        .input
        .unwrap_or_else(|| arguments.preset.input(arguments.model, named));
    Ok(RunConfig {
        data: data.to_path_buf(),
        open: OpenOptions::default(),
        category,
        model,
        backbone,
        input,
        calibration: CalibrationConfig {
            quantile: arguments.limit_quantile,
            ..CalibrationConfig::default()
        },
        seed: arguments.seed,
        device: arguments.device,
        embed_backbone: arguments.embed_backbone,
    })
}

fn model_config(arguments: &TrainArguments, backbone: BackboneKind) -> Result<ModelConfig> {
    let mut model = arguments.preset.model(arguments.model, backbone);
    if let Some(epochs) = arguments.epochs {
        model.set_epochs(epochs as usize);
    }
    if let Some(pictures) = arguments.batch {
        model.set_batch_size(pictures as usize);
    }
    let CflowArguments {
        clamp,
        adam,
        gradient,
        rotations,
        learning_rate,
    } = arguments.cflow;
    match &mut model {
        ModelConfig::Cflow(cflow) => {
            cflow.clamp = clamp.unwrap_or(cflow.clamp);
            cflow.sharing = adam.unwrap_or(cflow.sharing);
            cflow.gradient = gradient.unwrap_or(cflow.gradient);
            cflow.rotation_draws = rotations.map_or(cflow.rotation_draws, |draws| draws as usize);
            cflow.learning_rate = learning_rate.unwrap_or(cflow.learning_rate);
        }
        ModelConfig::Cfa(_) => anyhow::ensure!(
            arguments.cflow.is_empty(),
            "--clamp, --adam, --gradient, --rotations and --learning-rate belong to CFLOW-AD; add --model cflow"
        ),
    }
    Ok(model)
}

/// A backbone by name, or by a weights file from which the network is recognised.
fn backbone_choice(text: &str, weights: Option<&Path>) -> Result<BackboneChoice> {
    if let Ok(kind) = text.parse::<BackboneKind>() {
        return Ok(BackboneChoice {
            kind,
            weights: weights.map(Path::to_path_buf),
        });
    }
    let file = Path::new(text);
    let names: Vec<&str> = BackboneKind::ALL.iter().map(|kind| kind.name()).collect();
    anyhow::ensure!(
        file.is_file(),
        "`{text}` is neither a backbone ({}) nor a weights file",
        names.join(", ")
    );
    Ok(BackboneChoice {
        kind: pipeline::backbone_of(file)?,
        weights: Some(file.to_path_buf()),
    })
}
