//! Reads a backup back.

use super::files;
use super::make::page;
use super::manifest::Manifest;
use super::{BackupError, Step, Watch, blocking};
use crate::blobs::{Blob, Health, file_of, hash_back};
use crate::store::sqlite::AtRest;
use crate::world::World;
use standpipe_domain::ids::Sha256;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A backup that was read back. Its database is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub manifest: Manifest,
    /// Photos that are not, with the bytes that they should have.
    pub damaged: Vec<(Sha256, u64, Health)>,
}

/// Reads everything back that the backup in `folder` holds.
///
/// # Errors
/// [`BackupError::Damaged`] where its database is not what was copied: nothing can be restored from there.
pub async fn check(folder: &Path, world: &Arc<dyn World>, watch: Watch<'_>) -> Result<Checked, BackupError> {
    watch(Step::Database);
    let (manifest, book) = database(folder, world).await?;
    let (mut damaged, mut after) = (Vec::new(), None);
    loop {
        let page = page(world, &book, after).await?;
        let Some(last) = page.last() else { return Ok(Checked { manifest, damaged }) };
        after = Some(last.sha256);
        for Blob { sha256, bytes, .. } in page {
            let file = file_of(&folder.join("blobs"), sha256);
            let health = blocking(world, move || Ok(health(&file, sha256))).await?;
            if health != Health::Whole {
                damaged.push((sha256, bytes, health));
            }
            watch(Step::Photo { bytes, of: manifest.holds.photos });
        }
    }
}

/// What the backup in `folder` says of itself, and its database, which is whole.
pub(super) async fn database(
    folder: &Path,
    world: &Arc<dyn World>,
) -> Result<(Manifest, PathBuf), BackupError> {
    let folder = folder.to_owned();
    blocking(world, move || {
        let manifest = Manifest::read(&folder)?;
        let file = manifest.database(&folder)?;
        AtRest::open(&file)?.is_sound()?;
        Ok((manifest, file))
    })
    .await
}

fn health(file: &Path, sha256: Sha256) -> Health {
    match hash_back(file) {
        Ok(found) if found.sha256 == sha256 => Health::Whole,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Health::Missing,
        Ok(_) => Health::Spoilt,
        Err(error) => {
            files::unreadable(file, &error);
            Health::Spoilt
        }
    }
}
