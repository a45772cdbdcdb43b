//! Reads picture files into RGB. The content decides what a file is, not its name; limits hold before memory is taken.

use std::error::Error as _;
use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ::image::error::ImageError;
use ::image::metadata::Orientation as Turn;
use ::image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};

use super::Size;
use super::float_tiff;
use super::format::PictureFormat;
use super::picture::{Picture, Pixels};

/// Largest picture that is decoded, and its longest side.
const MAX_PIXELS: u64 = 100_000_000;
const MAX_SIDE: u32 = 16_384;
/// Room for [`MAX_PIXELS`] of 16-bit RGBA; a larger file cannot be a picture within the limits.
const MAX_BYTES: u64 = 2 << 30;
/// How far floating point samples may leave 0 to 1: sharpening overshoots a little, another scale by far.
const FLOAT_SLACK: f32 = 0.1;

/// Whether a camera's note about how it was held turns the picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Orientation {
    /// Pixels as they lie in the file. Masks are drawn on these.
    #[default]
    Ignore,
    /// Turned upright by the EXIF entry, as picture viewers show it.
    Apply,
}

/// A picture and what its file turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    pub picture: Picture,
    pub format: PictureFormat,
}

/// Reads a picture file. Errors name the path and what is wrong with it.
pub fn read_picture(path: &Path, orientation: Orientation) -> Result<Picture> {
    let decoded = read_bytes(path).and_then(|bytes| decode(&bytes, orientation));
    let decoded = decoded.with_context(|| format!("reading picture {}", path.display()))?;
    Ok(decoded.picture)
}

/// The size of a picture, from its header alone.
pub fn read_size(path: &Path, orientation: Orientation) -> Result<Size> {
    let size = read_bytes(path).and_then(|bytes| guarded(|| size_of(&bytes, orientation)));
    size.with_context(|| format!("reading the size of picture {}", path.display()))
}

/// A picture file's bytes; refuses files too large to be a picture. The error leaves the path to the caller.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path).context("the file cannot be opened")?;
    let length = file
        .metadata()
        .context("the file cannot be looked at")?
        .len();
    ensure!(
        length <= MAX_BYTES,
        "the file is too large for a picture ({} MiB)",
        length >> 20
    );
    let mut bytes = Vec::with_capacity(length as usize);
    // The file may grow while it is read; what comes after the length seen above is not wanted.
    file.take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .context("the file cannot be read")?;
    Ok(bytes)
}

/// Decodes a picture. The error says what is wrong with the content and leaves the path to the caller.
pub fn decode(bytes: &[u8], orientation: Orientation) -> Result<Decoded> {
    guarded(|| {
        let format = format_of(bytes)?;
        let picture = match float_header(format, bytes) {
            Some(header) => {
                check_size(header.width, header.height)?;
                float_picture(header.width, header.height, &header.pixels(bytes)?, 1)?
            }
            None => decode_common(format, bytes, orientation)?,
        };
        Ok(Decoded { picture, format })
    })
}

/// Turns a panic inside a decoder into an error: one odd file must not end a run.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| bail!("the content is damaged in a way the decoder cannot follow"))
}

fn format_of(bytes: &[u8]) -> Result<PictureFormat> {
    ensure!(!bytes.is_empty(), "the file is empty (0 bytes)");
    PictureFormat::of_content(bytes)
}

/// The header of the one kind of TIFF that the general decoder refuses.
fn float_header(format: PictureFormat, bytes: &[u8]) -> Option<float_tiff::Header> {
    let header = float_tiff::Header::read(bytes);
    header.filter(|_| format == PictureFormat::Tiff)
}

fn size_of(bytes: &[u8], orientation: Orientation) -> Result<Size> {
    let format = format_of(bytes)?;
    let (width, height) = if let Some(header) = float_header(format, bytes) {
        (header.width, header.height)
    } else {
        let mut decoder = decoder(format, bytes)?;
        let (width, height) = decoder.dimensions();
        match turn(&mut decoder, orientation) {
            Turn::Rotate90 | Turn::Rotate270 | Turn::Rotate90FlipH | Turn::Rotate270FlipH => {
                (height, width)
            }
            _ => (width, height),
        }
    };
    check_size(width, height)?;
    Ok(Size {
        width: width as usize,
        height: height as usize,
    })
}

fn decode_common(format: PictureFormat, bytes: &[u8], orientation: Orientation) -> Result<Picture> {
    ensure!(
        !format.is_cut_off(bytes),
        "the file is truncated: the {} ends in the middle",
        format.name()
    );
    let mut decoder = decoder(format, bytes)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    let turn = turn(&mut decoder, orientation);
    let mut image = DynamicImage::from_decoder(decoder).map_err(|error| explain(format, &error))?;
    image.apply_orientation(turn);
    to_picture(image)
}

fn decoder(format: PictureFormat, bytes: &[u8]) -> Result<impl ImageDecoder> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.for_reader());
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    reader
        .into_decoder()
        .map_err(|error| explain(format, &error))
}

fn turn(decoder: &mut impl ImageDecoder, orientation: Orientation) -> Turn {
    match orientation {
        Orientation::Ignore => Turn::NoTransforms,
        // A broken EXIF block does not spoil the pixels.
        Orientation::Apply => decoder.orientation().unwrap_or(Turn::NoTransforms),
    }
}

fn check_size(width: u32, height: u32) -> Result<()> {
    ensure!(
        width > 0 && height > 0,
        "the picture has no pixels ({width} x {height})"
    );
    ensure!(
        width <= MAX_SIDE
            && height <= MAX_SIDE
            && u64::from(width) * u64::from(height) <= MAX_PIXELS,
        "the picture is too large: {width} x {height} pixels; at most {} megapixels and {MAX_SIDE} pixels a side are read",
        MAX_PIXELS / 1_000_000
    );
    Ok(())
}

fn explain(format: PictureFormat, error: &ImageError) -> anyhow::Error {
    let name = format.name();
    if ends_early(error) {
        return anyhow!("the file is truncated: the {name} ends in the middle");
    }
    match error {
        ImageError::Unsupported(reason) => {
            anyhow!("this kind of {name} is not supported ({reason}); save it as PNG")
        }
        ImageError::Limits(_) => anyhow!("the {name} needs too much memory to decode"),
        _ => anyhow!("the {name} is damaged ({error})"),
    }
}

/// Whether the end of the file is at the root of an error, however deep the decoder has wrapped it.
fn ends_early(error: &ImageError) -> bool {
    if let ImageError::IoError(io) = error {
        return io.kind() == ErrorKind::UnexpectedEof;
    }
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return io.kind() == ErrorKind::UnexpectedEof;
        }
        source = error.source();
    }
    error
        .to_string()
        .to_ascii_lowercase()
        .contains("unexpected end")
}

/// RGB without alpha: 8-bit files stay 8-bit, others become floating point on the scale 0 to 1.
fn to_picture(image: DynamicImage) -> Result<Picture> {
    let (width, height) = (image.width(), image.height());
    let bytes = |samples: Vec<u8>| {
        Picture::new(width as usize, height as usize, Pixels::U8(samples)).context(MISSHAPEN)
    };
    let words = |samples: Vec<u16>, channels: usize| {
        let unit: Vec<f32> = samples.iter().map(|&v| f32::from(v) / 65_535.0).collect();
        float_picture(width, height, &unit, channels)
    };
    match image {
        DynamicImage::ImageRgb8(image) => bytes(image.into_raw()),
        DynamicImage::ImageRgba8(image) => bytes(to_rgb(&image, 4)),
        DynamicImage::ImageLuma8(image) => bytes(to_rgb(&image, 1)),
        DynamicImage::ImageLumaA8(image) => bytes(to_rgb(&image, 2)),
        DynamicImage::ImageLuma16(image) => words(image.into_raw(), 1),
        DynamicImage::ImageLumaA16(image) => words(image.into_raw(), 2),
        DynamicImage::ImageRgb16(image) => words(image.into_raw(), 3),
        DynamicImage::ImageRgba16(image) => words(image.into_raw(), 4),
        DynamicImage::ImageRgb32F(image) => float_picture(width, height, &image, 3),
        DynamicImage::ImageRgba32F(image) => float_picture(width, height, &image, 4),
        other => bail!(
            "pictures with {:?} pixels are not supported; save it as PNG",
            other.color()
        ),
    }
}

const MISSHAPEN: &str = "the decoder returned another number of pixels than the header says";

/// Drops alpha and spreads grey over three channels.
fn to_rgb<T: Copy>(samples: &[T], channels: usize) -> Vec<T> {
    let colour = channels >= 3;
    let pixels = samples.chunks_exact(channels);
    pixels
        .flat_map(|p| {
            if colour {
                [p[0], p[1], p[2]]
            } else {
                [p[0]; 3]
            }
        })
        .collect()
}

fn float_picture(width: u32, height: u32, samples: &[f32], channels: usize) -> Result<Picture> {
    let rgb = to_rgb(samples, channels);
    if let Some(at) = rgb.iter().position(|v| !v.is_finite()) {
        let (x, y) = (at / 3 % width as usize, at / 3 / width as usize);
        bail!(
            "the value of pixel ({x}, {y}) is {}, not a number from 0 to 1",
            rgb[at]
        );
    }
    let (low, high) = rgb.iter().fold((0.0f32, 1.0f32), |(low, high), &v| {
        (low.min(v), high.max(v))
    });
    ensure!(
        low >= -FLOAT_SLACK && high <= 1.0 + FLOAT_SLACK,
        "floating point values from 0 to 1 are expected, found values from {low} to {high}; rescale the picture"
    );
    Picture::new(width as usize, height as usize, Pixels::F32(rgb)).context(MISSHAPEN)
}

#[cfg(test)]
mod tests {
    use ::image::{DynamicImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, Rgba};

    use super::{
        Orientation, Picture, PictureFormat, Pixels, decode, float_tiff, read_picture, read_size,
    };
    use crate::data::image::{Size, testing};

    fn picture(bytes: &[u8]) -> Picture {
        decode(bytes, Orientation::Ignore)
            .expect("a picture")
            .picture
    }

    fn failure(bytes: &[u8]) -> String {
        decode(bytes, Orientation::Ignore)
            .expect_err("not a picture")
            .to_string()
    }

    fn pixel(picture: &Picture, at: usize) -> [f32; 3] {
        match picture.pixels() {
            Pixels::U8(values) => [0, 1, 2].map(|c| f32::from(values[at * 3 + c])),
            Pixels::F32(values) => [0, 1, 2].map(|c| values[at * 3 + c]),
        }
    }

    const LOSSLESS: [(ImageFormat, PictureFormat); 4] = [
        (ImageFormat::Png, PictureFormat::Png),
        (ImageFormat::Bmp, PictureFormat::Bmp),
        (ImageFormat::Tiff, PictureFormat::Tiff),
        (ImageFormat::WebP, PictureFormat::Webp),
    ];

    #[test]
    fn every_format_gives_back_what_was_written() {
        let image = testing::pattern(19, 13);
        for (format, expected) in LOSSLESS {
            let decoded = decode(
                &testing::encode(&image.clone().into(), format),
                Orientation::Ignore,
            )
            .expect("decodes");
            assert_eq!(decoded.format, expected);
            assert_eq!(
                decoded.picture.to_rgb8(),
                image.as_raw().as_slice(),
                "{format:?}"
            );
        }
        let jpeg = decode(&testing::jpeg(19, 13), Orientation::Ignore).expect("decodes");
        assert_eq!(
            (jpeg.format, jpeg.picture.width(), jpeg.picture.height()),
            (PictureFormat::Jpeg, 19, 13)
        );
    }

    #[test]
    fn grey_is_spread_and_alpha_is_dropped() {
        let png = |image: DynamicImage| picture(&testing::encode(&image, ImageFormat::Png));
        let grey = png(ImageBuffer::from_pixel(2, 2, Luma([77u8])).into());
        assert_eq!(pixel(&grey, 3), [77.0; 3]);
        let grey_alpha = png(ImageBuffer::from_pixel(2, 2, LumaA([77u8, 0])).into());
        assert_eq!(pixel(&grey_alpha, 3), [77.0; 3]);
        let rgba = png(ImageBuffer::from_pixel(2, 2, Rgba([1u8, 2, 3, 0])).into());
        assert_eq!(pixel(&rgba, 3), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn sixteen_bits_keep_their_fine_steps() {
        let png = |image: DynamicImage| picture(&testing::encode(&image, ImageFormat::Png));
        let grey = png(ImageBuffer::from_pixel(2, 1, Luma([257u16])).into());
        assert_eq!(pixel(&grey, 0), [257.0 / 65_535.0; 3]);
        let rgb = png(ImageBuffer::from_pixel(2, 1, Rgb([0u16, 1, 65_535])).into());
        assert_eq!(pixel(&rgb, 1), [0.0, 1.0 / 65_535.0, 1.0]);
        let rgba = png(ImageBuffer::from_pixel(2, 1, Rgba([0u16, 1, 65_535, 5])).into());
        assert_eq!(pixel(&rgba, 1), [0.0, 1.0 / 65_535.0, 1.0]);
        let tiff = testing::encode(
            &ImageBuffer::from_pixel(2, 1, Luma([300u16])).into(),
            ImageFormat::Tiff,
        );
        assert_eq!(pixel(&picture(&tiff), 0), [300.0 / 65_535.0; 3]);
    }

    #[test]
    fn one_bit_and_palette_pictures_are_expanded() {
        // 2 x 1 PNGs written by hand: one bit grey (white, black), and a palette of red and blue.
        let one_bit = testing::png_of(2, 1, 1, 0, None, &[0b1000_0000]);
        assert_eq!(pixel(&picture(&one_bit), 0), [255.0; 3]);
        assert_eq!(pixel(&picture(&one_bit), 1), [0.0; 3]);
        let palette = testing::png_of(2, 1, 8, 3, Some(&[255, 0, 0, 0, 0, 255]), &[1, 0]);
        assert_eq!(pixel(&picture(&palette), 0), [0.0, 0.0, 255.0]);
        assert_eq!(pixel(&picture(&palette), 1), [255.0, 0.0, 0.0]);
    }

    #[test]
    fn floating_point_pictures_keep_their_values_and_refuse_what_is_no_number() {
        let grey = float_tiff::tests::file(2, 1, &[0.25, 1.0], 1, false);
        assert_eq!(pixel(&picture(&grey), 0), [0.25; 3]);
        let rgb = |value: f32| {
            let image = ImageBuffer::from_pixel(2, 2, Rgb([0.5f32, value, 0.0]));
            testing::encode(&DynamicImage::ImageRgb32F(image), ImageFormat::Tiff)
        };
        assert_eq!(pixel(&picture(&rgb(0.125)), 3), [0.5, 0.125, 0.0]);
        assert!(failure(&rgb(f32::NAN)).contains("pixel (0, 0) is NaN"));
        assert!(failure(&rgb(f32::INFINITY)).contains("inf"));
        assert!(failure(&rgb(200.0)).contains("rescale"));
        let nan = float_tiff::tests::file(2, 1, &[0.25, f32::NAN], 1, true);
        assert!(failure(&nan).contains("pixel (1, 0) is NaN"));
    }

    #[test]
    fn truncated_files_are_refused_and_say_so() {
        let image: DynamicImage = testing::pattern(64, 48).into();
        for format in [
            ImageFormat::Png,
            ImageFormat::Bmp,
            ImageFormat::Tiff,
            ImageFormat::WebP,
            ImageFormat::Jpeg,
        ] {
            let whole = testing::encode(&image, format);
            let text = failure(&whole[..whole.len() * 2 / 3]);
            assert!(text.contains("truncated"), "{format:?}: {text}");
        }
    }

    #[test]
    fn damaged_files_are_errors_and_never_panics() {
        let image: DynamicImage = testing::pattern(24, 24).into();
        for format in [
            ImageFormat::Png,
            ImageFormat::Bmp,
            ImageFormat::Tiff,
            ImageFormat::WebP,
            ImageFormat::Jpeg,
        ] {
            let whole = testing::encode(&image, format);
            for at in (2..whole.len()).step_by(whole.len() / 60 + 1) {
                let mut damaged = whole.clone();
                damaged[at] ^= 0x5A;
                if let Ok(decoded) = decode(&damaged, Orientation::Ignore) {
                    assert!(decoded.picture.width() > 0);
                }
            }
        }
    }

    #[test]
    fn what_is_not_a_picture_is_named_for_what_it_is() {
        assert!(failure(b"").contains("empty (0 bytes)"));
        assert!(failure(b"hello, this is text").contains("not a picture"));
        assert!(failure(b"GIF89a..........").contains("Gif"));
    }

    #[test]
    fn pictures_beyond_the_limits_are_refused_from_their_header() {
        assert!(
            failure(&testing::png_of(20_000, 20_000, 8, 2, None, &[])).contains("20000 x 20000")
        );
        assert!(
            failure(&testing::png_of(16_385, 1, 8, 2, None, &[])).contains("16384 pixels a side")
        );
        assert!(
            failure(&testing::png_of(12_000, 12_000, 8, 2, None, &[])).contains("100 megapixels")
        );
        let tiff = float_tiff::tests::file(20_000, 20_000, &[0.0], 1, false);
        assert!(failure(&tiff).contains("too large"));
    }

    #[test]
    fn the_camera_turn_is_applied_only_when_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("turned.JPG");
        testing::write(&path, &testing::with_exif_rotation(&testing::jpeg(40, 20)));
        for (orientation, width, height) in
            [(Orientation::Ignore, 40, 20), (Orientation::Apply, 20, 40)]
        {
            assert_eq!(
                read_size(&path, orientation).expect("a size"),
                Size { width, height }
            );
            assert_eq!(
                read_picture(&path, orientation).expect("a picture").size(),
                Size { width, height }
            );
        }
    }

    #[test]
    fn errors_name_the_file() {
        let error = read_picture(std::path::Path::new("/nowhere/ä.png"), Orientation::Ignore)
            .expect_err("missing");
        assert!(
            format!("{error:#}").starts_with("reading picture /nowhere/ä.png: "),
            "{error:#}"
        );
    }
}
