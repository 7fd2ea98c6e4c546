//! Makes a hub's data folder out of a backup.

use super::check::database;
use super::files::{self, Copied};
use super::make::{Copying, Photos};
use super::manifest::Manifest;
use super::{BackupError, Step, Watch, blocking};
use crate::store::sqlite::revive;
use crate::world::World;
use standpipe_domain::ids::Sha256;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// Lies in a data folder for as long as a restore into it has not ended: no hub may start there, least of all as an
/// empty one. With it the restore can be begun again, and goes on where it was.
pub const UNFINISHED: &str = "restore-unfinished";

/// A hub that was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The backup that it was restored from.
    pub manifest: Manifest,
    /// By which tablets see that it was.
    pub epoch: Uuid,
    /// Photos that are missing from the backup, or spoilt there: the hub says that they are not here.
    pub lost: Vec<Sha256>,
}

/// Restores the backup in `from` into the folder `data`, which is empty or not there. The hub stays who it was, with its
/// key, so that the marks hold that tablets keep; its epoch is another one. `without_damaged`: also where photos are
/// missing or spoilt.
///
/// # Errors
/// Before anything was written, for a backup whose database is not whole, and a folder that is not empty. With
/// [`BackupError::DamagedPhotos`] the photos that are whole lie in the folder already.
pub async fn restore(
    from: &Path,
    data: &Path,
    without_damaged: bool,
    world: &Arc<dyn World>,
    watch: Watch<'_>,
) -> Result<Restored, BackupError> {
    files::apart(data, from)?;
    watch(Step::Database);
    let (manifest, book) = database(from, world).await?;
    let claim = claim(data)?;
    let photos = data.join("blobs");
    files::make_dir(&photos)?;
    let copying =
        Copying { from: from.join("blobs"), to: photos.clone(), of: manifest.holds.photos, again: false };
    let Photos { lost, .. } = copying.run(&book, world, watch).await?;
    blocking(world, move || files::sync_photos(&photos)).await?;
    if !lost.is_empty() && !without_damaged {
        return Err(BackupError::DamagedPhotos { damaged: lost.len(), path: data.to_owned() });
    }

    watch(Step::Database);
    let (data, sha256) = (data.to_owned(), manifest.database.sha256);
    let (outside, without) = (Arc::clone(world), lost.clone());
    let epoch = blocking(world, move || {
        let file = data.join("hub.db");
        let part = files::part_of(&file);
        for beside in ["", "-wal", "-shm", "-journal"] {
            files::remove(&data.join(format!("hub.db.part{beside}")))?;
        }
        if !matches!(files::copy(&book, &part, sha256)?, Copied::Whole(_)) {
            return Err(BackupError::damaged(&book, "its database was changed meanwhile"));
        }
        let epoch = revive(&part, &without, &*outside)?;
        files::sync_file(&part)?;
        // Last, so that a database is here only together with what it speaks of.
        files::into_place(&part, &file)?;
        files::remove(&data.join(UNFINISHED))?;
        files::sync_dir(&data)?;
        Ok(epoch)
    })
    .await?;
    drop(claim);
    Ok(Restored { manifest, epoch, lost })
}

/// Makes the folder one that is being restored, by nobody else.
fn claim(data: &Path) -> Result<File, BackupError> {
    let names = files::names(data)?;
    let is_begun = names.iter().any(|name| name == UNFINISHED);
    if !is_begun && names.iter().any(|name| !files::is_nothing(name)) {
        return Err(BackupError::NotEmpty { path: data.to_owned() });
    }
    files::make_dir(data)?;
    let path = data.join(UNFINISHED);
    let file = files::create(&path)?;
    match file.try_lock() {
        Ok(()) => files::sync_dir(data).map(|()| file),
        Err(TryLockError::WouldBlock) => Err(BackupError::Restoring { path: data.to_owned() }),
        Err(TryLockError::Error(source)) => Err(BackupError::disk("locking", &path)(source)),
    }
}
