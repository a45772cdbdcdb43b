//! Tells from names and shapes which network a file's weights belong to.

use std::collections::BTreeMap;

use crate::models::backbone::BackboneKind;

/// The network, or `None` for weights of another one. Relatives with the same beginning, such as ResNet-34 or -101, are
/// told apart by what they have too much of; a missing classifier or last stages do not matter.
pub fn detect(shapes: &BTreeMap<String, Vec<usize>>) -> Option<BackboneKind> {
    let is = |name: &str, shape: &[usize]| shapes.get(name).is_some_and(|found| found == shape);
    let has = |name: &str| shapes.contains_key(name);
    if is("_conv_stem.weight", &[32, 3, 3, 3]) {
        let excited = shapes.keys().any(|name| name.contains("_se_"));
        let wider = !is("_blocks.1._expand_conv.weight", &[96, 16, 1, 1])
            || has("_blocks.16._project_conv.weight");
        return (!excited && !wider).then_some(BackboneKind::EfficientNetLite0);
    }
    if !is("conv1.weight", &[64, 3, 7, 7]) {
        return None;
    }
    if !has("layer1.0.conv3.weight") {
        let basic = is("layer1.1.conv2.weight", &[64, 64, 3, 3]) && !has("layer1.2.conv1.weight");
        return basic.then_some(BackboneKind::ResNet18);
    }
    if has("layer3.6.conv1.weight") {
        return None;
    }
    match shapes.get("layer1.0.conv2.weight")?.as_slice() {
        [64, 64, 3, 3] => Some(BackboneKind::ResNet50),
        [128, 128, 3, 3] => Some(BackboneKind::WideResNet50x2),
        _ => None,
    }
}

/// The names of what only classification needs: no tap lies behind these.
pub fn is_classifier(kind: BackboneKind, name: &str) -> bool {
    let prefixes: &[&str] = match kind {
        BackboneKind::EfficientNetLite0 => &["_conv_head.", "_bn1.", "_fc."],
        BackboneKind::ResNet18 | BackboneKind::ResNet50 | BackboneKind::WideResNet50x2 => &["fc."],
    };
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{detect, is_classifier};
    use crate::models::backbone::BackboneKind::{
        EfficientNetLite0, ResNet18, ResNet50, WideResNet50x2,
    };

    fn shapes(entries: &[(&str, &[usize])]) -> BTreeMap<String, Vec<usize>> {
        let owned = |(name, shape): &(&str, &[usize])| ((*name).to_owned(), shape.to_vec());
        entries.iter().map(owned).collect()
    }

    const STEM: (&str, &[usize]) = ("conv1.weight", &[64, 3, 7, 7]);
    const LAST: (&str, &[usize]) = ("layer1.0.conv3.weight", &[256, 64, 1, 1]);

    #[test]
    fn each_network_is_recognised() {
        let lite = [
            ("_conv_stem.weight", &[32, 3, 3, 3][..]),
            ("_blocks.1._expand_conv.weight", &[96, 16, 1, 1]),
        ];
        assert_eq!(detect(&shapes(&lite)), Some(EfficientNetLite0));
        let resnet18 = [STEM, ("layer1.1.conv2.weight", &[64, 64, 3, 3])];
        assert_eq!(detect(&shapes(&resnet18)), Some(ResNet18));
        let resnet50 = [STEM, LAST, ("layer1.0.conv2.weight", &[64, 64, 3, 3])];
        assert_eq!(detect(&shapes(&resnet50)), Some(ResNet50));
        let wide = [STEM, LAST, ("layer1.0.conv2.weight", &[128, 128, 3, 3])];
        assert_eq!(detect(&shapes(&wide)), Some(WideResNet50x2));
    }

    #[test]
    fn relatives_are_not_mistaken_for_them() {
        let resnet34 = [
            STEM,
            ("layer1.1.conv2.weight", &[64, 64, 3, 3]),
            ("layer1.2.conv1.weight", &[64, 64, 3, 3]),
        ];
        assert_eq!(detect(&shapes(&resnet34)), None);
        let resnet101 = [
            STEM,
            LAST,
            ("layer1.0.conv2.weight", &[64, 64, 3, 3]),
            ("layer3.6.conv1.weight", &[256, 1024, 1, 1]),
        ];
        assert_eq!(detect(&shapes(&resnet101)), None);
        let resnext50 = [STEM, LAST, ("layer1.0.conv2.weight", &[128, 4, 3, 3])];
        assert_eq!(detect(&shapes(&resnext50)), None);
        let b0 = [
            ("_conv_stem.weight", &[32, 3, 3, 3][..]),
            ("_blocks.1._expand_conv.weight", &[96, 16, 1, 1]),
            ("_blocks.0._se_reduce.weight", &[8, 32, 1, 1]),
        ];
        assert_eq!(detect(&shapes(&b0)), None);
        assert_eq!(detect(&shapes(&[])), None);
    }

    #[test]
    fn block_norms_are_not_the_head_norm() {
        assert!(is_classifier(EfficientNetLite0, "_bn1.weight"));
        assert!(!is_classifier(EfficientNetLite0, "_blocks.0._bn1.weight"));
        assert!(
            is_classifier(ResNet18, "fc.weight")
                && !is_classifier(ResNet18, "layer4.0.conv1.weight")
        );
    }
}
