//! Files that appear whole or not at all: written under a temporary name beside their target, synced, then renamed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow};
use tempfile::{Builder, NamedTempFile};

const PREFIX: &str = ".flawscope-";
const SUFFIX: &str = ".tmp";

/// A temporary file this long untouched belongs to nobody any more.
const LEFTOVER_AGE: Duration = Duration::from_hours(1);

/// A file being written. Dropping it removes it.
#[derive(Debug)]
pub struct Staged {
    file: BufWriter<NamedTempFile>,
}

impl Staged {
    pub fn in_folder(folder: &Path) -> Result<Self> {
        let mut builder = Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        share(&mut builder);
        let file = builder
            .tempfile_in(folder)
            .map_err(|error| unwritable(folder, error))?;
        Ok(Self {
            file: BufWriter::with_capacity(1 << 16, file),
        })
    }

    /// Brings everything to the disk, so that only the rename to `target` is left to do.
    pub fn seal(self, target: PathBuf) -> Result<Sealed> {
        let synced = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error);
        let synced = synced.and_then(|file| file.as_file().sync_all().map(|()| file));
        match synced {
            Ok(file) => Ok(Sealed { file, target }),
            Err(error) => Err(unwritable(&target, error)),
        }
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Staged {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

/// A complete file that only needs its name. Dropping it removes it.
#[derive(Debug)]
pub struct Sealed {
    file: NamedTempFile,
    target: PathBuf,
}

impl Sealed {
    /// Where the file is until it has its name.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Gives the file its name, in place of what bore it before.
    pub fn publish(self) -> Result<()> {
        let Self { file, target } = self;
        file.persist(&target)
            .map_err(|error| unwritable(&target, error.error))?;
        // The name itself must survive a power cut too. Windows cannot open folders; there the file system does this.
        if let Ok(folder) = File::open(folder_of(&target)) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

/// Writes `target` through `write`: afterwards it is complete, or untouched and there is an error naming it.
pub fn write_atomically(
    target: &Path,
    write: impl FnOnce(&mut Staged) -> Result<()>,
) -> Result<()> {
    let mut staged = Staged::in_folder(folder_of(target))
        .with_context(|| format!("writing {}", target.display()))?;
    write(&mut staged).map_err(|error| unwritable(target, error))?;
    staged.seal(target.to_path_buf())?.publish()
}

/// Removes temporary files that an interrupted program left behind. Failing to is no failure: nobody reads them.
pub fn remove_leftovers(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let age = entry
            .metadata()
            .and_then(|m| m.modified())
            .ok()
            .and_then(|t| t.elapsed().ok());
        if name.starts_with(PREFIX)
            && name.ends_with(SUFFIX)
            && age.is_some_and(|age| age > LEFTOVER_AGE)
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// An error that names the file and, where the cause is a known one, the remedy.
pub fn unwritable(path: &Path, error: impl Into<Error>) -> Error {
    let error = error.into();
    let remedy = match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            "; free some space on this disk"
        }
        Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
            "; choose a folder you are allowed to write to"
        }
        Some(io::ErrorKind::NotFound) => "; its folder does not exist",
        _ => "",
    };
    let text = anyhow!("{error}{remedy}");
    text.context(format!("cannot write {}", path.display()))
}

/// The folder a file lies in; `.` for a bare name.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Temporary files are private by default; results are for everybody the user's umask allows.
#[cfg(unix)]
fn share(builder: &mut Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn share(_: &mut Builder<'_, '_>) {}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;
    use std::time::{Duration, SystemTime};

    use anyhow::bail;

    use super::{PREFIX, SUFFIX, folder_of, remove_leftovers, unwritable, write_atomically};

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_leftover() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("result");
        write_atomically(&target, |out| Ok(out.write_all(b"old")?)).unwrap();
        let error = write_atomically(&target, |out| {
            out.write_all(b"half of the new")?;
            bail!("the disk went away")
        })
        .unwrap_err();
        assert!(format!("{error:#}").contains("result"), "{error:#}");
        assert_eq!(fs::read(&target).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_folder_is_named_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("absent").join("result");
        let error = format!("{:#}", write_atomically(&target, |_| Ok(())).unwrap_err());
        assert!(
            error.contains("result") && error.contains("does not exist"),
            "{error}"
        );
    }

    #[test]
    fn a_full_disk_is_explained() {
        let error = unwritable(
            "run/model".as_ref(),
            std::io::Error::from(std::io::ErrorKind::StorageFull),
        );
        let text = format!("{error:#}");
        assert!(
            text.contains("cannot write run/model") && text.contains("free some space"),
            "{text}"
        );
    }

    #[test]
    fn only_old_leftovers_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let name = |text: &str| folder.path().join(text);
        let old = name(&format!("{PREFIX}old{SUFFIX}"));
        let fresh = name(&format!("{PREFIX}fresh{SUFFIX}"));
        let other = name("other.tmp");
        let yesterday = SystemTime::now() - Duration::from_hours(24);
        for path in [&old, &fresh, &other] {
            let file = File::create(path).unwrap();
            if path != &fresh {
                file.set_modified(yesterday).unwrap();
            }
        }
        remove_leftovers(folder.path());
        assert!(!old.exists() && fresh.exists() && other.exists());
    }

    #[test]
    fn a_bare_name_lies_in_the_current_folder() {
        assert_eq!(folder_of("model.safetensors".as_ref()).as_os_str(), ".");
        assert_eq!(
            folder_of("run/model.safetensors".as_ref()).as_os_str(),
            "run"
        );
    }

    #[cfg(unix)]
    #[test]
    fn results_are_not_private_to_their_author() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        File::create(&plain).unwrap();
        let target = folder.path().join("result");
        write_atomically(&target, |_| Ok(())).unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&target), mode(&plain));
    }
}
