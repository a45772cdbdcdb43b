//! The networks and the three detectors: the same seed on both devices gives the same losses and the same maps.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use flawscope::cursor::Cursor;
use flawscope::models::backbone::{Backbone, BackboneKind, Border, Tap};
use flawscope::models::cfa::{Cfa, CfaConfig};
use flawscope::models::cflow::{Cflow, CflowConfig};
use flawscope::models::prn::{Prn, PrnConfig};
use flawscope::models::{Detector, FeatureExtractor, Turn};

use crate::support::{assert_close, assert_near, drawn, gpu, noise, values};

const INPUT: (usize, usize) = (64, 96);

/// Small weights with a batch norm that does nothing.
fn weights(kind: BackboneKind, deepest: &Tap) -> HashMap<String, Tensor> {
    let specs = kind.tensors_up_to(deepest).into_iter().enumerate();
    specs
        .map(|(number, spec)| {
            let norm = spec.shape.len() == 1;
            let inputs = spec.shape.iter().skip(1).product::<usize>() as f64;
            let tensor = match spec.name.rsplit('.').next() {
                Some("weight" | "running_var") if norm => noise(&spec.shape, 0).ones_like(),
                Some("weight") => drawn(&spec.shape, number) * (6.0 / inputs).sqrt(),
                _ => noise(&spec.shape, 0).zeros_like(),
            };
            (spec.name, tensor.unwrap())
        })
        .collect()
}

fn backbone(kind: BackboneKind, names: &[String], border: Border, device: &Device) -> Backbone {
    let named = |name: &String| *kind.taps().iter().find(|tap| tap.name == name).unwrap();
    let taps: Vec<Tap> = names.iter().map(named).collect();
    let weights = weights(kind, taps.last().unwrap());
    Backbone::load(kind, &weights, &taps, border, device).unwrap()
}

fn all_taps(kind: BackboneKind) -> Vec<String> {
    let taps = kind.taps().iter();
    let known = taps.filter(|tap| !tap.name.ends_with('4') || !kind.is_resnet());
    known.map(|tap| tap.name.to_owned()).collect()
}

#[test]
fn networks_give_the_same_features() {
    let Some(gpu) = gpu() else { return };
    for (kind, border) in [
        (BackboneKind::ResNet18, Border::Zeros),
        (BackboneKind::ResNet18, Border::Reflect),
        (BackboneKind::WideResNet50x2, Border::Zeros),
        (BackboneKind::EfficientNetLite0, Border::Zeros),
        (BackboneKind::MobileNetV3Large, Border::Zeros),
    ] {
        let names = all_taps(kind);
        let pixels = noise(&[2, 3, 96, 128], 5);
        let expected = backbone(kind, &names, border, &Device::Cpu).forward(&pixels);
        let found = backbone(kind, &names, border, &gpu).forward(&pixels.to_device(&gpu).unwrap());
        let pairs = found.unwrap().into_iter().zip(expected.unwrap());
        for ((found, expected), name) in pairs.zip(names) {
            // Products rounded to 10 bits, through up to 50 layers.
            assert_near(&found, &expected, 1e-2, &format!("{kind} {name}"));
        }
    }
}

/// Striped parts under light that changes from picture to picture: `(count, 3, H, W)`; the last has a bright square.
fn parts(count: usize, device: &Device) -> Tensor {
    let (height, width) = INPUT;
    let part = |number: usize| {
        let value = move |i: usize| {
            let (c, y, x) = (i / (height * width), i / width % height, i % width);
            let defect = number + 1 == count && (20..34).contains(&y) && (40..52).contains(&x);
            let light = 1.0 + 0.05 * (number as f32 * 1.3).sin();
            light * ((x as f32 * 0.4).sin() + (y as f32 * 0.15).cos() + 0.3 * c as f32)
                + if defect { 3.0 } else { 0.0 }
        };
        (0..3 * height * width).map(value)
    };
    let values: Vec<f32> = (0..count).flat_map(part).collect();
    let all = Tensor::from_vec(values, (count, 3, height, width), &Device::Cpu).unwrap();
    let noise = (noise(all.dims(), 3) * 0.05).unwrap();
    (all + noise).unwrap().to_device(device).unwrap()
}

const KIND: BackboneKind = BackboneKind::EfficientNetLite0;

/// A network that runs on the CPU and gives its features on another device: the same on both to the bit.
struct Elsewhere {
    network: Backbone,
    device: Device,
}

impl FeatureExtractor for Elsewhere {
    fn forward(&self, pixels: &Tensor) -> candle_core::Result<Vec<Tensor>> {
        let taps = self.network.forward(&pixels.to_device(&Device::Cpu)?)?;
        taps.iter().map(|tap| tap.to_device(&self.device)).collect()
    }

    fn channels(&self) -> Vec<usize> {
        FeatureExtractor::channels(&self.network)
    }

    fn strides(&self) -> Vec<usize> {
        FeatureExtractor::strides(&self.network)
    }

    fn device(&self) -> Device {
        self.device.clone()
    }
}

fn network(names: &[String], device: &Device) -> Box<dyn FeatureExtractor> {
    Box::new(Elsewhere {
        network: backbone(KIND, names, Border::Zeros, &Device::Cpu),
        device: device.clone(),
    })
}

/// Losses of some steps on encoded features, then the maps of the same pictures.
fn learn(model: &mut dyn Detector, device: &Device) -> (Vec<f32>, Tensor) {
    let pixels = parts(6, device);
    let good = pixels.narrow(0, 0, 4).unwrap();
    let features = model.encode(&good).unwrap();
    model
        .prepare(&mut std::iter::once(Ok(features.clone())))
        .unwrap();
    let losses = (0..model.steps(4).min(12))
        .map(|step| {
            let at = Cursor {
                step,
                ..Cursor::default()
            };
            let turn = Turn { at, batches: 1 };
            model.train_step(&features, turn).unwrap().loss
        })
        .collect();
    let held_out = pixels.narrow(0, 4, 1).unwrap();
    model.freeze(&mut std::iter::once(Ok(held_out))).unwrap();
    (losses, model.score(&pixels).unwrap())
}

fn assert_alike(found: &(Vec<f32>, Tensor), expected: &(Vec<f32>, Tensor), allowed: f64) {
    for (found, expected) in found.0.iter().zip(&expected.0) {
        let difference = f64::from((found - expected).abs());
        assert!(
            difference <= allowed * f64::from(expected.abs()).max(1e-3),
            "losses {found} and {expected}"
        );
    }
    assert_near(&found.1, &expected.1, allowed, "maps");
    assert!(values(&found.1).iter().all(|value| value.is_finite()));
}

#[test]
fn cfa_learns_and_scores_alike() {
    let Some(gpu) = gpu() else { return };
    let config = CfaConfig::paper(KIND);
    let run = |device: &Device| {
        let network = network(&config.taps, device);
        let mut model = Cfa::new(config.clone(), network, INPUT, 1).unwrap();
        let mut result = learn(&mut model, device);
        // A pass over the same pictures again, and what it was saved as.
        let features = model.encode(&parts(6, device)).unwrap();
        let turn = Turn {
            at: Cursor::default(),
            batches: 1,
        };
        result
            .0
            .push(model.train_step(&features, turn).unwrap().loss);
        let saved = model.tensors().unwrap().into_iter().collect();
        let network = self::network(&config.taps, device);
        let again = Cfa::from_tensors(config.clone(), network, INPUT, saved).unwrap();
        let maps = model.score(&parts(6, device)).unwrap();
        assert_close(
            &again.score(&parts(6, device)).unwrap(),
            &maps,
            1e-5,
            "saved",
        );
        result
    };
    assert_alike(&run(&gpu), &run(&Device::Cpu), 1e-3);
}

#[test]
fn cflow_learns_and_scores_alike() {
    let Some(gpu) = gpu() else { return };
    let config = CflowConfig::quick(KIND);
    let run = |device: &Device| {
        let network = network(&config.taps, device);
        let mut model = Cflow::new(config.clone(), network, INPUT, 1).unwrap();
        learn(&mut model, device)
    };
    assert_alike(&run(&gpu), &run(&Device::Cpu), 1e-3);
}

#[test]
fn prn_learns_and_scores_alike() {
    let Some(gpu) = gpu() else { return };
    let config = PrnConfig::lite(KIND);
    let run = |device: &Device| {
        let network = network(&config.taps, device);
        let mut model = Prn::new(config.clone(), network, INPUT, 1).unwrap();
        let pixels = parts(6, device);
        let features = model.encode(&pixels).unwrap();
        model.prepare(&mut std::iter::once(Ok(features))).unwrap();
        let mask =
            Tensor::zeros((6, 1, INPUT.0, INPUT.1), candle_core::DType::F32, device).unwrap();
        let lesson = [pixels.clone(), mask];
        let losses = (0..3)
            .map(|batch| {
                let at = Cursor {
                    batch,
                    ..Cursor::default()
                };
                let turn = Turn { at, batches: 8 };
                model.train_step(&lesson, turn).unwrap().loss
            })
            .collect();
        model.freeze(&mut std::iter::empty()).unwrap();
        (losses, model.score(&pixels).unwrap())
    };
    // The trained convolutions round their products to 10 bits.
    assert_alike(&run(&gpu), &run(&Device::Cpu), 5e-2);
}
