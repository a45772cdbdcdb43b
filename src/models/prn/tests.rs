//! The blocks against PyTorch, forward and backward, and the detector's promises.

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor, Var};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use super::attention::Attention;
use super::config::{AttentionForm, PrnConfig, Width};
use super::decoder::Decoder;
use super::fusion::Fusion;
use super::layers::{Builder, Folded, Pass, Running, Source, take_statistics};
use super::network::{Blocks, Network, Sizes};
use super::{Prn, mean_of_largest};
use crate::cursor::Cursor;
use crate::models::backbone::BackboneKind;
use crate::models::{Detector, FeatureExtractor, Turn};

/// What `tests/fixtures/prn/reference.py` says of a tensor: root mean square, and values at equally spaced places.
#[derive(Deserialize)]
struct Summary {
    shape: Vec<usize>,
    mean: f64,
    spread: f64,
    samples: Vec<f64>,
}

#[derive(Deserialize)]
struct Expected {
    outputs: Vec<Summary>,
    gradients: HashMap<String, Summary>,
    running: HashMap<String, Summary>,
    scored: Vec<Summary>,
}

fn expected(block: &str) -> Expected {
    let text = include_str!("../../../tests/fixtures/prn/expected.json");
    let mut all: HashMap<String, Expected> = serde_json::from_str(text).unwrap();
    all.remove(block).unwrap()
}

/// Numbers in [-1, 1), the same as in the script.
fn noise(name: &str, dims: &[usize]) -> Tensor {
    let seed = name.bytes().fold(2_166_136_261_u32, |seed, byte| {
        (seed ^ u32::from(byte)).wrapping_mul(16_777_619)
    });
    let count: usize = dims.iter().product();
    let value = |index: u32| {
        let mut x = index.wrapping_mul(0x9E37_79B1).wrapping_add(seed);
        x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
        x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
        x ^= x >> 16;
        (x >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    Tensor::from_vec((0..count as u32).map(value).collect(), dims, &Device::Cpu).unwrap()
}

/// The script's weights for everything `build` asks for.
fn weights(build: &dyn Fn(&mut Builder)) -> HashMap<String, Tensor> {
    let mut generator = ChaCha8Rng::seed_from_u64(0);
    let mut builder = Builder::new(Source::Random(&mut generator), &Device::Cpu);
    build(&mut builder);
    let parameters = builder.parameters.iter();
    let mut shapes: Vec<(String, Vec<usize>)> = parameters
        .map(|(name, var)| (name.clone(), var.dims().to_vec()))
        .collect();
    for (name, running) in &builder.running {
        shapes.push((format!("{name}.running_mean"), running.mean.dims().to_vec()));
        shapes.push((format!("{name}.running_var"), running.mean.dims().to_vec()));
    }
    let weight = |(name, dims): (String, Vec<usize>)| {
        let noise = noise(&name, &dims);
        let fan_in: usize = dims.iter().skip(1).product();
        let values = match dims.len() {
            4 => noise * (3.0 / fan_in as f64).sqrt(),
            _ if name.contains("norm") && name.ends_with("weight") => noise.affine(0.3, 1.0),
            _ if name.ends_with("running_var") => noise.affine(0.5, 1.0),
            _ => noise * 0.3,
        };
        (name, values.unwrap())
    };
    shapes.into_iter().map(weight).collect()
}

fn assert_summary(name: &str, found: &Tensor, expected: &Summary, scale: f64) {
    assert_eq!(found.dims(), expected.shape, "{name}");
    let values = found.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let step = (values.len() / 7).max(1);
    let tolerance = 3e-5 * (expected.spread + scale);
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
    assert!(
        (mean - expected.mean).abs() < tolerance,
        "{name}: {mean} {}",
        expected.mean
    );
    for (found, expected) in values.iter().step_by(step).zip(&expected.samples) {
        assert!(
            (f64::from(*found) - expected).abs() < 4.0 * tolerance,
            "{name}: {found} {expected}"
        );
    }
}

type Block<'a> = dyn Fn(&[Tensor], &mut Pass) -> Result<Vec<Tensor>> + 'a;

/// Builds a block twice, for its names and with the script's weights, and compares everything the script wrote down.
fn assert_block(
    name: &str,
    inputs: &[(&str, &[usize])],
    build: &dyn for<'b> Fn(&'b mut Builder) -> Box<Block<'static>>,
) {
    let expected = expected(name);
    let mut saved = weights(&|builder| drop(build(builder)));
    let mut builder = Builder::new(Source::Saved(&mut saved), &Device::Cpu);
    let block = build(&mut builder);
    let Builder {
        layers,
        parameters,
        running,
        ..
    } = builder;
    assert!(saved.is_empty());
    let vars: Vec<Var> = inputs
        .iter()
        .map(|(name, dims)| Var::from_tensor(&noise(name, dims)).unwrap())
        .collect();
    let tensors: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();

    let mut statistics = Vec::new();
    let outputs = block(&tensors, &mut Pass::Train(&mut statistics)).unwrap();
    let mut sum = Tensor::zeros((), DType::F32, &Device::Cpu).unwrap();
    for (i, (output, expected)) in outputs.iter().zip(&expected.outputs).enumerate() {
        assert_summary(&format!("{name} output {i}"), output, expected, 0.1);
        let seed = noise(&format!("seed{i}"), output.dims());
        sum = (sum + (output * seed).unwrap().sum_all().unwrap()).unwrap();
    }
    let gradients = sum.backward().unwrap();
    let inputs = inputs
        .iter()
        .zip(&vars)
        .map(|((name, _), var)| (*name, var));
    let all = inputs.chain(parameters.iter().map(|(name, var)| (name.as_str(), var)));
    let mut seen = 0;
    // A bias in front of a norm has no gradient; its rounding is measured against the others.
    let largest = expected
        .gradients
        .values()
        .map(|g| g.spread)
        .fold(0.0, f64::max);
    for (part, var) in all {
        let gradient = gradients.get(var).unwrap();
        let expected = &expected.gradients[part];
        assert_summary(&format!("{name} {part}"), gradient, expected, 0.1 * largest);
        seen += 1;
    }
    assert_eq!(seen, expected.gradients.len());

    let mut taken: Vec<Running> = running.iter().map(|(_, r)| r.clone()).collect();
    take_statistics(&mut taken, &[statistics]).unwrap();
    for ((norm, _), taken) in running.iter().zip(&taken) {
        for (part, found) in [
            ("running_mean", &taken.mean),
            ("running_var", &taken.variance),
        ] {
            let part = format!("{norm}.{part}");
            assert_summary(&part, found, &expected.running[&part], 0.1);
        }
    }
    let folded = Folded::new(&layers, &taken).unwrap();
    let scored = block(&tensors, &mut Pass::Score(&folded)).unwrap();
    for (found, expected) in scored.iter().zip(&expected.scored) {
        assert_summary(&format!("{name} scored"), found, expected, 0.3);
    }
}

fn three(tensors: &[Tensor]) -> [Tensor; 3] {
    [tensors[0].clone(), tensors[1].clone(), tensors[2].clone()]
}

#[test]
fn fusion_is_that_of_the_reference() {
    let inputs: [(&str, &[usize]); 3] = [
        ("x1", &[2, 4, 16, 24]),
        ("x2", &[2, 8, 8, 12]),
        ("x3", &[2, 16, 4, 6]),
    ];
    assert_block("fusion", &inputs, &|builder| {
        let fusion = Fusion::new("fusion", [4, 8, 16], builder).unwrap();
        Box::new(move |xs, pass| Ok(fusion.forward(&three(xs), pass)?.to_vec()))
    });
}

fn assert_attention(name: &str, form: AttentionForm, shape: (usize, usize, usize)) {
    let (channels, height, width) = shape;
    assert_block(name, &[("x", &[2, channels, height, width])], &|builder| {
        let attention = Attention::new("attention", form, shape, builder).unwrap();
        Box::new(move |xs, pass| Ok(vec![attention.forward(&xs[0], pass)?]))
    });
}

#[test]
fn attention_over_channels_is_that_of_the_reference() {
    assert_attention("channels", AttentionForm::Channels, (6, 16, 24));
}

#[test]
fn element_wise_attention_is_that_of_the_reference() {
    assert_attention("element-wise", AttentionForm::ElementWise, (3, 8, 16));
}

#[test]
fn the_decoder_is_that_of_the_reference() {
    let inputs: [(&str, &[usize]); 4] = [
        ("m1", &[2, 8, 16, 16]),
        ("m2", &[2, 16, 8, 8]),
        ("m3", &[2, 32, 4, 4]),
        ("deepest", &[2, 20, 2, 2]),
    ];
    assert_block("decoder", &inputs, &|builder| {
        let decoder = Decoder::new("decoder", [4, 8, 16], 20, builder).unwrap();
        Box::new(move |xs, pass| Ok(vec![decoder.forward(&three(xs), &xs[3], (64, 64), pass)?]))
    });
}

const SIZES: Sizes = Sizes {
    channels: [6, 10, 12, 20],
    grids: [(32, 32), (16, 16), (8, 8)],
};

fn small(modules: usize) -> PrnConfig {
    PrnConfig {
        width: Width::Reduced([4, 8, 16]),
        attention_modules: modules,
        ..PrnConfig::lite(BackboneKind::EfficientNetLite0)
    }
}

#[test]
fn the_whole_network_is_that_of_the_reference() {
    let inputs: [(&str, &[usize]); 7] = [
        ("f1", &[2, 6, 32, 32]),
        ("f2", &[2, 10, 16, 16]),
        ("f3", &[2, 12, 8, 8]),
        ("r1", &[2, 6, 32, 32]),
        ("r2", &[2, 10, 16, 16]),
        ("r3", &[2, 12, 8, 8]),
        ("deepest", &[2, 20, 4, 4]),
    ];
    assert_block("network", &inputs, &|builder| {
        let blocks = Blocks::new(&small(2), SIZES, builder).unwrap();
        Box::new(move |xs, pass| {
            let logits = blocks.forward(&three(xs), &three(&xs[3..]), &xs[6], (128, 128), pass)?;
            Ok(vec![logits])
        })
    });
}

/// What is counted in the published form.
fn count(config: &PrnConfig, part: &str) -> usize {
    let sizes = Sizes {
        channels: [64, 128, 256, 512],
        grids: [(64, 64), (32, 32), (16, 16)],
    };
    let mut generator = ChaCha8Rng::seed_from_u64(0);
    let source = Source::Random(&mut generator);
    let network = Network::new(config, sizes, source, &Device::Cpu).unwrap();
    let parameters = network.parameters.iter();
    let wanted = parameters.filter(|(name, _)| name.starts_with(part));
    wanted.map(|(_, var)| var.elem_count()).sum()
}

#[test]
fn the_published_form_has_the_published_number_of_parameters() {
    let config = PrnConfig {
        attention: AttentionForm::ElementWise,
        ..PrnConfig::paper(BackboneKind::ResNet18)
    };
    assert_eq!(count(&config, "fusion.inner"), 68_096);
    assert_eq!(count(&config, "fusion.outer"), 250_880);
    assert_eq!(count(&config, "decoder"), 4_686_529);
    assert_eq!(count(&config, ""), 77_535_809);
}

/// Four taps made of averages of the pixels, which is enough to tell pictures apart.
struct Averages;

const INPUT: (usize, usize) = (64, 80);

impl FeatureExtractor for Averages {
    fn forward(&self, pixels: &Tensor) -> Result<Vec<Tensor>> {
        let (batch, _, height, width) = pixels.dims4()?;
        let tap = |(&channels, &stride): (&usize, &usize)| {
            let (h, w) = (height.div_ceil(stride), width.div_ceil(stride));
            let pooled = pixels
                .upsample_nearest2d(h * stride, w * stride)?
                .avg_pool2d(stride)?;
            let all = Tensor::cat(&vec![pooled; channels.div_ceil(3)], 1)?;
            let factors = noise("factors", &[1, channels, 1, 1]);
            all.narrow(1, 0, channels)?
                .broadcast_mul(&factors)?
                .reshape((batch, channels, h, w))
        };
        self.channels()
            .iter()
            .zip(&self.strides())
            .map(tap)
            .collect()
    }

    fn channels(&self) -> Vec<usize> {
        SIZES.channels.to_vec()
    }

    fn strides(&self) -> Vec<usize> {
        vec![4, 8, 16, 32]
    }

    fn device(&self) -> Device {
        Device::Cpu
    }
}

fn pixels(name: &str, pictures: usize) -> Tensor {
    noise(name, &[pictures, 3, INPUT.0, INPUT.1])
}

fn batch(name: &str, pictures: usize) -> [Tensor; 2] {
    let masks = noise(name, &[pictures, 1, INPUT.0, INPUT.1])
        .ge(0.5)
        .unwrap();
    [pixels(name, pictures), masks.to_dtype(DType::F32).unwrap()]
}

fn prepared(config: PrnConfig) -> Prn {
    let mut model = Prn::new(config, Box::new(Averages), INPUT, 3).unwrap();
    let encoded: Vec<_> = (0..6)
        .map(|i| model.encode(&pixels(&format!("good{i}"), 1)))
        .collect();
    model.prepare(&mut encoded.into_iter()).unwrap();
    model
}

fn turn(epoch: usize) -> Turn {
    let at = Cursor {
        epoch,
        ..Cursor::default()
    };
    Turn { at, batches: 1 }
}

fn named(tensors: Result<Vec<(String, Tensor)>>) -> HashMap<String, Vec<f32>> {
    let values = |t: &Tensor| t.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>();
    let tensors = tensors.unwrap().into_iter();
    tensors
        .map(|(name, tensor)| (name, values(&tensor).unwrap()))
        .collect()
}

fn scores(model: &Prn, pixels: &Tensor) -> Vec<f32> {
    let map = model.score(pixels).unwrap();
    map.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn training_brings_the_loss_down_and_maps_are_probabilities() {
    let mut model = prepared(small(1));
    // What is bright is a defect.
    let pixels_shown = pixels("shown", 4);
    let marked = pixels_shown.narrow(1, 0, 1).unwrap().ge(0.5).unwrap();
    let shown = [pixels_shown, marked.to_dtype(DType::F32).unwrap()];
    let losses: Vec<f32> = (0..12)
        .map(|epoch| model.train_step(&shown, turn(epoch)).unwrap().loss)
        .collect();
    assert!(
        losses[11] < 0.85 * losses[0] && losses.is_sorted_by(|a, b| a > b),
        "{losses:?}"
    );
    model.freeze(&mut std::iter::empty()).unwrap();
    let map = model.score(&pixels("other", 2)).unwrap();
    assert_eq!(map.dims(), [2, INPUT.0, INPUT.1]);
    assert!(
        scores(&model, &pixels("other", 2))
            .iter()
            .all(|s| (0.0..=1.0).contains(s))
    );
}

#[test]
fn scores_do_not_depend_on_batch_neighbours() {
    let model = prepared(small(1));
    let two = pixels("two", 2);
    let together = scores(&model, &two);
    let alone = scores(&model, &two.narrow(0, 1, 1).unwrap());
    for (together, alone) in together[INPUT.0 * INPUT.1..].iter().zip(&alone) {
        assert!((together - alone).abs() < 1e-6);
    }
}

#[test]
fn a_resumed_training_ends_with_the_same_values() {
    let mut whole = prepared(small(1));
    for epoch in 0..2 {
        whole
            .train_step(&batch(&epoch.to_string(), 2), turn(epoch))
            .unwrap();
    }
    let state = whole.training_state().unwrap();
    // A copy, as reading a file makes one.
    let state = state
        .into_iter()
        .map(|(name, t)| (name, t.copy().unwrap()))
        .collect();
    let mut resumed = Prn::resume(small(1), Box::new(Averages), INPUT, state).unwrap();
    for model in [&mut whole, &mut resumed] {
        model.train_step(&batch("2", 2), turn(2)).unwrap();
        model.freeze(&mut std::iter::empty()).unwrap();
    }
    assert_eq!(named(whole.tensors()), named(resumed.tensors()));
}

#[test]
fn a_saved_model_scores_alike_and_foreign_tensors_are_refused() {
    let mut model = prepared(small(1));
    model.train_step(&batch("shown", 2), turn(0)).unwrap();
    model.freeze(&mut std::iter::empty()).unwrap();
    let saved: HashMap<_, _> = model.tensors().unwrap().into_iter().collect();
    let load = |tensors| Prn::from_tensors(small(1), Box::new(Averages), INPUT, tensors);
    let loaded = load(saved.clone()).unwrap();
    let picture = pixels("picture", 1);
    assert_eq!(scores(&loaded, &picture), scores(&model, &picture));
    let error = |tensors| load(tensors).err().unwrap().to_string();
    let mut more = saved.clone();
    more.insert("what".into(), picture.clone());
    assert!(error(more).contains("tensor what"));
    let mut less = saved.clone();
    less.remove("prototypes.2");
    assert!(error(less).contains("prototypes.2"));
    let mut other = saved;
    other.insert("decoder.logits.bias".into(), picture);
    assert!(error(other).contains("decoder.logits.bias"));
}

#[test]
fn a_loss_that_is_no_number_changes_nothing() {
    let mut model = prepared(small(1));
    let before = named(model.training_state());
    let [pixels, masks] = batch("shown", 2);
    let broken = (pixels * f64::NAN).unwrap();
    let report = model.train_step(&[broken, masks], turn(0)).unwrap();
    assert!(!report.loss.is_finite());
    assert_eq!(named(model.training_state()), before);
}

#[test]
fn micro_batches_of_all_pictures_are_the_batch_and_smaller_ones_still_learn() {
    let step = |micro_batch| {
        let mut model = prepared(PrnConfig {
            micro_batch,
            ..small(1)
        });
        let report = model.train_step(&batch("shown", 4), turn(0)).unwrap();
        (report.loss, named(model.tensors()))
    };
    let (whole, weights) = step(4);
    assert_eq!(step(7), (whole, weights.clone()));
    let (parts, others) = step(3);
    assert!((parts - whole).abs() < 0.5 * whole && parts.is_finite());
    // Their norms see other statistics.
    assert_ne!(
        others["decoder.last.norm.running_mean"],
        weights["decoder.last.norm.running_mean"]
    );
}

#[test]
fn prototypes_follow_from_at_most_so_many_pictures() {
    let model = prepared(PrnConfig {
        prototype_share: 1.0,
        prototype_pictures: 4,
        ..small(1)
    });
    let tensors = model.tensors().unwrap();
    let maps = tensors
        .iter()
        .find(|(name, _)| name == "prototypes.1")
        .unwrap();
    assert_eq!(maps.1.dims(), [4, 6, 16, 20]);
    let no_pictures = Prn::new(small(1), Box::new(Averages), INPUT, 0).unwrap();
    assert!(no_pictures.score(&pixels("picture", 1)).is_err());
}

#[test]
fn a_picture_scores_the_mean_of_its_largest_pixels() {
    assert!((mean_of_largest(&[0.1, 0.9, 0.5, 0.7], 2) - 0.8).abs() < 1e-6);
    assert_eq!(mean_of_largest(&[0.25, 0.75], 100), 0.5);
    assert!(mean_of_largest(&[0.1, f32::NAN, 0.2], 1).is_nan());
    assert_eq!(mean_of_largest(&[], 1), f32::NEG_INFINITY);
}

#[test]
fn the_rate_stays_and_falls_at_the_end() {
    let config = PrnConfig {
        epochs: 10,
        learning_rate: 1e-3,
        cosine_tail: 0.5,
        ..small(1)
    };
    let rate = |epoch| super::learning_rate(&config, turn(epoch));
    assert_eq!((rate(0), rate(5)), (1e-3, 1e-3));
    assert!(rate(6) < 1e-3 && rate(9) < rate(8));
    assert!((rate(10) - 1e-6).abs() < 1e-12);
    let constant = PrnConfig {
        cosine_tail: 0.0,
        ..config.clone()
    };
    assert_eq!(super::learning_rate(&constant, turn(10)), 1e-3);
}
