//! Why a backup was not made, or not restored.

use crate::count::{is, photos};
use crate::store::{StoreError, is_full};
use std::io;
use std::path::{Path, PathBuf};

/// Why a backup was not made, is not whole, or was not restored. The last whole backup is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{doing} {}: {source}", path.display())]
    Disk { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("the disk is full that holds {}; make room, then try again: what is there already counts", path.display())]
    Full { path: PathBuf },
    #[error("there is no hub in {}; name its data folder with --data", path.display())]
    NoHub { path: PathBuf },
    #[error("another backup of this hub is being made; wait until it ends")]
    Busy,
    #[error(
        "{} lies inside {}: a disk that is lost would take both along; choose a folder on another one",
        inner.display(), outer.display()
    )]
    Inside { inner: PathBuf, outer: PathBuf },
    #[error("{} holds the backup of another hub; choose another folder with --to", path.display())]
    OtherHub { path: PathBuf },
    #[error(
        "there is no whole backup in {}: manifest.json is missing. Name the folder that `standpipe-hub backup --to` \
         wrote to; where none ever ended there, take another",
        path.display()
    )]
    NoManifest { path: PathBuf },
    #[error("the backup in {} was made by a newer Standpipe; install that one", path.display())]
    Newer { path: PathBuf },
    #[error("the backup in {} is damaged: {detail}. Nothing was restored; take another backup", path.display())]
    Damaged { path: PathBuf, detail: String },
    #[error(
        "{} {} missing from the backup, or spoilt there. Run it again with --without-damaged: the hub then asks the tablets \
         for it, and `standpipe-hub verify --from` takes what another backup holds of it. (That one as --from here would bring \
         its older records back, too.) Until that has ended, no hub starts on {}",
        photos(*damaged), is(*damaged), path.display()
    )]
    DamagedPhotos { damaged: usize, path: PathBuf },
    #[error(
        "{} is of this hub as it was before it was restored, and cannot be copied into {} whole: it is spoilt, or cannot \
         be read. Nothing was removed. Move it to another folder, or choose another one with --to",
        database.display(), apart.display()
    )]
    NotApart { database: PathBuf, apart: PathBuf },
    #[error("{} is not empty: a backup is restored into a folder that is empty or not there", path.display())]
    NotEmpty { path: PathBuf },
    #[error("another restore into {} is under way; wait until it ends", path.display())]
    Restoring { path: PathBuf },
    #[error(
        "the photo {} reads back differently from what was written; the disk is not to be trusted", path.display()
    )]
    NotKept { path: PathBuf },
    #[error(
        "the backup is whole, and only the hub was not told ({0}): it hears of this one with the next that is made"
    )]
    NotTold(StoreError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    /// What the disk answered while `doing` something to `path`.
    pub(super) fn disk(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| if is_full(&source) { Self::Full { path } } else { Self::Disk { doing, path, source } }
    }

    /// What is wrong with the backup in `folder`.
    pub(super) fn damaged(folder: &Path, detail: impl Into<String>) -> Self {
        Self::Damaged { path: folder.to_owned(), detail: detail.into() }
    }
}
