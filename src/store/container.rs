//! The safetensors container on disk: a header in fixed order, so that the same content is the same bytes, and tensors
//! read one at a time. Knows bytes and shapes only.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use safetensors::tensor::{Dtype, Metadata, TensorInfo};

/// Bytes before the header: its length.
const PREFIX: u64 = 8;
/// No honest header is longer; a larger number means that the file is something else.
const MAX_HEADER: u64 = 100_000_000;

/// A tensor as the header describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
}

impl Entry {
    /// Bytes of the tensor's data.
    pub fn len(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype.bitsize() / 8
    }
}

/// Wide types first, so that every tensor is aligned, then by name.
pub fn sort(entries: &mut [Entry]) {
    entries.sort_by(|a, b| {
        let width = b.dtype.bitsize().cmp(&a.dtype.bitsize());
        width.then_with(|| a.name.cmp(&b.name))
    });
}

/// The file's beginning up to the first tensor, whose data must follow in the order of `entries`. Padded with spaces to
/// a multiple of eight and to at least `at_least` bytes.
pub fn header(
    metadata: &BTreeMap<String, String>,
    entries: &[Entry],
    at_least: usize,
) -> Result<Vec<u8>> {
    let mut parts = Vec::with_capacity(entries.len() + 1);
    if !metadata.is_empty() {
        parts.push(format!(
            "\"__metadata__\":{}",
            serde_json::to_string(metadata)?
        ));
    }
    let mut offset = 0;
    for entry in entries {
        let info = TensorInfo {
            dtype: entry.dtype,
            shape: entry.shape.clone(),
            data_offsets: (offset, offset + entry.len()),
        };
        offset += entry.len();
        parts.push(format!(
            "{}:{}",
            serde_json::to_string(&entry.name)?,
            serde_json::to_string(&info)?
        ));
    }
    let mut json = format!("{{{}}}", parts.join(",")).into_bytes();
    let length = (PREFIX as usize + json.len())
        .max(at_least)
        .next_multiple_of(8);
    json.resize(length - PREFIX as usize, b' ');
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.append(&mut json);
    Ok(bytes)
}

/// A safetensors file whose header was read and fits the file's length. Tensors are read on demand.
#[derive(Debug, Clone)]
pub struct Container {
    path: PathBuf,
    header: Metadata,
    data_start: u64,
}

impl Container {
    /// Errors name the file: not a safetensors file, cut short, or with something appended.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display();
        let mut file = File::open(path).with_context(|| format!("cannot open {name}"))?;
        let length = file
            .metadata()
            .with_context(|| format!("cannot read {name}"))?
            .len();
        ensure!(length > 0, "{name} is empty; copy or download it again");
        let not_one = || format!("{name} is not a safetensors file");
        let mut prefix = [0; PREFIX as usize];
        file.read_exact(&mut prefix).with_context(not_one)?;
        let header_length = u64::from_le_bytes(prefix);
        let mut brace = [0];
        file.read_exact(&mut brace).with_context(not_one)?;
        ensure!(
            brace == *b"{" && header_length <= MAX_HEADER,
            "{}",
            not_one()
        );
        let data_start = PREFIX + header_length;
        ensure!(
            length >= data_start,
            "{name} is cut short within its header; copy or download it again"
        );
        let mut json = vec![0; header_length as usize];
        file.seek(SeekFrom::Start(PREFIX)).with_context(not_one)?;
        file.read_exact(&mut json)
            .with_context(|| format!("cannot read {name}"))?;
        let header: Metadata = serde_json::from_slice(&json).with_context(not_one)?;
        let expected = data_start + header.data_len() as u64;
        if length < expected {
            bail!(
                "{name} is cut short: it holds {length} of {expected} bytes; copy or download it again"
            );
        }
        ensure!(
            length == expected,
            "{name} is damaged: it should end after {expected} bytes but holds {length}; copy or download it again"
        );
        Ok(Self {
            path: path.to_path_buf(),
            header,
            data_start,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's own key-value pairs, sorted by key.
    pub fn metadata(&self) -> BTreeMap<String, String> {
        self.header
            .metadata()
            .clone()
            .into_iter()
            .flatten()
            .collect()
    }

    /// All tensors in the order of their data.
    pub fn entries(&self) -> Vec<Entry> {
        let names = self.header.offset_keys();
        let entry = |name: String| {
            self.header.info(&name).map(|info| Entry {
                dtype: info.dtype,
                shape: info.shape.clone(),
                name: name.clone(),
            })
        };
        names.into_iter().filter_map(entry).collect()
    }

    /// The description of one tensor.
    pub fn entry(&self, name: &str) -> Option<Entry> {
        self.header.info(name).map(|info| Entry {
            name: name.to_owned(),
            dtype: info.dtype,
            shape: info.shape.clone(),
        })
    }

    /// The data of one tensor, as it lies in the file (little endian, row-major).
    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        let display = self.path.display();
        let info = self
            .header
            .info(name)
            .with_context(|| format!("{display} has no tensor `{name}`"))?;
        let (start, end) = info.data_offsets;
        let mut bytes = vec![0; end - start];
        let mut read = || -> std::io::Result<()> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.data_start + start as u64))?;
            file.read_exact(&mut bytes)
        };
        read().with_context(|| format!("cannot read `{name}` from {display}"))?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use safetensors::SafeTensors;
    use safetensors::tensor::Dtype;

    use super::{Container, Entry, header, sort};

    fn entry(name: &str, dtype: Dtype, shape: &[usize]) -> Entry {
        Entry {
            name: name.to_owned(),
            dtype,
            shape: shape.to_vec(),
        }
    }

    fn sample() -> Vec<u8> {
        let metadata = BTreeMap::from([
            ("b".to_owned(), "2".to_owned()),
            ("a".to_owned(), "ü\"".to_owned()),
        ]);
        let mut entries = vec![
            entry("half", Dtype::F16, &[2]),
            entry("z", Dtype::F32, &[1, 2]),
            entry("empty", Dtype::F32, &[0, 3]),
        ];
        sort(&mut entries);
        let mut bytes = header(&metadata, &entries, 0).unwrap();
        bytes.extend([1.5_f32, -2.0].iter().flat_map(|v| v.to_le_bytes()));
        bytes.extend([1, 2, 3, 4]);
        bytes
    }

    #[test]
    fn the_reference_reader_understands_what_is_written() {
        let bytes = sample();
        let read = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(read.tensor("half").unwrap().data(), [1, 2, 3, 4]);
        assert_eq!(read.tensor("z").unwrap().shape(), [1, 2]);
    }

    #[test]
    fn a_file_reads_back_tensor_by_tensor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.safetensors");
        fs::write(&path, sample()).unwrap();
        let container = Container::open(&path).unwrap();
        let names: Vec<String> = container.entries().into_iter().map(|e| e.name).collect();
        assert_eq!(names, ["empty", "z", "half"]);
        assert_eq!(container.metadata()["a"], "ü\"");
        assert_eq!(container.read("half").unwrap(), [1, 2, 3, 4]);
        assert!(container.read("empty").unwrap().is_empty());
        assert!(format!("{:#}", container.read("absent").unwrap_err()).contains("`absent`"));
    }

    #[test]
    fn every_truncation_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.safetensors");
        let bytes = sample();
        for length in 0..bytes.len() {
            fs::write(&path, &bytes[..length]).unwrap();
            let error = format!("{:#}", Container::open(&path).unwrap_err());
            assert!(error.contains("file.safetensors"), "{length}: {error}");
        }
        fs::write(&path, [&bytes[..], b"x"].concat()).unwrap();
        assert!(format!("{:#}", Container::open(&path).unwrap_err()).contains("damaged"));
    }

    #[test]
    fn other_files_are_not_taken_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        for content in [
            &b"<!DOCTYPE html><html>"[..],
            b"PK\x03\x04 something zipped",
            b"{}",
            &[0; 64],
        ] {
            fs::write(&path, content).unwrap();
            let error = format!("{:#}", Container::open(&path).unwrap_err());
            assert!(error.contains("is not a safetensors file"), "{error}");
        }
        assert!(Container::open(folder.path()).is_err(), "a folder");
    }
}
