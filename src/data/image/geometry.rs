//! The way between a picture's own pixels (*image* space) and the pixels the network saw (*input* space).
//!
//! Coordinates are continuous: pixel `i` covers `i..i + 1`, its centre is `i + 0.5`.

use crate::score_map::ScoreMap;

use super::{InputSpec, Size};

/// A rectangle in image space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
}

/// A rectangle of whole pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelRect {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
}

impl PixelRect {
    pub fn size(&self) -> Size {
        Size {
            width: self.width,
            height: self.height,
        }
    }
}

/// Where one picture's pixels are in the network's input, and back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geometry {
    x: Axis,
    y: Axis,
}

/// `image = (input + offset) * scale` along one axis.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Axis {
    scale: f64,
    offset: f64,
    /// Length in image pixels and in input pixels.
    image: usize,
    input: usize,
}

impl Axis {
    fn new(image: usize, resized: usize, offset: usize, input: usize) -> Self {
        Self {
            scale: image as f64 / resized as f64,
            offset: offset as f64,
            image,
            input,
        }
    }

    fn image_from_input(self, position: f64) -> f64 {
        (position + self.offset) * self.scale
    }

    fn input_from_image(self, position: f64) -> f64 {
        position / self.scale - self.offset
    }

    /// The image pixels whose centres the network saw: first and count; at least one.
    fn seen(self) -> (usize, usize) {
        let first = (self.image_from_input(0.0) - 0.5).ceil().max(0.0) as usize;
        let end = (self.image_from_input(self.input as f64) - 0.5)
            .ceil()
            .max(0.0) as usize;
        let first = first.min(self.image.saturating_sub(1));
        (first, end.min(self.image).saturating_sub(first).max(1))
    }

    /// For each seen image pixel the pair of map samples around its centre and the weight of the second.
    fn samples(self, map: usize) -> Vec<(usize, usize, f32)> {
        let (first, count) = self.seen();
        let per_input = map as f64 / self.input as f64;
        (first..first + count)
            .map(|pixel| {
                let input = self.input_from_image(pixel as f64 + 0.5);
                let position = (input * per_input - 0.5).clamp(0.0, (map - 1) as f64);
                let lower = position as usize;
                (
                    lower,
                    (lower + 1).min(map - 1),
                    (position - lower as f64) as f32,
                )
            })
            .collect()
    }
}

impl Geometry {
    /// For a picture of `image` pixels, fed through `spec`.
    pub fn new(spec: &InputSpec, image: Size) -> Self {
        let (resized, window) = (spec.resized(), spec.window());
        Self {
            x: Axis::new(image.width, resized.width, window.left, window.size.width),
            y: Axis::new(image.height, resized.height, window.top, window.size.height),
        }
    }

    pub fn image_from_input(&self, x: f32, y: f32) -> (f32, f32) {
        (
            self.x.image_from_input(f64::from(x)) as f32,
            self.y.image_from_input(f64::from(y)) as f32,
        )
    }

    pub fn input_from_image(&self, x: f32, y: f32) -> (f32, f32) {
        (
            self.x.input_from_image(f64::from(x)) as f32,
            self.y.input_from_image(f64::from(y)) as f32,
        )
    }

    /// The part of the picture that the network saw: smaller than the picture when the input is cropped.
    pub fn covered(&self) -> Rect {
        let (left, top) = (self.x.image_from_input(0.0), self.y.image_from_input(0.0));
        Rect {
            left: left as f32,
            top: top as f32,
            width: (self.x.image_from_input(self.x.input as f64) - left) as f32,
            height: (self.y.image_from_input(self.y.input as f64) - top) as f32,
        }
    }

    /// The picture's pixels whose centres the network saw.
    pub fn covered_pixels(&self) -> PixelRect {
        let ((left, width), (top, height)) = (self.x.seen(), self.y.seen());
        PixelRect {
            left,
            top,
            width,
            height,
        }
    }

    /// Puts a map of the input onto the picture: one score for each pixel of [`Geometry::covered_pixels`], bilinear at
    /// the pixel's centre. Maps of any size are taken to span the whole input.
    pub fn map_on_image(&self, map: &ScoreMap) -> (PixelRect, ScoreMap) {
        let rect = self.covered_pixels();
        let columns = self.x.samples(map.width());
        let rows = self.y.samples(map.height());
        let mut values = Vec::with_capacity(rect.size().pixels());
        for &(y0, y1, wy) in &rows {
            let upper = &map.values()[y0 * map.width()..][..map.width()];
            let lower = &map.values()[y1 * map.width()..][..map.width()];
            values.extend(columns.iter().map(|&(x0, x1, wx)| {
                let top = upper[x0] + (upper[x1] - upper[x0]) * wx;
                let bottom = lower[x0] + (lower[x1] - lower[x0]) * wx;
                top + (bottom - top) * wy
            }));
        }
        let placed = ScoreMap::new(rect.width, rect.height, values);
        // As many values as the rectangle has pixels, and it has at least one.
        (rect, placed.unwrap_or_else(|| map.clone()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::{Geometry, PixelRect, Size};
    use crate::data::image::{InputPreset, InputSpec, Normalization, Picture, Pixels, to_input};
    use crate::score_map::ScoreMap;

    fn size(width: usize, height: usize) -> Size {
        Size { width, height }
    }

    fn map_of(spec: &InputSpec, values: Vec<f32>) -> ScoreMap {
        ScoreMap::new(spec.size().width, spec.size().height, values).expect("the input's size")
    }

    /// Draws a bright square on a dark picture, runs it to input and back and returns where it is brightest.
    fn found(
        preset: InputPreset,
        reference: Size,
        image: Size,
        centre: (usize, usize),
    ) -> (usize, usize) {
        let near = |i: usize| {
            let (x, y) = (i % image.width, i / image.width);
            x.abs_diff(centre.0) <= 6 && y.abs_diff(centre.1) <= 6
        };
        let values = (0..image.pixels())
            .flat_map(|i| [if near(i) { 255 } else { 0 }; 3])
            .collect();
        let picture =
            Picture::new(image.width, image.height, Pixels::U8(values)).expect("a picture");
        let spec = InputSpec::for_pictures(preset, reference).expect("an ordinary aspect");
        let plain = Normalization {
            mean: [0.0; 3],
            std: [1.0; 3],
        };
        let input = to_input(&picture, &spec, &plain).expect("input");
        let map = map_of(&spec, input[..spec.size().pixels()].to_vec());
        let (rect, placed) = Geometry::new(&spec, image).map_on_image(&map);
        centre_of_mass(&placed, rect)
    }

    fn centre_of_mass(map: &ScoreMap, rect: PixelRect) -> (usize, usize) {
        let (mut x, mut y, mut total) = (0.0, 0.0, 0.0);
        for (i, &value) in map.values().iter().enumerate() {
            let value = f64::from(value);
            x += value * ((rect.left + i % rect.width) as f64);
            y += value * ((rect.top + i / rect.width) as f64);
            total += value;
        }
        ((x / total).round() as usize, (y / total).round() as usize)
    }

    #[test]
    fn a_mark_on_a_picture_that_is_not_square_is_found_at_its_own_pixel() {
        for preset in InputPreset::ALL {
            for image in [size(800, 600), size(300, 470), size(1001, 997)] {
                let centre = (image.width / 2 + 37, image.height / 2 - 41);
                assert_eq!(
                    found(preset, image, image, centre),
                    centre,
                    "{preset} {image}"
                );
            }
        }
    }

    #[test]
    fn a_mark_on_a_picture_of_another_aspect_than_the_models_is_found_too() {
        for preset in InputPreset::ALL {
            let centre = (260, 110);
            let (x, y) = found(preset, size(900, 900), size(640, 320), centre);
            assert!(
                x.abs_diff(centre.0) <= 1 && y.abs_diff(centre.1) <= 1,
                "{preset}: {x}, {y}"
            );
        }
    }

    #[test]
    fn without_a_crop_the_whole_picture_is_covered() {
        let presets = InputPreset::ALL.into_iter();
        for preset in presets.filter(|&preset| preset != InputPreset::Resize256Crop224) {
            for image in [size(800, 600), size(301, 470), size(90, 7), size(2, 1)] {
                let spec =
                    InputSpec::for_pictures(preset, size(800, 600)).expect("an ordinary aspect");
                let geometry = Geometry::new(&spec, image);
                let pixels = geometry.covered_pixels();
                assert_eq!((pixels.left, pixels.top), (0, 0), "{preset} {image}");
                assert_eq!(pixels.size(), image, "{preset}");
                let (x, y) =
                    geometry.image_from_input(spec.size().width as f32, spec.size().height as f32);
                assert!((x - image.width as f32).abs() < 1e-3, "{preset} {image}");
                assert!((y - image.height as f32).abs() < 1e-3, "{preset} {image}");
            }
        }
    }

    #[test]
    fn an_input_pixel_is_as_many_picture_pixels_as_the_sizes_say() {
        for (preset, expected) in [
            (InputPreset::Resize128, 300.0),
            (InputPreset::Resize256, 150.0),
            (InputPreset::Resize512, 75.0),
        ] {
            let image = size(1200, 600);
            let spec = InputSpec::for_pictures(preset, image).expect("an ordinary aspect");
            let found = Geometry::new(&spec, image).image_from_input(64.0, 64.0);
            assert_eq!(found, (expected, expected), "{preset}");
        }
    }

    #[test]
    fn the_crop_covers_the_middle_of_the_original() {
        let spec = InputSpec::for_pictures(InputPreset::Resize256Crop224, size(900, 900))
            .expect("an ordinary aspect");
        let geometry = Geometry::new(&spec, size(900, 900));
        let covered = geometry.covered();
        assert_eq!((covered.left, covered.top), (56.25, 56.25));
        assert_eq!((covered.width, covered.height), (787.5, 787.5));
        let pixels = geometry.covered_pixels();
        assert_eq!(
            (pixels.left, pixels.top, pixels.width, pixels.height),
            (56, 56, 788, 788)
        );
    }

    #[test]
    fn without_a_crop_placing_a_map_is_plain_resizing() {
        let presets = InputPreset::ALL.into_iter();
        for preset in presets.filter(|&preset| preset != InputPreset::Resize256Crop224) {
            let spec = InputSpec::for_pictures(preset, size(300, 400)).expect("an ordinary aspect");
            let map = map_of(
                &spec,
                (0..spec.size().pixels())
                    .map(|i| (i * 17 % 101) as f32)
                    .collect(),
            );
            let (rect, placed) = Geometry::new(&spec, size(300, 400)).map_on_image(&map);
            assert_eq!((rect.left, rect.top), (0, 0));
            let plain = map.resized(300, 400);
            assert!(
                placed
                    .values()
                    .iter()
                    .zip(plain.values())
                    .all(|(a, b)| (a - b).abs() < 1e-3),
                "{preset}"
            );
        }
    }

    #[test]
    fn a_picture_of_one_pixel_gets_one_score() {
        for preset in InputPreset::ALL {
            let spec = InputSpec::for_pictures(preset, size(1, 1)).expect("an ordinary aspect");
            let map = map_of(&spec, vec![0.5; spec.size().pixels()]);
            let (rect, placed) = Geometry::new(&spec, size(1, 1)).map_on_image(&map);
            assert_eq!(rect.size(), size(1, 1));
            assert_eq!(placed.values(), [0.5]);
        }
    }

    proptest! {
        #[test]
        fn input_and_image_are_inverse(
            width in 1usize..5000, height in 1usize..5000, x in 0.0f32..1.0, y in 0.0f32..1.0, preset in 0..InputPreset::ALL.len(),
        ) {
            let preset = InputPreset::ALL[preset];
            let spec = InputSpec::for_pictures(preset, size(900, 700)).expect("an ordinary aspect");
            let geometry = Geometry::new(&spec, size(width, height));
            let (x, y) = (x * width as f32, y * height as f32);
            let (u, v) = geometry.input_from_image(x, y);
            let (x2, y2) = geometry.image_from_input(u, v);
            prop_assert!((x - x2).abs() < 1e-2 && (y - y2).abs() < 1e-2);
        }

        #[test]
        fn covered_pixels_lie_within_the_picture_and_have_their_centres_in_the_input(
            width in 1usize..3000, height in 1usize..3000, preset in 0..InputPreset::ALL.len(),
        ) {
            let preset = InputPreset::ALL[preset];
            let spec = InputSpec::for_pictures(preset, size(900, 700)).expect("an ordinary aspect");
            let geometry = Geometry::new(&spec, size(width, height));
            let rect = geometry.covered_pixels();
            prop_assert!(rect.left + rect.width <= width && rect.top + rect.height <= height);
            let (u, v) = geometry.input_from_image(rect.left as f32 + 0.5, rect.top as f32 + 0.5);
            prop_assert!(width < 3 || u > -0.01, "{}", u);
            prop_assert!(height < 3 || v > -0.01, "{}", v);
        }
    }
}
