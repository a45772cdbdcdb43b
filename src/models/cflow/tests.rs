//! The flow against the published vectors, against plain arithmetic, and against itself; the detector as a whole.

use std::collections::HashMap;

use candle_core::{Device, Result, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::autograd;
use super::clamp::Clamp;
use super::closed_form;
use super::condition::PositionCode;
use super::fibres::{Fibres, Standard, TapValues};
use super::flow::{Block, Flow, FlowShape, NEUTRAL_SCALE};
use super::folded::FoldedFlow;
use super::learn::{Update, fresh_moments};
use super::likelihood::{loss, per_dimension};
use super::reference;
use super::workspace::Workspace;
use super::{AdamSharing, Cflow, CflowConfig, Gradient, TapStandard};
use crate::cursor::Cursor;
use crate::models::backbone::BackboneKind;
use crate::models::taps::TapActivation;
use crate::models::{Detector, FeatureExtractor, Turn};
use crate::ops::adam::Slices;

/// The block of the published vector: 4 channels, 2 of condition.
fn published(clamp: Clamp) -> Flow {
    let shape = FlowShape {
        channels: 4,
        condition: 2,
    };
    let matrix = |rows: usize, columns: usize, at: fn(usize, usize) -> f32| -> Vec<f32> {
        (0..rows * columns)
            .map(|index| at(index / columns, index % columns))
            .collect()
    };
    let (sin, cos) = 0.5_f32.sin_cos();
    let block = Block {
        weight1: matrix(8, 4, |i, j| 0.1 * (((4 * i + j) % 7) as f32 - 3.0)),
        bias1: (0..8).map(|i| 0.05 * i as f32).collect(),
        weight2: matrix(4, 8, |i, j| 0.2 * (((8 * i + j) % 5) as f32 - 2.0)),
        bias2: (0..4).map(|i| 0.5 * i as f32).collect(),
        scale: vec![9.0, 10.0, 11.0, 8.0],
        offset: vec![0.1, -0.2, 0.3, 0.0],
        rotation: vec![
            cos, 0.0, -sin, 0.0, 0.0, 1.0, 0.0, 0.0, sin, 0.0, cos, 0.0, 0.0, 0.0, 0.0, 1.0,
        ],
    };
    Flow {
        shape,
        clamp,
        blocks: vec![block],
    }
}

const PUBLISHED_FIBRE: [f32; 4] = [0.3, -1.2, 0.8, 2.0];

/// A grid of one cell whose condition is that of the published vector.
fn published_code() -> PositionCode {
    PositionCode {
        half: 1,
        rows: vec![-0.5],
        columns: vec![0.5],
    }
}

struct Expected {
    clamp: Clamp,
    latent: [f64; 4],
    log_det: f64,
    likelihood: f64,
    loss: f64,
}

const EXPECTED: [Expected; 2] = [
    Expected {
        clamp: Clamp::Tanh,
        latent: [-0.265_145, -1.401_612, 1.258_484, 1.907_623],
        log_det: -0.180_889,
        likelihood: -1.871_364,
        loss: 2.014_523,
    },
    Expected {
        clamp: Clamp::ScaledTanh,
        latent: [-0.276_262, -1.401_612, 1.278_834, 1.824_299],
        log_det: -0.201_343,
        likelihood: -1.844_814,
        loss: 1.991_556,
    },
];

fn plain_standard(channels: usize) -> Standard {
    Standard {
        shift: vec![0.0; channels],
        factor: vec![1.0; channels],
    }
}

#[test]
fn a_block_follows_the_published_vectors() {
    for expected in &EXPECTED {
        let flow = published(expected.clamp);
        let x = PUBLISHED_FIBRE.map(f64::from);
        let (z, log_det) = reference::through(&flow, &x, &[0.5, -0.5]);
        for (found, expected) in z.iter().zip(expected.latent) {
            assert!((found - expected).abs() < 2e-6, "{found} {expected}");
        }
        assert!((log_det - expected.log_det).abs() < 2e-6, "{log_det}");
        let latent: Vec<f32> = z.iter().map(|&z| z as f32).collect();
        let likelihood = per_dimension(&latent, log_det);
        assert!((likelihood - expected.likelihood).abs() < 2e-6);
        assert!((loss(likelihood) - expected.loss).abs() < 2e-6);
    }
}

#[test]
fn every_quicker_path_follows_the_published_vectors() -> Result<()> {
    for expected in &EXPECTED {
        let mut flow = published(expected.clamp);
        let standard = plain_standard(4);
        let tap = TapValues {
            values: &PUBLISHED_FIBRE,
            channels: 4,
            height: 1,
            width: 1,
            standard: &standard,
        };
        let code = published_code();
        let scored = FoldedFlow::new(&flow, &code).likelihoods(tap)[0];
        assert!((scored - expected.likelihood).abs() < 2e-6, "{scored}");
        let fibres = Fibres { tap, chosen: &[0] };
        let mut moments = fresh_moments(&flow);
        let mut space = Workspace::default();
        let closed =
            closed_form::step(&mut flow, &mut moments, &fibres, &code, &mut space, &Record);
        assert!((closed - expected.loss).abs() < 2e-6, "{closed}");
        let recorded = autograd::step(&mut flow, &mut moments, &fibres, &code, &Record)?;
        assert!((recorded - expected.loss).abs() < 2e-6, "{recorded}");
    }
    Ok(())
}

/// Keeps the gradient where the first moment would be and changes no parameter.
struct Record;

impl Update for Record {
    fn update(&self, parameters: Slices, gradient: &[f32]) {
        parameters.first.copy_from_slice(gradient);
    }
}

fn noise(count: usize, salt: u64) -> Vec<f32> {
    use rand::Rng;
    let mut generator = ChaCha8Rng::seed_from_u64(salt);
    (0..count)
        .map(|_| (generator.next_u32() as f32 / u32::MAX as f32 - 0.5) * 3.0)
        .collect()
}

/// A flow some way from its beginning, where no gradient is zero.
fn moved(channels: usize, blocks: usize, clamp: Clamp) -> Flow {
    let shape = FlowShape {
        channels,
        condition: 8,
    };
    let mut generator = ChaCha8Rng::seed_from_u64(7);
    let mut flow = Flow::random(shape, blocks, clamp, &mut generator);
    for (index, block) in flow.blocks.iter_mut().enumerate() {
        let shifts = noise(channels, index as u64);
        for (value, shift) in block.scale.iter_mut().zip(&shifts) {
            *value += shift;
        }
        block.offset = noise(channels, 100 + index as u64);
        for value in &mut block.weight2 {
            *value *= 5.0;
        }
    }
    flow
}

#[test]
fn the_log_determinant_is_that_of_the_numerical_jacobian() {
    for clamp in Clamp::ALL {
        for channels in [2, 5, 8] {
            let flow = moved(channels, 1, clamp);
            let condition: Vec<f64> = noise(8, 3).into_iter().map(f64::from).collect();
            let x: Vec<f64> = noise(channels, 4).into_iter().map(f64::from).collect();
            let (_, log_det) = reference::through(&flow, &x, &condition);
            let step = 1e-6;
            let column = |j: usize| -> Vec<f64> {
                let at = |shift: f64| {
                    let mut x = x.clone();
                    x[j] += shift;
                    reference::through(&flow, &x, &condition).0
                };
                let (above, below) = (at(step), at(-step));
                above
                    .iter()
                    .zip(below)
                    .map(|(a, b)| (a - b) / (2.0 * step))
                    .collect()
            };
            let determinant = determinant((0..channels).map(column).collect());
            assert!(
                (determinant.abs().ln() - log_det).abs() < 1e-6,
                "{clamp:?} {channels}"
            );
            assert!(
                determinant > 0.0,
                "a rotation and positive scales keep the orientation"
            );
        }
    }
}

fn determinant(mut columns: Vec<Vec<f64>>) -> f64 {
    let n = columns.len();
    let mut product = 1.0;
    for k in 0..n {
        let pivot = (k..n)
            .max_by(|&a, &b| columns[a][k].abs().total_cmp(&columns[b][k].abs()))
            .unwrap();
        if pivot != k {
            columns.swap(pivot, k);
            product = -product;
        }
        product *= columns[k][k];
        for j in k + 1..n {
            let factor = columns[j][k] / columns[k][k];
            for i in k..n {
                let value = columns[k][i];
                columns[j][i] -= factor * value;
            }
        }
    }
    product
}

#[test]
fn the_inverse_leads_back() {
    for clamp in Clamp::ALL {
        let flow = moved(7, 8, clamp);
        let condition: Vec<f64> = noise(8, 3).into_iter().map(f64::from).collect();
        let x: Vec<f64> = noise(7, 5).into_iter().map(f64::from).collect();
        let (z, _) = reference::through(&flow, &x, &condition);
        let back = flow.blocks.iter().rev().fold(z, |z, block| {
            reference::inverse(block, flow.shape, clamp, &z, &condition)
        });
        for (found, expected) in back.iter().zip(&x) {
            // Rotations are stored in single precision: their transpose is the inverse to 1e-7 only.
            assert!(
                (found - expected).abs() < 1e-5,
                "{clamp:?}: {found} {expected}"
            );
        }
    }
}

/// Taps `(2, C, 5, 3)` and all their fibres in an order of no pattern.
fn pictures(channels: usize) -> (Vec<f32>, Vec<u32>) {
    let order = super::fibres::order(30, 1, 2, 3, 4);
    (noise(2 * channels * 15, 9), order)
}

#[test]
fn gradients_of_the_closed_form_are_those_of_autograd() -> Result<()> {
    for clamp in Clamp::ALL {
        for channels in [2, 5, 40] {
            let mut flow = moved(channels, 3, clamp);
            let before = flow.clone();
            let (values, order) = pictures(channels);
            let standard = Standard {
                shift: noise(channels, 11),
                factor: vec![0.7; channels],
            };
            let tap = TapValues {
                values: &values,
                channels,
                height: 5,
                width: 3,
                standard: &standard,
            };
            let code = PositionCode::sinusoidal(8, 5, 3);
            let fibres = Fibres {
                tap,
                chosen: &order[..29],
            };
            let (mut closed, mut recorded) = (fresh_moments(&flow), fresh_moments(&flow));
            let mut space = Workspace::default();
            let losses = [
                closed_form::step(&mut flow, &mut closed, &fibres, &code, &mut space, &Record),
                autograd::step(&mut flow, &mut recorded, &fibres, &code, &Record)?,
            ];
            assert!((losses[0] - losses[1]).abs() < 1e-5, "{losses:?}");
            assert_eq!(flow, before);
            for (closed, recorded) in closed.iter().flatten().zip(recorded.iter().flatten()) {
                let largest = recorded.first.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
                assert!(largest > 0.0);
                for (a, b) in closed.first.iter().zip(&recorded.first) {
                    assert!(
                        (a - b).abs() <= 1e-4 * largest,
                        "{clamp:?} {channels}: {a} {b}"
                    );
                }
            }
        }
    }
    Ok(())
}

#[test]
fn many_chunks_give_the_gradient_of_all_fibres() -> Result<()> {
    let (channels, height, width) = (6, 9, 17);
    let mut flow = moved(channels, 2, Clamp::Tanh);
    let values = noise(channels * height * width, 2);
    let order = super::fibres::order(height * width, 0, 0, 0, 0);
    let standard = plain_standard(channels);
    let fibres = Fibres {
        tap: TapValues {
            values: &values,
            channels,
            height,
            width,
            standard: &standard,
        },
        chosen: &order,
    };
    let code = PositionCode::sinusoidal(8, height, width);
    let (mut closed, mut recorded) = (fresh_moments(&flow), fresh_moments(&flow));
    let mut space = Workspace::default();
    closed_form::step(&mut flow, &mut closed, &fibres, &code, &mut space, &Record);
    // The same again with buffers that are no longer fresh, and after a smaller step.
    let few = Fibres {
        chosen: &order[..3],
        ..fibres
    };
    closed_form::step(&mut flow, &mut recorded, &few, &code, &mut space, &Record);
    let mut again = fresh_moments(&flow);
    closed_form::step(&mut flow, &mut again, &fibres, &code, &mut space, &Record);
    assert_eq!(closed, again);
    autograd::step(&mut flow, &mut recorded, &fibres, &code, &Record)?;
    for (closed, recorded) in closed.iter().flatten().zip(recorded.iter().flatten()) {
        let largest = recorded.first.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        for (a, b) in closed.first.iter().zip(&recorded.first) {
            assert!((a - b).abs() <= 1e-4 * largest, "{a} {b}");
        }
    }
    Ok(())
}

#[test]
fn scoring_agrees_with_plain_arithmetic() {
    for clamp in Clamp::ALL {
        let flow = moved(5, 8, clamp);
        let (values, _) = pictures(5);
        let standard = Standard {
            shift: noise(5, 11),
            factor: vec![0.5; 5],
        };
        let tap = TapValues {
            values: &values,
            channels: 5,
            height: 5,
            width: 3,
            standard: &standard,
        };
        let code = PositionCode::sinusoidal(8, 5, 3);
        let found = FoldedFlow::new(&flow, &code).likelihoods(tap);
        assert_eq!(found.len(), 30);
        for (fibre, found) in found.iter().enumerate() {
            let (picture, cell) = (fibre / 15, fibre % 15);
            let x: Vec<f64> = (0..5)
                .map(|c| {
                    let value = values[(picture * 5 + c) * 15 + cell];
                    f64::from((value - standard.shift[c]) * 0.5)
                })
                .collect();
            let condition = code.condition(cell / 3, cell % 3);
            let condition: Vec<f64> = condition.into_iter().map(f64::from).collect();
            let (z, log_det) = reference::through(&flow, &x, &condition);
            let latent: Vec<f32> = z.iter().map(|&z| z as f32).collect();
            let expected = per_dimension(&latent, log_det);
            assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0));
        }
    }
}

#[test]
fn an_untrained_flow_starts_neutral() {
    let mut generator = ChaCha8Rng::seed_from_u64(0);
    let shape = FlowShape {
        channels: 10,
        condition: 8,
    };
    let flow = Flow::random(shape, 8, Clamp::Tanh, &mut generator);
    assert_eq!(flow.blocks.len(), 8);
    for block in &flow.blocks {
        assert!(block.log_gain().abs() < 1e-5);
        assert!(block.scale.iter().all(|&raw| raw == NEUTRAL_SCALE));
        let bound = 1.0 / (shape.inputs() as f32).sqrt();
        assert!(block.weight1.iter().all(|value| value.abs() <= bound));
        let spread = block.weight1.iter().map(|v| v * v).sum::<f32>() / block.weight1.len() as f32;
        assert!((spread / (bound * bound / 3.0) - 1.0).abs() < 0.2);
    }
    assert_ne!(flow.blocks[0].rotation, flow.blocks[1].rotation);
}

/// A frozen network of two taps made by formula: brightness and its neighbourhood.
struct Formula;

impl FeatureExtractor for Formula {
    fn forward(&self, pixels: &Tensor) -> Result<Vec<Tensor>> {
        let fine = pixels.avg_pool2d(4)?;
        let fine = Tensor::cat(&[&fine, &fine.sqr()?], 1)?; // (B, 6, h, w)
        let coarse = pixels.avg_pool2d(8)?; // (B, 3, h, w)
        Ok(vec![fine, coarse])
    }

    fn channels(&self) -> Vec<usize> {
        vec![6, 3]
    }

    fn strides(&self) -> Vec<usize> {
        vec![4, 8]
    }

    fn device(&self) -> Device {
        Device::Cpu
    }
}

fn config() -> CflowConfig {
    CflowConfig {
        epochs: 6,
        sub_epochs: 2,
        warm_up: 1,
        batch_size: 4,
        fibres: 48,
        learning_rate: 2e-3,
        taps: vec!["fine".to_owned(), "coarse".to_owned()],
        activation: TapActivation::None,
        standard: TapStandard::Channel,
        blocks: 3,
        condition: 8,
        ..CflowConfig::paper(BackboneKind::EfficientNetLite0)
    }
}

const INPUT: (usize, usize) = (32, 48);

fn model(config: CflowConfig) -> Cflow {
    Cflow::new(config, Box::new(Formula), INPUT, 3).unwrap()
}

/// Pictures of a soft pattern with a little noise.
fn good(count: usize, salt: u64) -> Tensor {
    let (h, w) = INPUT;
    let noise = noise(count * 3 * h * w, salt);
    let values: Vec<f32> = noise
        .iter()
        .enumerate()
        .map(|(i, noise)| {
            ((i % w) as f32 * 0.2).sin() + ((i / w % h) as f32 * 0.1).cos() + 0.1 * noise
        })
        .collect();
    Tensor::from_vec(values, (count, 3, h, w), &Device::Cpu).unwrap()
}

/// Trains from a step of the whole training to another, and returns the losses.
fn train(model: &mut Cflow, taps: &[Tensor], from: usize, to: usize) -> Vec<f32> {
    let steps = model.steps(4);
    (from..to)
        .map(|step| {
            let at = Cursor {
                epoch: step / steps,
                batch: 0,
                step: step % steps,
            };
            let turn = Turn { at, batches: 1 };
            model.train_step(taps, turn).unwrap().loss
        })
        .collect()
}

fn prepared(config: CflowConfig) -> (Cflow, Vec<Tensor>) {
    let mut model = model(config);
    let taps = model.encode(&good(4, 1)).unwrap();
    model.prepare(&mut [Ok(taps.clone())].into_iter()).unwrap();
    (model, taps)
}

fn frozen(mut model: Cflow) -> Cflow {
    model.freeze(&mut [Ok(good(2, 5))].into_iter()).unwrap();
    model
}

fn bits(tensors: &[(String, Tensor)]) -> HashMap<String, Vec<u64>> {
    let bits = |tensor: &Tensor| {
        let tensor = tensor.to_dtype(candle_core::DType::F64).unwrap();
        let values = tensor.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        values.into_iter().map(f64::to_bits).collect()
    };
    tensors
        .iter()
        .map(|(name, t)| (name.clone(), bits(t)))
        .collect()
}

#[test]
fn training_lowers_the_loss_and_a_spot_scores_higher_than_good_pictures() {
    for gradient in [Gradient::ClosedForm, Gradient::Autograd] {
        let (mut model, taps) = prepared(CflowConfig {
            gradient,
            epochs: 40,
            learning_rate: 1e-2,
            ..config()
        });
        let steps = model.steps(4);
        assert_eq!(steps, 4 * 96 / 48 + 4 * 24 / 48);
        let losses = train(&mut model, &taps, 0, 40 * steps);
        let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
        assert!(
            mean(&losses[39 * steps..]) < 0.8 * mean(&losses[..steps]),
            "{losses:?}"
        );
        let model = frozen(model);
        let clean = good(1, 8);
        let spot = Tensor::full(2.5_f32, (1, 3, 8, 8), &Device::Cpu).unwrap();
        let spoiled = clean
            .slice_assign(&[0..1, 0..3, 8..16, 24..32], &spot)
            .unwrap();
        let map = |pixels: &Tensor| {
            model
                .score(pixels)
                .unwrap()
                .get(0)
                .unwrap()
                .to_vec2::<f32>()
                .unwrap()
        };
        let (clean, spoiled) = (map(&clean), map(&spoiled));
        assert!(
            spoiled[12][28] > clean[12][28] + 0.3,
            "{} {}",
            spoiled[12][28],
            clean[12][28]
        );
        assert!(
            spoiled
                .iter()
                .flatten()
                .all(|score| (-1e-5..=2.0).contains(score))
        );
    }
}

#[test]
fn a_score_does_not_depend_on_the_batch() {
    let (mut model, taps) = prepared(config());
    train(&mut model, &taps, 0, 10);
    let model = frozen(model);
    let pictures = good(3, 20);
    let together = model.score(&pictures).unwrap();
    assert_eq!(together.dims(), [3, 32, 48]);
    for i in 0..3 {
        let alone = model.score(&pictures.narrow(0, i, 1).unwrap()).unwrap();
        assert_eq!(
            together.get(i).unwrap().to_vec2::<f32>().unwrap(),
            alone.get(0).unwrap().to_vec2::<f32>().unwrap()
        );
    }
}

#[test]
fn a_training_taken_up_anywhere_ends_with_the_same_bytes() {
    for sharing in [AdamSharing::Shared, AdamSharing::Separate] {
        let config = CflowConfig {
            sharing,
            ..config()
        };
        let (mut whole, taps) = prepared(config.clone());
        let all = 3 * whole.steps(4);
        train(&mut whole, &taps, 0, all);
        let whole = frozen(whole);
        // In the first epoch, at the seam of two scales, inside a scale, at the end of an epoch.
        for stop in [1, 8, 14, 20] {
            let (mut first, _) = prepared(config.clone());
            train(&mut first, &taps, 0, stop);
            let state = first.training_state().unwrap().into_iter().collect();
            let mut second =
                Cflow::resume(config.clone(), Box::new(Formula), INPUT, 3, state).unwrap();
            train(&mut second, &taps, stop, all);
            let second = frozen(second);
            assert_eq!(
                bits(&whole.tensors().unwrap()),
                bits(&second.tensors().unwrap())
            );
        }
    }
}

#[test]
fn sharing_the_optimiser_changes_the_result() {
    let trained = |sharing| {
        let (mut model, taps) = prepared(CflowConfig {
            sharing,
            ..config()
        });
        train(&mut model, &taps, 0, 30);
        bits(&frozen(model).tensors().unwrap())
    };
    assert_ne!(trained(AdamSharing::Shared), trained(AdamSharing::Separate));
}

#[test]
fn a_saved_model_scores_the_same_and_tensors_are_checked() {
    let (mut model, taps) = prepared(config());
    assert!(model.tensors().is_err(), "constants are not fixed");
    train(&mut model, &taps, 0, 10);
    let model = frozen(model);
    let tensors: HashMap<_, _> = model.tensors().unwrap().into_iter().collect();
    let load = |tensors| Cflow::from_tensors(config(), Box::new(Formula), INPUT, tensors);
    let mut loaded = load(tensors.clone()).unwrap();
    let score = |model: &Cflow| model.score(&good(1, 4)).unwrap().to_vec3::<f32>().unwrap();
    assert_eq!(score(&model), score(&loaded));
    let turn = Turn {
        at: Cursor {
            epoch: 0,
            batch: 0,
            step: 0,
        },
        batches: 1,
    };
    let error = loaded.train_step(&taps, turn).unwrap_err().to_string();
    assert!(error.contains("loaded to score"), "{error}");
    for name in [
        "likelihood_maxima",
        "scale2.block1.global_scale",
        "scale1.shift",
    ] {
        let mut missing = tensors.clone();
        missing.remove(name);
        let error = load(missing).err().unwrap().to_string();
        assert!(error.contains(name), "{error}");
    }
    let mut wrong = tensors.clone();
    let short = Tensor::zeros(2, candle_core::DType::F32, &Device::Cpu).unwrap();
    wrong.insert("scale1.block0.global_offset".to_owned(), short.clone());
    assert!(
        load(wrong)
            .err()
            .unwrap()
            .to_string()
            .contains("global_offset")
    );
    let mut extra = tensors;
    extra.insert("stranger".to_owned(), short);
    assert!(load(extra).err().unwrap().to_string().contains("stranger"));
}

#[test]
fn a_loss_that_is_no_number_is_reported_and_changes_nothing() {
    let (mut model, mut taps) = prepared(config());
    let before = bits(&model.training_state().unwrap());
    taps[0] = (&taps[0] * f64::NAN).unwrap();
    let turn = Turn {
        at: Cursor {
            epoch: 0,
            batch: 0,
            step: 0,
        },
        batches: 1,
    };
    let report = model.train_step(&taps, turn).unwrap();
    assert!(report.loss.is_nan());
    assert_eq!(report.part, Some("scale 1"));
    assert_eq!(before, bits(&model.training_state().unwrap()));
}

#[test]
fn what_cannot_work_is_refused_with_the_remedy() {
    let refused = |config, input| {
        Cflow::new(config, Box::new(Formula), input, 0)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    assert!(refused(config(), (8, 8)).contains("single cell at 1/8"));
    assert!(refused(config(), (8, 16)).is_empty());
    let one_tap = CflowConfig {
        taps: vec!["fine".to_owned()],
        ..config()
    };
    assert!(refused(one_tap, INPUT).contains("1 taps"));
    let odd = CflowConfig {
        condition: 6,
        ..config()
    };
    assert!(refused(odd, INPUT).contains("multiple of 4"));
    let mut untouched = model(config());
    let taps = untouched.encode(&good(4, 1)).unwrap();
    assert!(untouched.freeze(&mut std::iter::empty()).is_err());
    let turn = Turn {
        at: Cursor {
            epoch: 0,
            batch: 0,
            step: 0,
        },
        batches: 1,
    };
    assert!(untouched.train_step(&taps, turn).is_err(), "not prepared");
    assert!(
        untouched
            .encode(&good(1, 1).narrow(2, 0, 16).unwrap())
            .is_err()
    );
}

#[test]
fn fewer_fibres_than_a_step_still_train() {
    let (mut model, taps) = prepared(CflowConfig {
        fibres: 1000,
        ..config()
    });
    assert_eq!(model.steps(4), 2);
    assert!(
        train(&mut model, &taps, 0, 4)
            .iter()
            .all(|loss| loss.is_finite())
    );
}
