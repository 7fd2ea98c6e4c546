//! What the log amounts to, read out of the projections.

use super::desk::{Desk, parse};
use super::rows::word;
use super::value::bind;
use super::{Row, SqlError};
use crate::store::{
    BlobRow, CheckRow, Identity, IssueQuery, IssueRow, Records, RoundRow, SignOffRow, StoreError,
};
use serde::Deserialize;
use standpipe_domain::asset::Asset;
use standpipe_domain::evidence::Evidence;
use standpipe_domain::ids::{
    AssetId, DeviceId, FindingId, IssueId, Millis, PersonId, RoundId, Sha256, SignOffId, UnitId,
};
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::office::{AsidePlace, QuarantineList};
use standpipe_domain::people::{Person, ResponsibleUnit};
use standpipe_domain::place::Place;
use standpipe_domain::record::{Finding, Site};
use standpipe_domain::round::Check;
use standpipe_oplog::merge::Side;
use standpipe_oplog::op::Op;
use standpipe_oplog::seal::Jwk;
use std::collections::BTreeSet;
use uuid::Uuid;

const SIGN_OFF: &str = "SELECT id, round, unit, seq, jws FROM sign_off";

impl Records for Desk<'_> {
    fn site(&mut self) -> Result<Option<Site>, StoreError> {
        self.record("reading the site", "SELECT record FROM site ORDER BY id LIMIT 1", &[])
    }

    fn places(&mut self) -> Result<Vec<Place>, StoreError> {
        self.records("reading the places", "SELECT record FROM place", &[])
    }

    fn units(&mut self) -> Result<Vec<ResponsibleUnit>, StoreError> {
        self.records("reading the units", "SELECT record FROM unit", &[])
    }

    fn unit(&mut self, id: UnitId) -> Result<Option<ResponsibleUnit>, StoreError> {
        self.record("reading a unit", "SELECT record FROM unit WHERE id = ?", bind![id.0])
    }

    fn people(&mut self) -> Result<Vec<Person>, StoreError> {
        self.records("reading the people", "SELECT record FROM person", &[])
    }

    fn person(&mut self, id: PersonId) -> Result<Option<Person>, StoreError> {
        self.record("reading a person", "SELECT record FROM person WHERE id = ?", bind![id.0])
    }

    fn rounds(&mut self, one: Option<RoundId>) -> Result<Vec<RoundRow>, StoreError> {
        let doing = "reading the rounds";
        let which = if one.is_some() { "r.id = ?1" } else { "?1 IS NULL" };
        let sql = format!(
            "SELECT r.record,
                    count(c.id),
                    count(c.id) FILTER (WHERE c.answered >= c.items),
                    CAST(coalesce(sum(c.items), 0) AS BIGINT),
                    CAST(coalesce(sum(c.answered), 0) AS BIGINT),
                    CAST(coalesce(sum(c.failed), 0) AS BIGINT),
                    r.id
             FROM round r LEFT JOIN checks c ON c.round = r.id
             WHERE {which} GROUP BY r.id ORDER BY r.due DESC, r.id"
        );
        type Sums = (String, [u32; 5], Uuid);
        let rows: Vec<Sums> = self.all(doing, &sql, bind![one.map(|id| id.0)], |row| {
            Ok((row.get(0)?, [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?], row.get(6)?))
        })?;
        rows.into_iter()
            .map(|(record, [stops, stops_done, items, answered, findings], id)| {
                let sql = "SELECT unit FROM sign_off WHERE round = ? GROUP BY unit ORDER BY min(seq)";
                let signed = self.all(doing, sql, bind![id], |row| row.get(0).map(UnitId))?;
                let sql = "SELECT o.op_id, o.body FROM checks c JOIN op o ON o.id = c.id
                           WHERE c.round = ? AND o.kind = 'amend'";
                let amends: Vec<(Uuid, String)> =
                    self.all(doing, sql, bind![id], |row| Ok((row.get(0)?, row.get(1)?)))?;
                let mut amended = BTreeSet::new();
                for (op_id, body) in amends {
                    let Amended { field } = parse(doing, &body)?;
                    if field.is_some_and(|field| field.starts_with(ANSWER)) {
                        amended.insert(op_id);
                    }
                }
                let round = parse(doing, &record)?;
                Ok(RoundRow { round, stops, stops_done, items, answered, findings, signed, amended })
            })
            .collect()
    }

    fn checks(&mut self, round: RoundId) -> Result<Vec<CheckRow>, StoreError> {
        let doing = "reading the checks of a round";
        let sql = "SELECT c.record, a.record, c.items, c.answered, c.failed
                   FROM checks c LEFT JOIN asset a ON a.id = c.asset
                   WHERE c.round = ? ORDER BY c.ord, c.id";
        type Raw = (String, Option<String>, [u32; 3]);
        let rows: Vec<Raw> = self.all(doing, sql, bind![round.0], |row| {
            Ok((row.get(0)?, row.get(1)?, [row.get(2)?, row.get(3)?, row.get(4)?]))
        })?;
        rows.into_iter()
            .map(|(check, asset, [items, answered, failed])| {
                let asset = asset.map(|asset| parse(doing, &asset)).transpose()?;
                Ok(CheckRow { check: parse(doing, &check)?, asset, items, answered, failed })
            })
            .collect()
    }

    fn asset(&mut self, id: AssetId) -> Result<Option<Asset>, StoreError> {
        self.record("reading an asset", "SELECT record FROM asset WHERE id = ?", bind![id.0])
    }

    fn check(&mut self, id: Uuid) -> Result<Option<Check>, StoreError> {
        self.record("reading a check", "SELECT record FROM checks WHERE id = ?", bind![id])
    }

    fn findings(&mut self, round: RoundId) -> Result<Vec<(Finding, bool)>, StoreError> {
        let doing = "reading the findings of a round";
        let sql = "SELECT f.record, f.live FROM checks c JOIN finding f ON f.check_id = c.id
                   WHERE c.round = ? ORDER BY c.ord, c.id, f.id";
        let rows: Vec<(String, bool)> =
            self.all(doing, sql, bind![round.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.into_iter().map(|(record, live)| Ok((parse(doing, &record)?, live))).collect()
    }

    fn finding(&mut self, id: FindingId) -> Result<Option<Finding>, StoreError> {
        self.record("reading a finding", "SELECT record FROM finding WHERE id = ?", bind![id.0])
    }

    fn sign_offs(&mut self, round: RoundId) -> Result<Vec<SignOffRow>, StoreError> {
        let sql = format!("{SIGN_OFF} WHERE round = ? ORDER BY seq");
        let rows = self.all("reading the signatures of a round", &sql, bind![round.0], raw_sign_off)?;
        rows.into_iter().map(sign_off).collect()
    }

    fn sign_off(&mut self, id: SignOffId) -> Result<Option<SignOffRow>, StoreError> {
        let sql = format!("{SIGN_OFF} WHERE id = ?");
        let row = self.first("reading a signature", &sql, bind![id.0], raw_sign_off)?;
        row.map(sign_off).transpose()
    }

    fn issues(&mut self, which: IssueQuery) -> Result<Vec<IssueRow>, StoreError> {
        let doing = "reading the issues";
        // One issue is found by its key; a choice within the statement would read them all.
        let one = if which.id.is_some() { "i.id = ?1" } else { "?1 IS NULL" };
        let sql = format!(
            "SELECT i.record, i.changed, a.record
             FROM issue i
             LEFT JOIN finding f ON f.id = i.finding
             LEFT JOIN checks c ON c.id = f.check_id
             LEFT JOIN asset a ON a.id = c.asset
             WHERE {one} AND (CAST(?2 AS TEXT) IS NULL OR i.status = ?2) AND (?3 IS NULL OR i.unit = ?3)
             ORDER BY i.changed DESC, i.number DESC"
        );
        let status = which.status.map(|status| word(&status)).transpose()?;
        let (id, unit) = (which.id.map(|id| id.0), which.unit.map(|unit| unit.0));
        let key = bind![id, status, unit];
        let rows: Vec<(String, i64, Option<String>)> =
            self.all(doing, &sql, key, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.into_iter()
            .map(|(issue, changed, asset)| {
                let asset = asset.map(|asset| parse(doing, &asset)).transpose()?;
                Ok(IssueRow { issue: parse(doing, &issue)?, changed: Millis(changed), asset })
            })
            .collect()
    }

    fn is_tracked(&mut self, id: IssueId) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM issue WHERE id = ?)";
        Ok(self.first("looking for an issue", sql, bind![id.0], |row| row.get(0))?.unwrap_or(false))
    }

    fn sides(&mut self, id: Uuid) -> Result<Vec<(String, Vec<Side>)>, StoreError> {
        let doing = "reading a record's fields";
        let sql = "SELECT field, sides FROM register WHERE id = ? ORDER BY field";
        let rows: Vec<(String, String)> =
            self.all(doing, sql, bind![id], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.into_iter().map(|(field, sides)| Ok((field, parse(doing, &sides)?))).collect()
    }

    fn op(&mut self, op_id: Uuid) -> Result<Option<Op>, StoreError> {
        self.record("reading an operation", "SELECT body FROM op WHERE op_id = ?", bind![op_id])
    }

    fn amends(&mut self, id: Uuid) -> Result<Vec<Op>, StoreError> {
        self.ops("reading the amendments of a record", "WHERE id = ? AND kind = 'amend'", id)
    }

    fn tombstones(&mut self, round: RoundId) -> Result<Vec<Op>, StoreError> {
        // Once for the round, and not for each of its records.
        let which = "JOIN (SELECT id AS of FROM round WHERE id = ?1
                           UNION ALL SELECT id FROM checks WHERE round = ?1
                           UNION ALL SELECT f.id FROM checks c JOIN finding f ON f.check_id = c.id WHERE c.round = ?1) shown
                     ON op.id = shown.of WHERE op.kind = 'delete'";
        self.ops("reading who deleted what is shown", which, round.0)
    }

    fn members(&mut self, id: Uuid, field: &str) -> Result<Vec<Side>, StoreError> {
        let sql = "SELECT side FROM member WHERE id = ? AND field = ? ORDER BY hlc, rev";
        self.records("reading a field of several", sql, bind![id, field])
    }

    fn is_sealed(&mut self, id: Uuid) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM pin WHERE id = ?)";
        Ok(self.first("looking for a seal", sql, bind![id], |row| row.get(0))?.unwrap_or(false))
    }

    fn sealed(&mut self) -> Result<Vec<Uuid>, StoreError> {
        self.all("reading what was signed", "SELECT DISTINCT id FROM pin", &[], |row| row.get(0))
    }

    fn device_key(&mut self, device: DeviceId) -> Result<Option<Jwk>, StoreError> {
        let sql = "SELECT key FROM device WHERE id = ?";
        self.first("reading a tablet's key", sql, bind![device.0], |row| {
            Ok(Jwk { kty: "OKP".into(), crv: "Ed25519".into(), x: row.get(0)? })
        })
    }

    fn is_tablets_key(&mut self, key: &Jwk) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM device WHERE key = ?)";
        Ok(self
            .first("looking for a tablet's key", sql, bind![key.x.as_str()], |row| row.get(0))?
            .unwrap_or(false))
    }

    fn identity(&self) -> Identity {
        self.identity.clone()
    }

    fn blob_row(&mut self, sha256: Sha256) -> Result<BlobRow, StoreError> {
        self.whereabouts(sha256)
    }

    fn evidence(&mut self, sha256: Sha256) -> Result<Option<Evidence>, StoreError> {
        Ok(self.mention(sha256)?.and_then(|(_, side)| serde_json::from_value(side.value).ok()))
    }

    fn mention(&mut self, sha256: Sha256) -> Result<Option<(Uuid, Side)>, StoreError> {
        let doing = "reading what is known of a photo";
        let sql = "SELECT id, side FROM member WHERE sha256 = ? ORDER BY hlc, rev LIMIT 1";
        let first: Option<(Uuid, String)> =
            self.first(doing, sql, bind![sha256.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        first.map(|(id, side)| Ok((id, parse(doing, &side)?))).transpose()
    }

    fn not_here(&mut self, limit: u32) -> Result<(u64, Vec<Sha256>), StoreError> {
        let doing = "looking for photos that are not here";
        let named = "FROM member m WHERE m.sha256 IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM blob b WHERE b.sha256 = m.sha256)";
        let sql = format!("SELECT count(DISTINCT m.sha256) {named}");
        let total = self.first(doing, &sql, &[], |row| row.get(0))?.unwrap_or_default();
        let sql = format!("SELECT m.sha256 {named} GROUP BY m.sha256 ORDER BY min(m.hlc), m.sha256 LIMIT ?");
        Ok((total, self.all(doing, &sql, bind![limit], |row| row.get(0).map(Sha256))?))
    }

    fn quarantine(&mut self, seen: bool, limit: u32) -> Result<QuarantineList, StoreError> {
        Desk::quarantine(self, seen, limit)
    }

    fn quarantined_body(&mut self, place: AsidePlace, most: u64) -> Result<Option<String>, StoreError> {
        Desk::quarantined_body(self, place, most)
    }
}

/// What an amendment was of.
#[derive(Deserialize)]
struct Amended {
    field: Option<String>,
}

type RawSignOff = (SignOffId, RoundId, UnitId, u64, String);

fn raw_sign_off(row: Row<'_>) -> Result<RawSignOff, SqlError> {
    let (id, round, unit) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok((SignOffId(id), RoundId(round), UnitId(unit), row.get(3)?, row.get(4)?))
}

fn sign_off((id, round, unit, seq, jws): RawSignOff) -> Result<SignOffRow, StoreError> {
    Ok(SignOffRow { id, round, unit, seq, jws: parse("reading a signature", &jws)? })
}
