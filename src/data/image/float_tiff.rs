//! Reads 32-bit floating point grey TIFF, which the general decoder refuses: uncompressed and in strips, as measuring
//! software writes it. TIFF 6.0, sections 2 and 19. Everything else is left to the general decoder.

use anyhow::{Context, Result, ensure};

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const BITS_PER_SAMPLE: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const STRIP_OFFSETS: u16 = 273;
const SAMPLES_PER_PIXEL: u16 = 277;
const STRIP_BYTES: u16 = 279;
const SAMPLE_FORMAT: u16 = 339;

/// The first picture's header of a grey floating point TIFF.
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    order: Order,
    uncompressed: bool,
    /// Offset and length of each strip, top to bottom; empty for tiled files.
    strips: Vec<(u32, u32)>,
}

impl Header {
    /// `None` unless the bytes are a TIFF whose first picture is grey, 32 bits, floating point.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let order = match bytes.get(..4)? {
            b"II*\0" => Order::Little,
            b"MM\0*" => Order::Big,
            _ => return None,
        };
        let directory = Directory::read(bytes, order)?;
        let black_is_zero = 1;
        let floating_point = 3;
        let wanted = directory.number(BITS_PER_SAMPLE)? == 32
            && directory.number(SAMPLE_FORMAT)? == floating_point
            && directory.number(PHOTOMETRIC)? == black_is_zero
            && directory.number(SAMPLES_PER_PIXEL).unwrap_or(1) == 1;
        if !wanted {
            return None;
        }
        let offsets = directory.numbers(STRIP_OFFSETS).unwrap_or_default();
        let lengths = directory.numbers(STRIP_BYTES).unwrap_or_default();
        Some(Self {
            width: directory.number(WIDTH)?,
            height: directory.number(HEIGHT)?,
            order,
            uncompressed: directory.number(COMPRESSION).unwrap_or(1) == 1,
            strips: offsets.into_iter().zip(lengths).collect(),
        })
    }

    /// `height * width` values.
    pub(super) fn pixels(&self, bytes: &[u8]) -> Result<Vec<f32>> {
        ensure!(
            self.uncompressed && !self.strips.is_empty(),
            "floating point grey TIFF is read only when stored uncompressed and in strips; save it so, or as 16-bit"
        );
        let wanted = self.width as usize * self.height as usize;
        let mut values = Vec::with_capacity(wanted);
        for &(offset, length) in &self.strips {
            let (offset, length) = (offset as usize, length as usize);
            let strip = bytes.get(offset..offset.saturating_add(length));
            let strip = strip.context("the file is truncated: the TIFF ends in the middle")?;
            let missing = wanted - values.len();
            values.extend(
                strip
                    .chunks_exact(4)
                    .take(missing)
                    .map(|b| self.order.float([b[0], b[1], b[2], b[3]])),
            );
        }
        ensure!(
            values.len() == wanted,
            "the TIFF is damaged (its strips hold {} of {wanted} pixels)",
            values.len()
        );
        Ok(values)
    }
}

#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn float(self, bytes: [u8; 4]) -> f32 {
        match self {
            Self::Little => f32::from_le_bytes(bytes),
            Self::Big => f32::from_be_bytes(bytes),
        }
    }

    fn word(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        })
    }

    fn long(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        })
    }
}

/// The tags of the first picture: 12 bytes each (tag, type, count, value or its offset).
struct Directory<'a> {
    bytes: &'a [u8],
    order: Order,
    first: usize,
    count: usize,
}

impl<'a> Directory<'a> {
    fn read(bytes: &'a [u8], order: Order) -> Option<Self> {
        let at = order.long(bytes, 4)? as usize;
        Some(Self {
            bytes,
            order,
            first: at.checked_add(2)?,
            count: usize::from(order.word(bytes, at)?),
        })
    }

    fn number(&self, tag: u16) -> Option<u32> {
        self.numbers(tag)?.first().copied()
    }

    /// A tag's values when they are of type SHORT or LONG and lie within the file.
    fn numbers(&self, tag: u16) -> Option<Vec<u32>> {
        let (bytes, order) = (self.bytes, self.order);
        let entry = (0..self.count)
            .map(|i| self.first + i * 12)
            .find(|&at| order.word(bytes, at) == Some(tag))?;
        let short = 3;
        let long = 4;
        let kind = order.word(bytes, entry + 2)?;
        let size = match kind {
            k if k == short => 2,
            k if k == long => 4,
            _ => return None,
        };
        let count = order.long(bytes, entry + 4)? as usize;
        let inline = count.checked_mul(size)? <= 4;
        let start = if inline {
            entry + 8
        } else {
            order.long(bytes, entry + 8)? as usize
        };
        // Reading stops at the end of the file, so an absurd count costs nothing.
        (0..count)
            .map(|i| match size {
                2 => order.word(bytes, start + i * 2).map(u32::from),
                _ => order.long(bytes, start + i * 4),
            })
            .collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::Header;

    /// A grey floating point TIFF of one strip.
    pub(in crate::data::image) fn file(
        width: u32,
        height: u32,
        values: &[f32],
        compression: u32,
        big: bool,
    ) -> Vec<u8> {
        let word = |v: u16| {
            if big {
                v.to_be_bytes()
            } else {
                v.to_le_bytes()
            }
        };
        let long = |v: u32| {
            if big {
                v.to_be_bytes()
            } else {
                v.to_le_bytes()
            }
        };
        let tags = [
            (256, width),
            (257, height),
            (258, 32),
            (259, compression),
            (262, 1),
            (273, 8 + 2 + 9 * 12 + 4),
            (277, 1),
            (279, values.len() as u32 * 4),
            (339, 3),
        ];
        let mut bytes = if big {
            b"MM\0*".to_vec()
        } else {
            b"II*\0".to_vec()
        };
        bytes.extend(long(8));
        bytes.extend(word(tags.len() as u16));
        for (tag, value) in tags {
            bytes.extend(word(tag));
            bytes.extend(word(4));
            bytes.extend(long(1));
            bytes.extend(long(value));
        }
        bytes.extend(long(0));
        bytes.extend(values.iter().flat_map(|v| long(v.to_bits())));
        bytes
    }

    #[test]
    fn both_byte_orders_are_read() {
        let values = [0.0, 0.25, 0.5, 0.75, 1.0, 0.125];
        for big in [false, true] {
            let bytes = file(3, 2, &values, 1, big);
            let header = Header::read(&bytes).expect("a float TIFF");
            assert_eq!((header.width, header.height), (3, 2));
            assert_eq!(header.pixels(&bytes).expect("pixels"), values);
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error_and_not_a_panic() {
        let bytes = file(3, 2, &[0.5; 6], 1, false);
        for end in 0..bytes.len() {
            let cut = &bytes[..end];
            assert!(
                Header::read(cut).is_none_or(|header| header.pixels(cut).is_err()),
                "cut at {end}"
            );
        }
    }

    #[test]
    fn compressed_values_are_refused_with_the_remedy() {
        let bytes = file(1, 1, &[0.5], 5, false);
        let error = Header::read(&bytes)
            .expect("a float TIFF")
            .pixels(&bytes)
            .expect_err("compressed");
        assert!(error.to_string().contains("uncompressed"), "{error}");
    }
}
