//! Score maps as colours, alone or laid over a picture.

use super::Palette;
use crate::score_map::ScoreMap;

/// RGBA of a map, row-major, one texel a score: the palette's dark end at `scale.0`, its bright end at `scale.1`, and
/// fully transparent below `floor`. A scale without width tells only its two sides.
pub fn colourise(
    map: &ScoreMap,
    scale: (f32, f32),
    palette: Palette,
    floor: Option<f32>,
) -> Vec<u8> {
    let table = palette.table();
    let texel = |&value: &f32| {
        let [r, g, b] = table[usize::from(step(value, scale))];
        let hidden = floor.is_some_and(|floor| value < floor);
        [r, g, b, if hidden { 0 } else { u8::MAX }]
    };
    map.values().iter().flat_map(texel).collect()
}

/// Which of the 256 colours stands for a score.
fn step(value: f32, (low, high): (f32, f32)) -> u8 {
    let span = (high - low).max(f32::MIN_POSITIVE);
    // The cast takes what is not a number to the dark end.
    (((value - low) / span).clamp(0.0, 1.0) * 255.0).round() as u8
}

/// Lays RGBA texels over RGB ones of the same size, `opacity` (0 to 1) times their own alpha.
pub fn blend(rgb: &mut [u8], rgba: &[u8], opacity: f32) {
    for (under, over) in rgb.chunks_exact_mut(3).zip(rgba.chunks_exact(4)) {
        let alpha = f32::from(over[3]) / 255.0 * opacity.clamp(0.0, 1.0);
        for (under, &over) in under.iter_mut().zip(over) {
            *under =
                (f32::from(*under) + (f32::from(over) - f32::from(*under)) * alpha).round() as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: [f32; 3]) -> ScoreMap {
        ScoreMap::new(3, 1, values.to_vec()).unwrap()
    }

    #[test]
    fn the_scale_spans_the_palette_and_clips_beyond_it() {
        let rgba = colourise(&map([-9.0, 0.5, 9.0]), (0.0, 1.0), Palette::Grey, None);
        assert_eq!(rgba, [0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255]);
    }

    #[test]
    fn what_lies_below_the_floor_is_transparent() {
        let rgba = colourise(
            &map([0.1, 0.5, 0.9]),
            (0.0, 1.0),
            Palette::Inferno,
            Some(0.5),
        );
        assert_eq!([rgba[3], rgba[7], rgba[11]], [0, 255, 255]);
    }

    #[test]
    fn a_scale_without_width_and_scores_that_are_no_numbers_still_give_colours() {
        let rgba = colourise(&map([1.0, 2.0, f32::NAN]), (1.0, 1.0), Palette::Grey, None);
        assert_eq!([rgba[0], rgba[4], rgba[8]], [0, 255, 0]);
    }

    #[test]
    fn opacity_and_alpha_both_weaken_the_overlay() {
        let mut rgb = [100, 100, 100, 100, 100, 100];
        blend(&mut rgb, &[200, 0, 100, 255, 200, 0, 100, 0], 0.5);
        assert_eq!(rgb, [150, 50, 100, 100, 100, 100]);
    }
}
