//! Names a set of pictures by its content, so that a result can be traced to what it was made from.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use sha2::{Digest, Sha256};

use super::Sample;

/// Hexadecimal SHA-256 over the ids and file contents of the samples, in the order of their ids. Files are streamed.
pub fn fingerprint(samples: &[Sample]) -> Result<String> {
    let digests: Result<Vec<_>> = samples
        .par_iter()
        .map(|sample| Ok((&sample.id, file_digest(&sample.image)?)))
        .collect();
    let mut digests = digests?;
    digests.sort();
    let mut all = Sha256::new();
    for (id, digest) in digests {
        // The length keeps two ids from running into each other.
        all.update((id.len() as u64).to_le_bytes());
        all.update(id);
        all.update(digest);
    }
    Ok(hexadecimal(&all.finalize()))
}

fn file_digest(path: &Path) -> Result<[u8; 32]> {
    let read = || -> std::io::Result<[u8; 32]> {
        let mut hasher = Sha256::new();
        let mut reader = BufReader::with_capacity(1 << 16, File::open(path)?);
        loop {
            let chunk = reader.fill_buf()?;
            if chunk.is_empty() {
                return Ok(hasher.finalize().into());
            }
            hasher.update(chunk);
            let read = chunk.len();
            reader.consume(read);
        }
    };
    read().with_context(|| format!("reading picture {}", path.display()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::fingerprint;
    use crate::data::image::Orientation;
    use crate::data::image::testing::write;
    use crate::data::{Label, Sample};

    fn sample(folder: &Path, id: &str, content: &[u8]) -> Sample {
        let image = folder.join(id);
        write(&image, content);
        Sample {
            id: id.to_owned(),
            image,
            masks: vec![],
            label: Label::Good,
            defect: "good".into(),
            orientation: Orientation::Ignore,
        }
    }

    #[test]
    fn content_and_names_count_and_order_and_place_do_not() {
        let (one, two) = (
            tempfile::tempdir().expect("a folder"),
            tempfile::tempdir().expect("a folder"),
        );
        let (a, b) = (sample(one.path(), "a", b"1"), sample(one.path(), "b", b"2"));
        let original = fingerprint(&[a.clone(), b.clone()]).expect("a fingerprint");
        assert_eq!(original.len(), 64);
        assert_eq!(
            fingerprint(&[b.clone(), a.clone()]).expect("reordered"),
            original
        );
        let moved = [sample(two.path(), "a", b"1"), sample(two.path(), "b", b"2")];
        assert_eq!(fingerprint(&moved).expect("moved"), original);
        let swapped = [sample(two.path(), "a", b"2"), sample(two.path(), "b", b"1")];
        assert_ne!(fingerprint(&swapped).expect("swapped"), original);
        assert_ne!(fingerprint(&[a]).expect("one less"), original);
    }

    #[test]
    fn nothing_has_the_hash_of_nothing_and_a_missing_file_is_named() {
        let empty = fingerprint(&[]).expect("a fingerprint");
        assert_eq!(
            empty,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        let folder = tempfile::tempdir().expect("a folder");
        let mut missing = sample(folder.path(), "a", b"");
        missing.image = folder.path().join("gone.png");
        assert!(
            fingerprint(&[missing])
                .expect_err("missing")
                .to_string()
                .ends_with("gone.png")
        );
    }
}
