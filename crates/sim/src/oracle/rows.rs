//! What the databases of the hub and of tablets say, read as they are.

use crate::effects::{Effect, happens, has_happened};
use crate::estate::SITE;
use crate::hub::Hub;
use rusqlite::Connection;
use standpipe_device::store::{FILE, StoreError};
use standpipe_domain::ids::Sha256;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// What is new in the hub's database.
pub(super) struct News {
    pub(super) epoch: Option<Uuid>,
    /// How many operations there are by now.
    pub(super) count: u64,
    pub(super) ops: Vec<Numbered>,
}

pub(super) struct Numbered {
    pub(super) seq: u64,
    pub(super) op: Uuid,
    pub(super) tx: Uuid,
    pub(super) is_seal: bool,
}

impl News {
    pub(super) fn after(hub: &Connection, seen: u64) -> rusqlite::Result<Self> {
        let epoch = hub.prepare_cached("SELECT epoch FROM hub")?.query_row([], |row| row.get(0))?;
        let ops = hub
            .prepare_cached(
                "SELECT seq, op_id, tx, kind = 'seal' FROM op WHERE scope = ?1 AND seq > ?2 ORDER BY seq",
            )?
            .query_map((SITE.0, seen), |row| {
                Ok(Numbered { seq: row.get(0)?, op: row.get(1)?, tx: row.get(2)?, is_seal: row.get(3)? })
            })?
            .collect::<Result<_, _>>()?;
        let count = hub
            .prepare_cached("SELECT count(*) FROM op WHERE scope = ?1")?
            .query_row([SITE.0], |row| row.get(0))?;
        Ok(Self { epoch, count, ops })
    }
}

/// What a tablet's database says.
pub(super) struct Log {
    pub(super) news: Vec<Row>,
    /// How many operations there are by now.
    pub(super) count: usize,
    pub(super) epoch: Option<Uuid>,
    pub(super) cursor: u64,
    pub(super) behind_cursor: u64,
    pub(super) acknowledged: Vec<Uuid>,
    pub(super) durable: Vec<Uuid>,
    pub(super) verified: Vec<Sha256>,
}

pub(super) struct Row {
    pub(super) seq: i64,
    pub(super) op: Uuid,
    pub(super) tx: Uuid,
    pub(super) is_own: bool,
}

impl Log {
    pub(super) fn after(conn: &Connection, seen: i64) -> rusqlite::Result<Self> {
        let news = conn
            .prepare_cached(
                "SELECT seq, op_id, tx, incarnation IS NOT NULL FROM op WHERE seq > ?1 ORDER BY seq",
            )?
            .query_map([seen], |row| {
                Ok(Row { seq: row.get(0)?, op: row.get(1)?, tx: row.get(2)?, is_own: row.get(3)? })
            })?
            .collect::<Result<_, _>>()?;
        let count = conn.prepare_cached("SELECT count(*) FROM op")?.query_row([], |row| row.get(0))?;
        let (epoch, cursor) = conn
            .prepare_cached("SELECT epoch, after FROM pulled")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let behind_cursor = conn
            .prepare_cached("SELECT count(*) FROM op WHERE hub_seq <= ?1")?
            .query_row([cursor], |row| row.get(0))?;
        let upto = |column: &str| {
            conn.prepare_cached(&format!(
                "SELECT op_id FROM op JOIN chain ON op.incarnation = chain.incarnation
                 WHERE op.dev_seq <= chain.{column}"
            ))?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()
        };
        let (acknowledged, durable) = (upto("acknowledged")?, upto("durable")?);
        let sql = "SELECT EXISTS (SELECT 1 FROM apart WHERE sides IS NOT NULL)";
        if !has_happened(Effect::Conflict) && conn.prepare_cached(sql)?.query_row([], |row| row.get(0))? {
            happens(Effect::Conflict);
        }
        let verified = conn
            .prepare_cached("SELECT sha256 FROM upload WHERE state = 'verified'")?
            .query_map([], |row| row.get(0).map(Sha256))?
            .collect::<Result<_, _>>()?;
        Ok(Self { news, count, epoch, cursor, behind_cursor, acknowledged, durable, verified })
    }
}

/// Reads a tablet's database.
pub(super) fn read<T>(
    store: &standpipe_device::store::Store,
    look: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, String> {
    let read = store.read("looking as the oracle", |conn| look(conn).map_err(StoreError::from));
    read.map_err(|error| format!("the oracle cannot read a tablet: {error}"))
}

/// Reads the database of a tablet that does not run, as it would find it: out of a copy, so that nothing of it changes.
pub(super) fn read_still<T>(
    folder: &Path,
    look: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, String> {
    let copy = folder.with_extension("looked-at");
    let file = |path: &Path, ending: &str| PathBuf::from(format!("{}{ending}", path.display()));
    let copied = ["", "-wal", "-shm"].into_iter().try_for_each(|ending| {
        let (from, to) = (file(&folder.join(FILE), ending), file(&copy, ending));
        if to.exists() {
            std::fs::remove_file(&to)?;
        }
        // What is shared in memory is made anew.
        if ending != "-shm" && from.exists() { std::fs::copy(from, to).map(drop) } else { Ok(()) }
    });
    copied.map_err(|error| format!("the oracle cannot copy a tablet's database: {error}"))?;
    let read = Connection::open(&copy).and_then(|conn| {
        let all = conn.unchecked_transaction()?;
        look(&all)
    });
    read.map_err(|error| format!("the oracle cannot read a tablet that is off: {error}"))
}

/// The hub's database, to read.
pub(super) fn database(hub: &Hub) -> Result<Connection, String> {
    hub.database().map_err(|error| format!("the oracle cannot open the hub's database: {error}"))
}

pub(super) fn shelf(folder: &Path, photo: Sha256) -> PathBuf {
    let name = photo.to_string();
    folder.join("blobs").join(&name[..2]).join(&name[2..])
}

pub(super) fn has_length(path: &Path, bytes: u64) -> bool {
    path.metadata().is_ok_and(|file| file.len() == bytes)
}
