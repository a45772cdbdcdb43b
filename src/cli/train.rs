//! `flawscope train`.

use std::path::Path;

use anyhow::{Context, Result};

use super::arguments::{ModelName, Preset, TrainArguments};
use super::console::Console;
use super::output;
use crate::config::{
    BackboneChoice, BackboneKind, CalibrationConfig, CfaConfig, ModelConfig, RunConfig,
};
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
    let mut cfa = match arguments.preset {
        Preset::Paper => CfaConfig::paper(backbone.kind),
        Preset::Quick => CfaConfig::quick(backbone.kind),
    };
    if let Some(epochs) = arguments.epochs {
        cfa.epochs = epochs as usize;
    }
    let model = match arguments.model {
        ModelName::Cfa => ModelConfig::Cfa(cfa),
    };
    Ok(RunConfig {
        data: arguments.data.clone(),
        open: OpenOptions::default(),
        category: arguments.category.clone(),
        model,
        backbone,
        input: arguments.input,
        calibration: CalibrationConfig {
            quantile: arguments.limit_quantile,
            ..CalibrationConfig::default()
        },
        seed: arguments.seed,
        device: arguments.device,
        embed_backbone: arguments.embed_backbone,
    })
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
