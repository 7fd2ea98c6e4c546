//! Whether the office's backups hold what is here.
//!
//! The hub numbers its backups in the order in which they begin. The tablet writes down how many had begun when it was told,
//! and whatever goes up from there on, or once more, takes that back. So when everything is there, a backup with a higher
//! number holds all of it, once it is whole.

use super::fault::StoreError;
use super::{Store, Writing};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use standpipe_oplog::greeting::Backups;
use uuid::Uuid;

const FACT: &str = "backups";

/// Whether a backup of the office holds what is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InBackup {
    /// The hub has not told of its backups since something went up.
    Unknown,
    /// The office had never begun any.
    NeverMade,
    /// The last whole one may have begun before the hub had everything.
    NotYet,
    Held,
}

/// What was told first since something went up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Noted {
    epoch: Uuid,
    /// So many backups had begun then.
    begun: u64,
    /// The number of the last whole one, as told last.
    whole: u64,
}

impl Noted {
    /// What is written down once the hub, of this epoch, has told that.
    fn after(known: Option<Self>, epoch: Uuid, Backups { begun, whole }: Backups) -> Self {
        match known {
            // A hub that was put back, or moved to another database, may number anew.
            Some(noted) if noted.epoch == epoch && noted.begun <= begun => Self { whole, ..noted },
            _ => Self { epoch, begun, whole },
        }
    }

    fn is_held(self) -> bool {
        self.whole > self.begun
    }
}

impl Store {
    /// Whether a backup that has ended since would hold everything that is here, as the hub, of this epoch, tells: where the
    /// hub still has all of it, which it may have found spoilt while it made that backup.
    pub fn would_be_held(&self, epoch: Uuid, told: Backups) -> Result<bool, StoreError> {
        let known = self.read("reading which backups the office has made", noted)?;
        let now = Noted::after(known, epoch, told);
        Ok(now.is_held() && known != Some(now))
    }

    /// The hub, of this epoch, has told of its backups. Gives whether that was news. Durable when this returns.
    pub fn told_of_backups(&self, epoch: Uuid, told: Backups) -> Result<bool, StoreError> {
        let doing = "writing down which backups the office has made";
        let known = self.read(doing, noted)?;
        let now = Noted::after(known, epoch, told);
        if known == Some(now) {
            return Ok(false);
        }
        self.write_quietly(doing, |writing| {
            writing
                .prepare_cached("INSERT OR REPLACE INTO fact (name, value) VALUES (?1, ?2)")?
                .execute(params![FACT, serde_json::json!(now).to_string()])?;
            Ok(true)
        })
    }

    /// Whether a backup of the office holds everything that is here, as far as all of it is at the office.
    pub fn in_backup(&self) -> Result<InBackup, StoreError> {
        Ok(match self.read("looking whether the office's backup holds everything", noted)? {
            None => InBackup::Unknown,
            Some(Noted { begun: 0, whole: 0, .. }) => InBackup::NeverMade,
            Some(noted) if noted.is_held() => InBackup::Held,
            Some(_) => InBackup::NotYet,
        })
    }
}

/// Something comes to the hub: no backup that has begun by now holds all that is here.
pub(super) fn forget(writing: &Writing<'_>) -> Result<(), StoreError> {
    writing.prepare_cached("DELETE FROM fact WHERE name = ?1")?.execute([FACT])?;
    Ok(())
}

fn noted(conn: &Connection) -> Result<Option<Noted>, StoreError> {
    let mut fact = conn.prepare_cached("SELECT value FROM fact WHERE name = ?1")?;
    let text: Option<String> = fact.query_row([FACT], |row| row.get(0)).optional()?;
    // One that a later version wrote otherwise: it is written down anew.
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}
