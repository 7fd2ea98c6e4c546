//! Files that outlive a power cut, and are for their owner only.

use super::BackupError;
use crate::blobs::{file_of, hash_back};
use sha2::{Digest, Sha256 as Hasher};
use standpipe_domain::ids::Sha256;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const READ: usize = 256 * 1024;

/// What became of a file that was to be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// It was there already.
    There,
    /// So many bytes were copied, and read back.
    Whole(u64),
    Missing,
    /// It cannot be read, for now or for ever.
    Unreadable,
    /// All of its bytes were read, and are others than they should be.
    Spoilt,
}

/// Makes a folder that lasts, where it is not there, with those that it lies in.
pub fn make_dir(path: &Path) -> Result<(), BackupError> {
    if path.is_dir() {
        return Ok(());
    }
    let outer = path.parent().filter(|outer| *outer != Path::new("")).unwrap_or(Path::new("."));
    make_dir(outer)?;
    DirBuilder::new().mode(0o700).create(path).map_err(BackupError::disk("making the folder", path))?;
    sync_dir(outer)
}

/// Makes the names in a folder last, or that of a folder in the one that holds it.
pub fn sync_dir(path: &Path) -> Result<(), BackupError> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.map_err(BackupError::disk("syncing the folder", path))
}

/// Makes the bytes of a file last that somebody else wrote.
pub fn sync_file(path: &Path) -> Result<(), BackupError> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(BackupError::disk("syncing", path))
}

/// An empty file, in place of one that may be there.
pub fn create(path: &Path) -> Result<File, BackupError> {
    let made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    made.map_err(BackupError::disk("making", path))
}

/// Writes a file whole, or leaves the one that is there.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let part = part_of(path);
    let mut file = create(&part)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(BackupError::disk("writing", &part))?;
    into_place(&part, path)
}

/// Gives a file its name, and makes that last.
pub fn into_place(part: &Path, path: &Path) -> Result<(), BackupError> {
    fs::rename(part, path).map_err(BackupError::disk("giving its name to", path))?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Under which name a file is written.
pub fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

/// Removes a file, where it is there.
pub fn remove(path: &Path) -> Result<(), BackupError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(BackupError::disk("removing", path)(error))
        }
        _ => Ok(()),
    }
}

/// The names in a folder; none where it is not there.
pub fn names(path: &Path) -> Result<Vec<std::ffi::OsString>, BackupError> {
    let listing = || BackupError::disk("listing", path);
    match fs::read_dir(path) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.file_name()).map_err(listing())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(listing()(error)),
    }
}

/// Copies a photo from one folder of photos to another, unless it is there. Its name lasts after [`sync_photos`].
///
/// One that is there has its whole length, for it got its name only after its bytes were synced and read back; with
/// `again` its bytes are read back once more.
pub fn copy_photo(
    from: &Path,
    to: &Path,
    sha256: Sha256,
    bytes: u64,
    again: bool,
) -> Result<Copied, BackupError> {
    let (from, to) = (file_of(from, sha256), file_of(to, sha256));
    let is_there = to.metadata().is_ok_and(|file| file.is_file() && file.len() == bytes);
    if is_there && (!again || hash_back(&to).is_ok_and(|found| found.sha256 == sha256)) {
        return Ok(Copied::There);
    }
    if is_there {
        // A later run, which does not read it back, must not count it.
        remove(&to)?;
    }
    if let Some(folder) = to.parent() {
        make_dir(folder)?;
    }
    let part = part_of(&to);
    let copied = copy(&from, &part, sha256)?;
    if let Copied::Whole(_) = copied {
        fs::rename(&part, &to).map_err(BackupError::disk("giving its name to", &to))?;
    }
    Ok(copied)
}

/// Makes the names in a folder of photos last: those of an interrupted run too, which were left to chance.
pub fn sync_photos(folder: &Path) -> Result<(), BackupError> {
    for name in names(folder)? {
        let inner = folder.join(name);
        if inner.is_dir() {
            sync_dir(&inner)?;
        }
    }
    sync_dir(folder)
}

/// Copies a file of a known hash into `part`, syncs it and reads it back. What is not whole leaves no file.
pub fn copy(from: &Path, part: &Path, sha256: Sha256) -> Result<Copied, BackupError> {
    let mut source = match File::open(from) {
        Ok(source) => source,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Copied::Missing),
        Err(error) => return Ok(unreadable(from, &error)),
    };
    let mut file = create(part)?;
    let (mut hasher, mut buffer, mut bytes) = (Hasher::new(), vec![0; READ], 0);
    let hash = loop {
        match source.read(&mut buffer) {
            Ok(0) => break Ok(Sha256(hasher.finalize().into())),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                bytes += read as u64;
                file.write_all(&buffer[..read]).map_err(BackupError::disk("writing", part))?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(unreadable(from, &error)),
        }
    };
    if hash != Ok(sha256) {
        remove(part)?;
        return Ok(hash.err().unwrap_or(Copied::Spoilt));
    }
    file.sync_all().map_err(BackupError::disk("syncing", part))?;
    let found = hash_back(part).map_err(BackupError::disk("reading back", part))?;
    if found.sha256 == sha256 {
        Ok(Copied::Whole(bytes))
    } else {
        Err(BackupError::NotKept { path: part.to_owned() })
    }
}

/// A bad sector is no reason to leave the other files behind.
pub fn unreadable(path: &Path, error: &io::Error) -> Copied {
    tracing::error!(path = %path.display(), %error, "a file cannot be read");
    Copied::Unreadable
}

/// Neither folder may lie in the other. Both may be missing so far.
pub fn apart(one: &Path, other: &Path) -> Result<(), BackupError> {
    let (one, other) = (real(one)?, real(other)?);
    let inside =
        |inner: &Path, outer: &Path| BackupError::Inside { inner: inner.into(), outer: outer.into() };
    if one.starts_with(&other) {
        return Err(inside(&one, &other));
    }
    if other.starts_with(&one) { Err(inside(&other, &one)) } else { Ok(()) }
}

/// Where a path leads, also before there is anything.
fn real(path: &Path) -> Result<PathBuf, BackupError> {
    let finding = || BackupError::disk("finding", path);
    let whole = std::path::absolute(path).map_err(finding())?;
    let there = whole.ancestors().find(|part| part.exists()).unwrap_or(&whole);
    let rest = whole.strip_prefix(there).unwrap_or(Path::new(""));
    let there = there.canonicalize().map_err(finding())?;
    Ok(if rest == Path::new("") { there } else { there.join(rest) })
}

/// What the root of a disk holds that nobody put there.
pub fn is_nothing(name: &OsStr) -> bool {
    name == "lost+found"
}
