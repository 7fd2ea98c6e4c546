//! What a hub finds when it begins to serve a database that lies elsewhere: the folder with its photos, and the database as
//! it had left it.

use super::kept::{Kept, Place, make};
use super::{Failed, lock};
use crate::blobs::Book;
use crate::ingest::rebuild_if_outdated;
use crate::store::postgres::{Lineage, PostgresStore};
use crate::world::RealWorld;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// Where a hub notes which database it serves.
pub const SERVED: &str = "served";

impl Place {
    /// Opens the database to serve it, as the only one. Gives what keeps others out, too.
    pub async fn open_to_serve(&self) -> Result<(Kept, File), Failed> {
        make(&self.data)?;
        let lock = lock(&self.data)?;
        loop {
            let kept = self.open().await?;
            match self.is_ready(&kept).await {
                Ok(true) => return Ok((kept, lock)),
                // It has another epoch by now, which counts from the next start.
                Ok(false) => kept.close().await,
                Err(error) => {
                    kept.close().await;
                    return Err(error);
                }
            }
        }
    }

    /// Whether the database may be served now, with the rows that this version makes.
    async fn is_ready(&self, kept: &Kept) -> Result<bool, Failed> {
        if let Kept::Server(store) = kept
            && !self.is_as_left(store).await?
        {
            return Ok(false);
        }
        // Whose turn it is to serve is this hub's by now: nobody else makes rows.
        rebuild_if_outdated(kept.store(), Arc::new(RealWorld)).await?;
        Ok(true)
    }

    /// Whether the database is the one that this folder's hub served. Where it is not, it is made that of a restored hub.
    async fn is_as_left(&self, store: &PostgresStore) -> Result<bool, Failed> {
        store.serve().await?;
        let path = || self.data.clone();
        let has_photos = has_any(&self.data.join("blobs"));
        if !has_photos.map_err(|source| Failed::Folder { path: path(), source })?
            && !store.blobs(None, 1).await?.is_empty()
        {
            return Err(Failed::PhotosElsewhere { path: path() });
        }
        let Some(now) = store.lineage() else { return Ok(true) };
        let before = fs::read_to_string(self.data.join(SERVED)).ok().map(|text| Lineage::written(&text));
        let is_as_left = before.as_ref().is_none_or(|before| before == now);
        if !is_as_left {
            tracing::warn!(
                "the database is not the one that this hub served (a standby has taken over, or it was put back): tablets \
                 give back what it lacks"
            );
            store.revive().await?;
        }
        if before.as_ref() != Some(now) {
            note(&self.data, now).map_err(|source| Failed::Folder { path: path(), source })?;
        }
        Ok(is_as_left)
    }
}

/// Whether anything lies in a folder.
pub fn has_any(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().transpose().map(|first| first.is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Notes which database is served from now on, for the next start.
fn note(data: &Path, lineage: &Lineage) -> io::Result<()> {
    let part = data.join("served.part");
    let mut file = File::create(&part)?;
    writeln!(file, "{}", lineage.as_str())?;
    file.sync_all()?;
    fs::rename(part, data.join(SERVED))?;
    File::open(data)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo;
    use rusqlite::Connection;
    use tempfile::TempDir;

    #[tokio::test]
    async fn what_another_version_made_is_made_anew_by_whoever_serves_and_by_nobody_else() {
        let dir = TempDir::new().unwrap();
        let place = Place { data: dir.path().to_owned(), database: None };
        let people = async |kept: &Kept| kept.store().directory().await.unwrap().people.len();
        let (kept, lock) = place.open_to_serve().await.unwrap();
        demo::estate(kept.store(), Arc::new(RealWorld)).await.unwrap();
        let before = people(&kept).await;
        kept.close().await;
        drop(lock);
        let older = Connection::open(dir.path().join("hub.db")).unwrap();
        older.execute_batch("DELETE FROM person; UPDATE hub SET projection = 0").unwrap();
        drop(older);

        let look = async |kept: &Kept| {
            assert_eq!(people(kept).await, 0);
            Ok(())
        };
        place.with_store(look).await.unwrap();
        let (kept, _lock) = place.open_to_serve().await.unwrap();
        assert!(before > 0);
        assert_eq!(people(&kept).await, before);
        kept.close().await;
    }
}
