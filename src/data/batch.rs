//! Seeded order, decoded ahead; stacks pictures to (B, 3, H, W).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, anyhow};
use candle_core::{Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::Sample;
use super::image::{
    InputSpec, Normalization, Picture, Size, read_picture, to_input, to_turned_inputs,
};
use super::prefetch::Prefetch;
use super::rotations::Rotations;
use super::split::shuffle;

/// The order in which an epoch goes through `len` pictures: a permutation drawn from the seed, another for each epoch,
/// the same on every machine.
pub fn epoch_order(len: usize, seed: u64, epoch: usize) -> Vec<usize> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(epoch as u64);
    let mut order: Vec<usize> = (0..len).collect();
    shuffle(&mut order, &mut generator);
    order
}

/// How pictures become batches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchSettings {
    pub spec: InputSpec,
    pub normalization: Normalization,
    /// `None`: each picture gives one input, as it is.
    pub rotations: Option<Rotations>,
    /// Pictures per batch; the last batch may be smaller.
    pub batch_size: usize,
    /// How many batches may lie ready while one is being used. One more is being made meanwhile: with 0 there are never
    /// more than two.
    pub ahead: usize,
}

impl BatchSettings {
    fn inputs_per_picture(&self) -> usize {
        self.rotations.map_or(1, |rotations| rotations.draws())
    }
}

/// Some pictures, ready for the network.
#[derive(Debug)]
pub struct InputBatch {
    /// Which samples these are, one per picture, in the order of `pixels`.
    pub indices: Vec<usize>,
    /// The pictures' own sizes, for the way back.
    pub sizes: Vec<Size>,
    /// `(B * R, 3, H, W)` normalised, B = `indices.len()`; `None` when not one picture of the batch could be read. R is
    /// the number of rotations (1 without), and a picture's inputs follow each other in the order of their draws.
    pub pixels: Option<Tensor>,
    /// Samples that could not be read, and why.
    pub failed: Vec<(usize, String)>,
}

/// Batches in order, decoded ahead on a thread of its own that uses all cores. Dropping it stops and joins the thread.
pub struct Batches {
    stacked: Prefetch<Stacked>,
    device: Device,
    settings: BatchSettings,
    /// How many batches are still to come.
    remaining: usize,
}

/// A batch before it becomes a tensor.
#[derive(Default)]
struct Stacked {
    indices: Vec<usize>,
    sizes: Vec<Size>,
    pixels: Vec<f32>,
    failed: Vec<(usize, String)>,
}

impl Batches {
    /// Starts decoding `samples` in the given order (indices into `samples`); tensors are made on `device`.
    pub fn start(
        samples: Arc<[Sample]>,
        order: Vec<usize>,
        settings: BatchSettings,
        device: &Device,
    ) -> Result<Self> {
        let batch_size = settings.batch_size.max(1);
        let remaining = order.len().div_ceil(batch_size);
        let mut next = 0;
        let stacked = Prefetch::start("prefetch", settings.ahead, move |stop| {
            let first = next * batch_size;
            next += 1;
            let last = order.len().min(first + batch_size);
            let indices = order
                .get(first..last)
                .filter(|indices| !indices.is_empty())?;
            let stacked = stack(&samples, indices, &settings, stop);
            (!stop.load(Ordering::Relaxed)).then_some(stacked)
        })?;
        Ok(Self {
            stacked,
            device: device.clone(),
            settings,
            remaining,
        })
    }

    fn tensor(&self, stacked: Stacked) -> Result<InputBatch> {
        let Stacked {
            indices,
            sizes,
            pixels,
            failed,
        } = stacked;
        let Size { width, height } = self.settings.spec.size();
        let inputs = indices.len() * self.settings.inputs_per_picture();
        let pixels = match indices.len() {
            0 => None,
            _ => Some(Tensor::from_vec(
                pixels,
                (inputs, 3, height, width),
                &self.device,
            )?), // (B * R, 3, H, W)
        };
        Ok(InputBatch {
            indices,
            sizes,
            pixels,
            failed,
        })
    }
}

impl Iterator for Batches {
    type Item = Result<InputBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.remaining = self.remaining.checked_sub(1)?;
        if let Some(stacked) = self.stacked.next() {
            return Some(self.tensor(stacked));
        }
        // The thread ends early only by a panic; a batch that never comes must not look like the end of the epoch.
        self.remaining = 0;
        Some(Err(anyhow!(
            "the thread that reads pictures ended before its work was done"
        )))
    }
}

fn stack(
    samples: &[Sample],
    indices: &[usize],
    settings: &BatchSettings,
    stop: &AtomicBool,
) -> Stacked {
    let read = |&index: &usize| -> Result<(Size, Vec<f32>)> {
        if stop.load(Ordering::Relaxed) {
            return Err(anyhow!("stopped"));
        }
        let sample = samples
            .get(index)
            .with_context(|| format!("there is no picture number {index}"))?;
        let picture = read_picture(&sample.image, sample.orientation)?;
        Ok((picture.size(), inputs_of(&picture, index, settings)?))
    };
    let inputs: Vec<_> = indices.par_iter().map(read).collect();
    let mut stacked = Stacked::default();
    for (&index, input) in indices.iter().zip(inputs) {
        match input {
            Ok((size, pixels)) => {
                stacked.indices.push(index);
                stacked.sizes.push(size);
                // A batch of one picture with many rotations is large: it is moved, not copied.
                if stacked.pixels.is_empty() {
                    stacked.pixels = pixels;
                } else {
                    stacked.pixels.extend(pixels);
                }
            }
            Err(error) => stacked.failed.push((index, format!("{error:#}"))),
        }
    }
    stacked
}

/// `(R, 3, H, W)` of one picture, which was decoded once for all of them.
fn inputs_of(picture: &Picture, index: usize, settings: &BatchSettings) -> Result<Vec<f32>> {
    let BatchSettings {
        spec,
        normalization,
        rotations,
        ..
    } = settings;
    match rotations {
        None => to_input(picture, spec, normalization),
        Some(rotations) => to_turned_inputs(picture, spec, normalization, &rotations.angles(index)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use candle_core::Device;

    use super::{BatchSettings, Batches, Rotations, epoch_order};
    use crate::data::image::testing::{write, write_png};
    use crate::data::image::{
        InputPreset, InputSpec, Normalization, Orientation, Size, read_picture, to_input,
        to_turned_inputs,
    };
    use crate::data::{Label, Sample};

    const SIZE: Size = Size {
        width: 32,
        height: 24,
    };

    fn samples(folder: &Path, count: u8) -> Arc<[Sample]> {
        let sample = |i: u8| {
            let image = folder.join(format!("{i}.png"));
            write_png(&image, 32, 24, i * 20);
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

    fn settings() -> BatchSettings {
        BatchSettings {
            spec: InputSpec::for_pictures(InputPreset::Resize256Crop224, SIZE)
                .expect("an ordinary aspect"),
            normalization: Normalization::IMAGENET,
            rotations: None,
            batch_size: 4,
            ahead: 2,
        }
    }

    fn start(samples: &Arc<[Sample]>, order: Vec<usize>) -> Batches {
        Batches::start(Arc::clone(samples), order, settings(), &Device::Cpu).expect("a thread")
    }

    #[test]
    fn an_epochs_order_is_a_permutation_that_depends_on_seed_and_epoch_only() {
        let order = epoch_order(50, 1, 0);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
        assert_eq!(order, epoch_order(50, 1, 0));
        assert_ne!(order, epoch_order(50, 1, 1));
        assert_ne!(order, epoch_order(50, 2, 0));
        assert!(epoch_order(0, 1, 0).is_empty());
        assert_eq!(epoch_order(8, 42, 3), [1, 3, 5, 0, 7, 6, 4, 2]);
    }

    #[test]
    fn batches_come_in_order_with_the_pixels_of_their_pictures() {
        let folder = tempfile::tempdir().expect("a folder");
        let samples = samples(folder.path(), 10);
        let order = epoch_order(10, 3, 0);
        let mut seen = Vec::new();
        for batch in start(&samples, order.clone()) {
            let batch = batch.expect("a batch");
            let pixels = batch.pixels.expect("readable");
            assert_eq!(pixels.dims(), [batch.indices.len(), 3, 224, 224]);
            assert_eq!(batch.sizes, vec![SIZE; batch.indices.len()]);
            for (row, &index) in batch.indices.iter().enumerate() {
                let picture =
                    read_picture(&samples[index].image, Orientation::Ignore).expect("a picture");
                let expected =
                    to_input(&picture, &settings().spec, &settings().normalization).expect("input");
                let own = pixels
                    .get(row)
                    .and_then(|p| p.flatten_all())
                    .and_then(|p| p.to_vec1::<f32>())
                    .expect("pixels");
                assert_eq!(own, expected);
            }
            seen.extend(batch.indices);
        }
        assert_eq!(seen, order);
    }

    fn rotating(draws: usize) -> BatchSettings {
        BatchSettings {
            rotations: Some(Rotations::new(9, draws, 5.0).expect("a range")),
            batch_size: 2,
            ahead: 0,
            ..settings()
        }
    }

    #[test]
    fn turned_pictures_come_one_after_the_other_with_all_their_draws() {
        let folder = tempfile::tempdir().expect("a folder");
        let samples = samples(folder.path(), 3);
        write(&folder.path().join("0.png"), b"");
        let settings = rotating(3);
        let batches: Vec<_> =
            Batches::start(Arc::clone(&samples), vec![2, 0, 1], settings, &Device::Cpu)
                .expect("a thread")
                .map(|batch| batch.expect("a batch"))
                .collect();
        let indices: Vec<_> = batches.iter().map(|batch| &batch.indices[..]).collect();
        assert_eq!(indices, [[2], [1]]);
        assert_eq!(batches[0].failed[0].0, 0);
        for batch in &batches {
            let index = batch.indices[0];
            let angles = settings.rotations.expect("rotations").angles(index);
            let picture =
                read_picture(&samples[index].image, Orientation::Ignore).expect("a picture");
            let expected =
                to_turned_inputs(&picture, &settings.spec, &settings.normalization, &angles)
                    .expect("inputs");
            let pixels = batch.pixels.as_ref().expect("readable");
            assert_eq!(pixels.dims(), [3, 3, 224, 224]);
            let found = pixels.flatten_all().and_then(|p| p.to_vec1::<f32>());
            assert_eq!(found.expect("pixels"), expected);
        }
    }

    #[test]
    fn several_turned_pictures_share_a_batch_in_their_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let samples = samples(folder.path(), 3);
        let start = |order| {
            let mut batches =
                Batches::start(Arc::clone(&samples), order, rotating(2), &Device::Cpu)
                    .expect("a thread");
            let batch = batches.next().expect("one").expect("a batch");
            let pixels = batch.pixels.expect("readable");
            (batch.indices, batch.sizes.len(), pixels)
        };
        let (indices, sizes, both) = start(vec![2, 1]);
        assert_eq!((&indices[..], sizes), (&[2, 1][..], 2));
        assert_eq!(both.dims(), [4, 3, 224, 224]);
        for (row, index) in [(0, 2), (2, 1)] {
            let (_, _, alone) = start(vec![index]);
            let own = both.narrow(0, row, 2).and_then(|own| (own - alone)?.abs());
            let difference = own.and_then(|own| own.max_all()?.to_scalar::<f32>());
            assert_eq!(difference.expect("a number"), 0.0);
        }
    }

    #[test]
    fn unreadable_pictures_are_reported_and_the_rest_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let samples = samples(folder.path(), 6);
        for i in [1, 4, 5] {
            write(&folder.path().join(format!("{i}.png")), b"");
        }
        let batches: Vec<_> = start(&samples, (0..6).collect())
            .map(|batch| batch.expect("a batch"))
            .collect();
        assert_eq!(batches[0].indices, [0, 2, 3]);
        assert_eq!(batches[0].failed[0].0, 1);
        assert!(
            batches[0].failed[0].1.contains("1.png: the file is empty"),
            "{:?}",
            batches[0].failed
        );
        assert!(batches[1].pixels.is_none() && batches[1].indices.is_empty());
        assert_eq!(batches[1].failed.len(), 2);
    }

    #[test]
    fn no_pictures_make_no_batches_and_a_wrong_index_is_a_failure() {
        let folder = tempfile::tempdir().expect("a folder");
        let samples = samples(folder.path(), 1);
        assert_eq!(start(&samples, vec![]).count(), 0);
        let batch = start(&samples, vec![7])
            .next()
            .expect("one batch")
            .expect("no error");
        assert_eq!(
            batch.failed,
            [(7, "there is no picture number 7".to_owned())]
        );
    }

    #[test]
    fn dropping_the_batches_stops_the_thread() {
        let folder = tempfile::tempdir().expect("a folder");
        let samples = samples(folder.path(), 5);
        let order = (0..100_000).map(|i| i % 5).collect();
        let mut batches = start(&samples, order);
        assert!(batches.next().is_some());
        let begin = std::time::Instant::now();
        drop(batches);
        assert!(begin.elapsed() < std::time::Duration::from_secs(2));
        // The thread held a clone of the list; it is gone.
        assert_eq!(Arc::strong_count(&samples), 1);
    }
}
