//! `annotations.json`: reading, checking and writing. Knows nothing of pictures.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Component, Path};

use anyhow::{Context, Result, anyhow, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{PaintedMask, hex};
use crate::store::write_bytes;

/// The manifest's name in its folder.
pub const MANIFEST: &str = "annotations.json";
const VERSION: u32 = 1;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Content {
    pub(super) seen: Vec<String>,
    pub(super) masks: BTreeMap<String, PaintedMask>,
}

/// Read before anything else: later versions may hold other entries.
#[derive(Deserialize)]
struct Header {
    version: u32,
}

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    seen: &'a [String],
    masks: &'a BTreeMap<String, PaintedMask>,
}

/// What the manifest in `folder` says; nothing when there is none.
pub(super) fn read(folder: &Path) -> Result<Content> {
    let path = folder.join(MANIFEST);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Content::default()),
        Err(error) => Err(anyhow!(error)),
    };
    text.and_then(|text| parse(&text)).with_context(|| {
        format!(
            "{} cannot be read; repair it, or move it away to begin again without seen defects and painted masks",
            path.display()
        )
    })
}

fn parse(text: &str) -> Result<Content> {
    let header: Header = serde_json::from_str(text)?;
    ensure!(
        header.version == VERSION,
        "it has version {}, but this program knows version {VERSION} only",
        header.version
    );
    let mut content: Content = serde_json::from_str(text)?;
    for (id, mask) in &content.masks {
        ensure!(
            is_bare(&mask.file),
            "the mask of {id} is called `{}`, which is not the name of a file beside it",
            mask.file
        );
    }
    content.seen.sort_unstable();
    content.seen.dedup();
    Ok(content)
}

/// A file's name without any folder, on every system.
fn is_bare(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!(
        (parts.next(), parts.next()),
        (Some(Component::Normal(_)), None)
    ) && !name.contains(['/', '\\', ':'])
}

pub(super) fn write(
    folder: &Path,
    seen: &[String],
    masks: &BTreeMap<String, PaintedMask>,
) -> Result<()> {
    let version = VERSION;
    let written = Written {
        version,
        seen,
        masks,
    };
    let text = serde_json::to_vec_pretty(&written)?;
    write_bytes(&folder.join(MANIFEST), &text)
}

/// A name that tells the picture to people, and by its digits no other picture and no other mask of it has.
pub(super) fn file_name(id: &str, png: &[u8]) -> String {
    let stem = id.rsplit('/').next().unwrap_or(id);
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let plain: String = stem.chars().filter(|&c| kept(c)).take(40).collect();
    let mut hasher = Sha256::new();
    hasher.update(id);
    hasher.update([0]);
    hasher.update(png);
    let digits = hex(&hasher.finalize());
    format!("mask-{plain}-{}.png", digits.get(..16).unwrap_or(&digits))
}

#[cfg(test)]
mod tests {
    use super::{file_name, is_bare};

    #[test]
    fn mask_files_are_named_after_their_picture_and_never_share_a_name() {
        let name = file_name("test/crack/003.png", b"a");
        assert!(name.starts_with("mask-003-"), "{name}");
        assert_ne!(name, file_name("test/dent/003.png", b"a"));
        assert_ne!(name, file_name("test/crack/003.png", b"b"));
        for id in ["Ø/Ü.x.png", "..", "", "a/../b", &"long".repeat(100)] {
            let name = file_name(id, b"");
            assert!(is_bare(&name) && name.len() < 80, "{name}");
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_not_bare() {
        for name in [
            "", ".", "..", "a/b.png", "../a.png", "/a.png", "a\\b.png", "c:a",
        ] {
            assert!(!is_bare(name), "{name}");
        }
        assert!(is_bare("a.png"));
    }
}
