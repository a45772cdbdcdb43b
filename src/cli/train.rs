//! `flawscope train`.

use std::path::Path;

use anyhow::{Context, Result};

use super::arguments::{PrnArguments, TrainArguments};
use super::console::Console;
use super::{output, preview};
use crate::config::{
    BackboneChoice, BackboneKind, CalibrationConfig, DefectsConfig, ModelConfig, RunConfig,
    SeenChoice,
};
use crate::data::OpenOptions;
use crate::pipeline::{self, StepTimes, Trained};
use crate::progress::Outcome;
use crate::store::RunFolder;

pub fn run(arguments: &TrainArguments) -> Result<()> {
    if let (Some(sheet), Some(data)) = (&arguments.prn.preview_augmentation, &arguments.data) {
        return preview::run(&run_config(arguments, data)?, sheet);
    }
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
    if let Some(seen) = &trained.seen {
        output::seen(seen.iter().map(|seen| seen.id.as_str()));
    }
    step_times(&trained.step);
    output::line(&format!(
        "Limit               {:.5}, {}",
        trained.image_limit.value,
        trained.image_limit.origin.describe()
    ));
    output::line(&format!("Model               {}", trained.model.display()));
}

/// Where a step's time went, for models that say so.
fn step_times(step: &StepTimes) {
    if step.parts.is_empty() {
        return;
    }
    let parts = step.parts.iter().map(|(&part, &seconds)| (part, seconds));
    let parts = parts.chain([("waiting for pictures", step.waiting)]);
    let parts: Vec<String> = parts
        .map(|(part, seconds)| format!("{part} {:.0} ms", 1e3 * seconds))
        .collect();
    output::line(&format!("A step              {}", parts.join(", ")));
}

fn run_config(arguments: &TrainArguments, data: &Path) -> Result<RunConfig> {
    let backbone = backbone_choice(&arguments.backbone, arguments.weights.as_deref())?;
    let model = model_config(arguments, backbone.kind)?;
    let defects = defects_config(arguments)?;
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
        defects,
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
    anyhow::ensure!(
        arguments.cflow.is_empty() || matches!(model, ModelConfig::Cflow(_)),
        "--clamp, --adam, --gradient and --rotations belong to CFLOW-AD; add --model cflow"
    );
    anyhow::ensure!(
        arguments.prn.is_empty() || matches!(model, ModelConfig::Prn(_)),
        "--seen, --masks, --textures, --foreground, --recipe, --preview-augmentation, --attention, --micro-batch, --decay, --cosine-tail and \
         --weight-average belong to PRN; add --model prn"
    );
    match (&mut model, arguments.learning_rate) {
        (ModelConfig::Cfa(_), Some(_)) => {
            anyhow::bail!(
                "--learning-rate belongs to CFLOW-AD and PRN; CFA's is part of its method"
            )
        }
        (ModelConfig::Cflow(cflow), Some(rate)) => cflow.learning_rate = rate,
        (ModelConfig::Prn(prn), Some(rate)) => prn.learning_rate = rate,
        (_, None) => {}
    }
    match &mut model {
        ModelConfig::Cfa(_) => {}
        ModelConfig::Cflow(cflow) => arguments.cflow.change(cflow),
        ModelConfig::Prn(prn) => arguments.prn.change(prn),
    }
    Ok(model)
}

/// What a model that learns from defects is shown of them.
fn defects_config(arguments: &TrainArguments) -> Result<Option<DefectsConfig>> {
    if !arguments.model.learns_from_defects() {
        return Ok(None);
    }
    let PrnArguments {
        seen,
        masks,
        textures,
        foreground,
        recipe,
        ..
    } = &arguments.prn;
    Ok(Some(DefectsConfig {
        seen: seen.as_deref().map_or(Ok(SeenChoice::None), seen_choice)?,
        annotations: masks.clone(),
        textures: textures.clone(),
        foreground: foreground.unwrap_or_default(),
        augment: recipe.unwrap_or(arguments.preset.recipe()).settings(),
    }))
}

/// A number to draw, a file of ids, or the ids themselves.
fn seen_choice(text: &str) -> Result<SeenChoice> {
    if let Ok(count) = text.parse() {
        return Ok(match count {
            0 => SeenChoice::None,
            count => SeenChoice::Draw(count),
        });
    }
    let listed = if Path::new(text).is_file() {
        std::fs::read_to_string(text).with_context(|| format!("reading {text}"))?
    } else {
        text.to_owned()
    };
    let ids = listed.split([',', '\n']).map(str::trim);
    let ids: Vec<String> = ids.filter(|id| !id.is_empty()).map(str::to_owned).collect();
    anyhow::ensure!(!ids.is_empty(), "--seen {text} names no picture");
    Ok(SeenChoice::Listed(ids))
}

/// A backbone by name, or by a weights file from which the network is recognised.
pub fn backbone_choice(text: &str, weights: Option<&Path>) -> Result<BackboneChoice> {
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
