//! The bytes of a photo on this tablet, as they go up: only ever those that were recorded.

use crate::vault::inside::hash_of;
use bytes::Bytes;
use standpipe_domain::ids::Sha256;
use standpipe_oplog::chain::sha256;
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
    /// What the disk or the system says of the moment, and nothing of the bytes.
    #[error("the file could not be read: {0}")]
    Unread(String),
}

impl Spoilt {
    /// A stable code for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "file-missing",
            Self::Damaged(_) => "file-damaged",
            Self::Unread(_) => "file-unread",
        }
    }

    /// The same, while it is not known whether the office has them.
    pub fn code_unasked(&self) -> &'static str {
        match self {
            Self::Missing => "file-missing-unasked",
            Self::Damaged(_) => "file-damaged-unasked",
            Self::Unread(_) => self.code(),
        }
    }
}

impl From<io::Error> for Spoilt {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::Missing,
            ErrorKind::UnexpectedEof => Self::Damaged(error.to_string()),
            _ => Self::Unread(error.to_string()),
        }
    }
}

/// Bytes that go up in one request.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Where in the file they stand.
    pub offset: u64,
    pub bytes: Bytes,
    /// The hash of these bytes.
    pub sha256: Sha256,
}

/// Reads the whole file: it must have this size and this hash.
pub fn check(path: &Path, bytes: u64, sha256: Sha256) -> Result<(), Spoilt> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    if len != bytes {
        return Err(Spoilt::Damaged(format!("it has {len} bytes instead of {bytes}")));
    }
    if hash_of(&mut file)? != sha256 {
        return Err(Spoilt::Damaged("its hash is another".into()));
    }
    Ok(())
}

/// Reads a whole file that goes up in one piece: it must have this size and this hash.
pub fn whole(path: &Path, bytes: u64, sha256: Sha256) -> Result<Piece, Spoilt> {
    let len = std::fs::metadata(path)?.len();
    if len != bytes {
        return Err(Spoilt::Damaged(format!("it has {len} bytes instead of {bytes}")));
    }
    let whole = piece(path, 0, bytes)?;
    if whole.sha256 != sha256 {
        return Err(Spoilt::Damaged("its hash is another".into()));
    }
    Ok(whole)
}

/// Reads `len` bytes behind the first `offset`.
pub fn piece(path: &Path, offset: u64, len: u64) -> Result<Piece, Spoilt> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    file.read_exact(&mut bytes)?;
    Ok(Piece { offset, sha256: sha256(&bytes), bytes: bytes.into() })
}
