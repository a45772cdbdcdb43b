//! The real defects a model is shown: which they are, whether they can be used, and the examples that are made of them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};

use crate::config::{DefectsConfig, RunConfig, SeenChoice};
use crate::data::augment::{Augmenter, Frame, MarkedFrame, read_textures};
use crate::data::image::{InputSpec, Size, read_mask, read_picture};
use crate::data::{Category, Label, Sample, draw_seen};
use crate::progress::{Monitor, Progress};
use crate::store::annotations::Annotations;
use crate::store::model_file::SeenDefect;
use crate::store::{sha256_of_file, sha256_of_reader};

/// The test pictures a training is allowed to see, with painted masks in the place of their own. Not yet read.
pub fn choose_seen(config: &RunConfig, category: &Category) -> Result<Vec<Sample>> {
    let Some(defects) = &config.defects else {
        return Ok(Vec::new());
    };
    let painted = match &defects.annotations {
        Some(folder) => Some(Annotations::open(folder)?),
        None => None,
    };
    let mut test = category.test.clone();
    for sample in &mut test {
        // Whether the mask still belongs to its picture is looked at when it is used.
        if let Some(mask) = painted.as_ref().and_then(|all| all.mask_path(&sample.id)) {
            sample.masks = vec![mask];
        }
    }
    let ids = match &defects.seen {
        SeenChoice::None => Vec::new(),
        SeenChoice::Draw(count) => draw_seen(&test, *count, config.seed),
        SeenChoice::Listed(ids) => ids.clone(),
    };
    let mut seen: Vec<Sample> = ids
        .iter()
        .map(|id| find(id, &test))
        .collect::<Result<_>>()?;
    seen.sort_by(|a, b| a.id.cmp(&b.id));
    seen.dedup_by(|a, b| a.id == b.id);
    if let SeenChoice::Draw(count) = defects.seen {
        ensure!(
            seen.len() == count,
            "{count} seen defects were asked for, but {} defective test pictures have a mask; ask for fewer, or paint masks in the window",
            seen.len()
        );
    }
    Ok(seen)
}

fn find(id: &str, test: &[Sample]) -> Result<Sample> {
    let Some(sample) = test.iter().find(|sample| sample.id == id) else {
        bail!(
            "the seen defect {id} is not among the test pictures; name pictures as `eval --json` lists them"
        );
    };
    let is = match sample.label {
        Label::Defective => return Ok(sample.clone()),
        Label::Good => "a good picture",
        Label::Unlabelled => "an unlabelled picture",
    };
    bail!("{id} is {is}; only defective ones can be learnt from as seen defects")
}

/// Seen defects at the network's input size, and what they are known by.
#[derive(Default)]
pub struct SeenDefects {
    pub known: Vec<SeenDefect>,
    pub frames: Vec<MarkedFrame>,
}

/// Reads the seen defects. One that cannot be used is named and left out; it stays a test picture then.
pub fn read_seen(
    samples: &[Sample],
    defects: &DefectsConfig,
    spec: &InputSpec,
    monitor: &dyn Monitor,
) -> Result<SeenDefects> {
    let painted = match &defects.annotations {
        Some(folder) => Some(Annotations::open(folder)?),
        None => None,
    };
    let mut seen = SeenDefects::default();
    for sample in samples {
        match read_one(sample, painted.as_ref(), spec) {
            Ok((known, frame)) => {
                seen.known.push(known);
                seen.frames.push(frame);
            }
            Err(reason) => monitor.report(Progress::Warning {
                text: format!(
                    "not learnt from, and tested on instead: {}: {reason:#}",
                    sample.id
                ),
            }),
        }
    }
    ensure!(
        samples.is_empty() || !seen.known.is_empty(),
        "none of the {} seen defects can be learnt from; paint their masks in the window, or train without seen defects",
        samples.len()
    );
    Ok(seen)
}

fn read_one(
    sample: &Sample,
    painted: Option<&Annotations>,
    spec: &InputSpec,
) -> Result<(SeenDefect, MarkedFrame)> {
    if let Some(painted) = painted {
        // An error when the picture has changed since its mask was painted.
        painted.mask_of(sample)?;
    }
    let id = &sample.id;
    let picture = read_picture(&sample.image, sample.orientation)?;
    for file in &sample.masks {
        check_shape(file, picture.size())?;
    }
    let mask = sample
        .mask(picture.size())?
        .context("it has no mask; paint one in the window")?;
    let marked = mask.marked();
    ensure!(
        marked > 0,
        "its mask marks nothing; paint one in the window"
    );
    ensure!(
        marked < picture.size().pixels(),
        "its mask marks the whole picture; paint one in the window that marks the defect only"
    );
    let mask = mask.to_input(spec).values().to_vec();
    ensure!(
        mask.contains(&true),
        "its defect vanishes at the network's input size; choose a larger input"
    );
    let sha256 = sha256_of_file(&sample.image)
        .with_context(|| format!("reading {}", sample.image.display()))?;
    let bytes: Vec<u8> = mask.iter().map(|&marked| u8::from(marked)).collect();
    Ok((
        SeenDefect {
            id: id.clone(),
            defect: sample.defect.clone(),
            sha256,
            mask_sha256: sha256_of_reader(bytes.as_slice())?,
        },
        MarkedFrame {
            frame: Frame::of(&picture, spec)?,
            mask,
            defect: sample.defect.clone(),
            id: id.clone(),
        },
    ))
}

/// A mask may be smaller or larger than its picture, but not of another shape: it would be stretched to places it does not
/// mean.
fn check_shape(file: &Path, picture: Size) -> Result<()> {
    let mask = read_mask(file)?.size();
    // By less than a pixel of the smaller one the sides may be rounded.
    let (across, down) = (mask.width * picture.height, mask.height * picture.width);
    let tolerance = mask
        .width
        .max(mask.height)
        .max(picture.width)
        .max(picture.height);
    ensure!(
        across.abs_diff(down) <= tolerance,
        "its mask {} is {mask}, but the picture is {picture}; paint one in the window",
        file.display()
    );
    Ok(())
}

/// Where examples come from: good pictures, seen defects, and the user's textures when there is a folder of them.
pub fn augmenter(
    goods: Vec<Arc<Frame>>,
    seen: Vec<MarkedFrame>,
    defects: &DefectsConfig,
    spec: &InputSpec,
    monitor: &dyn Monitor,
) -> Result<Augmenter> {
    let textures = match &defects.textures {
        None => Vec::new(),
        Some(folder) => {
            let textures = read_textures(folder, spec)?;
            for reason in textures.left_out {
                monitor.report(Progress::Warning {
                    text: format!("left out of the textures: {reason}"),
                });
            }
            textures.frames
        }
    };
    let (rule, settings) = (defects.foreground, defects.augment.clone());
    Ok(Augmenter::new(goods, seen, textures, rule, settings)?)
}
