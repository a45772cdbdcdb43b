//! Resizing with Pillow's semantics: antialiased convolution whose filter widens when shrinking; nearest for masks.

use anyhow::{Context, Result};
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{F32x3, InnerPixel, U8x3};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

use super::Size;
use super::picture::{Picture, Pixels};

/// Lanczos (a = 3), antialiased. Floating point samples are clamped to 0..1, as 8-bit samples are by their type.
pub(super) fn lanczos(picture: &Picture, to: Size) -> Result<Picture> {
    resize(picture, to, FilterType::Lanczos3)
}

/// Across, then down, as Pillow does: the order matters where samples are rounded and clamped in between, and the
/// library on its own goes down first.
fn resize(picture: &Picture, to: Size, filter: FilterType) -> Result<Picture> {
    let across = Size {
        width: to.width,
        height: picture.height(),
    };
    let pixels = match picture.pixels() {
        Pixels::U8(values) => {
            let wide = TypedImageRef::<U8x3>::from_buffer(
                picture.width() as u32,
                picture.height() as u32,
                values,
            )?;
            let resized = convolve(
                &convolve(wide.pixels(), picture.size(), across, filter)?,
                across,
                to,
                filter,
            )?;
            Pixels::U8(resized.into_iter().flat_map(|p| p.0).collect())
        }
        Pixels::F32(values) => {
            let wide: Vec<F32x3> = values
                .chunks_exact(3)
                .map(|p| F32x3::new([p[0], p[1], p[2]]))
                .collect();
            let resized = convolve(
                &convolve(&wide, picture.size(), across, filter)?,
                across,
                to,
                filter,
            )?;
            Pixels::F32(
                resized
                    .into_iter()
                    .flat_map(|p| p.0)
                    .map(|v| v.clamp(0.0, 1.0))
                    .collect(),
            )
        }
    };
    Picture::new(to.width, to.height, pixels).context("resizing to no pixels at all")
}

fn convolve<P: PixelTrait + InnerPixel>(
    pixels: &[P],
    from: Size,
    to: Size,
    filter: FilterType,
) -> Result<Vec<P>> {
    let source = TypedImageRef::new(from.width as u32, from.height as u32, pixels)?;
    let mut resized = vec![P::default(); to.pixels()];
    let mut target =
        TypedImage::from_pixels_slice(to.width as u32, to.height as u32, &mut resized)?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    Resizer::new().resize_typed(&source, &mut target, &options)?;
    Ok(resized)
}

/// Source index of each output sample of one axis: `floor((i + 0.5) * from / to)`, Pillow's rule.
pub(super) fn nearest_indices(from: usize, to: usize) -> impl Iterator<Item = usize> {
    (0..to).map(move |i| (2 * i + 1) * from / (2 * to))
}

#[cfg(test)]
mod tests {
    use super::{FilterType, Picture, Pixels, Size, nearest_indices, resize};

    /// The 8 x 8 grey test picture of the vectors below, which Pillow computed.
    fn source() -> Vec<u8> {
        let value = |r: usize, c: usize| ((37 * r + 53 * c + 7 * ((r * c) % 11)) % 256) as u8;
        (0..64).map(|i| value(i / 8, i % 8)).collect()
    }

    fn picture(floating: bool) -> Picture {
        let grey = source().into_iter().flat_map(|v| [v; 3]);
        let pixels = if floating {
            Pixels::F32(grey.map(|v| f32::from(v) / 255.0).collect())
        } else {
            Pixels::U8(grey.collect())
        };
        Picture::new(8, 8, pixels).expect("8 x 8")
    }

    fn assert_close(width: usize, height: usize, filter: FilterType, expected: &[u8]) {
        for floating in [false, true] {
            let resized = resize(&picture(floating), Size { width, height }, filter)
                .expect("resizing")
                .to_rgb8();
            for (i, &want) in expected.iter().enumerate() {
                let got = resized[i * 3];
                assert!(
                    got.abs_diff(want) <= 1,
                    "sample {i}: {got} instead of {want}, floating: {floating}"
                );
                assert_eq!(resized[i * 3..][..3], [got; 3]);
            }
        }
    }

    #[test]
    fn lanczos_shrinks_as_pillow_does() {
        let lanczos = FilterType::Lanczos3;
        let to_4 = [
            49, 165, 85, 123, 139, 84, 110, 176, 144, 75, 192, 98, 84, 151, 85, 95,
        ];
        assert_close(4, 4, lanczos, &to_4);
        let to_5 = [
            25, 132, 169, 51, 130, 95, 156, 62, 121, 184, 172, 80, 62, 215, 114, 148, 67, 178, 158,
            63, 79, 129, 148, 24, 137,
        ];
        assert_close(5, 5, lanczos, &to_5);
        assert_close(3, 3, lanczos, &[95, 116, 120, 123, 108, 156, 106, 133, 91]);
    }

    #[test]
    fn lanczos_enlarges_as_pillow_does() {
        let row_0 = [0, 17, 62, 97, 115, 170, 242, 122, 0, 33, 94, 110];
        assert_close(12, 12, FilterType::Lanczos3, &row_0);
    }

    #[test]
    fn bilinear_shrinks_as_pillow_does() {
        let expected = [
            68, 140, 99, 125, 125, 96, 118, 153, 134, 98, 160, 112, 99, 134, 97, 101,
        ];
        assert_close(4, 4, FilterType::Bilinear, &expected);
    }

    #[test]
    fn nearest_picks_the_pixels_pillow_picks() {
        let source = source();
        let resized = |to: usize| -> Vec<u8> {
            nearest_indices(8, to)
                .flat_map(|y| nearest_indices(8, to).map(move |x| y * 8 + x))
                .map(|at| source[at])
                .collect()
        };
        let to_4 = [
            97, 217, 81, 201, 185, 77, 148, 40, 17, 116, 215, 58, 105, 232, 26, 153,
        ];
        assert_eq!(resized(4), to_4);
        assert_eq!(resized(5)[..5], [0, 106, 212, 9, 115]);
    }

    #[test]
    fn a_picture_of_the_wanted_size_is_left_alone() {
        let same = resize(
            &picture(false),
            Size {
                width: 8,
                height: 8,
            },
            FilterType::Lanczos3,
        )
        .expect("resizing");
        assert_eq!(same, picture(false));
    }
}
