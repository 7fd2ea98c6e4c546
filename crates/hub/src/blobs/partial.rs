//! Bytes on their way, each upload in a file of its own. Every byte that arrived counts: the file's length is how far
//! the upload is.

use super::fault::BlobError;
use super::turn::Turn;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use sha2::{Digest, Sha256 as Hasher};
use standpipe_domain::ids::Sha256;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use uuid::Uuid;

/// The most bytes that are not yet on disk.
const UNSYNCED: usize = 256 * 1024;
/// How many pieces of the network's size wait for the disk.
const QUEUE: usize = 16;

/// Once another request wants the upload: how long what is still on its way may keep silent, and how long it may take.
/// A connection that was cut has often delivered more than was read from it.
const LAST_SILENCE: Duration = Duration::from_millis(250);
const LAST_CALL: Duration = Duration::from_secs(2);

/// The folder of partial files.
pub struct Partials {
    dir: PathBuf,
    /// How long a connection may say nothing before it counts as cut.
    pub silence: Duration,
}

/// Why the bytes stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The body ended as it should.
    Whole,
    /// The connection broke, fell silent, or was taken over.
    Cut,
    /// There was more than there should be; the rest was not taken.
    TooMuch,
}

/// What came of one request's bytes.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// Where the upload now stands.
    pub at: u64,
    /// The hash of these bytes alone.
    pub hash: Sha256,
    pub end: End,
}

impl Partials {
    /// Opens the folder, and makes it where it is not there.
    pub fn open(dir: PathBuf, silence: Duration) -> Result<Self, BlobError> {
        make_dir(&dir)?;
        Ok(Self { dir, silence })
    }

    pub fn path(&self, upload: Uuid) -> PathBuf {
        self.dir.join(upload.simple().to_string())
    }

    /// How many bytes of an upload have arrived; none when there is no file.
    pub fn len(&self, upload: Uuid) -> Result<u64, BlobError> {
        let path = self.path(upload);
        match std::fs::metadata(&path) {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(BlobError::disk("looking at", &path)(error)),
        }
    }

    /// The file of an upload, made where no byte came yet: an empty blob has one too.
    pub fn touch(&self, upload: Uuid) -> Result<PathBuf, BlobError> {
        let path = self.path(upload);
        let made = OpenOptions::new().create(true).append(true).open(&path);
        made.map_err(BlobError::disk("making", &path))?;
        Ok(path)
    }

    /// Drops what had arrived beyond `length`.
    pub fn cut_to(&self, upload: Uuid, length: u64) -> Result<(), BlobError> {
        let path = self.path(upload);
        let cut = || {
            let file = OpenOptions::new().write(true).open(&path)?;
            file.set_len(length)?;
            file.sync_all()
        };
        cut().map_err(BlobError::disk("shortening", &path))
    }

    pub fn remove(&self, upload: Uuid) -> Result<(), BlobError> {
        let path = self.path(upload);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(BlobError::disk("removing", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// The uploads that there are files of.
    pub fn all(&self) -> Result<Vec<Uuid>, BlobError> {
        let read = || std::fs::read_dir(&self.dir)?.map(|entry| Ok(entry?.file_name())).collect();
        let names: io::Result<Vec<_>> = read();
        let names = names.map_err(BlobError::disk("reading the folder", &self.dir))?;
        Ok(names.iter().filter_map(|name| Uuid::try_parse(name.to_str()?).ok()).collect())
    }

    /// Adds bytes as they come, at most `room` of them. Returns when they end, for whatever reason, and all that came
    /// is on disk.
    pub async fn receive<S, E>(
        &self,
        upload: Uuid,
        room: u64,
        mut bytes: S,
        turn: &mut Turn,
    ) -> Result<Received, BlobError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
    {
        let path = self.path(upload);
        let (pieces, queue) = mpsc::channel(QUEUE);
        let dir = self.dir.clone();
        let writer = spawn_blocking({
            let path = path.clone();
            move || write(&path, &dir, queue)
        });
        let mut room = room;
        let mut leave_by: Option<Instant> = None;
        let end = loop {
            let silence = match leave_by {
                None => self.silence,
                Some(by) => LAST_SILENCE.min(by.saturating_duration_since(Instant::now())),
            };
            let next = tokio::select! {
                biased;
                next = tokio::time::timeout(silence, bytes.next()) => next,
                () = turn.wanted(), if leave_by.is_none() => {
                    leave_by = Some(Instant::now() + LAST_CALL);
                    continue;
                }
            };
            let mut piece: Bytes = match next {
                Ok(Some(Ok(piece))) => piece,
                Ok(None) => break End::Whole,
                Ok(Some(Err(_))) | Err(_) => break End::Cut,
            };
            let fits = usize::try_from(room).unwrap_or(usize::MAX).min(piece.len());
            let too_much = fits < piece.len();
            piece.truncate(fits);
            room -= fits as u64;
            // A writer that has gone tells why below.
            if pieces.send(piece).await.is_err() {
                break End::Cut;
            }
            if too_much {
                break End::TooMuch;
            }
        };
        drop(pieces);
        let (at, hash) = writer
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(BlobError::disk("writing", &path))?;
        Ok(Received { at, hash, end })
    }
}

/// Writes pieces behind what the file holds. Gives the file's new length and the hash of the pieces.
fn write(path: &Path, dir: &Path, mut pieces: mpsc::Receiver<Bytes>) -> io::Result<(u64, Sha256)> {
    let is_new = !path.exists();
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    if is_new {
        File::open(dir)?.sync_all()?;
    }
    let mut hasher = Hasher::new();
    let mut unsynced = 0;
    while let Some(piece) = pieces.blocking_recv() {
        file.write_all(&piece)?;
        hasher.update(&piece);
        unsynced += piece.len();
        if unsynced >= UNSYNCED {
            file.sync_data()?;
            unsynced = 0;
        }
    }
    file.sync_all()?;
    Ok((file.metadata()?.len(), Sha256(hasher.finalize().into())))
}

/// Makes a folder that is still there after a power cut.
pub(super) fn make_dir(dir: &Path) -> Result<(), BlobError> {
    let make = || {
        std::fs::create_dir_all(dir)?;
        match dir.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
            _ => Ok(()),
        }
    };
    make().map_err(BlobError::disk("making the folder", dir))
}
