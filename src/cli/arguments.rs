//! What can be typed, exactly as typed. Checked and completed in the command's own file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use serde::de::value::Error as ValueError;
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::config::{
    AdamSharing, AttentionForm, CflowConfig, Clamp, Decay, DeviceChoice, Gradient, ModelName,
    Preset, PrnConfig, Recipe,
};
use crate::data::augment::ForegroundRule;
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
    /// Write a scored run as one page that needs nothing else, with a table and a JSON file beside it
    Report(ReportArguments),
    /// Set two or three scored runs side by side: numbers, protocols, and the pictures they judge differently
    Compare(CompareArguments),
    /// What this machine can do: the parts of training and scoring, timed one by one
    Bench(BenchArguments),
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

/// What an interrupted training brings along.
const RESUME_KNOWS: [&str; 30] = [
    "data",
    "category",
    "model",
    "backbone",
    "weights",
    "preset",
    "input",
    "epochs",
    "batch",
    "seed",
    "device",
    "limit_quantile",
    "embed_backbone",
    "out",
    "clamp",
    "adam",
    "gradient",
    "rotations",
    "learning_rate",
    "seen",
    "masks",
    "textures",
    "foreground",
    "recipe",
    "preview_augmentation",
    "attention",
    "micro_batch",
    "decay",
    "cosine_tail",
    "weight_average",
];

#[derive(Debug, Args)]
pub struct TrainArguments {
    /// Go on with the training that was interrupted in this run folder, with its own settings
    #[arg(long, value_name = "RUN", conflicts_with_all = RESUME_KNOWS)]
    pub resume: Option<PathBuf>,
    /// Data set folder
    #[arg(long, required_unless_present = "resume")]
    pub data: Option<PathBuf>,
    /// Category, when the data set has several
    #[arg(long)]
    pub category: Option<String>,
    /// cfa (coupled hyperspheres), cflow (CFLOW-AD, conditional normalizing flows) or prn (prototypical residual networks,
    /// which learn from a few defects, too)
    #[arg(long, default_value = "cfa", value_parser = parse_model)]
    pub model: ModelName,
    /// efficientnet-lite0, mobilenet-v3-large, resnet18, resnet50, wide-resnet50-2, or a weights file
    #[arg(long, default_value = "efficientnet-lite0")]
    pub backbone: String,
    /// Weights file for the backbone, when it is not found by itself
    #[arg(long)]
    pub weights: Option<PathBuf>,
    /// paper (the published schedule), paper-256 (CFLOW-AD at 256 px for every category), quick (a first look with CFA or
    /// CFLOW-AD) or lite (PRN without GPU)
    #[arg(long, default_value = "paper", value_parser = parse_preset)]
    pub preset: Preset,
    /// Network input: 256 (whole picture), 512 (small defects; about 4 times the time and memory), 128 (a quick look)
    /// or 224crop (centre, the papers' benchmark)
    #[arg(long)]
    pub input: Option<InputPreset>,
    /// Overrides the preset's number of epochs
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: Option<u32>,
    /// Overrides the preset's number of pictures in a batch
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: Option<u32>,
    /// Overrides the preset's learning rate (CFLOW-AD, PRN)
    #[arg(long)]
    pub learning_rate: Option<f64>,
    #[command(flatten)]
    pub cflow: CflowArguments,
    #[command(flatten)]
    pub prn: PrnArguments,
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// Put the limit at this quantile (0 to 1) of held-out good scores instead of their maximum
    #[arg(long, value_parser = parse_share)]
    pub limit_quantile: Option<f64>,
    /// Carry the backbone's weights inside the model file
    #[arg(long)]
    pub embed_backbone: bool,
    /// Run folder to write
    #[arg(long, required_unless_present_any = ["resume", "preview_augmentation"])]
    pub out: Option<PathBuf>,
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
    /// Leave the seen defects a model was trained on out of the test set, instead of refusing it
    #[arg(long)]
    pub leave_out_seen: bool,
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

#[derive(Debug, Args)]
pub struct BenchArguments {
    /// Only this model: cfa, cflow or prn
    #[arg(long, value_parser = parse_model)]
    pub model: Option<ModelName>,
    /// A network by its name, or a weights file
    #[arg(long, default_value = "efficientnet-lite0")]
    pub backbone: String,
    /// Weights file for the backbone, when it is not found by itself
    #[arg(long)]
    pub weights: Option<PathBuf>,
    /// Network input: 256, 224crop, or another that `train` knows
    #[arg(long, default_value = "256")]
    pub input: InputPreset,
    #[arg(long, default_value = "auto")]
    pub device: DeviceChoice,
    /// Seconds for each part
    #[arg(long, default_value_t = 1.0)]
    pub seconds: f64,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ReportArguments {
    /// Run folder whose test pictures were scored; it is reported at the limits in its model
    #[arg(long)]
    pub run: PathBuf,
    /// Page to write, such as report.html; report.csv and report.json are written beside it
    #[arg(long)]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct CompareArguments {
    /// Run folders whose test pictures were scored. Nothing is scored again: each is taken at the limits in its model,
    /// and the first is the one the others are measured against
    #[arg(value_name = "RUN", required = true, num_args = 2..=3)]
    pub runs: Vec<PathBuf>,
    /// Also name this many of the pictures that get different verdicts, the worst disagreement first
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub pictures: usize,
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

/// Departures from CFLOW-AD's presets, for comparisons.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "CFLOW-AD only")]
pub struct CflowArguments {
    /// tanh (the published numbers' form), scaled-tanh or arctan: the soft clamp of log-scales
    #[arg(long, value_parser = parse_named::<Clamp>)]
    pub clamp: Option<Clamp>,
    /// shared (one Adam for all scales, as the authors' framework had it) or separate
    #[arg(long, value_parser = parse_named::<AdamSharing>)]
    pub adam: Option<AdamSharing>,
    /// closed-form or autograd: who computes gradients; same result, other speed
    #[arg(long, value_parser = parse_named::<Gradient>)]
    pub gradient: Option<Gradient>,
    /// How many turns of each picture are drawn
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub rotations: Option<u32>,
}

impl CflowArguments {
    pub fn change(&self, cflow: &mut CflowConfig) {
        cflow.clamp = self.clamp.unwrap_or(cflow.clamp);
        cflow.sharing = self.adam.unwrap_or(cflow.sharing);
        cflow.gradient = self.gradient.unwrap_or(cflow.gradient);
        cflow.rotation_draws = self
            .rotations
            .map_or(cflow.rotation_draws, |draws| draws as usize);
    }

    pub fn is_empty(&self) -> bool {
        self.clamp.is_none()
            && self.adam.is_none()
            && self.gradient.is_none()
            && self.rotations.is_none()
    }
}

/// What PRN is shown, and departures from its presets.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "PRN only")]
pub struct PrnArguments {
    /// Defective test pictures to learn from and never to test on: how many are to be drawn by the seed, or ids like
    /// test/crack/003.png, separated by commas or, one a line, in a file
    #[arg(long, value_name = "N|LIST|FILE")]
    pub seen: Option<String>,
    /// Folder of masks that were painted in the window
    #[arg(long, value_name = "FOLDER")]
    pub masks: Option<PathBuf>,
    /// Folder of pictures to make simulated defects of, besides the sources that need none
    #[arg(long, value_name = "FOLDER")]
    pub textures: Option<PathBuf>,
    /// Where the product is, so that defects are simulated on it: automatic, everything, bright, dark,
    /// colourful or pale
    #[arg(long, value_parser = parse_named::<ForegroundRule>)]
    pub foreground: Option<ForegroundRule>,
    /// published (noise patches of any look) or refined (marks that look more like defects of this product)
    #[arg(long, value_parser = parse_named::<Recipe>)]
    pub recipe: Option<Recipe>,
    /// Draw what the network would be taught into this PNG, instead of training
    #[arg(long, value_name = "OUT.png", conflicts_with = "out")]
    pub preview_augmentation: Option<PathBuf>,
    /// channels (1x1 convolutions) or element-wise: what makes queries, keys and values
    #[arg(long, value_parser = parse_named::<AttentionForm>)]
    pub attention: Option<AttentionForm>,
    /// Pictures that go through the network together: less memory, other batch statistics
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub micro_batch: Option<u32>,
    /// decoupled (as in AdamW) or coupled (part of the gradient): how the weights are drawn to zero
    #[arg(long, value_parser = parse_named::<Decay>)]
    pub decay: Option<Decay>,
    /// Share of the training, at its end, over which the learning rate falls
    #[arg(long, value_parser = parse_share)]
    pub cosine_tail: Option<f64>,
    /// Decay of the running mean of weights that scores; 0 scores with the last weights
    #[arg(long, value_parser = parse_share)]
    pub weight_average: Option<f64>,
}

impl PrnArguments {
    pub fn change(&self, prn: &mut PrnConfig) {
        prn.attention = self.attention.unwrap_or(prn.attention);
        prn.micro_batch = self
            .micro_batch
            .map_or(prn.micro_batch, |pictures| pictures as usize);
        prn.decay = self.decay.unwrap_or(prn.decay);
        prn.cosine_tail = self.cosine_tail.unwrap_or(prn.cosine_tail);
        prn.weight_average = match self.weight_average {
            None => prn.weight_average,
            Some(decay) => (decay > 0.0).then_some(decay),
        };
    }

    pub fn is_empty(&self) -> bool {
        self.seen.is_none()
            && self.masks.is_none()
            && self.textures.is_none()
            && self.foreground.is_none()
            && self.recipe.is_none()
            && self.preview_augmentation.is_none()
            && self.attention.is_none()
            && self.micro_batch.is_none()
            && self.decay.is_none()
            && self.cosine_tail.is_none()
            && self.weight_average.is_none()
    }
}

fn parse_model(text: &str) -> Result<ModelName, String> {
    let found = ModelName::ALL.into_iter().find(|name| name.name() == text);
    found.ok_or_else(|| format!("`{text}` is not a model; use cfa, cflow or prn"))
}

fn parse_preset(text: &str) -> Result<Preset, String> {
    let found = Preset::ALL.into_iter().find(|preset| preset.name() == text);
    found.ok_or_else(|| format!("`{text}` is not a preset; use paper, paper-256, quick or lite"))
}

/// A setting by the name it has in files.
fn parse_named<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    T::deserialize(text.into_deserializer()).map_err(|error: ValueError| error.to_string())
}

fn parse_share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err(format!("`{text}` is not a share between 0 and 1")),
    }
}
