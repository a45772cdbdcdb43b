//! The file that keeps the session: read once, written now and then. A file that cannot be read costs the session and nothing
//! else.

use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::NamedTempFile;

use super::{Session, VERSION};

/// Seconds between two writes.
const PAUSE: f64 = 2.0;

/// What is in the file, and when it was written.
#[derive(Debug)]
pub struct SessionFile {
    path: PathBuf,
    kept: Option<Session>,
    written: Option<f64>,
    failed: bool,
}

/// What came of handing a session to the file.
#[derive(Debug)]
pub enum Kept {
    /// It is in the file.
    Done,
    /// It changed too soon after the last write; in so many seconds it will be written.
    Later(f64),
    /// It cannot be written. Said once.
    Failed(io::Error),
}

impl SessionFile {
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            kept: None,
            written: None,
            failed: false,
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last session; `None` when there was none. The error is one sentence without the file's name.
    pub fn read(&self) -> Result<Option<Session>, String> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => parse(&text).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Moves a file that cannot be read out of the way of the next session, and says where to.
    pub fn set_aside(&self) -> io::Result<PathBuf> {
        let aside = self.path.with_extension("json.bad");
        std::fs::rename(&self.path, &aside)?;
        Ok(aside)
    }

    /// Writes the session if it changed, but not twice within a moment. `now` in seconds on any clock that only goes forward.
    pub fn keep(&mut self, session: Session, now: f64) -> Kept {
        if self.kept.as_ref() == Some(&session) {
            return Kept::Done;
        }
        let left = self.written.map_or(0.0, |at| at + PAUSE - now);
        if left > 0.0 {
            return Kept::Later(left);
        }
        self.written = Some(now);
        self.keep_now(session)
    }

    /// Writes the session if it changed, however soon.
    pub fn keep_now(&mut self, session: Session) -> Kept {
        if self.kept.as_ref() == Some(&session) {
            return Kept::Done;
        }
        let result = write(&self.path, &session);
        self.kept = Some(session);
        match result {
            Err(error) if !std::mem::replace(&mut self.failed, true) => Kept::Failed(error),
            _ => Kept::Done,
        }
    }
}

fn parse(text: &str) -> Result<Session, String> {
    let damaged = |error: serde_json::Error| format!("the file is damaged: {error}");
    let value: Value = serde_json::from_str(text).map_err(damaged)?;
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {
            serde_json::from_value(value).map_err(damaged)
        }
        Some(other) => Err(format!(
            "it was written by another version of Flawscope (format {other}, this one knows {VERSION})"
        )),
        None => Err("the file is damaged: it names no version".to_owned()),
    }
}

/// All of it or nothing: the file is replaced in one step.
fn write(path: &Path, session: &Session) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec_pretty(session)?)?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{KeptData, KeptRun, Session};
    use super::{Kept, PAUSE, SessionFile, parse};
    use crate::app::state::Place;

    fn session() -> Session {
        Session {
            place: Place::Compare,
            data: Some(KeptData {
                root: "/data/line 3".into(),
                options: crate::data::OpenOptions::default(),
                category: Some("bottle".to_owned()),
            }),
            run: Some(KeptRun {
                path: "/runs/lid".into(),
                picture: Some("test/dent/003.png".to_owned()),
                compared: vec!["/runs/lid-2".into()],
            }),
            size: 1.2,
            ..Session::default()
        }
    }

    #[test]
    fn a_session_comes_back_as_it_was() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("not/there/yet/session.json");
        let mut file = SessionFile::new(path.clone());
        assert_eq!(file.read(), Ok(None));
        assert!(matches!(file.keep(session(), 0.0), Kept::Done));
        assert_eq!(SessionFile::new(path).read(), Ok(Some(session())));
        let beside = std::fs::read_dir(home.path().join("not/there/yet")).unwrap();
        assert_eq!(beside.count(), 1, "no temporary file stays");
    }

    #[test]
    fn it_is_written_when_it_changed_and_not_twice_in_a_moment() {
        let home = tempfile::tempdir().unwrap();
        let mut file = SessionFile::new(home.path().join("session.json"));
        file.keep(session(), 10.0);
        let changed = Session {
            size: 2.0,
            ..session()
        };
        let later = file.keep(changed.clone(), 11.5);
        assert!(matches!(later, Kept::Later(left) if left == PAUSE - 1.5));
        assert_eq!(file.read(), Ok(Some(session())));
        file.keep(changed.clone(), 10.0 + PAUSE);
        assert_eq!(file.read(), Ok(Some(changed)));
        file.keep_now(session());
        assert_eq!(file.read(), Ok(Some(session())));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_kept_beside_the_next_one() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("session.json");
        std::fs::write(&path, "{").unwrap();
        let mut file = SessionFile::new(path.clone());
        assert!(file.read().is_err());
        let aside = file.set_aside().unwrap();
        file.keep_now(session());
        assert_eq!(std::fs::read_to_string(aside).unwrap(), "{");
        assert_eq!(file.read(), Ok(Some(session())));
    }

    #[test]
    fn damaged_files_and_other_versions_are_told_apart() {
        for text in ["", "{", "null", "[1]", r#"{"version": 1, "place": "Moon"}"#] {
            assert!(parse(text).unwrap_err().contains("damaged"), "{text}");
        }
        let other = parse(r#"{"version": 7, "place": "Moon"}"#).unwrap_err();
        assert!(other.contains("format 7"), "{other}");
        let sparse = parse(r#"{"version": 1}"#);
        assert_eq!(sparse, Ok(Session::default()));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_told_once() {
        let home = tempfile::tempdir().unwrap();
        let blocked = home.path().join("file");
        std::fs::write(&blocked, b"").unwrap();
        let mut file = SessionFile::new(blocked.join("session.json"));
        assert!(matches!(file.keep_now(session()), Kept::Failed(_)));
        assert!(matches!(file.keep_now(Session::default()), Kept::Done));
        assert!(file.read().is_err() || file.read() == Ok(None));
    }
}
