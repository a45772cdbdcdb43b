//! Builds the configured detector over its frozen network, from nothing or from a model file, and feeds it pictures.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};

use super::device::{Opened, open_device_for};
use crate::config::{BackboneKind, DeviceChoice, ModelConfig, RunConfig};
use crate::data::augment::Frame;
use crate::data::batch::{BatchSettings, Batches};
use crate::data::image::{InputSpec, Normalization};
use crate::data::{Rotations, Sample};
use crate::models::backbone::{Backbone, Tap};
use crate::models::cfa::Cfa;
use crate::models::cflow::Cflow;
use crate::models::prn::Prn;
use crate::models::{Detector, FeatureExtractor};
use crate::progress::{Monitor, Progress};
use crate::score_map::ScoreMap;
use crate::store::WeightsInfo;
use crate::store::checkpoint::{self, BACKBONE_PREFIX, ModelFile};
use crate::store::model_file::{BackboneIdentity, ModelMeta};
use crate::store::weights::{self, search_folders};

/// Pictures that are decoded ahead and go through the network together.
const BATCH: usize = 4;
/// The same on a GPU.
const GPU_BATCH: usize = 32;
/// The same for the inputs that come from turning pictures; all those of one picture stay together.
const TURNED_BATCH: usize = 8;

/// The network that the weights in a file belong to.
pub fn backbone_of(file: &Path) -> Result<BackboneKind> {
    Ok(weights::describe(file)?.kind)
}

/// A frozen network's weights and what they are known by.
struct BackboneWeights {
    tensors: HashMap<String, Tensor>,
    sha256: String,
    /// Where they came from, for errors.
    origin: String,
}

impl BackboneWeights {
    /// The file that was named, or the best that is found for this network.
    fn choose(kind: BackboneKind, file: Option<&Path>) -> Result<Self> {
        let info = match file {
            Some(file) => weights::describe(file)?,
            None => weights::weights_for(kind, &search_folders(None))?,
        };
        ensure!(
            info.kind == kind,
            "{} holds weights of {}, not of {kind}",
            info.origin,
            info.kind
        );
        Self::read(info)
    }

    /// Exactly the weights a model was trained with.
    fn of_model(identity: &BackboneIdentity, file: Option<&Path>) -> Result<Self> {
        let (kind, sha256) = (identity.kind, identity.sha256.as_str());
        let Some(file) = file else {
            return Self::read(weights::weights_by_hash(
                kind,
                sha256,
                &search_folders(None),
            )?);
        };
        let info = weights::describe(file)?;
        ensure!(
            info.sha256 == sha256,
            "{} holds other weights than the model was trained with: their SHA-256 is {}, expected {sha256}",
            file.display(),
            info.sha256
        );
        Self::read(info)
    }

    /// How a model trained on them names them, and their tensors when the model is to carry them.
    fn used(&self, config: &RunConfig) -> UsedBackbone {
        UsedBackbone {
            identity: BackboneIdentity {
                kind: config.backbone.kind,
                sha256: self.sha256.clone(),
                embedded: config.embed_backbone,
            },
            embedded: if config.embed_backbone {
                sorted_with_prefix(&self.tensors)
            } else {
                Vec::new()
            },
        }
    }

    fn read(info: WeightsInfo) -> Result<Self> {
        Ok(Self {
            tensors: weights::load(&info.origin)?,
            origin: info.origin.to_string(),
            sha256: info.sha256,
        })
    }
}

/// The backbone as the model file names it, and its tensors when they are to be carried along.
pub struct UsedBackbone {
    pub identity: BackboneIdentity,
    pub embedded: Vec<(String, Tensor)>,
}

/// An untrained detector, and the reader that feeds it.
pub fn new_detector(
    config: &RunConfig,
    spec: InputSpec,
    device: &Device,
) -> Result<(Box<dyn Detector>, PictureReader, UsedBackbone)> {
    let (network, used) = frozen_network(config, device)?;
    let detector = detector_over(network, config, &spec)?;
    let reader = PictureReader::new(config.backbone.kind, spec, device);
    Ok((detector, reader, used))
}

/// The configured network up to the taps its model wants.
pub fn frozen_network(
    config: &RunConfig,
    device: &Device,
) -> Result<(Box<dyn FeatureExtractor>, UsedBackbone)> {
    let choice = &config.backbone;
    let weights = BackboneWeights::choose(choice.kind, choice.weights.as_deref())?;
    let network = build_backbone(choice.kind, &weights, &config.model, device)?;
    Ok((network, weights.used(config)))
}

/// An untrained detector over a network that has the taps its model wants.
pub fn detector_over(
    network: Box<dyn FeatureExtractor>,
    config: &RunConfig,
    spec: &InputSpec,
) -> Result<Box<dyn Detector>> {
    let (size, seed) = ((spec.size().height, spec.size().width), config.seed);
    Ok(match &config.model {
        ModelConfig::Cfa(cfa) => Box::new(Cfa::new(cfa.clone(), network, size, seed)?),
        ModelConfig::Cflow(cflow) => Box::new(Cflow::new(cflow.clone(), network, size, seed)?),
        ModelConfig::Prn(prn) => Box::new(Prn::new(prn.clone(), network, size, seed)?),
    })
}

/// A half-trained detector on exactly the network it began with, and the reader that feeds it.
pub fn resumed_detector(
    config: &RunConfig,
    spec: InputSpec,
    identity: &BackboneIdentity,
    tensors: HashMap<String, Tensor>,
    device: &Device,
) -> Result<(Box<dyn Detector>, PictureReader, UsedBackbone)> {
    let file = remembered(config, identity);
    let weights = BackboneWeights::of_model(identity, file)?;
    let kind = identity.kind;
    let backbone = build_backbone(kind, &weights, &config.model, device)?;
    let size = (spec.size().height, spec.size().width);
    let detector: Box<dyn Detector> = match &config.model {
        ModelConfig::Cfa(cfa) => Box::new(Cfa::resume(cfa.clone(), backbone, size, tensors)?),
        ModelConfig::Cflow(cflow) => Box::new(Cflow::resume(
            cflow.clone(),
            backbone,
            size,
            config.seed,
            tensors,
        )?),
        ModelConfig::Prn(prn) => Box::new(Prn::resume(prn.clone(), backbone, size, tensors)?),
    };
    let reader = PictureReader::new(kind, spec, device);
    Ok((detector, reader, weights.used(config)))
}

fn build_backbone(
    kind: BackboneKind,
    weights: &BackboneWeights,
    model: &ModelConfig,
    device: &Device,
) -> Result<Box<dyn FeatureExtractor>> {
    let backbone = Backbone::load(
        kind,
        &weights.tensors,
        &taps(kind, model)?,
        model.border(kind),
        device,
    )
    .with_context(|| format!("loading {kind} from {}", weights.origin))?;
    Ok(Box::new(backbone))
}

/// The taps a model names, in its order.
pub fn taps(kind: BackboneKind, model: &ModelConfig) -> Result<Vec<Tap>> {
    let find = |name: &String| {
        let tap = kind.taps().iter().find(|tap| tap.name == name);
        tap.copied()
            .with_context(|| format!("{kind} has no tap called `{name}`"))
    };
    model.taps().iter().map(find).collect()
}

fn sorted_with_prefix(tensors: &HashMap<String, Tensor>) -> Vec<(String, Tensor)> {
    let mut named: Vec<_> = tensors
        .iter()
        .map(|(name, tensor)| (format!("{BACKBONE_PREFIX}{name}"), tensor.clone()))
        .collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    named
}

/// A trained model, ready to score.
pub struct TrainedDetector {
    pub detector: Box<dyn Detector>,
    pub reader: PictureReader,
    pub meta: ModelMeta,
    /// Identifies what gives the scores, whatever limits are set; evaluations name it.
    pub identity: String,
    pub device: Device,
    /// Which device it is, and why.
    pub device_line: String,
}

impl TrainedDetector {
    /// Loads a model file; `weights` names a backbone file when the right one is not found by itself.
    pub fn load(path: &Path, weights: Option<&Path>, device: DeviceChoice) -> Result<Self> {
        let ModelFile {
            meta,
            checksum,
            mut tensors,
        } = checkpoint::load(path)?;
        let Opened { device, line } = open_device_for(meta.config.model.model(), device)?;
        let kind = meta.backbone.kind;
        let backbone_weights = if meta.backbone.embedded {
            BackboneWeights {
                tensors: tensors.take_group(BACKBONE_PREFIX),
                sha256: meta.backbone.sha256.clone(),
                origin: path.display().to_string(),
            }
        } else {
            let weights = weights.or(remembered(&meta.config, &meta.backbone));
            BackboneWeights::of_model(&meta.backbone, weights)?
        };
        let backbone = build_backbone(kind, &backbone_weights, &meta.config.model, &device)?;
        let size = meta.input.size();
        let size = (size.height, size.width);
        let tensors = tensors.take_group("");
        let detector = loaded(&meta.config.model, backbone, size, tensors)
            .with_context(|| format!("{}: the model's tensors", path.display()))?;
        Ok(Self {
            detector,
            reader: PictureReader::new(kind, meta.input, &device),
            identity: meta.first_checksum.clone().unwrap_or(checksum),
            meta,
            device,
            device_line: line,
        })
    }
}

fn loaded(
    model: &ModelConfig,
    backbone: Box<dyn FeatureExtractor>,
    size: (usize, usize),
    tensors: HashMap<String, Tensor>,
) -> candle_core::Result<Box<dyn Detector>> {
    Ok(match model {
        ModelConfig::Cfa(cfa) => Box::new(Cfa::from_tensors(cfa.clone(), backbone, size, tensors)?),
        ModelConfig::Cflow(cflow) => {
            Box::new(Cflow::from_tensors(cflow.clone(), backbone, size, tensors)?)
        }
        ModelConfig::Prn(prn) => Box::new(Prn::from_tensors(prn.clone(), backbone, size, tensors)?),
    })
}

/// The weights file the model was trained with, when it is still where it was and what it was.
fn remembered<'a>(config: &'a RunConfig, identity: &BackboneIdentity) -> Option<&'a Path> {
    let file = config.backbone.weights.as_deref()?;
    let info = weights::describe(file).ok()?;
    (info.sha256 == identity.sha256).then_some(file)
}

/// Turns picture files into network input, as one model wants it.
pub struct PictureReader {
    spec: InputSpec,
    normalization: Normalization,
    device: Device,
}

impl PictureReader {
    pub fn new(kind: BackboneKind, spec: InputSpec, device: &Device) -> Self {
        Self {
            spec,
            normalization: Normalization {
                mean: kind.mean(),
                std: kind.std(),
            },
            device: device.clone(),
        }
    }

    pub fn spec(&self) -> &InputSpec {
        &self.spec
    }

    /// Where the pictures go.
    pub fn device(&self) -> &Device {
        &self.device
    }

    pub fn normalization(&self) -> Normalization {
        self.normalization
    }

    /// The picture that network input `(3, H, W)` was made from.
    pub fn frame(&self, pixels: &Tensor) -> Result<Frame> {
        let (_, height, width) = pixels.dims3()?;
        let planes = pixels.flatten_all()?.to_vec1::<f32>()?;
        Frame::new(width, height, self.normalization.rgb8(&planes)).context("an empty picture")
    }

    /// Batches of decoded pictures in the given order, read ahead.
    pub fn batches(&self, samples: &[Sample]) -> Result<Batches> {
        self.start(
            samples,
            BatchSettings {
                spec: self.spec,
                normalization: self.normalization,
                rotations: None,
                batch_size: if self.device.is_cpu() {
                    BATCH
                } else {
                    GPU_BATCH
                },
                ahead: 2,
            },
        )
    }

    /// Batches `(B * draws, 3, H, W)` in the given order: each picture is turned by `draws` angles within
    /// `±max_degrees` that follow from the seed and its place in `samples`, and its inputs follow each other.
    ///
    /// Memory: the batch in use and the one after it, each of at most 8 inputs or, with more draws, of one picture.
    pub fn rotated_batches(
        &self,
        samples: &[Sample],
        seed: u64,
        draws: usize,
        max_degrees: f64,
    ) -> Result<Batches> {
        let rotations = Rotations::new(seed, draws, max_degrees)?;
        self.start(
            samples,
            BatchSettings {
                spec: self.spec,
                normalization: self.normalization,
                rotations: Some(rotations),
                batch_size: (TURNED_BATCH / draws).max(1),
                ahead: 0,
            },
        )
    }

    fn start(&self, samples: &[Sample], settings: BatchSettings) -> Result<Batches> {
        let order = (0..samples.len()).collect();
        Batches::start(samples.into(), order, settings, &self.device)
    }

    /// Scores every picture in order, telling `hear` the index and the map or the reason there is none. False: cancelled.
    pub fn score_all(
        &self,
        detector: &dyn Detector,
        samples: &[Sample],
        monitor: &dyn Monitor,
        hear: &mut dyn FnMut(usize, Result<ScoreMap, String>) -> Result<()>,
    ) -> Result<bool> {
        let mut done = 0;
        for batch in self.batches(samples)? {
            let batch = batch?;
            for (index, reason) in batch.failed {
                done += 1;
                hear(index, Err(reason))?;
            }
            if let Some(pixels) = &batch.pixels {
                // On a CPU one at a time; a GPU takes them together, and their maps come back together.
                let at_once = if self.device.is_cpu() {
                    1
                } else {
                    batch.indices.len()
                };
                for start in (0..batch.indices.len()).step_by(at_once.max(1)) {
                    if monitor.should_stop() {
                        return Ok(false);
                    }
                    let indices = &batch.indices[start..start + at_once];
                    let maps = detector.score(&pixels.narrow(0, start, at_once)?)?;
                    let maps = maps.to_device(&Device::Cpu)?;
                    for (row, &index) in indices.iter().enumerate() {
                        hear(index, Ok(to_score_map(&maps.narrow(0, row, 1)?)?))?;
                        done += 1;
                        monitor.report(Progress::Step { done });
                    }
                }
            }
        }
        Ok(true)
    }
}

/// One picture's map `(1, H, W)` on the CPU.
fn to_score_map(map: &Tensor) -> Result<ScoreMap> {
    let (_, height, width) = map.dims3()?;
    let values = map.flatten_all()?.to_vec1::<f32>()?;
    ScoreMap::new(width, height, values).context("the model gave an empty score map")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use candle_core::Device;

    use super::PictureReader;
    use crate::config::BackboneKind;
    use crate::data::image::testing::write_png;
    use crate::data::image::{InputPreset, InputSpec, Orientation, Size};
    use crate::data::{Label, Sample};

    fn samples(folder: &Path, count: u8) -> Vec<Sample> {
        let sample = |i: u8| {
            let image = folder.join(format!("{i}.png"));
            write_png(&image, 40, 32, i);
            Sample {
                id: i.to_string(),
                image,
                masks: vec![],
                label: Label::Good,
                defect: "good".into(),
                orientation: Orientation::Ignore,
            }
        };
        (0..count).map(sample).collect()
    }

    fn reader() -> PictureReader {
        let (width, height) = (40, 32);
        let spec = InputSpec::for_pictures(InputPreset::Resize128, Size { width, height }).unwrap();
        PictureReader::new(BackboneKind::EfficientNetLite0, spec, &Device::Cpu)
    }

    /// Pictures and inputs of each batch.
    fn sizes(samples: &[Sample], draws: usize) -> Vec<(Vec<usize>, usize)> {
        let batches = reader().rotated_batches(samples, 1, draws, 5.0).unwrap();
        let size = |batch: anyhow::Result<crate::data::batch::InputBatch>| {
            let batch = batch.unwrap();
            (batch.indices, batch.pixels.unwrap().dim(0).unwrap())
        };
        batches.map(size).collect()
    }

    #[test]
    fn a_batch_holds_fewer_pictures_the_more_often_each_is_turned() {
        let folder = tempfile::tempdir().unwrap();
        let samples = samples(folder.path(), 3);
        assert_eq!(sizes(&samples, 1), [(vec![0, 1, 2], 3)]);
        assert_eq!(sizes(&samples, 3), [(vec![0, 1], 6), (vec![2], 3)]);
        assert_eq!(
            sizes(&samples, 20),
            [(vec![0], 20), (vec![1], 20), (vec![2], 20)]
        );
    }

    #[test]
    fn turning_no_time_at_all_is_refused() {
        assert!(reader().rotated_batches(&[], 1, 0, 5.0).is_err());
        let none = reader().rotated_batches(&[], 1, 4, 5.0).unwrap();
        assert_eq!(none.count(), 0);
    }
}
