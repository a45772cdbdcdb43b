//! On which pixels the compared runs are judged: only on the same ones do pixel numbers say which run is better.

use serde::Serialize;

use super::Compared;
use crate::metrics::{Evaluation, PixelMetrics, Protocol};

/// Which of an evaluation's pixel numbers stand side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PixelGrid {
    /// Those at input size: all runs see the pictures in the same way.
    Input,
    /// Those at the pictures' own size: the inputs differ, and each is the whole picture.
    Original,
    /// Those at the pictures' own size, of which some run sees only a part: other pixels.
    Cropped,
}

impl PixelGrid {
    pub fn of(runs: &[Compared<'_>]) -> Self {
        let protocols = runs.iter().map(|run| &run.evaluation.protocol);
        Self::of_protocols(protocols)
    }

    fn of_protocols<'a>(mut protocols: impl Iterator<Item = &'a Protocol> + Clone) -> Self {
        let is_cropped = |protocol: &Protocol| protocol.input.contains("crop");
        let input = |protocol: &'a Protocol| {
            let size = (protocol.input_width, protocol.input_height);
            (protocol.input.as_str(), size)
        };
        let mut inputs = protocols.clone().map(input);
        let first = inputs.next();
        if inputs.all(|input| Some(input) == first) {
            Self::Input
        } else if protocols.any(is_cropped) {
            Self::Cropped
        } else {
            Self::Original
        }
    }

    pub fn is_ranked(self) -> bool {
        self != Self::Cropped
    }

    pub fn metrics(self, evaluation: &Evaluation) -> &PixelMetrics {
        match self {
            Self::Input => &evaluation.pixel_at_input,
            Self::Original | Self::Cropped => &evaluation.pixel_at_original,
        }
    }

    /// Which pixels they are, as it stands after "pixels".
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Input => "at input size",
            Self::Original => "at the pictures' own size, because the inputs differ",
            Self::Cropped => {
                "at the pictures' own size and not ranked: an input that is cropped leaves some out"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PixelGrid;
    use crate::metrics::Protocol;
    use crate::metrics::evaluation::tests::protocol;

    fn of(inputs: &[(&str, usize)]) -> PixelGrid {
        let protocols = inputs.iter().map(|&(input, side)| Protocol {
            input: input.to_owned(),
            input_width: side,
            input_height: side,
            ..protocol()
        });
        let protocols: Vec<Protocol> = protocols.collect();
        PixelGrid::of_protocols(protocols.iter())
    }

    #[test]
    fn the_same_inputs_are_compared_as_they_were_seen() {
        assert_eq!(of(&[("256", 256), ("256", 256)]), PixelGrid::Input);
        assert_eq!(of(&[("224crop", 224), ("224crop", 224)]), PixelGrid::Input);
        assert_eq!(of(&[]), PixelGrid::Input);
    }

    #[test]
    fn different_inputs_meet_at_the_pictures_own_size() {
        let sizes = of(&[("256", 256), ("128", 128)]);
        assert_eq!(sizes, PixelGrid::Original);
        assert!(sizes.is_ranked());
        // Pictures of another shape, though the preset is the same.
        assert_eq!(of(&[("256", 256), ("256", 341)]), PixelGrid::Original);
    }

    #[test]
    fn a_crop_beside_another_input_is_not_ranked() {
        let grid = of(&[("256", 256), ("256", 256), ("224crop", 224)]);
        assert_eq!(grid, PixelGrid::Cropped);
        assert!(!grid.is_ranked());
    }
}
