//! What can be known of the networks without reference outputs: sizes, names, errors and independence of pictures.

use std::collections::HashMap;

use candle_core::{DType, Device, Result, Tensor};

use super::{Backbone, BackboneKind, Border, Tap};

fn tap(kind: BackboneKind, name: &str) -> Tap {
    kind.taps()
        .iter()
        .copied()
        .find(|tap| tap.name == name)
        .unwrap()
}

/// Small weights with a batch norm that does nothing.
fn weights(kind: BackboneKind, deepest: &Tap) -> HashMap<String, Tensor> {
    kind.tensors_up_to(deepest)
        .into_iter()
        .map(|spec| {
            let count = spec.shape.iter().product::<usize>();
            let norm = spec.shape.len() == 1;
            let small = (spec.shape.iter().skip(1).product::<usize>() as f32)
                .sqrt()
                .recip();
            let value = |i: usize| ((i as f32) * 0.618).sin() * small;
            let values: Vec<f32> = match spec.name.rsplit('.').next() {
                Some("weight" | "running_var") if norm => vec![1.0; count],
                Some("weight") => (0..count).map(value).collect(),
                _ => vec![0.0; count],
            };
            (
                spec.name,
                Tensor::from_vec(values, spec.shape, &Device::Cpu).unwrap(),
            )
        })
        .collect()
}

fn load(kind: BackboneKind, weights: &HashMap<String, Tensor>, taps: &[Tap]) -> Result<Backbone> {
    Backbone::load(kind, weights, taps, Border::Zeros, &Device::Cpu)
}

fn error_of(kind: BackboneKind, weights: &HashMap<String, Tensor>, taps: &[Tap]) -> String {
    load(kind, weights, taps).err().unwrap().to_string()
}

fn pixels(dims: (usize, usize, usize, usize)) -> Tensor {
    let count = dims.0 * dims.1 * dims.2 * dims.3;
    let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.37).sin()).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn bits(tensor: &Tensor) -> Vec<u32> {
    tensor
        .flatten_all()
        .unwrap()
        .to_vec1::<f32>()
        .unwrap()
        .into_iter()
        .map(f32::to_bits)
        .collect()
}

const RESNET18: BackboneKind = BackboneKind::ResNet18;
const LITE: BackboneKind = BackboneKind::EfficientNetLite0;
const MOBILE: BackboneKind = BackboneKind::MobileNetV3Large;

#[test]
fn parameter_counts_are_the_published_ones() {
    let stages = |kind: BackboneKind| {
        kind.taps()
            .iter()
            .map(|tap| kind.parameters_up_to(tap))
            .collect::<Vec<_>>()
    };
    let differences = |kind: BackboneKind| {
        stages(kind)
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .collect::<Vec<_>>()
    };
    assert_eq!(RESNET18.parameters(), 11_176_512);
    assert_eq!(differences(RESNET18), [525_568, 2_099_712, 8_393_728]);
    assert_eq!(BackboneKind::ResNet50.parameters(), 23_508_032);
    assert_eq!(BackboneKind::WideResNet50x2.parameters(), 66_834_240);
    assert_eq!(stages(BackboneKind::WideResNet50x2)[2], 24_862_528);
    // With the head's 1x1 convolution, its batch norm and the classifier.
    let head = 320 * 1280 + 2 * 1280 + 1280 * 1000 + 1000;
    assert_eq!(LITE.parameters() + head, 4_652_008);
    // With the last 1x1 convolution and its batch norm.
    assert_eq!(MOBILE.parameters() + 160 * 960 + 2 * 960, 2_971_952);
}

#[test]
fn names_read_back() {
    for kind in BackboneKind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(kind));
        assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
    }
    let error = "resnet34".parse::<BackboneKind>().unwrap_err();
    assert!(
        error.contains("resnet34") && error.contains("wide-resnet50-2"),
        "{error}"
    );
}

#[test]
fn tensor_names_are_those_of_the_published_files() {
    let names = RESNET18.tensor_names_up_to(&tap(RESNET18, "layer2"));
    for name in [
        "conv1.weight",
        "bn1.running_var",
        "layer1.0.conv1.weight",
        "layer2.0.downsample.0.weight",
    ] {
        assert!(names.iter().any(|own| own == name), "{name}");
    }
    assert!(!names.iter().any(|name| name.starts_with("layer3")));
    let names = LITE.tensor_names_up_to(&tap(LITE, "stage7"));
    for name in [
        "_conv_stem.weight",
        "_bn0.bias",
        "_blocks.0._depthwise_conv.weight",
        "_blocks.15._bn2.running_mean",
    ] {
        assert!(names.iter().any(|own| own == name), "{name}");
    }
    assert!(
        !names
            .iter()
            .any(|name| name == "_blocks.0._expand_conv.weight")
    );
    let names = MOBILE.tensor_names_up_to(&tap(MOBILE, "block6"));
    for name in [
        "features.0.1.running_var",
        "features.1.block.0.0.weight",
        "features.4.block.2.fc1.bias",
        "features.6.block.3.1.weight",
    ] {
        assert!(names.iter().any(|own| own == name), "{name}");
    }
    assert!(!names.iter().any(|name| name.starts_with("features.7.")));
    assert_eq!(
        LITE.tensor_names_up_to(&tap(RESNET18, "layer1")),
        Vec::<String>::new()
    );
}

#[test]
fn features_have_the_channels_and_strides_of_their_taps() -> Result<()> {
    for kind in [LITE, MOBILE, RESNET18] {
        let deepest = *kind.taps().last().unwrap();
        let backbone = load(kind, &weights(kind, &deepest), kind.taps())?;
        let features = backbone.forward(&pixels((1, 3, 64, 96)))?;
        assert_eq!(features.len(), kind.taps().len());
        for (feature, tap) in features.iter().zip(backbone.taps()) {
            assert_eq!(
                feature.dims(),
                [1, tap.channels, 64 / tap.stride, 96 / tap.stride],
                "{kind} {}",
                tap.name
            );
        }
    }
    Ok(())
}

#[test]
fn a_tap_is_the_same_with_and_without_other_taps() -> Result<()> {
    for kind in [LITE, MOBILE, RESNET18] {
        let taps = &kind.taps()[..3];
        let weights = weights(kind, &taps[2]);
        let input = pixels((1, 3, 40, 40));
        let all = load(kind, &weights, taps)?.forward(&input)?;
        let last = load(kind, &weights, &taps[2..])?.forward(&input)?;
        assert_eq!(last.len(), 1);
        assert_eq!(bits(&all[2]), bits(&last[0]), "{kind}");
    }
    Ok(())
}

#[test]
fn mobilenets_taps_leave_before_batch_norm_and_shortcut() -> Result<()> {
    let taps = &MOBILE.taps()[1..3];
    let mut weights = weights(MOBILE, &taps[1]);
    let input = pixels((1, 3, 64, 64));
    let before = load(MOBILE, &weights, taps)?.forward(&input)?;
    // Block 6 ends in its input plus its normed projection: doubling the projection halves the norm's scale away.
    let projection = "features.6.block.3.0.weight";
    weights.insert(projection.into(), (&weights[projection] * 2.0)?);
    let scale = "features.6.block.3.1.weight";
    weights.insert(scale.into(), (&weights[scale] * 0.5)?);
    let after = load(MOBILE, &weights, taps)?.forward(&input)?;
    assert_eq!(bits(&after[0]), bits(&(&before[0] * 2.0)?));
    assert_eq!(bits(&after[1]), bits(&before[1]));
    // The norm itself shows behind the tap only.
    weights.insert(scale.into(), (&weights[scale] * 3.0)?);
    let other = load(MOBILE, &weights, taps)?.forward(&input)?;
    assert_eq!(bits(&other[0]), bits(&after[0]));
    assert_ne!(bits(&other[1]), bits(&after[1]));
    Ok(())
}

#[test]
fn features_are_not_rectified() -> Result<()> {
    let weights = weights(RESNET18, &tap(RESNET18, "layer1"));
    let features =
        load(RESNET18, &weights, &RESNET18.taps()[..1])?.forward(&pixels((1, 3, 32, 32)))?;
    assert!(features[0].flatten_all()?.min(0)?.to_scalar::<f32>()? < 0.0);
    Ok(())
}

#[test]
fn features_do_not_depend_on_batch_neighbours() -> Result<()> {
    for kind in [LITE, MOBILE, RESNET18] {
        let taps = &kind.taps()[..3];
        let backbone = load(kind, &weights(kind, &taps[2]), taps)?;
        let batch = pixels((4, 3, 72, 56));
        let together = backbone.forward(&batch)?;
        for picture in 0..4 {
            let alone = backbone.forward(&batch.narrow(0, picture, 1)?)?;
            for (together, alone) in together.iter().zip(&alone) {
                assert_eq!(
                    bits(&together.narrow(0, picture, 1)?),
                    bits(alone),
                    "{kind}, picture {picture}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn mirrored_borders_change_only_what_is_near_them() -> Result<()> {
    let weights = weights(RESNET18, &tap(RESNET18, "layer1"));
    let taps = &RESNET18.taps()[..1];
    let input = pixels((1, 3, 128, 128));
    let zeros =
        Backbone::load(RESNET18, &weights, taps, Border::Zeros, &Device::Cpu)?.forward(&input)?;
    let mirrored =
        Backbone::load(RESNET18, &weights, taps, Border::Reflect, &Device::Cpu)?.forward(&input)?;
    let middle = |features: &[Tensor]| {
        features[0]
            .narrow(2, 12, 8)
            .and_then(|rows| rows.narrow(3, 12, 8))
            .unwrap()
    };
    assert_eq!(bits(&middle(&zeros)), bits(&middle(&mirrored)));
    assert_ne!(bits(&zeros[0]), bits(&mirrored[0]));
    Ok(())
}

#[test]
fn half_precision_classifier_and_deeper_stages_are_no_hindrance() -> Result<()> {
    let mut weights = weights(RESNET18, &tap(RESNET18, "layer2"));
    for tensor in weights.values_mut() {
        *tensor = tensor.to_dtype(DType::F16)?;
    }
    let extra = Tensor::zeros(1, DType::F32, &Device::Cpu)?;
    for name in [
        "fc.weight",
        "fc.bias",
        "bn1.num_batches_tracked",
        "layer4.1.conv2.weight",
    ] {
        weights.insert(name.into(), extra.clone());
    }
    let features =
        load(RESNET18, &weights, &RESNET18.taps()[..1])?.forward(&pixels((1, 3, 32, 32)))?;
    assert_eq!(features[0].dtype(), DType::F32);
    Ok(())
}

#[test]
fn a_missing_tensor_is_named_with_its_shape() {
    let mut weights = weights(RESNET18, &tap(RESNET18, "layer1"));
    weights.remove("layer1.1.conv2.weight");
    let error = error_of(RESNET18, &weights, &RESNET18.taps()[..1]);
    assert!(
        error.contains("`layer1.1.conv2.weight`") && error.contains("[64, 64, 3, 3]"),
        "{error}"
    );
}

#[test]
fn a_misshapen_tensor_is_named_with_both_shapes() {
    let mut weights = weights(RESNET18, &tap(RESNET18, "layer1"));
    weights.insert(
        "bn1.bias".into(),
        Tensor::zeros(63, DType::F32, &Device::Cpu).unwrap(),
    );
    let error = error_of(RESNET18, &weights, &RESNET18.taps()[..1]);
    assert!(
        error.contains("`bn1.bias`") && error.contains("[63]") && error.contains("[64]"),
        "{error}"
    );
}

#[test]
fn another_networks_weights_are_recognised() {
    let lite_weights = weights(LITE, &tap(LITE, "stage5"));
    let error = error_of(RESNET18, &lite_weights, &RESNET18.taps()[..1]);
    assert!(
        error.contains("`_blocks.0._bn1.bias`") && error.contains("efficientnet-lite0"),
        "{error}"
    );

    let wide = BackboneKind::WideResNet50x2;
    let wide_weights = weights(wide, &tap(wide, "layer1"));
    let error = error_of(
        BackboneKind::ResNet50,
        &wide_weights,
        &BackboneKind::ResNet50.taps()[..1],
    );
    assert!(
        error.contains("`layer1.0.") && error.contains("wide-resnet50-2"),
        "{error}"
    );

    let mut resnet34 = weights(RESNET18, &tap(RESNET18, "layer1"));
    resnet34.insert(
        "layer1.2.conv1.weight".into(),
        resnet34["layer1.0.conv1.weight"].clone(),
    );
    let error = error_of(RESNET18, &resnet34, &RESNET18.taps()[..1]);
    assert!(
        error.contains("`layer1.2.conv1.weight`") && error.contains("no network known"),
        "{error}"
    );
}

#[test]
fn not_a_number_in_the_weights_is_refused() {
    let mut weights = weights(RESNET18, &tap(RESNET18, "layer1"));
    weights.insert(
        "layer1.0.bn1.running_var".into(),
        Tensor::full(-1_f32, 64, &Device::Cpu).unwrap(),
    );
    let error = error_of(RESNET18, &weights, &RESNET18.taps()[..1]);
    assert!(error.contains("`layer1.0.bn1`"), "{error}");
}

#[test]
fn wrong_taps_are_refused() {
    let weights = weights(RESNET18, &tap(RESNET18, "layer1"));
    let [first, second, ..] = RESNET18.taps() else {
        panic!("four taps")
    };
    for taps in [
        &[][..],
        &[*first, *first],
        &[*second, *first],
        &[BackboneKind::ResNet50.taps()[0]],
    ] {
        assert!(load(RESNET18, &weights, taps).is_err(), "{taps:?}");
    }
}

#[test]
fn only_resnets_mirror_pictures() {
    for kind in BackboneKind::ALL {
        let taps = &kind.taps()[..1];
        let weights = weights(kind, &taps[0]);
        let built = Backbone::load(kind, &weights, taps, Border::Reflect, &Device::Cpu);
        if kind.is_resnet() {
            assert!(built.is_ok(), "{kind}");
        } else {
            let error = built.err().unwrap().to_string();
            assert!(
                error.contains(kind.name()) && error.contains("ResNets"),
                "{error}"
            );
        }
    }
}

#[test]
fn a_picture_too_small_to_be_mirrored_is_told_the_least_size() -> Result<()> {
    let weights = weights(RESNET18, &tap(RESNET18, "layer4"));
    let taps = &RESNET18.taps()[1..];
    let mirrored = Backbone::load(RESNET18, &weights, taps, Border::Reflect, &Device::Cpu)?;
    for (height, width) in [(32, 32), (63, 200), (200, 4)] {
        let error = mirrored.forward(&pixels((1, 3, height, width)));
        let error = error.unwrap_err().to_string();
        for part in [
            "resnet18",
            "layer4",
            "64 pixels",
            &format!("{width} x {height}"),
        ] {
            assert!(error.contains(part), "{error}");
        }
    }
    assert_eq!(
        mirrored.forward(&pixels((1, 3, 64, 64)))?[2].dims(),
        [1, 512, 2, 2]
    );

    // Zeros fit around anything; fewer stages need less.
    load(RESNET18, &weights, taps)?.forward(&pixels((1, 3, 32, 32)))?;
    let shallow = Backbone::load(
        RESNET18,
        &weights,
        &taps[..1],
        Border::Reflect,
        &Device::Cpu,
    )?;
    assert_eq!(
        shallow.forward(&pixels((1, 3, 16, 16)))?[0].dims(),
        [1, 128, 2, 2]
    );
    assert!(shallow.forward(&pixels((1, 3, 15, 16))).is_err());
    Ok(())
}

#[test]
fn wrong_pictures_are_refused() -> Result<()> {
    let backbone = load(
        RESNET18,
        &weights(RESNET18, &tap(RESNET18, "layer1")),
        &RESNET18.taps()[..1],
    )?;
    assert!(backbone.forward(&pixels((1, 1, 32, 32))).is_err());
    assert!(
        backbone
            .forward(&pixels((1, 3, 32, 32)).to_dtype(DType::F64)?)
            .is_err()
    );
    Ok(())
}
