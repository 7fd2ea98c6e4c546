//! The bytes of a photo on this tablet, as they go up: only ever those that were recorded.

use bytes::Bytes;
use sha2::{Digest, Sha256 as Hasher};
use standpipe_domain::ids::Sha256;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes that are not what was recorded.
#[derive(Debug, thiserror::Error)]
pub enum Spoilt {
    #[error("the file has vanished")]
    Missing,
    #[error("the file is not what was recorded: {0}")]
    Damaged(String),
}

impl Spoilt {
    /// A stable code for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "file-missing",
            Self::Damaged(_) => "file-damaged",
        }
    }
}

impl From<io::Error> for Spoilt {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::Missing,
            _ => Self::Damaged(error.to_string()),
        }
    }
}

/// Reads the whole file: it must have this size and this hash.
pub fn check(path: &Path, bytes: u64, sha256: Sha256) -> Result<(), Spoilt> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    if len != bytes {
        return Err(Spoilt::Damaged(format!("it has {len} bytes instead of {bytes}")));
    }
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    if hasher.finalize()[..] != sha256.0 {
        return Err(Spoilt::Damaged("its hash is another".into()));
    }
    Ok(())
}

/// Reads `len` bytes behind the first `offset`.
pub fn piece(path: &Path, offset: u64, len: u64) -> Result<Bytes, Spoilt> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut piece = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    file.read_exact(&mut piece)?;
    Ok(piece.into())
}
