//! Raw score maps for other programs: NumPy's `.npy`, version 1.0, one 2-D array of little-endian f32.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use super::atomic::write_atomically;
use crate::score_map::ScoreMap;

/// Writes a map of shape `(H, W)`.
pub fn write_npy(path: &Path, map: &ScoreMap) -> Result<()> {
    write_atomically(path, |file| {
        file.write_all(&header(map.height(), map.width()))?;
        let bytes: Vec<u8> = map
            .values()
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        file.write_all(&bytes)?;
        Ok(())
    })
}

/// Magic, version, length of the rest, and a Python dictionary padded so that the data starts at a multiple of 64.
fn header(height: usize, width: usize) -> Vec<u8> {
    const PREFIX: usize = 10;
    let mut dictionary =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({height}, {width}), }}");
    let length = (PREFIX + dictionary.len() + 1).next_multiple_of(64) - PREFIX;
    while dictionary.len() + 1 < length {
        dictionary.push(' ');
    }
    dictionary.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(dictionary.into_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_type_and_shape_and_ends_on_a_multiple_of_64() {
        let bytes = header(3, 512);
        assert_eq!(bytes.len() % 64, 0);
        assert!(bytes.starts_with(b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4'"));
        let text = String::from_utf8_lossy(&bytes[10..]).into_owned();
        assert!(text.contains("'shape': (3, 512)") && text.ends_with('\n'));
    }

    #[test]
    fn the_values_follow_the_header_row_by_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.npy");
        let map = ScoreMap::new(2, 1, vec![1.5, -2.0]).unwrap();
        write_npy(&path, &map).unwrap();
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(bytes[128..], [0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0]);
    }
}
