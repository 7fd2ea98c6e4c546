//! The last whole backup, and what is told of it.

use super::Verdict;
use rusqlite::{Connection, OpenFlags};
use standpipe_hub::backup::Manifest;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use uuid::Uuid;

/// What the last whole backup holds.
#[derive(Default)]
pub struct Backup {
    /// Of the log and of the quarantine.
    pub ops: BTreeSet<Uuid>,
    /// Up to where, of each device and incarnation.
    chains: BTreeMap<(Uuid, u32), u64>,
    /// The file of its database.
    seen: Option<String>,
}

impl Backup {
    /// Looks whether there is another one by now.
    pub fn look(&mut self, folder: &Path) -> Verdict {
        let told = |error: &dyn std::fmt::Display| format!("the oracle cannot read the backup: {error}");
        let Some(manifest) = Manifest::find(folder).map_err(|error| told(&error))? else { return Ok(()) };
        if self.seen.as_ref() == Some(&manifest.database.file) {
            return Ok(());
        }
        let file = folder.join(&manifest.database.file);
        let read = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
            let database = Connection::open_with_flags(file, flags)?;
            let ops = "SELECT op_id FROM op UNION SELECT op_id FROM quarantine WHERE op_id IS NOT NULL";
            database.prepare(ops)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()
        };
        self.ops = read().map_err(|error| told(&error))?;
        let chains = manifest.holds.chains.iter();
        self.chains = chains.map(|end| ((end.device.0, end.incarnation), end.dev_seq)).collect();
        self.seen = Some(manifest.database.file);
        Ok(())
    }

    /// Whether the hub tells nobody of more than there is.
    pub fn holds_what_is_told(&self, hub: &Connection) -> Verdict {
        type Told = Vec<((Uuid, u32), u64)>;
        let read = || -> rusqlite::Result<Told> {
            let mut rows = hub.prepare_cached("SELECT device, incarnation, dev_seq FROM backed_up")?;
            rows.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?.collect()
        };
        let told = read().map_err(|error| format!("the oracle cannot read the hub: {error}"))?;
        let more = told.iter().find(|(chain, upto)| self.chains.get(chain).is_none_or(|held| held < upto));
        match more {
            Some(((device, _), upto)) => Err(format!(
                "the hub tells the device {device} that a backup holds its operations up to {upto}; none does"
            )),
            None => Ok(()),
        }
    }
}
