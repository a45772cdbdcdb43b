//! What can be typed, exactly as typed. Checked and completed in the command's own file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::DeviceChoice;
use crate::data::image::InputPreset;

/// Finds defects in product pictures. Without a command, opens the window.
#[derive(Debug, Parser)]
#[command(name = "flawscope", version, arg_required_else_help = false)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Draw the built-in sample data set
    Sample(SampleArguments),
    /// Train a model on the good pictures of a data set
    Train(Box<TrainArguments>),
    /// Score a data set's test pictures with a trained run and write RUN/evaluation.json
    Eval(EvalArguments),
    /// Score loose pictures with a trained model
    Predict(PredictArguments),
    /// Backbone weights: what is there, bring more
    #[command(subcommand)]
    Weights(WeightsCommand),
    /// The whole road without a display: sample, train, eval
    Demo(DemoArguments),
}

#[derive(Debug, Args)]
pub struct SampleArguments {
    /// Folder to create; must not hold anything yet
    #[arg(long)]
    pub out: PathBuf,
    /// Same seed, same pictures
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Good training pictures; test pictures follow in proportion
    #[arg(long)]
    pub count: Option<usize>,
}

#[derive(Debug, Args)]
pub struct TrainArguments {
    /// Data set folder
    #[arg(long)]
    pub data: PathBuf,
    /// Category, when the data set has several
    #[arg(long)]
    pub category: Option<String>,
    #[arg(long, value_enum, default_value_t = ModelName::Cfa)]
    pub model: ModelName,
    /// efficientnet-lite0, mobilenet-v3-large, resnet18, resnet50, wide-resnet50-2, or a weights file
    #[arg(long, default_value = "efficientnet-lite0")]
    pub backbone: String,
    /// Weights file for the backbone, when it is not found by itself
    #[arg(long)]
    pub weights: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Preset::Paper)]
    pub preset: Preset,
    /// Network input: 256 (whole picture) or 224crop (centre, the papers' benchmark)
    #[arg(long, default_value_t = InputPreset::Resize256)]
    pub input: InputPreset,
    /// Overrides the preset's number of epochs
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// Put the limit at this quantile (0 to 1) of held-out good scores instead of their maximum
    #[arg(long, value_parser = parse_quantile)]
    pub limit_quantile: Option<f64>,
    /// Carry the backbone's weights inside the model file
    #[arg(long)]
    pub embed_backbone: bool,
    /// Run folder to write
    #[arg(long)]
    pub out: PathBuf,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct EvalArguments {
    /// Run folder written by `train`
    #[arg(long)]
    pub run: PathBuf,
    /// Another data set than the run was trained on
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Category of that data set, when it has several
    #[arg(long, requires = "data")]
    pub category: Option<String>,
    /// Backbone weights, when they are not found by themselves
    #[arg(long)]
    pub weights: Option<PathBuf>,
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct PredictArguments {
    /// Model file (RUN/model.safetensors) or run folder
    #[arg(long)]
    pub model: PathBuf,
    /// A picture, or a folder of pictures
    #[arg(long)]
    pub input: PathBuf,
    /// Folder for scores.csv, raw maps and overlays
    #[arg(long)]
    pub out: PathBuf,
    /// Backbone weights, when they are not found by themselves
    #[arg(long)]
    pub weights: Option<PathBuf>,
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum WeightsCommand {
    /// Weights at hand, and those that can be fetched
    List {
        /// Print one JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Copy a weights file into your weights folder after checking it
    Import { file: PathBuf },
    /// Download a backbone's published weights, with hash check and resume
    Fetch {
        /// One of the names that `weights list` shows, such as resnet18
        name: String,
        /// Fetch from this address instead of the public one; the hash is checked all the same
        #[arg(long)]
        url: Option<String>,
    },
    /// Convert a weights file to safetensors
    Convert {
        input: PathBuf,
        output: PathBuf,
        /// Store 16-bit floats: half the size, relative error about 5e-4
        #[arg(long)]
        half: bool,
    },
}

#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Where to keep the sample and the run; a temporary folder when left out
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ModelName {
    Cfa,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Preset {
    /// The published schedule
    Paper,
    /// A few epochs, for a first look
    Quick,
}

fn parse_quantile(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err(format!("`{text}` is not a share between 0 and 1")),
    }
}
