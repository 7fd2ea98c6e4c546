//! The log and its chains, as one transaction changes them.

use super::desk::{Desk, bits, parse};
use super::rows::word;
use super::value::bind;
use super::writer::{KEEPING, attempt};
use crate::store::{Aside, ChainEnd, Device, Ledger, Part, Projected, Quarantine, StoreError};
use serde::de::IgnoredAny;
use standpipe_domain::ids::{CheckId, DeviceId, FindingId, IssueId, Millis, Sha256, SignOffId, SiteId};
use standpipe_domain::record::{Finding, Issue, entity, issue_id};
use standpipe_oplog::chain::{START, Written};
use standpipe_oplog::checksum::Checksum;
use standpipe_oplog::clock::Hlc;
use standpipe_oplog::op::Op;
use standpipe_oplog::pen::Pen;
use standpipe_oplog::receive::Held;
use standpipe_oplog::replica::Touched;
use standpipe_oplog::seal::{COUNTERSIGNED, Jws};
use standpipe_oplog::wire::Refused;
use std::ops::RangeInclusive;
use uuid::Uuid;

impl Ledger for Desk<'_> {
    fn attempt(&mut self, part: Part<'_>) -> Result<Result<(), StoreError>, StoreError> {
        self.batch(KEEPING, "SAVEPOINT part")?;
        let (pokes, head) = (self.pokes.clone(), self.head);
        // PostgreSQL lets no savepoint go behind a statement that failed, whatever became of that.
        let release = |desk: &mut Self| desk.batch(KEEPING, "RELEASE SAVEPOINT part");
        match attempt(|desk| part(desk), self).and_then(|()| release(self)) {
            Err(error) if error.is_of_the_work() => {
                self.batch(KEEPING, "ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part")?;
                (self.pokes, self.head) = (pokes, head);
                Ok(Err(error))
            }
            done => done.map(Ok),
        }
    }

    fn held(&mut self, device: DeviceId, incarnation: u32) -> Result<Held, StoreError> {
        let sql = "SELECT dev_seq, hash FROM chain WHERE device = ? AND incarnation = ?
                   ORDER BY dev_seq DESC LIMIT 1";
        let held = self.first("reading the end of a chain", sql, bind![device.0, incarnation], |row| {
            Ok(Held { last_seq: row.get(0)?, last_hash: Sha256(row.get(1)?) })
        })?;
        Ok(held.unwrap_or(Held { last_seq: 0, last_hash: START }))
    }

    fn hash_at(
        &mut self,
        device: DeviceId,
        incarnation: u32,
        dev_seq: u64,
    ) -> Result<Option<Sha256>, StoreError> {
        let sql = "SELECT hash FROM chain WHERE device = ? AND incarnation = ? AND dev_seq = ?";
        self.first("reading a link of a chain", sql, bind![device.0, incarnation, dev_seq], |row| {
            row.get(0).map(Sha256)
        })
    }

    fn next_incarnation(&mut self, device: DeviceId) -> Result<u32, StoreError> {
        let sql = "SELECT max(incarnation) FROM chain WHERE device = ?";
        let last: Option<Option<u32>> =
            self.first("choosing an incarnation", sql, bind![device.0], |row| row.get(0))?;
        Ok(last.flatten().unwrap_or(0).saturating_add(1))
    }

    fn extend(
        &mut self,
        device: DeviceId,
        incarnation: u32,
        dev_seq: u64,
        hash: Sha256,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO chain (device, incarnation, dev_seq, hash) VALUES (?, ?, ?, ?)";
        self.run("adding a link to a chain", sql, bind![device.0, incarnation, dev_seq, hash.0]).map(drop)
    }

    fn durable_seq(&mut self, device: DeviceId, incarnation: u32) -> Result<u64, StoreError> {
        let sql = "SELECT dev_seq FROM backed_up WHERE device = ? AND incarnation = ?";
        let key = bind![device.0, incarnation];
        let held = self.first("reading what is in a backup", sql, key, |row| row.get(0));
        Ok(held?.unwrap_or(0))
    }

    fn begin_backup(&mut self) -> Result<u64, StoreError> {
        let sql = "UPDATE hub SET backups_begun = backups_begun + 1";
        self.run("numbering a backup", sql, &[])?;
        Ok(self.backups()?.begun)
    }

    fn backed_up(&mut self, number: u64, ends: &[ChainEnd]) -> Result<(), StoreError> {
        let doing = "noting what is in a backup";
        let sql = "UPDATE hub SET backup_whole = ?1 WHERE backup_whole < ?1";
        self.run(doing, sql, bind![number])?;
        self.run(doing, "DELETE FROM backed_up", &[])?;
        let sql = "INSERT INTO backed_up (device, incarnation, dev_seq)
                   SELECT device, incarnation, dev_seq FROM chain
                   WHERE device = ? AND incarnation = ? AND dev_seq = ? AND hash = ?";
        for ChainEnd { device, incarnation, dev_seq, hash } in ends {
            self.run(doing, sql, bind![device.0, incarnation, dev_seq, hash.0])?;
        }
        Ok(())
    }

    fn pen(&mut self, scope: SiteId) -> Result<Pen, StoreError> {
        let device = self.identity.device;
        let clock = self.first("reading the hub's clock", "SELECT clock FROM hub", &[], |row| {
            row.get::<i64>(0).map(|bits| Hlc(bits.cast_unsigned()))
        })?;
        let pen = Pen::new(device, scope);
        let Held { last_seq, last_hash } = self.held(device, pen.incarnation)?;
        Ok(Pen { last_seq, last_hash, hlc: clock.unwrap_or_default(), ..pen })
    }

    fn keep_clock(&mut self, stamp: Hlc) -> Result<(), StoreError> {
        // A stamp counts no more than 48 bits of milliseconds, so its sign bit is never set.
        let sql = "UPDATE hub SET clock = ?1 WHERE clock < ?1";
        self.run("keeping the hub's clock", sql, bind![bits(stamp.0)]).map(drop)
    }

    fn append(&mut self, written: &Written, at: Millis) -> Result<u64, StoreError> {
        let doing = "adding an operation to the log";
        let op = &written.op;
        let (head, sum) = match self.head {
            Some((site, head, sum)) if site == op.scope => (head, sum),
            _ => self.log_head(op.scope)?,
        };
        let (seq, sum) = (head + 1, sum + Checksum::of(op.op_id, at, &written.body));
        let sql = "INSERT INTO op (scope, seq, op_id, tx, entity, id, kind, received, checksum, body)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let kind = word(&op.kind)?;
        let (scope, sum_bits) = (op.scope.0, bits(sum.0));
        let row = bind![scope, seq, op.op_id, op.tx, op.entity, op.id, kind, at.0, sum_bits, written.body];
        self.run(doing, sql, row)?;
        self.head = Some((op.scope, seq, sum));
        Ok(seq)
    }

    fn seal_of(&mut self, id: Uuid) -> Result<Option<(Jws, u64, Millis)>, StoreError> {
        let doing = "reading a seal";
        // There is one, or a few. With a limit PostgreSQL might go through the log in its order to find the first.
        let sql = "SELECT body, seq, received FROM op WHERE id = ? AND kind = 'seal' ORDER BY scope, seq";
        let row: Option<(String, u64, i64)> =
            self.first(doing, sql, bind![id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let Some((body, seq, received)) = row else { return Ok(None) };
        let op: Op = parse(doing, &body)?;
        // Whatever is no seal was set aside when it arrived, unless an older version let it in.
        Ok(serde_json::from_value(op.value).ok().map(|jws| (jws, seq, Millis(received))))
    }

    fn changed_at(&mut self, id: Uuid) -> Result<Millis, StoreError> {
        let sql = "SELECT coalesce(max(received), 0) FROM op WHERE id = ?";
        let changed = self.first("reading when a record changed", sql, bind![id], |row| row.get(0))?;
        Ok(Millis(changed.unwrap_or(0)))
    }

    fn has_tombstone(&mut self, id: Uuid) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM op WHERE id = ? AND kind = 'delete')";
        Ok(self.first("looking for a tombstone", sql, bind![id], |row| row.get(0))?.unwrap_or(false))
    }

    fn any_tombstone(&mut self) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM op WHERE kind = 'delete')";
        Ok(self.first("looking for tombstones", sql, &[], |row| row.get(0))?.unwrap_or(false))
    }

    fn known_as(&mut self, id: Uuid) -> Result<Option<(SiteId, String)>, StoreError> {
        // Nought is added so that PostgreSQL does not go through the log from its beginning to find the least.
        let sql = "SELECT scope, entity FROM op WHERE rowid = (SELECT min(rowid + 0) FROM op WHERE id = ?)";
        let key = bind![id];
        self.first("reading whose record it is", sql, key, |row| Ok((SiteId(row.get(0)?), row.get(1)?)))
    }

    fn set_aside(&mut self, what: &Quarantine) -> Result<(), StoreError> {
        let sql = "INSERT INTO quarantine
                   (device, incarnation, dev_seq, op_id, tx, entity, field, code, detail, at, body)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let row = bind![
            what.device.0,
            what.incarnation,
            what.dev_seq,
            what.op_id,
            what.tx,
            what.entity,
            what.field,
            what.code,
            what.detail,
            what.at.0,
            what.body,
        ];
        self.run("setting an operation aside", sql, row).map(drop)
    }

    fn any_aside(&mut self) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM quarantine)";
        let any = self.first("looking whether anything was set aside", sql, &[], |row| row.get(0))?;
        Ok(any.unwrap_or(false))
    }

    fn aside_size(&mut self, device: DeviceId) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT count(*), CAST(coalesce(sum(octet_length(body)), 0) AS BIGINT)
                   FROM quarantine WHERE device = ?";
        let size = self.first("measuring what was set aside", sql, bind![device.0], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(size.unwrap_or_default())
    }

    fn device(&mut self, id: DeviceId) -> Result<Option<Device>, StoreError> {
        self.device_of("id = ?", bind![id.0])
    }

    fn aside(&mut self, device: DeviceId) -> Result<Vec<Aside>, StoreError> {
        let sql = "SELECT incarnation, dev_seq, op_id, tx, code, detail
                   FROM quarantine WHERE device = ? ORDER BY incarnation, dev_seq";
        self.all("listing what was set aside", sql, bind![device.0], |row| {
            Ok(Aside {
                incarnation: row.get(0)?,
                dev_seq: row.get(1)?,
                op_id: row.get(2)?,
                tx: row.get(3)?,
                code: row.get(4)?,
                detail: row.get(5)?,
            })
        })
    }

    fn quarantined_at(&mut self, device: DeviceId, place: &Aside) -> Result<Option<Quarantine>, StoreError> {
        let sql = "SELECT incarnation, dev_seq, op_id, tx, entity, field, code, detail, at, body
                   FROM quarantine WHERE device = ? AND incarnation = ? AND dev_seq = ?";
        let key = bind![device.0, place.incarnation, place.dev_seq];
        self.first("reading what was set aside", sql, key, |row| {
            Ok(Quarantine {
                device,
                incarnation: row.get(0)?,
                dev_seq: row.get(1)?,
                op_id: row.get(2)?,
                tx: row.get(3)?,
                entity: row.get(4)?,
                field: row.get(5)?,
                code: row.get(6)?,
                detail: row.get(7)?,
                at: Millis(row.get(8)?),
                body: row.get(9)?,
            })
        })
    }

    fn put_back(&mut self, what: &Quarantine) -> Result<(), StoreError> {
        let sql = "DELETE FROM quarantine WHERE device = ? AND incarnation = ? AND dev_seq = ?";
        let key = bind![what.device.0, what.incarnation, what.dev_seq];
        self.run("taking a line out of quarantine", sql, key).map(drop)
    }

    fn keep_arrival(&mut self, what: &Quarantine) -> Result<(), StoreError> {
        let sql = "UPDATE quarantine SET at = ? WHERE device = ? AND incarnation = ? AND dev_seq = ?";
        let key = bind![what.at.0, what.device.0, what.incarnation, what.dev_seq];
        self.run("noting when a line arrived", sql, key).map(drop)
    }

    fn release(&mut self, op: &Op) -> Result<(), StoreError> {
        let doing = "releasing an operation";
        let sql = "SELECT device, incarnation, dev_seq, body FROM quarantine WHERE op_id = ?";
        let rows: Vec<(Uuid, u32, u64, String)> = self.all(doing, sql, bind![op.op_id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
        let same = |body: &str| serde_json::from_str::<Op>(body).is_ok_and(|aside| aside.same_work(op));
        let sql = "DELETE FROM quarantine WHERE device = ? AND incarnation = ? AND dev_seq = ?";
        for (device, incarnation, dev_seq, _) in rows.iter().filter(|(.., body)| same(body)) {
            self.run(doing, sql, bind![device, incarnation, dev_seq])?;
        }
        Ok(())
    }

    fn tx_set_aside(
        &mut self,
        device: DeviceId,
        tx: Uuid,
    ) -> Result<Vec<(Option<Uuid>, String)>, StoreError> {
        let sql =
            "SELECT op_id, code FROM quarantine WHERE device = ? AND tx = ? ORDER BY +incarnation, dev_seq";
        self.all("looking into quarantine", sql, bind![device.0, tx], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn refused(
        &mut self,
        device: DeviceId,
        incarnation: u32,
        seqs: RangeInclusive<u64>,
    ) -> Result<Vec<Refused>, StoreError> {
        let sql = "SELECT op_id, code, detail FROM quarantine
                   WHERE device = ? AND incarnation = ? AND dev_seq BETWEEN ? AND ? ORDER BY dev_seq";
        let (from, to) = (seqs.start(), seqs.end());
        let key = bind![device.0, incarnation, from, to];
        self.all("reading what was set aside", sql, key, |row| {
            let op_id: Option<Uuid> = row.get(0)?;
            Ok(Refused { op_id: op_id.unwrap_or_default(), code: row.get(1)?, detail: row.get(2)? })
        })
    }

    fn is_outdated(&mut self) -> Result<bool, StoreError> {
        self.has_other_rows()
    }

    fn rebuild(&mut self) -> Result<u64, StoreError> {
        self.make_anew()
    }

    fn scopes(&mut self) -> Result<Vec<SiteId>, StoreError> {
        let sql = "SELECT DISTINCT scope FROM op ORDER BY scope";
        self.all("listing the sites of the log", sql, &[], |row| row.get(0).map(SiteId))
    }

    fn put_row(&mut self, scope: SiteId, row: &Projected) -> Result<(), StoreError> {
        self.write_row(scope, row)
    }

    fn drop_row(&mut self, entity: &str, id: Uuid) -> Result<(), StoreError> {
        self.delete_row(entity, id)
    }

    fn findings_of(&mut self, check: CheckId) -> Result<Vec<FindingId>, StoreError> {
        let sql = "SELECT id FROM finding WHERE check_id = ? ORDER BY id";
        self.all("reading the findings of a check", sql, bind![check.0], |row| row.get(0).map(FindingId))
    }

    fn is_in(&mut self, entity: &str, id: Uuid) -> Result<Option<Touched>, StoreError> {
        let (around, sql) = match entity {
            entity::ISSUE => (entity::FINDING, "SELECT finding FROM issue WHERE id = ?"),
            entity::FINDING => (entity::CHECK, "SELECT check_id FROM finding WHERE id = ?"),
            entity::CHECK => (entity::ROUND, "SELECT round FROM checks WHERE id = ?"),
            _ => return Ok(None),
        };
        let doing = "reading in what a record stands";
        let found: Option<Option<Uuid>> = self.first(doing, sql, bind![id], |row| row.get(0))?;
        Ok(found.flatten().map(|id| Touched::new(around, id)))
    }

    fn holds_any(&mut self, entity: &str, id: Uuid) -> Result<bool, StoreError> {
        let (sql, key) = match entity {
            entity::FINDING => {
                ("SELECT EXISTS (SELECT 1 FROM issue WHERE id = ?)", issue_id(FindingId(id)).0)
            }
            entity::CHECK => ("SELECT EXISTS (SELECT 1 FROM finding WHERE check_id = ?)", id),
            entity::ROUND => ("SELECT EXISTS (SELECT 1 FROM checks WHERE round = ?)", id),
            _ => return Ok(false),
        };
        Ok(self
            .first("looking for what stands in a record", sql, bind![key], |row| row.get(0))?
            .unwrap_or(false))
    }

    fn next_issue_number(&mut self, scope: SiteId) -> Result<u32, StoreError> {
        let sql = "SELECT coalesce(max(number), 0) + 1 FROM issue WHERE scope = ?";
        Ok(self.first("numbering an issue", sql, bind![scope.0], |row| row.get(0))?.unwrap_or(1))
    }

    fn not_followed(&mut self, scope: SiteId) -> Result<Vec<FindingId>, StoreError> {
        let doing = "looking for findings that no issue follows";
        let sql = "SELECT f.record, i.record FROM finding f LEFT JOIN issue i ON i.finding = f.id
                   WHERE f.scope = ? AND f.live = 1 ORDER BY f.id, i.id";
        let rows: Vec<(String, Option<String>)> =
            self.all(doing, sql, bind![scope.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut found: Vec<(FindingId, bool)> = Vec::new();
        for (finding, issue) in rows {
            let finding: Finding = parse(doing, &finding)?;
            let issue: Option<Issue> = issue.map(|issue| parse(doing, &issue)).transpose()?;
            let follows = issue.is_some_and(|issue| {
                issue.words == finding.words && Some(issue.severity) == finding.severity
            });
            match found.last_mut() {
                Some((id, is_followed)) if *id == finding.id => *is_followed |= follows,
                _ => found.push((finding.id, follows)),
            }
        }
        Ok(found.into_iter().filter(|(_, is_followed)| !is_followed).map(|(id, _)| id).collect())
    }

    fn not_countersigned(&mut self, scope: SiteId) -> Result<Vec<SignOffId>, StoreError> {
        let sql = "SELECT id FROM sign_off WHERE scope = ?1
                       AND NOT EXISTS (SELECT 1 FROM register r WHERE r.id = sign_off.id AND field = ?2)
                   ORDER BY id";
        let key = bind![scope.0, COUNTERSIGNED];
        self.all("looking for seals to countersign", sql, key, |row| row.get(0).map(SignOffId))
    }

    fn of_taken_number(&mut self, scope: SiteId) -> Result<Vec<IssueId>, StoreError> {
        let sql = "WITH opened AS (
                       SELECT id, number, (SELECT min(received) FROM op WHERE op.id = issue.id) AS at
                       FROM issue WHERE scope = ?1
                           AND number IN (SELECT number FROM issue WHERE scope = ?1 GROUP BY 1 HAVING count(*) > 1))
                   SELECT id FROM opened WHERE EXISTS (
                       SELECT 1 FROM opened first
                       WHERE first.number = opened.number AND (first.at, first.id) < (opened.at, opened.id))
                   ORDER BY at, id";
        self.all("looking for issues of one number", sql, bind![scope.0], |row| row.get(0).map(IssueId))
    }

    fn of_two_states(&mut self, scope: SiteId) -> Result<Vec<IssueId>, StoreError> {
        let doing = "looking for issues of two states";
        let sql = "SELECT i.id, r.sides FROM issue i JOIN register r ON r.id = i.id
                   WHERE i.scope = ? AND r.field IN ('number', 'status') ORDER BY i.id";
        let rows: Vec<(IssueId, String)> =
            self.all(doing, sql, bind![scope.0], |row| Ok((IssueId(row.get(0)?), row.get(1)?)))?;
        let mut found = Vec::new();
        for (id, sides) in rows {
            let sides: Vec<IgnoredAny> = parse(doing, &sides)?;
            if sides.len() > 1 && found.last() != Some(&id) {
                found.push(id);
            }
        }
        Ok(found)
    }

    fn poke(&mut self, scope: SiteId) {
        self.pokes.insert(scope);
    }
}
