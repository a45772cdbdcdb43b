//! Our numbers against those of the reference implementations. The scripts that made the expected numbers lie beside
//! them in `tests/fixtures`.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![expect(clippy::print_stdout, reason = "a skipped test says so")]

use std::collections::HashMap;
use std::path::PathBuf;

use candle_core::{Device, Tensor};
use flawscope::models::backbone::{Backbone, BackboneKind, Border, TensorSpec};
use serde::Deserialize;

/// What `fixtures/backbones/reference.py` says of a tap: statistics, and values at equally spaced places.
#[derive(Deserialize)]
struct Summary {
    shape: Vec<usize>,
    mean: f64,
    std: f64,
    samples: Vec<f64>,
}

/// Numbers in [-1, 1), the same as in the script.
fn noise(name: &str, count: usize) -> impl Iterator<Item = f64> {
    let seed = name.bytes().fold(2_166_136_261_u32, |seed, byte| {
        (seed ^ u32::from(byte)).wrapping_mul(16_777_619)
    });
    (0..count as u32).map(move |index| {
        let mut x = index.wrapping_mul(0x9E37_79B1).wrapping_add(seed);
        x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
        x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
        x ^= x >> 16;
        f64::from(x >> 8) / f64::from(1 << 23) - 1.0
    })
}

fn tensor(spec: &TensorSpec) -> Tensor {
    let shape = spec.shape.as_slice();
    let fan_in = shape.iter().skip(1).product::<usize>() as f64;
    let (offset, factor) = match spec.name.rsplit('.').next() {
        _ if shape.len() == 4 => (0.0, (6.0 / fan_in).sqrt()),
        Some("weight") => (0.7, 0.2),
        Some("running_var") => (1.0, 0.5),
        _ => (0.0, 0.1),
    };
    let values: Vec<f32> = noise(&spec.name, shape.iter().product())
        .map(|value| (offset + factor * value) as f32)
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// `scale * sin(0.1 row + 0.2 column + channel)`.
fn picture(scale: f64, height: usize, width: usize) -> Tensor {
    let mut values = Vec::with_capacity(3 * height * width);
    for channel in 0..3 {
        for row in 0..height {
            for column in 0..width {
                let phase = 0.1 * row as f64 + 0.2 * column as f64 + f64::from(channel);
                values.push((scale * phase.sin()) as f32);
            }
        }
    }
    Tensor::from_vec(values, (1, 3, height, width), &Device::Cpu).unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f64> {
    let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    values.into_iter().map(f64::from).collect()
}

fn mean_and_std(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / count;
    (mean, variance.sqrt())
}

/// Compares a network with the formula's weights, all differences relative to the spread of the tap.
fn check(kind: BackboneKind, border: Border, entry: &str) {
    let expected: HashMap<String, Vec<Summary>> =
        serde_json::from_str(include_str!("fixtures/backbones/expected.json")).unwrap();
    let expected = &expected[entry];
    let taps = &kind.taps()[..expected.len()];
    let specs = kind.tensors_up_to(taps.last().unwrap());
    let weights = specs
        .iter()
        .map(|spec| (spec.name.clone(), tensor(spec)))
        .collect();
    let backbone = Backbone::load(kind, &weights, taps, border, &Device::Cpu).unwrap();
    let features = backbone.forward(&picture(4.0, 67, 90)).unwrap();
    assert_eq!(features.len(), expected.len());
    for ((feature, expected), tap) in features.iter().zip(expected).zip(taps) {
        assert_eq!(feature.dims(), expected.shape, "{entry} {}", tap.name);
        let values = flat(feature);
        let close = |value: f64, wanted: f64, what: &str| {
            let error = (value - wanted).abs() / expected.std;
            assert!(
                error < 1e-4,
                "{entry} {}: {what} is {value}, not {wanted}",
                tap.name
            );
        };
        let (mean, std) = mean_and_std(&values);
        close(mean, expected.mean, "the mean");
        close(std, expected.std, "the standard deviation");
        for (index, &wanted) in expected.samples.iter().enumerate() {
            let place = index * (values.len() - 1) / (expected.samples.len() - 1);
            close(values[place], wanted, &format!("value {place}"));
        }
    }
}

#[test]
fn efficientnet_lite0_agrees_with_pytorch() {
    check(
        BackboneKind::EfficientNetLite0,
        Border::Zeros,
        "efficientnet-lite0",
    );
}

#[test]
fn mobilenet_v3_large_agrees_with_pytorch() {
    check(
        BackboneKind::MobileNetV3Large,
        Border::Zeros,
        "mobilenet-v3-large",
    );
}

#[test]
fn resnet18_agrees_with_pytorch() {
    check(BackboneKind::ResNet18, Border::Zeros, "resnet18");
}

#[test]
fn resnet18_with_mirrored_borders_agrees_with_pytorch() {
    check(BackboneKind::ResNet18, Border::Reflect, "resnet18 mirrored");
}

#[test]
fn resnet50_agrees_with_pytorch() {
    check(BackboneKind::ResNet50, Border::Zeros, "resnet50");
}

#[test]
fn wide_resnet50_2_agrees_with_pytorch() {
    check(
        BackboneKind::WideResNet50x2,
        Border::Zeros,
        "wide-resnet50-2",
    );
}

/// A file of the shared test data; says so and gives none where there is no such data.
fn test_data(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FLAWSCOPE_TEST_DATA");
    if root.is_none() {
        println!("skipped: FLAWSCOPE_TEST_DATA is not set");
    }
    Some(PathBuf::from(root?).join(path))
}

/// What is known of a tap of a network with its real weights: mean, spread, and the values it starts and ends with.
struct Known {
    tap: &'static str,
    mean: f64,
    std: f64,
    first: &'static [f64],
    last: &'static [f64],
}

/// Runs the real weights in `file` on a 64 px picture; the expected numbers are rounded to about five digits.
fn check_real(kind: BackboneKind, file: &str, known: &[Known], rectify: fn(f64) -> f64) {
    let Some(path) = test_data(file) else { return };
    let weights = candle_core::safetensors::load(path, &Device::Cpu).unwrap();
    let taps: Vec<_> = kind
        .taps()
        .iter()
        .copied()
        .filter(|tap| known.iter().any(|k| k.tap == tap.name))
        .collect();
    let backbone = Backbone::load(kind, &weights, &taps, Border::Zeros, &Device::Cpu).unwrap();
    let features = backbone.forward(&picture(1.0, 64, 64)).unwrap();
    for (feature, known) in features.iter().zip(known) {
        let values: Vec<f64> = flat(feature).into_iter().map(rectify).collect();
        let (mean, std) = mean_and_std(&values);
        let end = &values[values.len() - known.last.len()..];
        let found = [&[mean, std][..], &values[..known.first.len()], end].concat();
        let wanted = [&[known.mean, known.std][..], known.first, known.last].concat();
        for (found, wanted) in found.iter().zip(&wanted) {
            let error = (found - wanted).abs() / known.std;
            assert!(
                error < 1e-4,
                "{kind} {}: {found} instead of {wanted}",
                known.tap
            );
        }
    }
}

#[test]
fn efficientnet_lite0_with_its_real_weights_agrees_with_pytorch() {
    let known = |tap, mean, std, first, last| Known {
        tap,
        mean,
        std,
        first,
        last,
    };
    let known = [
        known(
            "stage2",
            -0.797_656,
            13.192_307,
            &[1.20263, 4.26462, 1.15575],
            &[-10.86963, 16.1533],
        ),
        known(
            "stage3",
            1.332_654,
            12.078_392,
            &[-18.48836, 7.4507, 20.09394],
            &[-8.63697, -1.24151],
        ),
        known(
            "stage5",
            -0.024_124,
            7.119_756,
            &[10.33265, 13.56321, 9.01335],
            &[-4.92668, 2.42266],
        ),
    ];
    check_real(
        BackboneKind::EfficientNetLite0,
        "weights/efficientnet_lite0.safetensors",
        &known,
        |value| value,
    );
}

#[test]
fn resnet18_with_its_real_weights_agrees_with_pytorch() {
    let known = |tap, mean, std, first, last| Known {
        tap,
        mean,
        std,
        first,
        last,
    };
    let known = [
        known(
            "layer1",
            0.565_397,
            0.592_693,
            &[0.0, 0.17699, 0.24315],
            &[1.27455, 1.12677],
        ),
        known(
            "layer2",
            0.273_788,
            0.431_552,
            &[0.0, 1.98527, 1.4214],
            &[0.0, 0.0],
        ),
        known(
            "layer3",
            0.211_958,
            0.301_224,
            &[0.25837, 0.0, 0.11044],
            &[0.11541, 0.0608],
        ),
    ];
    let relu = |value: f64| value.max(0.0);
    check_real(
        BackboneKind::ResNet18,
        "weights/resnet18_stages1to3.safetensors",
        &known,
        relu,
    );
}
