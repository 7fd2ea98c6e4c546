//! Makes a backup, while the hub works.

use super::files::{self, Copied};
use super::manifest::{self, Database, Manifest};
use super::{BackupError, PAGE, Step, Watch, blocking};
use crate::blobs::{Blob, Book, file_of, hash_back};
use crate::store::sqlite::{AtRest, SqliteStore, withdraw};
use crate::store::{Holds, Store, StoreError};
use crate::world::World;
use serde::Serialize;
use standpipe_domain::ids::Sha256;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A whole backup that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    pub manifest: Manifest,
    pub photos: Photos,
}

/// What became of the photos.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Photos {
    /// Those that no earlier backup in the folder had copied, and their bytes.
    pub copied: u64,
    pub copied_bytes: u64,
    /// Those that the hub counts as verified, that its disk does not give whole any more, and of which the folder has no
    /// copy from before. The backup says that they are not there: a hub that is restored from it asks the tablets for
    /// them.
    pub lost: Vec<Sha256>,
    /// Those of them of which the hub's disk gives other bytes. The hub does not count these any more, so that tablets send
    /// them again. One whose file is not there, or cannot be read, may be there again tomorrow; it stays counted.
    pub spoilt: Vec<Sha256>,
}

/// Makes a whole backup of the hub on the folder `data` in the folder `to`, and then tells the hub how far it holds each
/// chain. With `again`, photos that earlier backups copied are read back too, and copied anew where they are spoilt.
///
/// The database goes first, the photos after it. The hub verifies a photo before its database says so, and never takes
/// a verified one away: so each photo that the copy calls verified is on the hub's disk when its turn comes. The other
/// way round, those that arrived between the two would be called verified by a backup that does not hold them, and a hub
/// restored from it would tell tablets that they are safe.
///
/// # Errors
/// The last whole backup stands then. With [`BackupError::NotTold`] that is the new one.
pub async fn make(
    data: &Path,
    store: &SqliteStore,
    to: &Path,
    again: bool,
    world: &Arc<dyn World>,
    watch: Watch<'_>,
) -> Result<Made, BackupError> {
    files::apart(to, data)?;
    let _turn = turn(data)?;
    let folder = to.join("blobs");
    files::make_dir(&folder)?;
    let before = match Manifest::find(to) {
        // It says no more which database is whole. None is removed, for that one may be all that there is.
        Err(error @ BackupError::Damaged { .. }) => {
            tracing::error!(%error, "what lies there stays until this backup is whole, and is kept beside it then");
            None
        }
        before => before?,
    };
    let hub = store.identity().device;
    let is_another = match &before {
        Some(before) => before.holds.hub != hub,
        None => manifest::holds_another(to, hub)?,
    };
    if is_another {
        return Err(BackupError::OtherHub { path: to.to_owned() });
    }
    manifest::tidy(to, before.as_ref())?;

    watch(Step::Database);
    let at = world.now();
    let ledger: &dyn Store = store;
    let number = ledger.transact(|ledger| ledger.begin_backup()).await?;
    let id = world.uuid();
    let file = manifest::new_database(id);
    let part = files::part_of(&to.join(&file));
    // Before SQLite opens it, which would let others read it.
    drop(files::create(&part)?);
    store.copy_to(&part).await.map_err(|error| match error {
        StoreError::Full { .. } => BackupError::Full { path: part.clone() },
        error => error.into(),
    })?;
    let mut holds = read_back(world, &part).await?;

    let copying = Copying { from: data.join("blobs"), to: folder.clone(), of: holds.photos, again };
    let mut photos = copying.run(&part, world, watch).await?;
    blocking(world, move || files::sync_photos(&folder)).await?;
    if !photos.lost.is_empty() {
        let (file, lost) = (part.clone(), photos.lost.clone());
        blocking(world, move || Ok(withdraw(&file, &lost)?)).await?;
        holds = read_back(world, &part).await?;
    }

    watch(Step::Database);
    let (folder, lost) = (to.to_owned(), photos.lost.len() as u64);
    let write = move || {
        files::sync_file(&part)?;
        let found = hash_back(&part).map_err(BackupError::disk("reading back", &part))?;
        if before.is_none() {
            manifest::keep_unnamed(&folder, id)?;
        }
        files::into_place(&part, &folder.join(&file))?;
        let database = Database { file, bytes: found.bytes, sha256: found.sha256 };
        let manifest = Manifest::of(at, database, lost, holds);
        if let Some(before) = before.filter(|before| before.holds.epoch != manifest.holds.epoch) {
            manifest::keep_apart(&folder, &before)?;
        }
        manifest.write(&folder)?;
        manifest::tidy(&folder, Some(&manifest))?;
        Ok(manifest)
    };
    let manifest = blocking(world, write).await?;

    // Told through the database, in a transaction of its own, as the other commands beside a hub that runs: it reads this
    // afresh for each answer. So it hears of it whether it runs or not, and needs nobody's password.
    let chains = manifest.holds.chains.clone();
    // Tablets that wait for a backup before they forget a site wait for one that lacks no photo.
    let number = if photos.lost.is_empty() { number } else { 0 };
    let told = ledger.transact(move |ledger| ledger.backed_up(number, &chains)).await;
    photos.spoilt = withdraw_spoilt(data, store, &photos.spoilt, world).await?;
    told.map_err(BackupError::NotTold)?;
    Ok(Made { manifest, photos })
}

/// Has the hub count those photos no more of which its disk gives other bytes, now as before: a tablet may have sent one
/// again since. Gives them. The backup stands whatever comes of it.
async fn withdraw_spoilt(
    data: &Path,
    store: &SqliteStore,
    spoilt: &[Sha256],
    world: &Arc<dyn World>,
) -> Result<Vec<Sha256>, BackupError> {
    let mut withdrawn = Vec::new();
    for sha256 in spoilt.iter().copied() {
        let file = file_of(&data.join("blobs"), sha256);
        let look = move || Ok(hash_back(&file).is_ok_and(|found| found.sha256 != sha256));
        if !blocking(world, look).await? {
            continue;
        }
        match store.lost_blob(sha256).await {
            Ok(()) => {
                tracing::error!(%sha256, "a photo is spoilt on the hub's disk; tablets that still have it send it again");
                withdrawn.push(sha256);
            }
            Err(error) => tracing::error!(%sha256, %error, "a photo is spoilt, and is still counted as here"),
        }
    }
    Ok(withdrawn)
}

/// Photos on their way from one folder to another.
pub(super) struct Copying {
    pub from: PathBuf,
    pub to: PathBuf,
    /// How many there are.
    pub of: u64,
    /// Whether those that are there are read back.
    pub again: bool,
}

impl Copying {
    /// Copies what the database in the file `book` calls verified. The names last after [`files::sync_photos`].
    pub(super) async fn run(
        &self,
        book: &Path,
        world: &Arc<dyn World>,
        watch: Watch<'_>,
    ) -> Result<Photos, BackupError> {
        let (mut photos, mut after) = (Photos::default(), None);
        loop {
            let page = page(world, book, after).await?;
            let Some(last) = page.last() else { return Ok(photos) };
            after = Some(last.sha256);
            for Blob { sha256, bytes, .. } in page {
                let (from, to, again) = (self.from.clone(), self.to.clone(), self.again);
                let copy = move || files::copy_photo(&from, &to, sha256, bytes, again);
                let mut read = 0;
                match blocking(world, copy).await? {
                    Copied::There => {}
                    Copied::Whole(bytes) => {
                        read = bytes;
                        photos.copied += 1;
                        photos.copied_bytes += bytes;
                    }
                    Copied::Missing | Copied::Unreadable => photos.lost.push(sha256),
                    Copied::Spoilt => {
                        photos.lost.push(sha256);
                        photos.spoilt.push(sha256);
                    }
                }
                watch(Step::Photo { bytes: read, of: self.of });
            }
        }
    }
}

/// Keeps others from making a backup of the same hub, until the file is dropped.
fn turn(data: &Path) -> Result<File, BackupError> {
    let path = data.join("backup-lock");
    let file = files::create(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BackupError::Busy),
        Err(TryLockError::Error(source)) => Err(BackupError::disk("locking", &path)(source)),
    }
}

/// Reads the copy of a database back: it is sound. Gives what it holds.
async fn read_back(world: &Arc<dyn World>, file: &Path) -> Result<Holds, BackupError> {
    let file = file.to_owned();
    blocking(world, move || {
        let copy = AtRest::open(&file)?;
        copy.is_sound()?;
        Ok(copy.holds()?)
    })
    .await
}

/// Photos that the database in the file `book` calls verified.
pub(super) async fn page(
    world: &Arc<dyn World>,
    book: &Path,
    after: Option<Sha256>,
) -> Result<Vec<Blob>, BackupError> {
    let book = book.to_owned();
    blocking(world, move || Ok(AtRest::open(&book)?.blobs(after, PAGE)?)).await
}
