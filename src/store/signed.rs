//! Our own safetensors files: marked with their kind, and covered to the last byte by a checksum. What each kind says
//! about itself is in [`super::model_file`] and [`super::training_state`].

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::container::{Container, Entry};
use super::hash::hex;

const CHECKSUM: &str = "checksum";

/// What a file of ours is. One kind is never taken for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Model,
    Training,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Model, Self::Training];

    /// The mark in the file.
    fn format(self) -> &'static str {
        match self {
            Self::Model => "flawscope-model",
            Self::Training => "flawscope-training",
        }
    }

    /// Raised when a file can no longer be read by older programs.
    fn version(self) -> u32 {
        match self {
            Self::Model | Self::Training => 1,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Model => "a Flawscope model",
            Self::Training => "the state of an interrupted Flawscope training",
        }
    }

    /// What to choose in place of a file that is something else.
    fn choice(self) -> &'static str {
        match self {
            Self::Model => "choose the model.safetensors of a run folder",
            Self::Training => "choose a run folder whose training was interrupted",
        }
    }

    /// What to do about a file that is damaged.
    fn remedy(self) -> &'static str {
        match self {
            Self::Model => "use an intact copy or train again",
            Self::Training => "use an intact copy or start the training anew",
        }
    }
}

/// The key-value pairs of a file, whose values are text or JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairs(BTreeMap<String, String>);

impl Pairs {
    /// The pairs every file of ours begins with.
    pub fn new(kind: Kind, program_version: &str) -> Self {
        let mut pairs = Self(BTreeMap::new());
        pairs.add_text("format", kind.format());
        pairs.add_text("format_version", &kind.version().to_string());
        pairs.add_text("program_version", program_version);
        pairs
    }

    pub fn add_text(&mut self, key: &str, text: &str) {
        self.0.insert(key.to_owned(), text.to_owned());
    }

    pub fn add(&mut self, key: &str, value: &impl Serialize) -> Result<()> {
        let json = serde_json::to_string(value);
        let json = json.with_context(|| format!("its {key} cannot be saved"))?;
        self.add_text(key, &json);
        Ok(())
    }

    pub fn text(&self, key: &str) -> Result<&str> {
        let value = self.0.get(key).map(String::as_str);
        value.with_context(|| format!("its `{key}` is missing"))
    }

    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<T> {
        serde_json::from_str(self.text(key)?)
            .with_context(|| format!("its `{key}` is not understood"))
    }

    /// The same for a pair that files need not have.
    pub fn get_or_default<T: DeserializeOwned + Default>(&self, key: &str) -> Result<T> {
        if self.0.contains_key(key) {
            self.get(key)
        } else {
            Ok(T::default())
        }
    }

    /// Adds the checksum over these pairs and the tensors that were announced to it.
    pub fn sign(&mut self, sum: Checksum) -> String {
        let sum = sum.finish();
        self.add_text(CHECKSUM, &sum);
        sum
    }

    pub fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    fn program_version(&self) -> &str {
        self.text("program_version").unwrap_or("version unknown")
    }

    fn check_kind(&self, wanted: Kind) -> Result<()> {
        let format = self.0.get("format").map(String::as_str);
        let found = Kind::ALL
            .into_iter()
            .find(|kind| Some(kind.format()) == format);
        let (name, choice) = (wanted.name(), wanted.choice());
        match found {
            Some(found) if found == wanted => self.check_version(wanted.version()),
            Some(found) => bail!("it is {}, not {name}; {choice}", found.name()),
            None => bail!("it is a safetensors file but not {name}; {choice}"),
        }
    }

    fn check_version(&self, newest: u32) -> Result<()> {
        let version = self.text("format_version")?;
        match version.parse::<u32>() {
            Ok(known) if (1..=newest).contains(&known) => Ok(()),
            Ok(newer) if newer > newest => bail!(
                "it was made by a newer Flawscope ({}, file format {newer}; this one reads up to {newest}); \
                 update Flawscope",
                self.program_version()
            ),
            _ => bail!("its file format `{version}` does not exist; use an intact copy"),
        }
    }
}

/// SHA-256 over all key-value pairs but itself, then each tensor's name, type, shape and data in file order. Every part
/// is preceded by its length, so that no two contents run together into the same hash.
pub struct Checksum(Sha256);

impl Checksum {
    pub fn new(pairs: &Pairs) -> Self {
        let mut sum = Self(Sha256::new());
        for (key, value) in pairs.0.iter().filter(|(key, _)| *key != CHECKSUM) {
            sum.part(key.as_bytes());
            sum.part(value.as_bytes());
        }
        sum
    }

    /// Announces a tensor; its data follow through [`Write`].
    pub fn tensor(&mut self, entry: &Entry) {
        self.part(entry.name.as_bytes());
        self.part(entry.dtype.to_string().as_bytes());
        self.part(format!("{:?}", entry.shape).as_bytes());
    }

    fn finish(self) -> String {
        hex(&self.0.finalize())
    }

    fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }
}

impl Write for Checksum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a file says about itself, and the checksum that was found right.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked<T> {
    pub meta: T,
    pub checksum: String,
}

/// What a file says about itself, without reading its tensors: quick, but nobody has checked that the file is whole.
pub fn peek<T>(path: &Path, kind: Kind, parse: impl FnOnce(&Pairs) -> Result<T>) -> Result<T> {
    let (_, pairs) = open(path, kind)?;
    understood(path, &pairs, parse)
}

/// Reads and checks a file, handing each tensor's data to `visit` in file order and the pairs to `parse` at last.
pub fn read<T>(
    path: &Path,
    kind: Kind,
    mut visit: impl FnMut(Entry, Vec<u8>) -> Result<()>,
    parse: impl FnOnce(&Pairs) -> Result<T>,
) -> Result<Checked<T>> {
    let (container, pairs) = open(path, kind)?;
    let mut sum = Checksum::new(&pairs);
    for entry in container.entries() {
        let bytes = container.read(&entry.name)?;
        sum.tensor(&entry);
        sum.write_all(&bytes)?;
        visit(entry, bytes)?;
    }
    let checksum = sum.finish();
    ensure!(
        pairs.0.get(CHECKSUM) == Some(&checksum),
        "{} was altered after it was saved: its checksum does not fit; {}",
        path.display(),
        kind.remedy()
    );
    let meta = understood(path, &pairs, parse)?;
    Ok(Checked { meta, checksum })
}

fn open(path: &Path, kind: Kind) -> Result<(Container, Pairs)> {
    let container = Container::open(path).with_context(|| format!("expected {}", kind.name()))?;
    let pairs = Pairs(container.metadata());
    pairs
        .check_kind(kind)
        .with_context(|| format!("{} cannot be used", path.display()))?;
    Ok((container, pairs))
}

fn understood<T>(path: &Path, pairs: &Pairs, parse: impl FnOnce(&Pairs) -> Result<T>) -> Result<T> {
    parse(pairs).with_context(|| {
        let (maker, this) = (pairs.program_version(), env!("CARGO_PKG_VERSION"));
        format!(
            "{} was made by Flawscope {maker} and this is {this}, which does not understand it; update Flawscope",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Write;

    use safetensors::tensor::Dtype;

    use super::{CHECKSUM, Checksum, Entry, Kind, Pairs};

    fn pairs() -> Pairs {
        Pairs::new(Kind::Model, "0.1.0")
    }

    #[test]
    fn values_come_back_and_what_is_missing_or_garbled_is_named() {
        let mut pairs = pairs();
        pairs.add("numbers", &[0.1_f64, 1.0 / 3.0]).unwrap();
        assert_eq!(pairs.get::<Vec<f64>>("numbers").unwrap(), [0.1, 1.0 / 3.0]);
        let absent = pairs.get::<f32>("absent").unwrap_err().to_string();
        assert_eq!(absent, "its `absent` is missing");
        let garbled = pairs.get::<f32>("numbers").unwrap_err().to_string();
        assert_eq!(garbled, "its `numbers` is not understood");
    }

    #[test]
    fn other_formats_and_newer_versions_are_named() {
        let said = |change: fn(&mut Pairs)| {
            let mut pairs = pairs();
            change(&mut pairs);
            pairs.check_kind(Kind::Model).unwrap_err().to_string()
        };
        pairs().check_kind(Kind::Model).unwrap();
        let newer = said(|pairs| {
            pairs.add_text("format_version", "2");
            pairs.add_text("program_version", "9.1.0");
        });
        assert!(newer.contains("newer Flawscope (9.1.0"), "{newer}");
        for wrong in ["zero", "0", "-1", ""] {
            let mut pairs = pairs();
            pairs.add_text("format_version", wrong);
            let error = pairs.check_kind(Kind::Model).unwrap_err().to_string();
            assert!(error.contains(&format!("`{wrong}`")), "{error}");
        }
        let foreign = said(|pairs| {
            pairs.0.remove("format");
        });
        assert!(foreign.contains("not a Flawscope model"), "{foreign}");
    }

    #[test]
    fn no_kind_is_taken_for_another() {
        for kind in Kind::ALL {
            for wanted in Kind::ALL {
                let checked = Pairs::new(kind, "0.1.0").check_kind(wanted);
                assert_eq!(checked.is_ok(), kind == wanted);
            }
        }
        let error = Pairs::new(Kind::Training, "0.1.0").check_kind(Kind::Model);
        assert_eq!(
            error.unwrap_err().to_string(),
            "it is the state of an interrupted Flawscope training, not a Flawscope model; \
             choose the model.safetensors of a run folder"
        );
    }

    #[test]
    fn the_checksum_covers_names_types_shapes_and_values_but_not_itself() {
        let sum = |name: &str, dtype, shape: &[usize], bytes: &[u8], seed: &str, old: &str| {
            let mut pairs = pairs();
            pairs.add_text("seed", seed);
            pairs.add_text(CHECKSUM, old);
            let mut sum = Checksum::new(&pairs);
            sum.tensor(&Entry {
                name: name.to_owned(),
                dtype,
                shape: shape.to_vec(),
            });
            sum.write_all(bytes).unwrap();
            sum.finish()
        };
        let first = sum("a", Dtype::F32, &[1, 2], &[0; 8], "1", "ignored");
        let sums = [
            first.clone(),
            sum("b", Dtype::F32, &[1, 2], &[0; 8], "1", ""),
            sum("a", Dtype::I32, &[1, 2], &[0; 8], "1", ""),
            sum("a", Dtype::F32, &[2, 1], &[0; 8], "1", ""),
            sum("a", Dtype::F32, &[1, 2], &[1; 8], "1", ""),
            sum("a", Dtype::F32, &[1, 2], &[0; 8], "2", ""),
        ];
        assert_eq!(sums.iter().collect::<BTreeSet<_>>().len(), sums.len());
        assert_eq!(first, sum("a", Dtype::F32, &[1, 2], &[0; 8], "1", "other"));
    }
}
