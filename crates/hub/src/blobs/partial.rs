//! Bytes on their way, each upload in a file of its own. Every byte that arrived counts: the file's length is how far
//! the upload is.

use super::fault::BlobError;
use super::turn::Turn;
use crate::world::{World, aside, within};
use bytes::Bytes;
use futures::{FutureExt, Stream, StreamExt};
use sha1::Sha1;
use sha2::{Digest, Sha256 as Hasher};
use standpipe_domain::ids::Sha256;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How many bytes are made durable at once, while as many more come in; whoever sends faster than the disk writes waits.
const AT_ONCE: usize = 256 * 1024;

/// How long a small rest may be on its way so that it is made durable with what came before it: mostly it comes at once,
/// and each turn of the disk costs more than its bytes.
const REST: Duration = Duration::from_millis(50);

/// Once another request wants the upload: how long what is still on its way may keep silent, and how long it may take.
/// A connection that was cut has often delivered more than was read from it.
const LAST_SILENCE: Duration = Duration::from_millis(250);
const LAST_CALL: Duration = Duration::from_secs(2);

/// The folder of partial files.
pub struct Partials {
    dir: PathBuf,
    world: Arc<dyn World>,
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
    pub fn open(dir: PathBuf, silence: Duration, world: Arc<dyn World>) -> Result<Self, BlobError> {
        make_dir(&dir)?;
        Ok(Self { dir, world, silence })
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

    /// The SHA-1 of what lies behind `from`.
    pub async fn sha1(&self, upload: Uuid, from: u64) -> Result<[u8; 20], BlobError> {
        let path = self.path(upload);
        let file = path.clone();
        let hashed = self.aside(move || {
            let (mut file, mut hasher, mut buffer) = (File::open(file)?, Sha1::new(), vec![0; AT_ONCE]);
            file.seek(SeekFrom::Start(from))?;
            loop {
                match file.read(&mut buffer)? {
                    0 => return Ok(hasher.finalize().into()),
                    read => hasher.update(&buffer[..read]),
                }
            }
        });
        hashed.await.map_err(BlobError::disk("hashing", &path))
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
    /// is on disk. What filled the whole room may have no name on disk yet: it is to be moved, and gets one then.
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
        let failed = || BlobError::disk("writing", &path);
        let (file, dir) = (path.clone(), self.dir.clone());
        let mut tail = self.aside(move || Tail::open(&file, dir)).boxed();
        // Hashed here, beside what is being written.
        let mut hasher = Hasher::new();
        let mut pieces: Vec<Bytes> = Vec::new();
        let (mut gathered, mut room) = (0, room);
        let mut leave_by: Option<Duration> = None;
        let mut rest_by: Option<Duration> = None;
        let end = loop {
            let silence = match leave_by {
                None => self.silence,
                Some(by) => LAST_SILENCE.min(by.saturating_sub(self.world.elapsed())),
            };
            let is_due = gathered >= AT_ONCE;
            // A small rest that comes soon gets no turn of its own.
            let has_small_rest = is_due && room < AT_ONCE as u64;
            let patience = if has_small_rest {
                let now = self.world.elapsed();
                rest_by.get_or_insert(now + REST).saturating_sub(now)
            } else {
                Duration::ZERO
            };
            let next = tokio::select! {
                biased;
                open = &mut tail, if is_due && patience.is_zero() => {
                    // The next bytes come in while these are written.
                    let mut open = open.map_err(failed())?;
                    let gathered_so_far = std::mem::take(&mut pieces);
                    (gathered, rest_by) = (0, None);
                    tail = self.aside(move || open.add(&gathered_so_far, true).map(|()| open)).boxed();
                    continue;
                }
                next = within(&*self.world, silence, bytes.next()), if !is_due || has_small_rest => next,
                () = turn.wanted(), if leave_by.is_none() => {
                    leave_by = Some(self.world.elapsed() + LAST_CALL);
                    continue;
                }
                () = async { self.world.sleep(patience).await }, if !patience.is_zero() => {
                    rest_by = Some(Duration::ZERO);
                    continue;
                }
            };
            let mut piece: Bytes = match next {
                Some(Some(Ok(piece))) => piece,
                Some(None) => break End::Whole,
                Some(Some(Err(_))) | None => break End::Cut,
            };
            let fits = usize::try_from(room).unwrap_or(usize::MAX).min(piece.len());
            let too_much = fits < piece.len();
            piece.truncate(fits);
            room -= fits as u64;
            gathered += fits;
            hasher.update(&piece);
            pieces.push(piece);
            if too_much {
                break End::TooMuch;
            }
        };
        let mut open = tail.await.map_err(failed())?;
        let ended = self.aside(move || {
            open.add(&pieces, room > 0)?;
            open.len()
        });
        let at = ended.await.map_err(failed())?;
        Ok(Received { at, hash: Sha256(hasher.finalize().into()), end })
    }

    fn aside<T: Send + 'static, F: FnOnce() -> io::Result<T> + Send + 'static>(
        &self,
        work: F,
    ) -> impl Future<Output = io::Result<T>> + Send + 'static + use<T, F> {
        aside(&*self.world, work).map(|done| done.unwrap_or_else(|error| Err(io::Error::other(error))))
    }
}

/// The end of a partial file, where bytes are added.
struct Tail {
    file: File,
    /// The folder, until the file's name is sure to be on disk.
    unsure: Option<PathBuf>,
}

impl Tail {
    fn open(path: &Path, dir: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file, unsure: Some(dir) })
    }

    /// Adds the pieces, durably; `stays` when they are to be found under this name.
    fn add(&mut self, pieces: &[Bytes], stays: bool) -> io::Result<()> {
        for piece in pieces {
            self.file.write_all(piece)?;
        }
        if !pieces.is_empty() {
            self.file.sync_data()?;
        }
        match self.unsure.take_if(|_| stays) {
            Some(dir) => File::open(dir)?.sync_all(),
            None => Ok(()),
        }
    }

    fn len(self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }
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

#[cfg(test)]
#[path = "on_disk_tests.rs"]
mod tests;
