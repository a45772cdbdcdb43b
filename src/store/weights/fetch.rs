//! Downloads published weights from their public homes: with progress, resumed where it broke off, and kept only when
//! the hash fits.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};

use super::known::{KnownWeights, by_name};
use crate::progress::Outcome;
use crate::store::atomic::unwritable;
use crate::store::hash::sha256_of_file;

/// No backbone is larger; a server that sends more sends something else.
const MAX_BYTES: u64 = 2 << 30;
const CHUNK: usize = 1 << 16;
/// A server silent for so long is gone. Also the longest that a cancel can be overlooked.
const SILENCE: Duration = Duration::from_secs(30);

/// Told `(done, total)` bytes (total 0 while unknown); answers whether to go on.
pub type OnBytes<'a> = &'a dyn Fn(u64, u64) -> bool;

/// Downloads the weights of this name into `folder`, from their public home or from `url`, say a mirror; the hash must
/// fit either way. A download that breaks off or is cancelled leaves a `.part` file from which the next one goes on.
pub fn fetch(
    name: &str,
    url: Option<&str>,
    folder: &Path,
    on_bytes: OnBytes<'_>,
) -> Result<Outcome<PathBuf>> {
    let known = by_name(name)?;
    fetch_known(known, url, folder, on_bytes)
}

fn fetch_known(
    known: &KnownWeights,
    url: Option<&str>,
    folder: &Path,
    on_bytes: OnBytes<'_>,
) -> Result<Outcome<PathBuf>> {
    let source = known
        .source
        .with_context(|| format!("`{}` has no public home", known.name))?;
    let url = url.unwrap_or(source.url);
    let target = folder.join(source.file_name);
    let part = folder.join(format!("{}.part", source.file_name));
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
    if holds(&target, known.sha256) {
        return Ok(Outcome::Finished(target));
    }
    // A part may be complete already: servers refuse to send the nothing that is left.
    if !holds(&part, known.sha256) {
        match download(url, &part, on_bytes)? {
            Outcome::Cancelled => return Ok(Outcome::Cancelled),
            Outcome::Finished(()) => check_hash(&part, known, url)?,
        }
    }
    fs::rename(&part, &target).map_err(|error| unwritable(&target, error))?;
    Ok(Outcome::Finished(target))
}

/// Whether the file is there with this content.
fn holds(path: &Path, sha256: &str) -> bool {
    path.is_file() && sha256_of_file(path).is_ok_and(|found| found == sha256)
}

/// Completes the `.part` file.
fn download(url: &str, part: &Path, on_bytes: OnBytes<'_>) -> Result<Outcome<()>> {
    let held = fs::metadata(part).map_or(0, |metadata| metadata.len());
    let mut response = request(url, held)?;
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        // The part is not a beginning of what the server has.
        fs::remove_file(part).map_err(|error| unwritable(part, error))?;
        response = request(url, 0)?;
    }
    let start = match response.status() {
        StatusCode::PARTIAL_CONTENT if range_start(&response) == Some(held) => held,
        // The server knows no ranges: from the beginning.
        StatusCode::OK => 0,
        status => bail!("{url}: the server answered {status}; check the address, or {BY_HAND}"),
    };
    let left = response.body().content_length();
    let total = left.map_or(0, |left| start + left);
    ensure!(
        total <= MAX_BYTES,
        "{url}: {total} bytes are more than any backbone has"
    );
    let mut file = open_part(part, start).map_err(|error| unwritable(part, error))?;
    let mut reader = response.body_mut().with_config().limit(MAX_BYTES).reader();
    let outcome = copy(
        &mut reader,
        &mut file,
        Span {
            url,
            part,
            start,
            total,
        },
        on_bytes,
    )?;
    file.sync_all().map_err(|error| unwritable(part, error))?;
    Ok(outcome)
}

const BY_HAND: &str = "download the file by other means and use `flawscope weights import FILE`";

fn request(url: &str, from: u64) -> Result<Response<Body>> {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("flawscope/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .build()
        .into();
    // Ranges count the bytes as sent; compressed ones would be others.
    let mut request = agent.get(url).header(header::ACCEPT_ENCODING, "identity");
    if from > 0 {
        request = request.header(header::RANGE, format!("bytes={from}-"));
    }
    request
        .call()
        .with_context(|| format!("{url} cannot be reached; check the network, or {BY_HAND}"))
}

/// First byte of a partial answer, from `Content-Range: bytes 100-199/200`.
fn range_start(response: &Response<Body>) -> Option<u64> {
    let range = response
        .headers()
        .get(header::CONTENT_RANGE)?
        .to_str()
        .ok()?;
    range
        .strip_prefix("bytes ")?
        .split('-')
        .next()?
        .trim()
        .parse()
        .ok()
}

/// The part file, cut to `start` bytes and open behind them.
fn open_part(part: &Path, start: u64) -> io::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(part)?;
    file.set_len(start)?;
    Ok(file)
}

/// What is copied from where to where, for the messages.
#[derive(Clone, Copy)]
struct Span<'a> {
    url: &'a str,
    part: &'a Path,
    start: u64,
    /// 0 when the server did not say.
    total: u64,
}

fn copy(
    reader: &mut impl Read,
    file: &mut File,
    span: Span<'_>,
    on_bytes: OnBytes<'_>,
) -> Result<Outcome<()>> {
    let Span {
        url,
        part,
        start,
        total,
    } = span;
    let mut buffer = vec![0; CHUNK];
    let mut done = start;
    let broke_off = |done: u64| {
        let of = if total > 0 {
            format!(" of {total}")
        } else {
            String::new()
        };
        format!(
            "{url}: the download broke off after {done}{of} bytes; the same command goes on from there"
        )
    };
    loop {
        if !on_bytes(done, total) {
            return Ok(Outcome::Cancelled);
        }
        let count = reader.read(&mut buffer).with_context(|| broke_off(done))?;
        if count == 0 {
            break;
        }
        file.write_all(&buffer[..count])
            .map_err(|error| unwritable(part, error))?;
        done += count as u64;
    }
    ensure!(total == 0 || done == total, "{}", broke_off(done));
    Ok(Outcome::Finished(()))
}

fn check_hash(part: &Path, known: &KnownWeights, url: &str) -> Result<()> {
    let found = sha256_of_file(part).with_context(|| format!("reading {}", part.display()))?;
    if found == known.sha256 {
        return Ok(());
    }
    fs::remove_file(part).map_err(|error| unwritable(part, error))?;
    bail!(
        "{url}: what was downloaded is not `{}` and was deleted: its SHA-256 is {found}, expected {}; try again, or {BY_HAND}",
        known.name,
        known.sha256
    )
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::{Arc, Mutex};
    use std::thread;

    use super::super::known::Source;
    use super::{KnownWeights, fetch, fetch_known};
    use crate::models::backbone::BackboneKind;
    use crate::progress::Outcome;
    use crate::store::hash::sha256_of_reader;

    /// What the test server does with a request.
    #[derive(Clone, Copy, PartialEq)]
    enum Manner {
        /// Honours ranges.
        Proper,
        /// Sends everything, whatever range was asked for.
        IgnoresRange,
        /// Announces everything and hangs up after this many bytes.
        BreaksOffAfter(usize),
        NotFound,
        /// Sends a range that was not asked for.
        WrongRange,
        /// Redirects to the same content elsewhere.
        Redirects,
    }

    struct Server {
        url: String,
        manner: Arc<Mutex<Manner>>,
        /// The `Range` header of each request, in order.
        ranges: Arc<Mutex<Vec<Option<String>>>>,
    }

    impl Server {
        /// Answers on a loopback port until the test ends.
        fn new(content: Vec<u8>, manner: Manner) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}/model", listener.local_addr().unwrap());
            let manner = Arc::new(Mutex::new(manner));
            let ranges = Arc::new(Mutex::new(Vec::new()));
            let (shared_manner, shared_ranges) = (Arc::clone(&manner), Arc::clone(&ranges));
            thread::Builder::new()
                .name("test server".to_owned())
                .spawn(move || {
                    for stream in listener.incoming().flatten() {
                        let manner = *shared_manner.lock().unwrap();
                        shared_ranges
                            .lock()
                            .unwrap()
                            .push(answer(stream, &content, manner));
                    }
                })
                .unwrap();
            Self {
                url,
                manner,
                ranges,
            }
        }

        fn set(&self, manner: Manner) {
            *self.manner.lock().unwrap() = manner;
        }

        fn ranges(&self) -> Vec<Option<String>> {
            self.ranges.lock().unwrap().clone()
        }
    }

    /// Reads one request, answers it and returns its `Range` header.
    fn answer(mut stream: TcpStream, content: &[u8], manner: Manner) -> Option<String> {
        let reader = BufReader::new(stream.try_clone().unwrap());
        let lines: Vec<String> = reader
            .lines()
            .map_while(Result::ok)
            .take_while(|line| !line.is_empty())
            .collect();
        let redirected = lines
            .first()
            .is_some_and(|line| line.contains("/elsewhere"));
        let range = lines.iter().find_map(|line| {
            line.to_lowercase()
                .strip_prefix("range: bytes=")
                .map(str::to_owned)
        });
        let start = range
            .as_ref()
            .map_or(0, |range| range.trim_end_matches('-').parse().unwrap());
        let (head, body) = match manner {
            Manner::NotFound => ("404 Not Found\r\n".to_owned(), &b"no such model"[..]),
            Manner::Redirects if !redirected => {
                ("302 Found\r\nLocation: /elsewhere\r\n".to_owned(), &b""[..])
            }
            Manner::WrongRange => {
                let end = content.len();
                (
                    format!(
                        "206 Partial Content\r\nContent-Range: bytes 0-{}/{end}\r\n",
                        end - 1
                    ),
                    content,
                )
            }
            Manner::Proper if start >= content.len() => {
                ("416 Range Not Satisfiable\r\n".to_owned(), &b""[..])
            }
            Manner::Proper if range.is_some() => {
                let end = content.len();
                let head = format!(
                    "206 Partial Content\r\nContent-Range: bytes {start}-{}/{end}\r\n",
                    end - 1
                );
                (head, &content[start..])
            }
            _ => ("200 OK\r\n".to_owned(), content),
        };
        let head = format!(
            "HTTP/1.1 {head}Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let sent = match manner {
            Manner::BreaksOffAfter(count) => &body[..count],
            _ => body,
        };
        // A client that hung up is no failure of the server's.
        let _ = stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(sent));
        range
    }

    fn content() -> Vec<u8> {
        (0..300_000_u32).map(|i| (i % 251) as u8).collect()
    }

    /// Published weights that consist of `bytes`.
    fn weights(bytes: &[u8]) -> KnownWeights {
        KnownWeights {
            name: "test",
            kind: BackboneKind::ResNet18,
            sha256: Box::leak(sha256_of_reader(bytes).unwrap().into_boxed_str()),
            source: Some(Source {
                url: "http://127.0.0.1:1/nowhere",
                file_name: "model.safetensors",
            }),
            note: "",
        }
    }

    fn go_on(_: u64, _: u64) -> bool {
        true
    }

    #[test]
    fn a_download_arrives_whole_with_progress() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::new(content(), Manner::Proper);
        let last = Cell::new((0, 0));
        let on_bytes = |done, total| {
            assert!(done >= last.get().0);
            last.set((done, total));
            true
        };
        let target = folder.path().join("new").join("model.safetensors");
        let outcome = fetch_known(
            &weights(&content()),
            Some(&server.url),
            target.parent().unwrap(),
            &on_bytes,
        );
        assert_eq!(outcome.unwrap(), Outcome::Finished(target.clone()));
        assert_eq!(fs::read(&target).unwrap(), content());
        assert_eq!(last.get(), (300_000, 300_000));
        assert_eq!(
            fs::read_dir(target.parent().unwrap()).unwrap().count(),
            1,
            "no .part is left"
        );
    }

    #[test]
    fn what_is_there_is_not_fetched_again() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::new(content(), Manner::Proper);
        for _ in 0..2 {
            fetch_known(
                &weights(&content()),
                Some(&server.url),
                folder.path(),
                &go_on,
            )
            .unwrap();
        }
        assert_eq!(server.ranges(), [None]);
    }

    #[test]
    fn a_broken_download_is_resumed_where_it_broke_off() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::new(content(), Manner::BreaksOffAfter(100_000));
        let error = fetch_known(
            &weights(&content()),
            Some(&server.url),
            folder.path(),
            &go_on,
        )
        .unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("broke off after 100000 of 300000 bytes"),
            "{text}"
        );
        let part = folder.path().join("model.safetensors.part");
        assert_eq!(fs::metadata(&part).unwrap().len(), 100_000);
        server.set(Manner::Proper);
        fetch_known(
            &weights(&content()),
            Some(&server.url),
            folder.path(),
            &go_on,
        )
        .unwrap();
        assert_eq!(
            fs::read(folder.path().join("model.safetensors")).unwrap(),
            content()
        );
        assert_eq!(server.ranges(), [None, Some("100000-".to_owned())]);
        assert!(!part.exists());
    }

    #[test]
    fn a_server_without_ranges_starts_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("model.safetensors.part"),
            &content()[..5000],
        )
        .unwrap();
        let server = Server::new(content(), Manner::IgnoresRange);
        fetch_known(
            &weights(&content()),
            Some(&server.url),
            folder.path(),
            &go_on,
        )
        .unwrap();
        assert_eq!(
            fs::read(folder.path().join("model.safetensors")).unwrap(),
            content()
        );
    }

    #[test]
    fn a_part_longer_than_the_file_is_thrown_away() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("model.safetensors.part"),
            vec![0; 400_000],
        )
        .unwrap();
        let server = Server::new(content(), Manner::Proper);
        fetch_known(
            &weights(&content()),
            Some(&server.url),
            folder.path(),
            &go_on,
        )
        .unwrap();
        assert_eq!(
            fs::read(folder.path().join("model.safetensors")).unwrap(),
            content()
        );
    }

    #[test]
    fn a_complete_part_only_needs_its_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("model.safetensors.part"), content()).unwrap();
        let server = Server::new(content(), Manner::Proper);
        fetch_known(
            &weights(&content()),
            Some(&server.url),
            folder.path(),
            &go_on,
        )
        .unwrap();
        assert_eq!(
            fs::read(folder.path().join("model.safetensors")).unwrap(),
            content()
        );
    }

    #[test]
    fn a_wrong_hash_deletes_the_file_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::new(content(), Manner::Proper);
        let error =
            fetch_known(&weights(b"other"), Some(&server.url), folder.path(), &go_on).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("was deleted") && text.contains(&server.url),
            "{text}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_error_page_is_not_saved() {
        let folder = tempfile::tempdir().unwrap();
        for manner in [Manner::NotFound, Manner::WrongRange] {
            let server = Server::new(content(), manner);
            fs::write(folder.path().join("model.safetensors.part"), b"begun").unwrap();
            let error = fetch_known(
                &weights(&content()),
                Some(&server.url),
                folder.path(),
                &go_on,
            )
            .unwrap_err();
            assert!(
                error.to_string().contains("the server answered"),
                "{error:#}"
            );
            assert!(!folder.path().join("model.safetensors").exists());
        }
    }

    #[test]
    fn redirects_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::new(content(), Manner::Redirects);
        fetch_known(
            &weights(&content()),
            Some(&server.url),
            folder.path(),
            &go_on,
        )
        .unwrap();
        assert_eq!(server.ranges().len(), 2);
    }

    #[test]
    fn a_cancelled_download_can_go_on_later() {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::new(content(), Manner::Proper);
        let stop_half_way = |done, _| done < 100_000;
        let outcome = fetch_known(
            &weights(&content()),
            Some(&server.url),
            folder.path(),
            &stop_half_way,
        );
        assert_eq!(outcome.unwrap(), Outcome::Cancelled);
        let held = fs::metadata(folder.path().join("model.safetensors.part"))
            .unwrap()
            .len();
        assert!((100_000..300_000).contains(&held), "{held}");
        fetch_known(
            &weights(&content()),
            Some(&server.url),
            folder.path(),
            &go_on,
        )
        .unwrap();
        assert_eq!(server.ranges()[1], Some(format!("{held}-")));
    }

    #[test]
    fn an_unreachable_server_names_the_other_way() {
        let folder = tempfile::tempdir().unwrap();
        let text = fetch_known(&weights(b""), None, folder.path(), &go_on)
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("cannot be reached") && text.contains("weights import"),
            "{text}"
        );
    }

    #[test]
    fn an_unknown_name_is_refused_before_anything_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        assert!(fetch("vgg", None, folder.path(), &go_on).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
