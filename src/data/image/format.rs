//! The picture formats that are understood, told apart by content; names only promise.

use std::path::Path;

use ::image::ImageFormat;
use anyhow::{Result, bail};

use super::jpeg;

/// What a file contains, whatever its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    Png,
    Jpeg,
    Bmp,
    Tiff,
    Webp,
}

impl PictureFormat {
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::Webp => "WebP",
        }
    }

    /// The format that an extension (without its dot, in any case) stands for; `None` when it is no picture's.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "png" => Some(Self::Png),
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "bmp" => Some(Self::Bmp),
            "tif" | "tiff" => Some(Self::Tiff),
            "webp" => Some(Self::Webp),
            _ => None,
        }
    }

    /// The format that a file's name promises.
    pub fn of_name(path: &Path) -> Option<Self> {
        Self::of_extension(path.extension()?.to_str()?)
    }

    pub(super) fn of_content(bytes: &[u8]) -> Result<Self> {
        match ::image::guess_format(bytes) {
            Ok(ImageFormat::Png) => Ok(Self::Png),
            Ok(ImageFormat::Jpeg) => Ok(Self::Jpeg),
            Ok(ImageFormat::Bmp) => Ok(Self::Bmp),
            Ok(ImageFormat::Tiff) => Ok(Self::Tiff),
            Ok(ImageFormat::WebP) => Ok(Self::Webp),
            Ok(other) => bail!("the content is {other:?}, which is not supported; save it as PNG"),
            Err(_) => {
                bail!("the content is not a picture; PNG, JPEG, BMP, TIFF and WebP are understood")
            }
        }
    }

    pub(super) fn for_reader(self) -> ImageFormat {
        match self {
            Self::Png => ImageFormat::Png,
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Bmp => ImageFormat::Bmp,
            Self::Tiff => ImageFormat::Tiff,
            Self::Webp => ImageFormat::WebP,
        }
    }

    /// Whether the end of the file is missing, for the two formats whose decoders do not say so.
    pub(super) fn is_cut_off(self, bytes: &[u8]) -> bool {
        match self {
            Self::Jpeg => !jpeg::is_complete(bytes),
            // RIFF: the length of all that follows stands in bytes 4 to 8.
            Self::Webp => match bytes.get(4..8) {
                Some(&[a, b, c, d]) => {
                    (bytes.len() - 8) < u32::from_le_bytes([a, b, c, d]) as usize
                }
                _ => true,
            },
            Self::Png | Self::Bmp | Self::Tiff => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::PictureFormat;

    #[test]
    fn extensions_are_known_in_any_case() {
        for (name, format) in [
            ("a.PNG", PictureFormat::Png),
            ("a.b.JPeG", PictureFormat::Jpeg),
            ("a.tif", PictureFormat::Tiff),
            ("a.WEBP", PictureFormat::Webp),
            ("a.bmp", PictureFormat::Bmp),
        ] {
            assert_eq!(
                PictureFormat::of_name(Path::new(name)),
                Some(format),
                "{name}"
            );
        }
        for name in ["png", "a.txt", "a", ".png"] {
            assert_eq!(PictureFormat::of_name(Path::new(name)), None, "{name}");
        }
    }
}
