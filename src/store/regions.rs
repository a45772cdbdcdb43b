//! The table of regions beside an evaluation's score maps: read whole when a run is opened, so that limits can be moved
//! without reading maps.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use safetensors::tensor::Dtype;
use sha2::{Digest, Sha256};

use super::atomic::{Sealed, Staged, unwritable};
use super::container::{self, Container, Entry};
use super::hash::hex;
use crate::metrics::RegionTable;

/// A complete file under a temporary name.
#[derive(Debug)]
pub struct SealedRegions {
    /// The file's name within its folder, after a hash of what it holds.
    pub name: String,
    sealed: Sealed,
}

impl SealedRegions {
    pub fn publish(self) -> Result<()> {
        self.sealed.publish()
    }
}

/// Writes a table into the run folder, all but the renaming.
pub fn seal(folder: &Path, table: &RegionTable) -> Result<SealedRegions> {
    let parts = parts(table);
    let mut entries: Vec<Entry> = parts.iter().map(|(entry, _)| entry.clone()).collect();
    container::sort(&mut entries);
    let bytes_of = |entry: &Entry| parts.iter().find(|(e, _)| e == entry).map(|(_, b)| b);
    let mut staged = Staged::in_folder(folder)?;
    let mut content = Sha256::new();
    let mut write = |bytes: &[u8]| {
        content.update(bytes);
        staged.write_all(bytes)
    };
    write(&container::header(&BTreeMap::new(), &entries, 0)?)
        .and_then(|()| {
            let mut data = entries.iter().filter_map(bytes_of);
            data.try_for_each(|bytes| write(bytes))
        })
        .map_err(|error| unwritable(&folder.join("regions"), error))?;
    let name = format!("regions-{}.safetensors", &hex(&content.finalize())[..12]);
    let target: PathBuf = folder.join(&name);
    Ok(SealedRegions {
        name,
        sealed: staged.seal(target)?,
    })
}

fn parts(table: &RegionTable) -> [(Entry, Vec<u8>); 5] {
    let entry = |name: &str, dtype, shape: &[usize]| Entry {
        name: name.to_owned(),
        dtype,
        shape: shape.to_vec(),
    };
    let (pictures, defects, steps) = (table.pictures(), table.defect_areas.len(), table.steps);
    let f32s = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let f64s = |values: &[f64]| values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let u32s = |values: &[u32]| values.iter().flat_map(|v| v.to_le_bytes()).collect();
    [
        (
            entry("pixels_per_cell", Dtype::F64, &[pictures]),
            f64s(&table.pixels_per_cell),
        ),
        (
            entry("levels", Dtype::F32, &[pictures, steps]),
            f32s(&table.levels),
        ),
        (
            entry("defect_pictures", Dtype::U32, &[defects]),
            u32s(&table.defect_pictures),
        ),
        (
            entry("defect_areas", Dtype::F64, &[defects]),
            f64s(&table.defect_areas),
        ),
        (
            entry("defect_levels", Dtype::F32, &[defects, steps]),
            f32s(&table.defect_levels),
        ),
    ]
}

/// Reads a table of regions. The error names the file and the remedy.
pub fn read(path: &Path) -> Result<RegionTable> {
    let container = Container::open(path).context("expected a table of regions")?;
    let broken = || {
        format!(
            "{} is not a table of regions; evaluate again",
            path.display()
        )
    };
    let part = |name: &str, dtype: Dtype| -> Result<Vec<u8>> {
        let entry = container.entry(name).with_context(broken)?;
        ensure!(entry.dtype == dtype, broken());
        container.read(name)
    };
    let f32s =
        |name: &str| Ok::<_, anyhow::Error>(values(&part(name, Dtype::F32)?, f32::from_le_bytes));
    let f64s =
        |name: &str| Ok::<_, anyhow::Error>(values(&part(name, Dtype::F64)?, f64::from_le_bytes));
    let levels = container.entry("levels").with_context(broken)?;
    let table = RegionTable {
        steps: levels.shape.get(1).copied().unwrap_or_default(),
        pixels_per_cell: f64s("pixels_per_cell")?,
        levels: f32s("levels")?,
        defect_pictures: values(&part("defect_pictures", Dtype::U32)?, u32::from_le_bytes),
        defect_areas: f64s("defect_areas")?,
        defect_levels: f32s("defect_levels")?,
    };
    ensure!(table.is_consistent(), broken());
    Ok(table)
}

fn values<T, const N: usize>(bytes: &[u8], of: impl Fn([u8; N]) -> T) -> Vec<T> {
    let chunks = bytes.as_chunks::<N>().0;
    chunks.iter().map(|&chunk| of(chunk)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{read, seal};
    use crate::metrics::{DefectCells, MapExtent, RegionTable};

    fn table() -> RegionTable {
        let mut table = RegionTable::default();
        let defect = DefectCells {
            area: 25.5,
            cells: vec![1],
        };
        let extent = MapExtent::of(&[1.0, 2.0, -3.5], 3, std::slice::from_ref(&defect));
        table.push(12.25, &extent, &[defect]);
        table
    }

    #[test]
    fn a_table_comes_back_exactly_and_an_empty_one_too() {
        let folder = tempfile::tempdir().unwrap();
        for table in [table(), RegionTable::default()] {
            let sealed = seal(folder.path(), &table).unwrap();
            let path = folder.path().join(&sealed.name);
            sealed.publish().unwrap();
            assert_eq!(read(&path).unwrap(), table);
        }
    }

    #[test]
    fn what_is_no_table_is_named_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let sealed = seal(folder.path(), &table()).unwrap();
        let path = folder.path().join(&sealed.name);
        sealed.publish().unwrap();
        let mut bytes = fs::read(&path).unwrap();
        // The first values are areas of map pixels; zero is none.
        let start = bytes.windows(8).position(|w| w == 12.25_f64.to_le_bytes());
        bytes[start.unwrap()..][..8].fill(0);
        fs::write(&path, bytes).unwrap();
        let error = format!("{:#}", read(&path).unwrap_err());
        assert!(error.contains("evaluate again"), "{error}");
    }
}
