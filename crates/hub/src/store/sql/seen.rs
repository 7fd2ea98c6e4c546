//! What was set aside, and which of it somebody has seen to.

use super::desk::Desk;
use super::value::bind;
use super::{Row, SqlError};
use crate::store::StoreError;
use standpipe_domain::ids::{DeviceId, Millis, PersonId};
use standpipe_domain::office::{AsidePlace, QuarantineList, Quarantined, SeeTo};
use standpipe_domain::sync::Seen;
use uuid::Uuid;

/// The quarantine, each line with what somebody said of it last, where that still stands.
const ASIDE: &str =
    "quarantine q LEFT JOIN seen_to s ON s.device = q.device AND s.incarnation = q.incarnation
                         AND s.dev_seq = q.dev_seq AND s.stands = 1";

/// The most bytes of a name, and of a message, that are listed: some hold what the operation did.
const LONGEST: u32 = 1_000;

impl Desk<'_> {
    /// What somebody has seen to, or what nobody has, at most `limit` of it; and how much there is of each. What was recorded
    /// is not told yet.
    pub(super) fn quarantine(&mut self, seen: bool, limit: u32) -> Result<QuarantineList, StoreError> {
        let sql = format!("SELECT count(*), count(s.at) FROM {ASIDE}");
        let counted = self.first("counting what was set aside", &sql, &[], |row| {
            let (all, seen_to): (u64, u64) = (row.get(0)?, row.get(1)?);
            Ok((all - seen_to, seen_to))
        })?;
        let (total, seen_to) = counted.unwrap_or_default();
        let which = if seen { "IS NOT NULL" } else { "IS NULL" };
        let sql = format!(
            "SELECT q.op_id, q.device, d.name,
                 CASE WHEN octet_length(q.entity) <= ?2 THEN q.entity END,
                 CASE WHEN octet_length(q.field) <= ?2 THEN q.field END,
                 q.code,
                 CASE WHEN octet_length(q.detail) <= ?2 THEN q.detail END,
                 q.at, q.incarnation, q.dev_seq, s.name, s.at
             FROM {ASIDE} LEFT JOIN device d ON d.id = q.device
             WHERE s.at {which} ORDER BY q.at DESC, q.dev_seq DESC LIMIT ?1"
        );
        let listed = self.all("reading what was set aside", &sql, bind![limit, LONGEST], |row| {
            let op_id: Option<Uuid> = row.get(0)?;
            let name: Option<String> = row.get(2)?;
            let (entity, detail): (Option<String>, Option<String>) = (row.get(3)?, row.get(6)?);
            Ok(Quarantined {
                op_id: op_id.map(|id| id.to_string()).unwrap_or_default(),
                device: DeviceId(row.get(1)?),
                device_name: name.unwrap_or_default(),
                entity: entity.unwrap_or_default(),
                field: row.get(4)?,
                code: row.get(5)?,
                detail: detail.unwrap_or_default(),
                at: Millis(row.get(7)?),
                incarnation: row.get(8)?,
                dev_seq: row.get(9)?,
                author: None,
                about: None,
                content: Vec::new(),
                cut: false,
                seen: who_saw(row)?,
            })
        })?;
        Ok(QuarantineList { total, seen_to, listed })
    }

    /// What was set aside at a place, as it came, if it has at most `most` bytes.
    pub(super) fn quarantined_body(
        &mut self,
        AsidePlace { device, incarnation, dev_seq }: AsidePlace,
        most: u64,
    ) -> Result<Option<String>, StoreError> {
        let sql = "SELECT body FROM quarantine
                   WHERE device = ? AND incarnation = ? AND dev_seq = ? AND octet_length(body) <= ?";
        let key = bind![device.0, incarnation, dev_seq, most];
        self.first("reading what was recorded and set aside", sql, key, |row| row.get(0))
    }

    pub(super) fn see_to(
        &mut self,
        SeeTo { places, seen }: &SeeTo,
        person: PersonId,
        name: &str,
        at: Millis,
    ) -> Result<(), StoreError> {
        let doing = "writing down what somebody has seen to";
        for AsidePlace { device, incarnation, dev_seq } in places {
            if *seen {
                // What was taken over meanwhile is not there any more.
                let sql = "INSERT INTO seen_to (device, incarnation, dev_seq, person, name, at, stands)
                           SELECT device, incarnation, dev_seq, ?4, ?5, ?6, 1 FROM quarantine
                           WHERE device = ?1 AND incarnation = ?2 AND dev_seq = ?3
                           ON CONFLICT (device, incarnation, dev_seq) DO UPDATE
                               SET person = excluded.person, name = excluded.name, at = excluded.at, stands = 1";
                self.run(doing, sql, bind![device.0, incarnation, dev_seq, person.0, name, at.0])?;
            } else {
                let sql =
                    "UPDATE seen_to SET stands = 0 WHERE device = ? AND incarnation = ? AND dev_seq = ?";
                self.run(doing, sql, bind![device.0, incarnation, dev_seq])?;
            }
        }
        Ok(())
    }
}

/// Who has seen to it, in the last two columns.
fn who_saw(row: Row<'_>) -> Result<Option<Seen>, SqlError> {
    let by: Option<String> = row.get(10)?;
    by.map(|by| Ok(Seen { by, at: Millis(row.get(11)?) })).transpose()
}
