//! What a network's arithmetic costs, counted from its plan.

use super::kind::BackboneKind;
use super::plan::{Block, Border, ConvSpec, Plan, Shortcut, StemPool, Tap};

/// Height and width.
type Size = (usize, usize);

impl BackboneKind {
    /// Additions and multiplications of one picture of `size` (height, width) up to the deepest of `taps`: two for each weight
    /// at each place it is applied. Activations, sums and pooling are not counted.
    pub fn operations(self, taps: &[Tap], border: Border, size: (usize, usize)) -> f64 {
        let plan = self.plan(border);
        let numbers = taps.iter().filter_map(|tap| self.tap_number(tap));
        let depth = numbers.filter_map(|number| plan.depths.get(number)).max();
        let blocks = plan.blocks.iter().take(depth.copied().unwrap_or(0));
        let (mut operations, mut at) = stem(&plan, size);
        for block in blocks {
            let (of_block, behind) = of_block(block, at);
            operations += of_block;
            at = behind;
        }
        operations
    }
}

fn stem(plan: &Plan, size: Size) -> (f64, Size) {
    let (operations, behind) = of_conv(&plan.stem, size);
    match plan.stem_pool {
        StemPool::None => (operations, behind),
        StemPool::Max => (operations, strided(behind, 2)),
    }
}

fn of_block(block: &Block<ConvSpec>, size: Size) -> (f64, Size) {
    let (mut operations, mut at) = (0.0, size);
    for conv in block.path.iter().chain([&block.last]) {
        let (of_one, behind) = of_conv(conv, at);
        operations += of_one;
        at = behind;
    }
    if let Some(excitation) = &block.excitation {
        // On the channels' means.
        operations +=
            of_conv(&excitation.squeeze, (1, 1)).0 + of_conv(&excitation.excite, (1, 1)).0;
    }
    if let Some(norm) = &block.norm {
        operations += of_conv(norm, at).0;
    }
    if let Shortcut::Projection(conv) = &block.shortcut {
        operations += of_conv(conv, size).0;
    }
    (operations, at)
}

fn of_conv(conv: &ConvSpec, size: Size) -> (f64, Size) {
    let behind = strided(size, conv.stride);
    let weights: usize = conv.weight_shape().iter().product();
    (2.0 * (weights * behind.0 * behind.1) as f64, behind)
}

/// All convolutions here are padded so that only their stride makes pictures smaller.
fn strided((height, width): Size, stride: usize) -> Size {
    (height.div_ceil(stride), width.div_ceil(stride))
}

#[cfg(test)]
mod tests {
    use super::super::kind::BackboneKind;
    use super::super::plan::Border;

    /// Billions of multiplications with an addition, up to the tap of this stride.
    fn up_to(kind: BackboneKind, stride: usize, size: (usize, usize)) -> f64 {
        let taps: Vec<_> = kind
            .taps()
            .iter()
            .copied()
            .filter(|tap| tap.stride == stride)
            .collect();
        assert!(!taps.is_empty(), "{kind} has no such tap");
        kind.operations(&taps, Border::Zeros, size) / 2e9
    }

    #[test]
    fn resnet18_costs_what_its_stages_add_up_to() {
        // 7x7 stem 0.1180, stage 1 0.4624, stages 2 and 3 0.4110 each.
        let stages = 0.118_014 + 0.462_422 + 2.0 * 0.411_042;
        assert!((up_to(BackboneKind::ResNet18, 16, (224, 224)) - stages).abs() < 1e-4);
        assert!((up_to(BackboneKind::ResNet18, 4, (224, 224)) - 0.580_436).abs() < 1e-4);
    }

    #[test]
    fn wide_pictures_cost_as_much_as_their_pixels() {
        let square = up_to(BackboneKind::EfficientNetLite0, 16, (256, 256));
        let wide = up_to(BackboneKind::EfficientNetLite0, 16, (128, 512));
        assert!((square - wide).abs() < 1e-9);
        assert!(square > 0.1 && square < 0.6, "{square}");
    }
}
