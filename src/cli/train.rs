//! `flawscope train`.

use std::path::Path;

use anyhow::{Context, Result};

use super::arguments::{CflowArguments, TrainArguments};
use super::console::Console;
use super::output;
use crate::config::{BackboneChoice, BackboneKind, CalibrationConfig, ModelConfig, RunConfig};
use crate::data::OpenOptions;
use crate::pipeline::{self, Trained};

pub fn run(arguments: &TrainArguments) -> Result<()> {
    let config = run_config(arguments)?;
    let trained = train_with_console(&config, &arguments.out)?;
    if arguments.json {
        return output::json(&trained);
    }
    print(&trained);
    output::line(&format!(
        "Next                flawscope eval --run {}",
        arguments.out.display()
    ));
    Ok(())
}

/// Trains with progress in the terminal.
pub fn train_with_console(config: &RunConfig, out: &Path) -> Result<Trained> {
    let console = Console::new();
    pipeline::train(config, out, &console)?
        .finished()
        .context("training was cancelled")
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

fn run_config(arguments: &TrainArguments) -> Result<RunConfig> {
    let backbone = backbone_choice(&arguments.backbone, arguments.weights.as_deref())?;
    let model = model_config(arguments, backbone.kind)?;
    let category = arguments.category.clone();
    // A category's own folder is named like it.
    let named = category
        .as_deref()
        .or_else(|| arguments.data.file_name().and_then(|name| name.to_str()));
    let input = arguments
        .input
        .unwrap_or_else(|| arguments.preset.input(arguments.model, named));
    Ok(RunConfig {
        data: arguments.data.clone(),
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
            // EXPERIMENT
            if let Ok(patch) = std::env::var("CFLOW_PATCH") {
                let mut value = serde_json::to_value(&*cflow)?;
                for (k, v) in
                    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&patch)?
                {
                    value[k] = v;
                }
                *cflow = serde_json::from_value(value)?;
            }
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
