//! The few rows that only synchronisation asks for.

use crate::store::blobs::{self, Role, UploadKey, Waiting};
use crate::store::choices::choices;
use crate::store::query::identity;
use crate::store::{Store, StoreError};
use crate::vault::Incoming;
use rusqlite::Row;
use standpipe_domain::hold::Choices;
use standpipe_domain::ids::{Millis, Sha256};

/// See [`Store::standing`].
pub(super) struct Stored {
    pub is_enrolled: bool,
    pub waiting: Waiting,
    pub choices: Choices,
    /// When the office last confirmed that everything had arrived and nothing new was there to fetch.
    pub last_synced: Option<Millis>,
}

impl Store {
    /// What the line about synchronisation is made of, as it is at one moment: it is asked for at every change.
    pub(super) fn standing(&self) -> Result<Stored, StoreError> {
        self.read("counting what waits for the office", |conn| {
            let mut at = conn.prepare_cached("SELECT synced_at FROM pulled")?;
            Ok(Stored {
                is_enrolled: identity(conn)?.is_some(),
                waiting: blobs::waiting(conn)?,
                choices: choices(conn)?,
                last_synced: at.query_row([], |row| row.get::<_, Option<i64>>(0))?.map(Millis),
            })
        })
    }

    /// Keeps an original that was fetched whole from the office. When this returns the bytes are durable.
    ///
    /// # Errors
    /// `hash-mismatch` when the bytes have another hash than `of`: nothing of them is kept.
    pub(super) fn put_fetched(&self, of: Sha256, file: Incoming) -> Result<(), StoreError> {
        self.vault().finish_as(file, Some(of))?;
        self.write("writing down a fetched photo", |writing| {
            // Only a small picture of it was here, or none: the large one can be made now.
            writing
                .prepare_cached(
                    "UPDATE blob SET preview = 'pending', preview_code = NULL
                     WHERE sha256 = ?1 AND here = 0 AND (preview = 'ready' OR preview_code = 'no-thumbnail')",
                )?
                .execute([of.0])?;
            blobs::is_here(writing, of)?;
            writing.prepare_cached("UPDATE blob SET at_office = 1 WHERE sha256 = ?1")?.execute([of.0])?;
            Ok::<_, StoreError>(())
        })?;
        self.photo_came();
        Ok(())
    }

    /// Whether the office has the original of a photo that is not here, as it has just said.
    pub(super) fn office_has(&self, of: Sha256, has: Option<bool>) -> Result<(), StoreError> {
        let changed = self.write_quietly("writing down where a photo is", |writing| {
            let sql = "UPDATE blob SET at_office = ?2 WHERE sha256 = ?1 AND at_office IS NOT ?2";
            Ok::<_, StoreError>(writing.prepare_cached(sql)?.execute((of.0, has))?)
        })?;
        if changed > 0 {
            self.changed();
        }
        Ok(())
    }

    /// The office has these originals, as it has just said. Of this tablet's own that is written down elsewhere.
    pub(super) fn office_still_has(&self, photos: &[Sha256]) -> Result<(), StoreError> {
        let changed = self.write_quietly("writing down which photos the office still has", |writing| {
            let sql = "UPDATE blob SET at_office = 1 WHERE sha256 = ?1 AND at_office IS NOT 1 AND NOT EXISTS
                           (SELECT 1 FROM upload WHERE of = blob.sha256 AND role = 'original')";
            let mut statement = writing.prepare_cached(sql)?;
            let changed: Result<Vec<usize>, _> = photos.iter().map(|of| statement.execute([of.0])).collect();
            Ok::<usize, StoreError>(changed?.iter().sum())
        })?;
        if changed > 0 {
            self.changed();
        }
        Ok(())
    }

    /// The hub does not have a blob any more that it had confirmed, or that came from there: it goes up from here.
    pub(super) fn offer_blob(&self, key: UploadKey) -> Result<(), StoreError> {
        self.upload_restarted(key)?;
        if key.role == Role::Thumbnail {
            return Ok(());
        }
        self.write("writing down that the office lost a photo", |writing| {
            let is_own = "SELECT 1 FROM upload WHERE of = ?1 AND role = 'original'";
            if writing.prepare_cached(is_own)?.exists([key.of.0])? {
                return Ok(());
            }
            writing.prepare_cached("UPDATE blob SET at_office = 0 WHERE sha256 = ?1")?.execute([key.of.0])?;
            blobs::offer_fetched(writing, key.of, writing.now())
        })?;
        self.photo_came();
        Ok(())
    }

    /// Up to `limit` blobs that the hub has confirmed or that came from there, behind the one at `after`, each with the hash
    /// of its bytes.
    pub(super) fn confirmed_uploads(
        &self,
        after: Option<UploadKey>,
        limit: u32,
    ) -> Result<Vec<(UploadKey, Sha256)>, StoreError> {
        let (of, role) = after.map_or(([0; 32], ""), |after| (after.of.0, word(after.role)));
        self.read("reading what the office confirmed", |conn| {
            let sql = "SELECT of, role, sha256 FROM upload WHERE state = 'verified' AND (of, role) > (?1, ?2)
                       UNION ALL SELECT sha256, 'original', sha256 FROM blob
                           WHERE here = 1 AND (sha256, 'original') > (?1, ?2) AND NOT EXISTS
                               (SELECT 1 FROM upload WHERE of = blob.sha256 AND role = 'original')
                       ORDER BY 1, 2 LIMIT ?3";
            let mut statement = conn.prepare_cached(sql)?;
            let rows = statement.query_map((of, role, limit), confirmed)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn confirmed(row: &Row<'_>) -> rusqlite::Result<(UploadKey, Sha256)> {
    let thumbnail = row.get_ref(1)?.as_str()? == word(Role::Thumbnail);
    let role = if thumbnail { Role::Thumbnail } else { Role::Original };
    Ok((UploadKey { of: Sha256(row.get(0)?), role }, Sha256(row.get(2)?)))
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Original => "original",
        Role::Thumbnail => "thumbnail",
    }
}
