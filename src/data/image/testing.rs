//! Small picture files for the tests of this folder and its neighbours.

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use ::image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// A picture whose every pixel is different enough to notice a shift.
pub(crate) fn pattern(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb([
            (x * 7 % 256) as u8,
            (y * 5 % 256) as u8,
            ((x + y) % 256) as u8,
        ])
    })
}

pub(crate) fn encode(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, format)
        .expect("encoding into memory");
    bytes.into_inner()
}

pub(crate) fn jpeg(width: u32, height: u32) -> Vec<u8> {
    encode(&pattern(width, height).into(), ImageFormat::Jpeg)
}

/// Writes an RGB PNG, creating the folders above it; `shade` makes files differ.
pub(crate) fn write_png(path: &Path, width: u32, height: u32, shade: u8) {
    let image = RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x % 256) as u8, (y % 256) as u8, shade])
    });
    write(path, &encode(&image.into(), ImageFormat::Png));
}

/// Writes a grey PNG mask, 255 inside the rectangle.
pub(crate) fn write_mask(path: &Path, width: u32, height: u32, marked: [u32; 4]) {
    let [left, top, right, bottom] = marked;
    let image = ::image::GrayImage::from_fn(width, height, |x, y| {
        ::image::Luma([
            if (left..right).contains(&x) && (top..bottom).contains(&y) {
                255
            } else {
                0
            },
        ])
    });
    write(path, &encode(&image.into(), ImageFormat::Png));
}

pub(crate) fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().expect("a folder above")).expect("creating folders");
    std::fs::write(path, bytes).expect("writing a file");
}

/// The folder of real data sets, or `None` with a word about it where there are none.
pub(crate) fn shared_data() -> Option<PathBuf> {
    let root = std::env::var_os("FLAWSCOPE_TEST_DATA");
    if root.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: FLAWSCOPE_TEST_DATA is not set");
    }
    root.map(|root| PathBuf::from(root).join("data"))
}

/// A PNG assembled by hand, for kinds the encoder does not write; `rows` holds one row's bytes.
pub(crate) fn png_of(
    width: u32,
    height: u32,
    depth: u8,
    colour: u8,
    palette: Option<&[u8]>,
    rows: &[u8],
) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([depth, colour, 0, 0, 0]);
    chunk(&mut bytes, *b"IHDR", &header);
    if let Some(palette) = palette {
        chunk(&mut bytes, *b"PLTE", palette);
    }
    let filtered = [&[0], rows].concat();
    let length = filtered.len() as u16;
    // A zlib stream of one stored block.
    let mut data = vec![0x78, 0x01, 1];
    data.extend(length.to_le_bytes());
    data.extend((!length).to_le_bytes());
    data.extend(&filtered);
    let (a, b) = filtered.iter().fold((1u32, 0u32), |(a, b), &v| {
        let a = (a + u32::from(v)) % 65_521;
        (a, (b + a) % 65_521)
    });
    data.extend((b << 16 | a).to_be_bytes());
    chunk(&mut bytes, *b"IDAT", &data);
    chunk(&mut bytes, *b"IEND", &[]);
    bytes
}

fn chunk(bytes: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    bytes.extend((data.len() as u32).to_be_bytes());
    let covered = [&kind, data].concat();
    bytes.extend(&covered);
    let crc = covered.iter().fold(u32::MAX, |crc, &v| {
        (0..8).fold(crc ^ u32::from(v), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xEDB8_8320
            } else {
                crc >> 1
            }
        })
    });
    bytes.extend((!crc).to_be_bytes());
}

/// Puts an EXIF block behind the start of a JPEG: rotate by 90 degrees to see it upright.
pub(crate) fn with_exif_rotation(jpeg: &[u8]) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01".to_vec();
    exif.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]);
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1];
    bytes.extend((exif.len() as u16 + 2).to_be_bytes());
    bytes.extend(exif);
    bytes.extend(&jpeg[2..]);
    bytes
}
