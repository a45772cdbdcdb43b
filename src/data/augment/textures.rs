//! Reads the user's folder of textures. Changes none of them beyond bringing them to the wanted size.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::Frame;
use crate::data::image::{InputSpec, Orientation, read_picture};
use crate::data::listing::Listing;

/// More pictures than this are thinned out evenly: at 256 x 256 they take 100 MB.
const MOST: usize = 500;
/// Folders below the chosen one are looked into this deep.
const DEPTH: usize = 4;

/// Textures as the network would see them, and what was left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Textures {
    pub frames: Vec<Frame>,
    /// One sentence for each file that could not be read.
    pub left_out: Vec<String>,
    /// How many pictures the folder holds.
    pub found: usize,
}

/// Reads up to 500 pictures, chosen evenly, of a folder and those below it. A folder without a readable picture is an
/// error.
pub fn read_textures(folder: &Path, spec: &InputSpec) -> Result<Textures> {
    let mut paths = Vec::new();
    collect(folder, DEPTH, &mut paths)?;
    let found = paths.len();
    let count = found.min(MOST);
    let chosen: Vec<&PathBuf> = (0..count).map(|i| &paths[i * found / count]).collect();
    let read: Vec<Result<Frame>> = chosen
        .par_iter()
        .map(|path| {
            let picture = read_picture(path, Orientation::Ignore)?;
            Frame::of(&picture, spec).with_context(|| format!("resizing {}", path.display()))
        })
        .collect();
    let mut textures = Textures {
        found,
        ..Textures::default()
    };
    for result in read {
        match result {
            Ok(frame) => textures.frames.push(frame),
            Err(error) => textures.left_out.push(format!("{error:#}")),
        }
    }
    if textures.frames.is_empty() {
        let first = textures.left_out.first();
        let why = first.map_or_else(String::new, |why| format!(" ({why})"));
        bail!(
            "{}: no readable picture among {found}{why}; choose a folder with PNG, JPEG, BMP, TIFF or WebP textures, or train without one",
            folder.display()
        );
    }
    Ok(textures)
}

fn collect(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<()> {
    let listing = Listing::of(folder)?;
    paths.extend(listing.pictures);
    if depth > 0 {
        for below in &listing.folders {
            collect(below, depth - 1, paths)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::read_textures;
    use crate::data::image::testing::{write, write_png};
    use crate::data::image::{InputPreset, InputSpec, Size};

    fn spec() -> InputSpec {
        let reference = Size {
            width: 30,
            height: 20,
        };
        InputSpec::for_pictures(InputPreset::Resize128, reference).expect("a spec")
    }

    #[test]
    fn pictures_of_all_folders_are_read_and_broken_ones_named() {
        let folder = tempfile::tempdir().expect("a folder");
        write_png(&folder.path().join("a.png"), 16, 16, 10);
        write_png(&folder.path().join("wood/b.png"), 40, 20, 20);
        write(&folder.path().join("broken.jpg"), b"no picture");
        write(&folder.path().join("notes.txt"), b"text");
        let textures = read_textures(folder.path(), &spec()).expect("textures");
        assert_eq!((textures.frames.len(), textures.found), (2, 3));
        assert!(
            textures
                .frames
                .iter()
                .all(|frame| frame.size() == spec().size())
        );
        assert_eq!(textures.left_out.len(), 1);
        assert!(textures.left_out[0].contains("broken.jpg"));
    }

    #[test]
    fn a_folder_without_a_readable_picture_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = |path| format!("{:#}", read_textures(path, &spec()).expect_err("nothing"));
        let empty = text(folder.path());
        assert!(
            empty.contains("no readable picture among 0; choose a folder"),
            "{empty}"
        );
        assert!(empty.starts_with(&folder.path().display().to_string()));
        write(&folder.path().join("broken.png"), b"no picture");
        assert!(text(folder.path()).contains("broken.png"));
        assert!(text(&folder.path().join("none")).contains("found nothing there"));
    }

    #[test]
    fn many_pictures_are_thinned_out_evenly() {
        let folder = tempfile::tempdir().expect("a folder");
        for i in 0..510 {
            write_png(
                &folder.path().join(format!("{i:03}.png")),
                2,
                2,
                (i / 2) as u8,
            );
        }
        let textures = read_textures(folder.path(), &spec()).expect("textures");
        assert_eq!((textures.frames.len(), textures.found), (500, 510));
        assert_eq!(textures.frames[0].pixel(0)[2], 0);
        assert!(textures.frames[499].pixel(0)[2] >= 253);
    }
}
