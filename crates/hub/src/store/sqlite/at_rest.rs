//! A hub's database as a file that nobody serves: a copy in a backup, or one that is being restored.

use super::open::{self, read_only};
use super::{SqliteStore, StoreError};
use crate::blobs::Blob;
use crate::store::sql::Desk;
use crate::store::{ChainEnd, Doing, Holds, Identity, SiteHead};
use crate::world::{World, aside};
use rusqlite::Connection;
use standpipe_domain::ids::{DeviceId, Sha256, SiteId};
use std::path::Path;
use uuid::Uuid;

const DOING: &str = "reading what the database holds";

impl SqliteStore {
    /// Writes everything that is durable by now into `file`, which is not there yet or is empty; the hub works on
    /// meanwhile. The copy is one file, and made anew: SQLite reads each row for it. It is not synced.
    pub async fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let (from, to) = (self.path.clone(), file.to_owned());
        let copied = aside(&*self.world, move || {
            const DOING: &str = "copying the database";
            let to = to.to_str().ok_or("the path is not valid UTF-8");
            let to = to.map_err(|why| StoreError::Database { doing: DOING, source: why.into() })?;
            // One statement, and so one snapshot: what is committed while it runs is not in it.
            read_only(&from)?.execute("VACUUM INTO ?1", [to]).map(drop).doing(DOING)
        });
        // Of the two only the one that is read can be found damaged.
        copied.await.map_err(|_| StoreError::Stopped)?.map_err(|error| error.of_file(&self.path))
    }
}

/// The database in a file that nobody serves, to be read. Its methods take their time.
pub struct AtRest {
    connection: Connection,
    identity: Identity,
}

impl AtRest {
    /// Opens the file. Nothing is written, beside it neither.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        let connection = read_only(file)?;
        open::refuse_newer(&connection)?;
        let identity = open::stored_identity(&connection)?;
        let identity = identity.ok_or_else(|| unreadable("it does not say which hub it is of"))?;
        Ok(Self { connection, identity })
    }

    /// Whether SQLite finds the file sound, and neither the logs nor the chains have gaps.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] with what is wrong.
    pub fn is_sound(&self) -> Result<(), StoreError> {
        let desk = self.desk();
        let found: Vec<String> = desk.all(DOING, "PRAGMA integrity_check", &[], |row| row.get(0))?;
        if found != ["ok"] {
            return Err(unreadable(&found.join("; ")));
        }
        let sql = "SELECT 1 FROM op GROUP BY scope HAVING count(*) <> max(seq) OR min(seq) <> 1
                   UNION ALL
                   SELECT 1 FROM chain GROUP BY device, incarnation
                   HAVING count(*) <> max(dev_seq) OR min(dev_seq) <> 1";
        match desk.first(DOING, sql, &[], |_| Ok(()))? {
            Some(()) => Err(unreadable("operations are missing from the middle of it")),
            None => Ok(()),
        }
    }

    pub fn holds(&self) -> Result<Holds, StoreError> {
        let desk = self.desk();
        let sites =
            desk.all(DOING, "SELECT scope, max(seq) FROM op GROUP BY scope ORDER BY 1", &[], |row| {
                Ok(SiteHead { site: SiteId(row.get(0)?), head: row.get(1)? })
            })?;
        let sql = "SELECT device, incarnation, dev_seq, hash FROM chain
                   JOIN (SELECT device, incarnation, max(dev_seq) AS dev_seq FROM chain GROUP BY 1, 2)
                   USING (device, incarnation, dev_seq) ORDER BY 1, 2";
        let chains = desk.all(DOING, sql, &[], |row| {
            Ok(ChainEnd {
                device: DeviceId(row.get(0)?),
                incarnation: row.get(1)?,
                dev_seq: row.get(2)?,
                hash: Sha256(row.get(3)?),
            })
        })?;
        let sql = "SELECT count(*), coalesce(sum(bytes), 0) FROM blob";
        let photos = desk.first(DOING, sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (photos, photo_bytes) = photos.unwrap_or_default();
        let Identity { device, epoch, .. } = self.identity;
        Ok(Holds { hub: device, epoch, sites, chains, photos, photo_bytes })
    }

    /// Blobs behind `after` in the order of their hashes, at most `limit` of them.
    pub fn blobs(&self, after: Option<Sha256>, limit: usize) -> Result<Vec<Blob>, StoreError> {
        self.desk().blobs(after, limit)
    }

    fn desk(&self) -> Desk<'_> {
        Desk::new(&self.connection, &self.identity)
    }
}

/// Says in the database at `file` that these blobs are not there.
pub fn withdraw(file: &Path, blobs: &[Sha256]) -> Result<(), StoreError> {
    const DOING: &str = "noting which photos are not there";
    let connection = Connection::open(file).doing(DOING)?;
    withdraw_from(&connection, blobs).doing(DOING)
}

/// Makes the database at `file` that of a hub which was restored: of this version, with an epoch of its own, without
/// these blobs, and without the uploads that were under way, whose bytes no backup holds. Gives the epoch. It ends as one
/// file, and is not synced.
pub fn revive(file: &Path, without: &[Sha256], world: &dyn World) -> Result<Uuid, StoreError> {
    const DOING: &str = "making the database that of a restored hub";
    let epoch = world.uuid();
    let (connection, _) = open::open(file, world)?;
    // It was copied before its own backup was whole, which it is, whether or not it was numbered.
    let sql = "UPDATE hub SET epoch = ?1, backups_begun = max(backups_begun, 1), backup_whole = max(backups_begun, 1)";
    connection.execute(sql, [epoch]).doing(DOING)?;
    connection.execute("DELETE FROM upload", []).doing(DOING)?;
    withdraw_from(&connection, without).doing(DOING)?;
    // Nothing may stay behind in a file beside it, which would not be renamed with it.
    connection.pragma_update(None, "journal_mode", "delete").doing(DOING)?;
    connection.close().map_err(|(_, error)| error).doing(DOING)?;
    Ok(epoch)
}

fn withdraw_from(connection: &Connection, blobs: &[Sha256]) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for blob in blobs {
        transaction.execute("DELETE FROM blob WHERE sha256 = ?1", [blob.0])?;
    }
    transaction.commit()
}

fn unreadable(detail: &str) -> StoreError {
    StoreError::Unreadable { doing: DOING, detail: detail.to_owned() }
}
