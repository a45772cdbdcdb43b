//! The parts of one model: its frozen network, a training step, and what scoring takes on top of the network.

use std::sync::Arc;

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};

use super::super::defects;
use super::super::detector::{PictureReader, detector_over, frozen_network, taps};
use super::super::lessons::{DrawnLessons, Lessons};
use super::super::training_pictures::TrainingPictures;
use super::replay::Replay;
use super::sheet::{Sheet, Work};
use crate::config::{DefectsConfig, ModelConfig, ModelName, Preset, RunConfig};
use crate::cursor::Cursor;
use crate::data::augment::Frame;
use crate::models::{Detector, FeatureExtractor, StepReport, Turn};
use crate::progress::Silent;

/// Pictures that go through the network at once: as when a line waits for each verdict, and as when a folder is scored.
fn at_once(device: &Device) -> [usize; 2] {
    [1, if device.is_cpu() { 8 } else { 32 }]
}

/// Good pictures that fix a model's constants.
const HELD_OUT: usize = 8;

/// The settings that are measured: those a computer without GPU is for.
pub fn settings(name: ModelName, config: &RunConfig) -> RunConfig {
    let preset = match name {
        ModelName::Cfa | ModelName::Cflow => Preset::Quick,
        ModelName::Prn => Preset::Lite,
    };
    let defects = || DefectsConfig::synthetic(preset.recipe());
    RunConfig {
        model: preset.model(name, config.backbone.kind),
        defects: name.learns_from_defects().then(defects),
        ..config.clone()
    }
}

/// Measures everything about one model. `None`: cancelled.
pub fn measure(sheet: &mut Sheet<'_>, name: ModelName, config: &RunConfig) -> Result<Option<()>> {
    let config = settings(name, config);
    let mut bench = ModelBench::new(&config, &sheet.device)?;
    let title = name.title();
    for pictures in at_once(&sheet.device) {
        let Some(()) = bench.network(sheet, title, pictures)? else {
            return Ok(None);
        };
    }
    let Some(()) = bench.training_step(sheet, title)? else {
        return Ok(None);
    };
    let Some(()) = bench.head(sheet, title)? else {
        return Ok(None);
    };
    for pictures in at_once(&sheet.device) {
        let Some(()) = bench.scoring(sheet, title, pictures)? else {
            return Ok(None);
        };
    }
    Ok(Some(()))
}

struct ModelBench<'a> {
    config: &'a RunConfig,
    reader: PictureReader,
    network: Replay,
    detector: Box<dyn Detector>,
    /// Network input `(B, 3, H, W)`.
    pixels: Tensor,
}

impl<'a> ModelBench<'a> {
    fn new(config: &'a RunConfig, device: &Device) -> Result<Self> {
        let pictures = TrainingPictures::choose(config)?;
        let (network, _) = frozen_network(config, device)?;
        let network = Replay::new(network);
        let reader = PictureReader::new(config.backbone.kind, pictures.spec, device);
        let batches = reader.batches(&pictures.train)?;
        let batches = batches.map(|batch| batch?.pixels.context("a sample picture cannot be read"));
        let pixels = Tensor::cat(&batches.collect::<Result<Vec<_>>>()?, 0)?;
        Ok(Self {
            detector: detector_over(Box::new(network.clone()), config, &pictures.spec)?,
            config,
            reader,
            network,
            pixels,
        })
    }

    /// So many pictures, some of them more than once.
    fn some_pixels(&self, pictures: usize) -> Result<Tensor> {
        let copies = vec![&self.pixels; pictures.div_ceil(self.pixels.dim(0)?)];
        let all = Tensor::cat(&copies, 0)?;
        Ok(all.narrow(0, 0, pictures)?.contiguous()?)
    }

    fn network(&self, sheet: &mut Sheet<'_>, title: &str, pictures: usize) -> Result<Option<()>> {
        let pixels = self.some_pixels(pictures)?;
        let kind = self.config.backbone.kind;
        let model = &self.config.model;
        let size = self.reader.spec().size();
        let size = (size.height, size.width);
        let operations = kind.operations(&taps(kind, model)?, model.border(kind), size);
        let name = format!("{title}: frozen network, {pictures} at once");
        let work = Work::new(name, "picture").of(pictures).costing(operations);
        sheet.measure(work, || {
            self.network.forward(&pixels)?;
            Ok(())
        })
    }

    /// Optimiser steps on one batch, the same again and again; of models whose parts take turns, those of each part.
    fn training_step(&mut self, sheet: &mut Sheet<'_>, title: &str) -> Result<Option<()>> {
        let pictures = self.config.model.batch_for(self.pixels.dim(0)?);
        let pictures = pictures.map_err(anyhow::Error::msg)?;
        let pixels = self.pixels.narrow(0, 0, pictures)?.contiguous()?;
        let features = self.detector.encode(&pixels)?;
        self.detector
            .prepare(&mut std::iter::once(Ok(features.clone())))?;
        let batch = match &self.config.defects {
            None => features,
            Some(defects) => self.drawn(defects, pictures)?,
        };
        let channels = self.network.channels();
        for (steps, channels) in self.turns(&batch, pictures)?.into_iter().zip(channels) {
            let what = match &self.config.model {
                ModelConfig::Cflow(cflow) => {
                    format!("{channels} channels, {} fibres", cflow.fibres)
                }
                ModelConfig::Cfa(_) | ModelConfig::Prn(_) => format!("{pictures} pictures"),
            };
            let mut steps = steps.into_iter().cycle();
            let work = Work::new(format!("{title}: training step, {what}"), "step");
            let measured = sheet.measure(work, || {
                let step = steps.next().unwrap_or(0);
                self.step(&batch, step)?;
                Ok(())
            })?;
            if measured.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(()))
    }

    /// The steps that a batch is good for, by the part of the model that takes them.
    fn turns(&mut self, batch: &[Tensor], pictures: usize) -> Result<Vec<Vec<usize>>> {
        let mut turns: Vec<(Option<&'static str>, Vec<usize>)> = Vec::new();
        for step in 0..self.detector.steps(pictures) {
            let part = self.step(batch, step)?.part;
            match turns.iter_mut().find(|(other, _)| *other == part) {
                Some((_, steps)) => steps.push(step),
                None => turns.push((part, vec![step])),
            }
        }
        Ok(turns.into_iter().map(|(_, steps)| steps).collect())
    }

    fn step(&mut self, batch: &[Tensor], step: usize) -> Result<StepReport> {
        let at = Cursor {
            step,
            ..Cursor::default()
        };
        Ok(self.detector.train_step(batch, Turn { at, batches: 1 })?)
    }

    /// Pictures with drawn defects, and their masks.
    fn drawn(&self, defects: &DefectsConfig, pictures: usize) -> Result<Vec<Tensor>> {
        let rows = 0..self.pixels.dim(0)?;
        let frames = rows.map(|row| Ok(Arc::new(self.reader.frame(&self.pixels.get(row)?)?)));
        let frames: Vec<Arc<Frame>> = frames.collect::<Result<_>>()?;
        let spec = self.reader.spec();
        let augmenter = defects::augmenter(frames, Vec::new(), defects, spec, &Silent)?;
        let (normalization, device) = (self.reader.normalization(), self.pixels.device());
        let augmenter = Arc::new(augmenter);
        DrawnLessons::new(augmenter, normalization, pictures, None, 0, device).batch(0, 0)
    }

    /// From the network's features to the score map of one picture.
    fn head(&mut self, sheet: &mut Sheet<'_>, title: &str) -> Result<Option<()>> {
        let held_out = self.some_pixels(HELD_OUT)?;
        self.detector.freeze(&mut std::iter::once(Ok(held_out)))?;
        let pixels = self.pixels.narrow(0, 0, 1)?.contiguous()?;
        self.network.keep(Some(self.network.forward(&pixels)?));
        let work = Work::new(format!("{title}: score map from features"), "picture");
        let measured = sheet.measure(work, || {
            self.detector.score(&pixels)?;
            Ok(())
        });
        self.network.keep(None);
        measured
    }

    /// From network input to score maps, all of it.
    fn scoring(&self, sheet: &mut Sheet<'_>, title: &str, pictures: usize) -> Result<Option<()>> {
        let pixels = self.some_pixels(pictures)?;
        let work = Work::new(format!("{title}: scoring, {pictures} at once"), "picture");
        sheet.measure(work.of(pictures), || {
            // The maps are wanted where they are looked at.
            self.detector.score(&pixels)?.to_device(&Device::Cpu)?;
            Ok(())
        })
    }
}
