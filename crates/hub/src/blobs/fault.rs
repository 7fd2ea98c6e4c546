//! Why bytes were not taken, or cannot be given.

use super::ALLOWANCE;
use crate::store::{StoreError, is_full};
use standpipe_domain::ids::Sha256;
use std::io;
use std::path::{Path, PathBuf};

/// Why bytes were not taken, or cannot be given. What had arrived before is still there unless it says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("there is no such upload of this tablet; begin it again")]
    UnknownUpload,
    #[error("the upload waited too long for its next byte and was given up; begin it again")]
    Expired,
    #[error("the upload stands at byte {at}; go on from there")]
    WrongOffset { at: u64 },
    #[error("the piece does not have the checksum that came with it and was dropped; send it again")]
    ChecksumMismatch,
    #[error(
        "the bytes that arrived do not have the hash {sha256}; they were dropped, begin the upload again"
    )]
    HashMismatch { sha256: Sha256 },
    #[error("more bytes came than the {bytes} that were announced")]
    BeyondLength { bytes: u64 },
    #[error("{bytes} bytes are more than the {limit} that one blob may have")]
    TooLarge { bytes: u64, limit: u64 },
    #[error(
        "this tablet has begun too many uploads that did not end: at most {} at once, of {} bytes together; end some first",
        ALLOWANCE.uploads, ALLOWANCE.bytes
    )]
    TooManyUploads,
    #[error("this tablet announces too much at once; the next is taken in {wait_seconds} s")]
    TooFast { wait_seconds: u64 },
    #[error("this tablet sends more than {most} uploads at the same moment; end some first")]
    TooManyAtOnce { most: usize },
    #[error("the connection broke, or another request took this upload over; ask how far it is and go on")]
    Interrupted,
    #[error("the office's disk is full, and what came was not kept whole; make room, then send it again")]
    NoRoom,
    #[error(
        "the bytes under {sha256} read back differently from what was written; the disk is not to be trusted"
    )]
    Spoilt { sha256: Sha256 },
    #[error("{doing} {}: {source}", path.display())]
    Disk { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("{doing}: {source}")]
    Shelf { doing: &'static str, source: object_store::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BlobError {
    /// A stable code for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownUpload => "unknown-upload",
            Self::Expired => "expired-upload",
            Self::WrongOffset { .. } => "wrong-offset",
            Self::ChecksumMismatch => "checksum-mismatch",
            Self::HashMismatch { .. } => "hash-mismatch",
            Self::BeyondLength { .. } => "beyond-length",
            Self::TooLarge { .. } => "too-large",
            Self::TooManyUploads => "too-many-uploads",
            Self::TooFast { .. } => "too-fast",
            Self::TooManyAtOnce { .. } => "too-many-at-once",
            Self::Interrupted => "interrupted",
            Self::NoRoom => "hub-full",
            Self::Spoilt { .. } => "spoilt",
            Self::Disk { .. } | Self::Shelf { .. } => "blob-disk",
            Self::Store(error) => error.code(),
        }
    }

    /// What the disk answered while `doing` something to `path`.
    pub(super) fn disk(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| if is_full(&source) { Self::NoRoom } else { Self::Disk { doing, path, source } }
    }

    /// What the object store answered while `doing`.
    pub(super) fn shelf(doing: &'static str) -> impl FnOnce(object_store::Error) -> Self {
        move |source| if is_full(&source) { Self::NoRoom } else { Self::Shelf { doing, source } }
    }
}
