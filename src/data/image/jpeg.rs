//! Tells a complete JPEG from one that was cut off. The decoder itself fills what is missing with grey and says nothing.

const END_OF_IMAGE: u8 = 0xD9;

/// Whether the end marker follows the picture data. Walks the segments, so that a thumbnail's own end marker inside
/// the metadata does not count, and bytes after the picture do not matter.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    let mut position = 2;
    while let Some((marker, after)) = next_marker(bytes, position) {
        match marker {
            END_OF_IMAGE => return true,
            // Restart markers and TEM stand alone; a stuffed zero is picture data.
            0x00 | 0x01 | 0xD0..=0xD7 => position = after,
            _ => {
                let Some(length) = segment_length(bytes, after) else {
                    return false;
                };
                // What follows a scan's header is picture data; the search for the next marker runs through it.
                position = after + length;
            }
        }
    }
    false
}

/// The next `FF xx` at or after `position`: its second byte, and where to go on.
fn next_marker(bytes: &[u8], position: usize) -> Option<(u8, usize)> {
    let rest = bytes.get(position..)?;
    let first = rest.iter().position(|&b| b == 0xFF)?;
    let fill = rest[first..].iter().position(|&b| b != 0xFF)?;
    let at = first + fill;
    Some((rest[at], position + at + 1))
}

fn segment_length(bytes: &[u8], at: usize) -> Option<usize> {
    let length = bytes.get(at..at + 2)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    (length >= 2).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::is_complete;
    use crate::data::image::testing;

    #[test]
    fn a_jpeg_cut_anywhere_is_not_complete() {
        let whole = testing::jpeg(40, 30);
        assert!(is_complete(&whole));
        for end in 0..whole.len() {
            assert!(!is_complete(&whole[..end]), "cut at {end}");
        }
    }

    #[test]
    fn bytes_after_the_end_do_not_matter() {
        let mut whole = testing::jpeg(16, 16);
        whole.extend([0xFF, 0xDA, 0, 0]);
        assert!(is_complete(&whole));
    }

    #[test]
    fn an_end_marker_inside_the_metadata_does_not_count() {
        let whole = testing::jpeg(16, 16);
        // APP1 with a payload of FF D9, then the rest of the file without its own end.
        let mut cut = vec![0xFF, 0xD8, 0xFF, 0xE1, 0, 4, 0xFF, 0xD9];
        cut.extend(&whole[2..whole.len() - 2]);
        assert!(!is_complete(&cut));
    }
}
