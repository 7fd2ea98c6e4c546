//! The few rows that only synchronisation asks for.

use crate::store::blobs::{self, Role, UploadKey, Waiting};
use crate::store::choices::choices;
use crate::store::query::identity;
use crate::store::{Store, StoreError, query};
use crate::vault::Incoming;
use rusqlite::Row;
use standpipe_domain::hold::Choices;
use standpipe_domain::ids::{Millis, RoundId, Sha256};
use std::collections::BTreeSet;

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
        let arrived = self.vault().finish_as(file, Some(of))?;
        self.write("writing down a fetched photo", |writing| {
            blobs::came(writing, of)?;
            // Whoever recorded it may have told another length.
            let sql = "UPDATE blob SET at_office = 1, bytes = ?2 WHERE sha256 = ?1";
            writing.prepare_cached(sql)?.execute((of.0, arrived.bytes))?;
            Ok::<_, StoreError>(())
        })?;
        self.photo_came();
        Ok(())
    }

    /// Whether the office has the original of a photo that is not here, as it has just said.
    pub(super) fn office_has(&self, of: Sha256, has: bool) -> Result<(), StoreError> {
        let changed = self.write_quietly("writing down where a photo is", |writing| {
            let sql = "UPDATE blob SET at_office = ?2 WHERE sha256 = ?1 AND at_office IS NOT ?2";
            Ok::<_, StoreError>(writing.prepare_cached(sql)?.execute((of.0, has))?)
        })?;
        if changed > 0 {
            self.changed();
        }
        Ok(())
    }

    /// That the office did not have the original of a photo is not known any more.
    pub(super) fn office_may_have(&self, of: Sha256) -> Result<(), StoreError> {
        let changed = self.write_quietly("writing down where a photo may be", |writing| {
            let sql = "UPDATE blob SET at_office = NULL WHERE sha256 = ?1 AND at_office = 0";
            Ok::<_, StoreError>(writing.prepare_cached(sql)?.execute([of.0])?)
        })?;
        if changed > 0 {
            self.changed();
        }
        Ok(())
    }

    /// Whether the office has confirmed an original that was recorded here, or went up from here.
    pub(super) fn is_confirmed(&self, of: Sha256) -> Result<bool, StoreError> {
        self.read("looking whether a photo is confirmed", |conn| {
            let sql = "SELECT 1 FROM upload WHERE of = ?1 AND role = 'original' AND state = 'verified'";
            Ok(conn.prepare_cached(sql)?.exists([of.0])?)
        })
    }

    /// Of no photo of others it is known any more whether the office has it. Gives those that it had said to have.
    pub(super) fn forget_what_the_office_has(&self) -> Result<Vec<Sha256>, StoreError> {
        let had = self.write_quietly("forgetting what the office said to have", |writing| {
            let of_others = "at_office = 1 AND NOT EXISTS
                (SELECT 1 FROM upload WHERE of = blob.sha256 AND role = 'original')";
            let had = writing
                .prepare_cached(&format!("SELECT sha256 FROM blob WHERE {of_others}"))?
                .query_map([], |row| row.get(0).map(Sha256))?
                .collect::<Result<Vec<_>, _>>()?;
            writing
                .prepare_cached(&format!("UPDATE blob SET at_office = NULL WHERE {of_others}"))?
                .execute([])?;
            Ok::<_, StoreError>(had)
        })?;
        if !had.is_empty() {
            self.changed();
        }
        Ok(had)
    }

    /// Whether the office has these originals, as it has just said. Of this tablet's own that is written down elsewhere.
    pub(super) fn office_has_of(&self, photos: &[(Sha256, bool)]) -> Result<(), StoreError> {
        let changed = self.write_quietly("writing down which photos the office has", |writing| {
            let sql =
                "UPDATE blob SET at_office = ?2 WHERE sha256 = ?1 AND at_office IS NOT ?2 AND NOT EXISTS
                           (SELECT 1 FROM upload WHERE of = blob.sha256 AND role = 'original')";
            let mut statement = writing.prepare_cached(sql)?;
            let write = |(of, has): &(Sha256, bool)| statement.execute((of.0, has));
            let changed: Result<Vec<usize>, _> = photos.iter().map(write).collect();
            Ok::<usize, StoreError>(changed?.iter().sum())
        })?;
        if changed > 0 {
            self.changed();
        }
        Ok(())
    }

    /// See [`query::sealed_of_others`].
    pub(super) fn sealed_of_others(&self, round: RoundId) -> Result<Vec<(Sha256, bool)>, StoreError> {
        self.read("reading which photos were sealed", |conn| query::sealed_of_others(conn, round))
    }

    /// The hub does not have these any more, that it had confirmed or that came from there: they go up from here.
    pub(super) fn offer_blobs(&self, lost: &[UploadKey]) -> Result<(), StoreError> {
        if lost.is_empty() {
            return Ok(());
        }
        // Before anything is written: it reads the records through, and nobody is to wait for that.
        let fetched = self.read("looking for the records of photos", |conn| {
            let mut waits =
                conn.prepare_cached("SELECT 1 FROM upload WHERE of = ?1 AND role = 'original'")?;
            let originals = lost.iter().filter(|key| key.role == Role::Original).map(|key| key.of);
            let mut fetched = BTreeSet::new();
            for of in originals {
                if !waits.exists([of.0])? {
                    fetched.insert(of);
                }
            }
            blobs::first_mentions(conn, fetched)
        })?;
        self.write("writing down that the office lost photos", |writing| {
            for key in lost {
                blobs::restart(writing, *key)?;
            }
            // One that is not here either does not wait: it is lost.
            let nowhere = "UPDATE upload SET state = 'set-aside', code = 'file-missing'
                WHERE of = ?1 AND role = 'original' AND EXISTS
                    (SELECT 1 FROM blob WHERE sha256 = ?1 AND here = 0)";
            for key in lost.iter().filter(|key| key.role == Role::Original) {
                writing.prepare_cached(nowhere)?.execute([key.of.0])?;
            }
            for (of, op_id) in &fetched {
                writing.prepare_cached("UPDATE blob SET at_office = 0 WHERE sha256 = ?1")?.execute([of.0])?;
                blobs::offer_fetched(writing, *of, *op_id, writing.now())?;
            }
            Ok::<_, StoreError>(())
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
