//! Raw score maps of many pictures in one safetensors file, written and read map by map, so that ten thousand of them
//! never lie in memory together.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use safetensors::tensor::Dtype;
use sha2::{Digest, Sha256};

use super::atomic::{Sealed, Staged, folder_of, unwritable};
use super::container::{self, Container, Entry};
use super::hash::hex;
use crate::score_map::ScoreMap;

/// More than a header entry needs besides its name: type, shape and offsets with all their digits.
const ENTRY_ROOM: usize = 160;

/// Writes maps in the order they are pushed. Dropping it before [`MapWriter::seal`] leaves nothing behind.
#[derive(Debug)]
pub struct MapWriter {
    folder: PathBuf,
    staged: Staged,
    /// Pictures whose maps may still come.
    awaited: BTreeSet<String>,
    /// The header is written last, into this room at the file's beginning.
    header_room: usize,
    entries: Vec<Entry>,
    content: Sha256,
}

impl MapWriter {
    /// `ids` are the pictures that maps may be pushed for; those without a map, say unreadable ones, cost a few bytes.
    pub fn create<'a>(folder: &Path, ids: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut header_room = 16;
        let mut awaited = BTreeSet::new();
        for id in ids {
            header_room += serde_json::to_string(id)?.len() + ENTRY_ROOM;
            awaited.insert(id.to_owned());
        }
        let mut staged = Staged::in_folder(folder)?;
        let start = staged.seek(SeekFrom::Start(header_room.next_multiple_of(8) as u64));
        start.map_err(|error| unwritable(folder, error))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            staged,
            awaited,
            header_room: header_room.next_multiple_of(8),
            entries: Vec::new(),
            content: Sha256::new(),
        })
    }

    /// Appends the map of one picture: an announced one, once.
    pub fn push(&mut self, id: &str, map: &ScoreMap) -> Result<()> {
        ensure!(
            self.awaited.remove(id),
            "no score map of {id} was expected, or it came twice"
        );
        let bytes: Vec<u8> = map
            .values()
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let entry = Entry {
            name: id.to_owned(),
            dtype: Dtype::F32,
            shape: vec![map.height(), map.width()],
        };
        self.content.update(format!("{id:?} {:?}", entry.shape));
        self.content.update(&bytes);
        self.entries.push(entry);
        self.staged
            .write_all(&bytes)
            .map_err(|error| unwritable(&self.folder.join("score maps"), error))
    }

    /// Completes the file, named after a hash of what it holds, and leaves only the renaming to do.
    pub fn seal(self) -> Result<SealedMaps> {
        let digest = hex(&self.content.clone().finalize());
        let name = format!("maps-{}.safetensors", &digest[..12]);
        let target = self.folder.join(&name);
        let sealed = self.seal_as(target)?;
        Ok(SealedMaps { name, sealed })
    }

    fn seal_as(mut self, target: PathBuf) -> Result<Sealed> {
        let header = container::header(&BTreeMap::new(), &self.entries, self.header_room)?;
        ensure!(
            header.len() == self.header_room,
            "the header of {} outgrew its room",
            target.display()
        );
        let write = self
            .staged
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.staged.write_all(&header));
        write.map_err(|error| unwritable(&target, error))?;
        self.staged.seal(target)
    }
}

/// A complete file of maps under a temporary name.
#[derive(Debug)]
pub struct SealedMaps {
    /// The file's name within its folder.
    pub name: String,
    sealed: Sealed,
}

impl SealedMaps {
    /// Reads the maps before they have their name.
    pub fn reader(&self) -> Result<MapReader> {
        MapReader::open(self.sealed.path())
    }

    pub fn publish(self) -> Result<()> {
        self.sealed.publish()
    }
}

/// Saves a single map in a file of its own.
pub fn write_map(path: &Path, id: &str, map: &ScoreMap) -> Result<()> {
    let mut writer = MapWriter::create(folder_of(path), [id])?;
    writer.push(id, map)?;
    writer.seal_as(path.to_path_buf())?.publish()
}

/// Reads single maps out of a file. Holds only its header and may be shared between threads.
#[derive(Debug, Clone)]
pub struct MapReader {
    container: Container,
}

impl MapReader {
    pub fn open(path: &Path) -> Result<Self> {
        let container = Container::open(path).context("expected a file of score maps")?;
        Ok(Self { container })
    }

    /// Whether the picture has a map.
    pub fn contains(&self, id: &str) -> bool {
        self.container.entry(id).is_some()
    }

    /// The map of one picture, by sample id.
    pub fn read(&self, id: &str) -> Result<ScoreMap> {
        let file = self.container.path().display();
        let entry = self.container.entry(id);
        let entry =
            entry.with_context(|| format!("{file} has no score map of {id}; evaluate again"))?;
        let bytes = self.container.read(id)?;
        let values = bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        match entry {
            Entry {
                dtype: Dtype::F32,
                shape,
                ..
            } if shape.len() == 2 => ScoreMap::new(shape[1], shape[0], values.collect()),
            _ => None,
        }
        .with_context(|| format!("{file}: the entry {id} is not a score map; evaluate again"))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{MapReader, MapWriter, write_map};
    use crate::score_map::ScoreMap;

    fn map(width: usize, height: usize, start: f32) -> ScoreMap {
        let values = (0..width * height).map(|i| start + i as f32).collect();
        ScoreMap::new(width, height, values).unwrap()
    }

    #[test]
    fn maps_of_different_sizes_come_back_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let ids = [
            "test/good/000.png",
            "test/Kratzer \"ü\"/001.png",
            "test/unreadable.png",
        ];
        let mut writer = MapWriter::create(folder.path(), ids).unwrap();
        writer.push(ids[0], &map(3, 2, 0.5)).unwrap();
        writer.push(ids[1], &map(2, 5, -7.0)).unwrap();
        let sealed = writer.seal().unwrap();
        let path = folder.path().join(&sealed.name);
        sealed.publish().unwrap();
        let reader = MapReader::open(&path).unwrap();
        assert_eq!(reader.read(ids[1]).unwrap(), map(2, 5, -7.0));
        assert_eq!(reader.read(ids[0]).unwrap(), map(3, 2, 0.5));
        assert!(!reader.contains(ids[2]));
        let error = format!("{:#}", reader.read(ids[2]).unwrap_err());
        assert!(
            error.contains(ids[2]) && error.contains("evaluate again"),
            "{error}"
        );
    }

    #[test]
    fn the_name_follows_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let name = |id: &str, start: f32| {
            let mut writer = MapWriter::create(folder.path(), [id]).unwrap();
            writer.push(id, &map(2, 2, start)).unwrap();
            writer.seal().unwrap().name
        };
        assert_eq!(name("a", 1.0), name("a", 1.0));
        assert_ne!(name("a", 1.0), name("a", 2.0));
        assert_ne!(name("a", 1.0), name("b", 1.0));
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            0,
            "nothing was published"
        );
    }

    #[test]
    fn no_maps_at_all_make_a_readable_file() {
        let folder = tempfile::tempdir().unwrap();
        let sealed = MapWriter::create(folder.path(), [])
            .unwrap()
            .seal()
            .unwrap();
        let path = folder.path().join(&sealed.name);
        sealed.publish().unwrap();
        assert!(!MapReader::open(&path).unwrap().contains("a"));
    }

    #[test]
    fn an_unannounced_or_repeated_map_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = MapWriter::create(folder.path(), ["a"]).unwrap();
        writer.push("a", &map(1, 1, 0.0)).unwrap();
        for id in ["a", "b"] {
            assert!(
                writer
                    .push(id, &map(1, 1, 0.0))
                    .unwrap_err()
                    .to_string()
                    .contains(id)
            );
        }
    }

    #[test]
    fn thousands_of_maps_fit_the_room_left_for_the_header() {
        let folder = tempfile::tempdir().unwrap();
        let ids: Vec<String> = (0..3000)
            .map(|i| format!("test/scratch/{i:05}.png"))
            .collect();
        let mut writer = MapWriter::create(folder.path(), ids.iter().map(String::as_str)).unwrap();
        for (i, id) in ids.iter().enumerate() {
            writer.push(id, &map(4, 4, i as f32)).unwrap();
        }
        let sealed = writer.seal().unwrap();
        let path = folder.path().join(&sealed.name);
        sealed.publish().unwrap();
        assert_eq!(
            MapReader::open(&path).unwrap().read(&ids[2718]).unwrap(),
            map(4, 4, 2718.0)
        );
    }

    #[test]
    fn a_single_map_has_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.safetensors");
        write_map(&path, "map", &map(2, 1, 0.0)).unwrap();
        assert_eq!(
            MapReader::open(&path).unwrap().read("map").unwrap(),
            map(2, 1, 0.0)
        );
    }

    #[test]
    fn an_unwritable_folder_is_an_error_naming_it() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("absent");
        let error = format!("{:#}", MapWriter::create(&absent, ["a"]).unwrap_err());
        assert!(error.contains("absent"), "{error}");
    }
}
