//! The whole detector over a tiny network made by a formula.

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor};

use super::{Cfa, CfaConfig, TapScaling};
use crate::cursor::Cursor;
use crate::models::backbone::BackboneKind;
use crate::models::{Detector, FeatureExtractor, Turn};

const INPUT: (usize, usize) = (64, 96);

/// Three taps: strided 4 x 4 convolutions with weights from a formula.
struct Formula;

impl Formula {
    fn layer(input: &Tensor, outputs: usize, size: usize) -> Result<Tensor> {
        let inputs = input.dim(1)?;
        let count = outputs * inputs * size * size;
        let gain = 2.0 / ((inputs * size) as f32).sqrt();
        let weight: Vec<f32> = (0..count)
            .map(|i| gain * ((i * 7919 + outputs * 31) % 1009) as f32 / 504.5 - gain)
            .collect();
        input.conv2d(
            &Tensor::from_vec(weight, (outputs, inputs, size, size), &Device::Cpu)?,
            0,
            size,
            1,
            1,
        )
    }
}

/// CFA's steps are all alike.
const TURN: Turn = Turn {
    at: Cursor {
        epoch: 0,
        batch: 0,
        step: 0,
    },
    batches: 1,
};

impl FeatureExtractor for Formula {
    fn forward(&self, pixels: &Tensor) -> Result<Vec<Tensor>> {
        let first = Self::layer(pixels, 6, 4)?;
        let second = Self::layer(&first.relu()?, 8, 2)?;
        let third = Self::layer(&second.relu()?, 10, 2)?;
        Ok(vec![first, second, third])
    }

    fn channels(&self) -> Vec<usize> {
        vec![6, 8, 10]
    }

    fn strides(&self) -> Vec<usize> {
        vec![4, 8, 16]
    }

    fn device(&self) -> Device {
        Device::Cpu
    }
}

/// A striped part under light that changes from picture to picture: `(1, 3, H, W)`.
fn part(number: usize) -> Tensor {
    let (height, width) = INPUT;
    let value = |i: usize| {
        let (c, y, x) = (i / (height * width), i / width % height, i % width);
        let noise = ((i * 7919 + number * 104_729) % 1009) as f32 / 1009.0 - 0.5;
        let light = 1.0 + 0.05 * (number as f32 * 1.3).sin();
        light * ((x as f32 * 0.4).sin() + (y as f32 * 0.15).cos() + 0.3 * c as f32) + 0.1 * noise
    };
    let values: Vec<f32> = (0..3 * height * width).map(value).collect();
    Tensor::from_vec(values, (1, 3, height, width), &Device::Cpu).unwrap()
}

/// The same with a bright square of 12 pixels, its upper left corner at row `top`, column `left`.
fn with_defect(number: usize, top: usize, left: usize) -> Tensor {
    let (height, width) = INPUT;
    let inside = |i: usize| {
        let (y, x) = (i / width % height, i % width);
        (top..top + 12).contains(&y) && (left..left + 12).contains(&x)
    };
    let mark: Vec<f32> = (0..3 * height * width)
        .map(|i| if inside(i) { 3.0 } else { 0.0 })
        .collect();
    (part(number) + Tensor::from_vec(mark, (1, 3, height, width), &Device::Cpu).unwrap()).unwrap()
}

fn config() -> CfaConfig {
    // A larger step than the paper's, for the few steps a test has time for.
    CfaConfig {
        learning_rate: 5e-3,
        ..CfaConfig::paper(BackboneKind::ResNet18)
    }
}

fn encoded(model: &Cfa) -> Vec<Vec<Tensor>> {
    (0..2)
        .map(|b| {
            let pixels: Vec<Tensor> = (4 * b..4 * b + 4).map(part).collect();
            model.encode(&Tensor::cat(&pixels, 0).unwrap()).unwrap()
        })
        .collect()
}

fn prepared(config: CfaConfig, seed: u64) -> (Cfa, Vec<Vec<Tensor>>) {
    let mut model = Cfa::new(config, Box::new(Formula), INPUT, seed).unwrap();
    let batches = encoded(&model);
    model.prepare(&mut batches.iter().cloned().map(Ok)).unwrap();
    (model, batches)
}

/// The model after some epochs, and the mean loss of each.
fn trained(config: CfaConfig, seed: u64, epochs: usize) -> (Cfa, Vec<f32>) {
    let (mut model, batches) = prepared(config, seed);
    let mut epoch = || {
        batches
            .iter()
            .map(|batch| model.train_step(batch, TURN).unwrap().loss)
            .sum::<f32>()
            / 2.0
    };
    let losses = (0..epochs).map(|_| epoch()).collect();
    (model, losses)
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn bits(model: &Cfa) -> Vec<(String, Vec<u32>)> {
    let to_bits = |tensor: &Tensor| values(tensor).into_iter().map(f32::to_bits).collect();
    model
        .tensors()
        .unwrap()
        .iter()
        .map(|(name, tensor)| (name.clone(), to_bits(tensor)))
        .collect()
}

/// Row and column of the largest value, and the value.
fn peak(map: &Tensor) -> (usize, usize, f32) {
    let width = map.dim(1).unwrap();
    let (at, value) = values(map)
        .into_iter()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap();
    (at / width, at % width, value)
}

#[test]
fn training_lowers_the_loss_and_a_defect_stands_out_where_it_is() {
    let (model, losses) = trained(config(), 1, 30);
    assert!(losses[29] < 0.5 * losses[0], "{losses:?}");
    let good = model.score(&part(50)).unwrap().get(0).unwrap();
    for (top, left) in [(8, 16), (40, 70), (0, 84)] {
        let map = model
            .score(&with_defect(51, top, left))
            .unwrap()
            .get(0)
            .unwrap();
        assert_eq!(map.dims(), [INPUT.0, INPUT.1]);
        let (y, x, value) = peak(&map);
        assert!(
            (top..top + 12).contains(&y) && (left..left + 12).contains(&x),
            "({top}, {left}): ({y}, {x})"
        );
        assert!(value > 1.5 * peak(&good).2, "{value} {}", peak(&good).2);
    }
}

#[test]
fn scores_do_not_depend_on_batch_neighbours() {
    let (model, _) = trained(config(), 2, 3);
    let pictures = [
        part(60),
        with_defect(61, 20, 20),
        part(62),
        with_defect(63, 3, 50),
    ];
    let together = model.score(&Tensor::cat(&pictures, 0).unwrap()).unwrap();
    for (i, picture) in pictures.iter().enumerate() {
        assert_eq!(
            values(&together.get(i).unwrap()),
            values(&model.score(picture).unwrap())
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_does_not() {
    let (first, again, other) = (
        trained(config(), 3, 4).0,
        trained(config(), 3, 4).0,
        trained(config(), 4, 4).0,
    );
    assert_eq!(bits(&first), bits(&again));
    assert_ne!(bits(&first), bits(&other));
}

#[test]
fn a_loaded_model_scores_and_trains_on_like_the_saved_one() {
    let (mut model, batches) = prepared(config(), 5);
    for batch in &batches {
        model.train_step(batch, TURN).unwrap();
    }
    let tensors: HashMap<String, Tensor> = model.tensors().unwrap().into_iter().collect();
    let loaded = Cfa::from_tensors(config(), Box::new(Formula), INPUT, tensors).unwrap();
    let picture = with_defect(70, 10, 10);
    assert_eq!(
        values(&model.score(&picture).unwrap()),
        values(&loaded.score(&picture).unwrap())
    );

    let state = model.training_state().unwrap().into_iter().collect();
    let mut loaded = Cfa::resume(config(), Box::new(Formula), INPUT, state).unwrap();
    for batch in &batches {
        assert_eq!(
            model.train_step(batch, TURN).unwrap(),
            loaded.train_step(batch, TURN).unwrap()
        );
    }
    assert_eq!(bits(&model), bits(&loaded));
}

#[test]
fn a_missing_misshapen_or_unknown_tensor_is_named() {
    let tensors: HashMap<String, Tensor> = trained(config(), 6, 1)
        .0
        .tensors()
        .unwrap()
        .into_iter()
        .collect();
    let load = |tensors: HashMap<String, Tensor>| match Cfa::from_tensors(
        config(),
        Box::new(Formula),
        INPUT,
        tensors,
    ) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    assert_eq!(load(tensors.clone()), "");
    for name in [
        "descriptor.weight",
        "descriptor.bias",
        "radius",
        "memory_bank",
        "tap_factors",
    ] {
        let mut missing = tensors.clone();
        missing.remove(name);
        assert!(load(missing).contains(name));
        let mut misshapen = tensors.clone();
        misshapen.insert(
            name.to_owned(),
            Tensor::zeros((2, 3, 4), DType::F32, &Device::Cpu).unwrap(),
        );
        assert!(load(misshapen).contains(name));
    }
    let mut unknown = tensors.clone();
    unknown.insert("prototypes".to_owned(), tensors["radius"].clone());
    assert!(load(unknown).contains("prototypes"));
}

#[test]
fn a_thinner_bank_a_narrower_descriptor_and_scaled_taps_work_end_to_end() {
    let config = CfaConfig {
        gamma_c: 9,
        gamma_d: 2,
        scaling: TapScaling::StandardDeviation { target: 0.5 },
        ..config()
    };
    let (model, losses) = trained(config, 7, 10);
    assert!(losses[9] < losses[0]);
    let tensors: HashMap<String, Tensor> = model.tensors().unwrap().into_iter().collect();
    assert_eq!(tensors["memory_bank"].dims(), [16 * 24 / 9, 12]);
    let (y, x, _) = peak(
        &model
            .score(&with_defect(51, 30, 40))
            .unwrap()
            .get(0)
            .unwrap(),
    );
    assert!((30..42).contains(&y) && (40..52).contains(&x), "({y}, {x})");
}

#[test]
fn features_kept_in_half_precision_train_too() {
    let (mut model, batches) = prepared(config(), 8);
    let half: Vec<Tensor> = batches[0]
        .iter()
        .map(|tap| tap.to_dtype(DType::F16).unwrap())
        .collect();
    assert!(model.train_step(&half, TURN).unwrap().loss.is_finite());
}

#[test]
fn using_a_model_too_early_or_with_the_wrong_input_is_refused() {
    let mut model = Cfa::new(config(), Box::new(Formula), INPUT, 9).unwrap();
    let batch = encoded(&model).remove(0);
    assert!(model.train_step(&batch, TURN).is_err());
    assert!(model.score(&part(0)).is_err());
    assert!(model.tensors().is_err());
    assert!(model.prepare(&mut std::iter::empty()).is_err());
    assert!(
        model
            .encode(&Tensor::zeros((1, 3, 32, 32), DType::F32, &Device::Cpu).unwrap())
            .is_err()
    );
    let senseless = CfaConfig {
        neighbours: 0,
        ..config()
    };
    assert!(Cfa::new(senseless, Box::new(Formula), INPUT, 9).is_err());
    let two_taps = CfaConfig {
        taps: vec!["layer1".to_owned(), "layer2".to_owned()],
        ..config()
    };
    assert!(Cfa::new(two_taps, Box::new(Formula), INPUT, 9).is_err());
}
