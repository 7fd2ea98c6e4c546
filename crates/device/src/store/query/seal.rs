//! Signatures and seals.

use super::check::findings_of;
use super::common::{answers_in, identity, unit_name};
use super::evidence::evidence_of;
use super::round::{count_of, stop_rows};
use crate::store::fault::{Fault, StoreError};
use crate::store::sql::{Hash, Json, Word};
use crate::store::{log, replica};
use ed25519_dalek::SigningKey;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use standpipe_domain::finding::FindingView;
use standpipe_domain::ids::{FindingId, Millis, RoundId, Sha256, SignOffId, UnitId};
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::record::{entity, follows_from_id};
use standpipe_domain::round::Round;
use standpipe_domain::signoff::{SealReport, SealedPhotos, SignOffView, Signature};
use standpipe_domain::tablet::Sealed;
use standpipe_oplog::canonical;
use standpipe_oplog::chain::sha256;
use standpipe_oplog::merge::Register;
use standpipe_oplog::op::Kind;
use standpipe_oplog::seal::{
    COUNTERSIGNED, Jwk, Jws, SealPayload, SealedCheck, SealedFinding, jwk, sealed_amendments,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Where a signature stands among others: as the office numbered their seals, behind them those that it has not. Whose clock
/// says what is nothing to go by.
macro_rules! in_order {
    () => {
        "(SELECT min(coalesce(hub_seq, 1 << 62 | seq)) FROM op
              WHERE op.id = sign_off.id AND kind NOT IN ('set', 'add') AND kind = 'seal')"
    };
}

/// The place for each signature that a round asks for, and those that were given. `sealable` is what there is to sign.
pub fn sign_offs(
    conn: &Connection,
    round: &Round,
    sealable: &Sealable,
) -> Result<Vec<SignOffView>, StoreError> {
    let amended = sealable.amended();
    let place = |unit: &UnitId| {
        // Whoever signs again, for amendments, is shown by the last signature.
        let signed = conn
            .prepare_cached(concat!(
                "SELECT id, name, objection, strokes, at, evidence FROM sign_off
                 WHERE round = ?1 AND unit = ?2 ORDER BY ",
                in_order!(),
                " DESC LIMIT 1"
            ))?
            .query_row(params![round.id.0, unit.0], |row| Ok((signature(row)?, row.get::<_, Json<_>>(5)?.0)))
            .optional()?;
        let signed = match signed {
            None => None,
            Some((signature, evidence)) => {
                let (photos_on_their_way, photos_unconfirmed) = not_confirmed(conn, evidence)?;
                Some(Signature { photos_on_their_way, photos_unconfirmed, ..signature })
            }
        };
        let unsigned_amendments = match &signed {
            Some(_) => count_of(uncovered(conn, round.id, *unit, amended.clone())?.len()),
            None => 0,
        };
        Ok(SignOffView { unit: *unit, unit_name: unit_name(conn, *unit)?, signed, unsigned_amendments })
    };
    round.sign_off_of.iter().map(place).collect()
}

/// Which of these amendments no signature of the unit covers.
fn uncovered(
    conn: &Connection,
    round: RoundId,
    unit: UnitId,
    mut amended: BTreeSet<Uuid>,
) -> Result<BTreeSet<Uuid>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT amendments FROM sign_off WHERE round = ?1 AND unit = ?2")?;
    let mut rows = statement.query(params![round.0, unit.0])?;
    while let Some(row) = rows.next()? {
        for covered in row.get::<_, Json<Vec<Uuid>>>(0)?.0 {
            amended.remove(&covered);
        }
    }
    Ok(amended)
}

fn signature(row: &Row<'_>) -> rusqlite::Result<Signature> {
    Ok(Signature {
        id: SignOffId(row.get(0)?),
        name: row.get(1)?,
        objection: row.get(2)?,
        strokes: row.get::<_, Json<_>>(3)?.0,
        at: Millis(row.get(4)?),
        photos_on_their_way: 0,
        photos_unconfirmed: 0,
    })
}

/// How many of these photos wait here for the office, and of how many others it is not known that the office has them:
/// each is taken for missing until the office has said that it is there. What was set aside here does not go by itself.
fn not_confirmed(conn: &Connection, evidence: Vec<Sha256>) -> Result<(u32, u32), StoreError> {
    let mut known = conn.prepare_cached(
        "SELECT (SELECT CASE state WHEN 'verified' THEN 1 WHEN 'set-aside' THEN NULL ELSE 0 END
                     FROM upload WHERE of = ?1 AND role = 'original'),
             EXISTS (SELECT 1 FROM blob WHERE sha256 = ?1 AND at_office = 1)",
    )?;
    let mut counts = (0, 0);
    for sha256 in evidence {
        match known.query_row([Hash(sha256)], |row| Ok((row.get::<_, Option<bool>>(0)?, row.get(1)?)))? {
            (Some(true), _) | (None, true) => {}
            (Some(false), _) => counts.0 += 1,
            (None, false) => counts.1 += 1,
        }
    }
    Ok(counts)
}

/// Where the photos are that anybody sealed in a round, each counted once.
pub fn sealed_photos(conn: &Connection, round: RoundId) -> Result<SealedPhotos, StoreError> {
    let (on_their_way, unconfirmed) = not_confirmed(conn, sealed_in(conn, round)?.into_iter().collect())?;
    Ok(SealedPhotos { on_their_way, unconfirmed })
}

fn sealed_in(conn: &Connection, round: RoundId) -> Result<BTreeSet<Sha256>, StoreError> {
    let lists: Vec<Json<Vec<Sha256>>> = conn
        .prepare_cached("SELECT evidence FROM sign_off WHERE round = ?1")?
        .query_map([round.0], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(lists.into_iter().flat_map(|list| list.0).collect())
}

/// The sealed photos of a round that this tablet did not have to send itself, and whether their originals are here.
pub fn sealed_of_others(conn: &Connection, round: RoundId) -> Result<Vec<(Sha256, bool)>, StoreError> {
    let mut of_others = conn.prepare_cached(
        "SELECT here FROM blob WHERE sha256 = ?1 AND NOT EXISTS
             (SELECT 1 FROM upload WHERE of = ?1 AND role = 'original')",
    )?;
    let mut here = |sha256| {
        Ok(of_others.query_row([Hash(sha256)], |row| row.get(0)).optional()?.map(|here| (sha256, here)))
    };
    sealed_in(conn, round)?.into_iter().filter_map(|sha256| here(sha256).transpose()).collect()
}

/// Who sealed a round's checks, and when first.
pub fn sealed(conn: &Connection, round: RoundId) -> Result<Option<Sealed>, StoreError> {
    let signed: Vec<(String, i64)> = conn
        .prepare_cached(concat!("SELECT name, at FROM sign_off WHERE round = ?1 ORDER BY ", in_order!()))?
        .query_map([round.0], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let at = signed.first().map(|(_, at)| Millis(*at));
    Ok(at.map(|at| Sealed { by: signed.into_iter().map(|(name, _)| name).collect(), at }))
}

/// The amendments that some signature of the round covers.
pub fn covered(conn: &Connection, round: RoundId) -> Result<BTreeSet<Uuid>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT amendments FROM sign_off WHERE round = ?1")?;
    let mut rows = statement.query([round.0])?;
    let mut covered = BTreeSet::new();
    while let Some(row) = rows.next()? {
        covered.extend(row.get::<_, Json<Vec<Uuid>>>(0)?.0);
    }
    Ok(covered)
}

/// The seal of a signature, with the hub's where it has come; `None` for one that is not known.
pub fn jws(conn: &Connection, id: SignOffId) -> Result<Option<Jws>, StoreError> {
    let seals = log::rare_ops_of(conn, id.0, Kind::Seal)?;
    let Some(mut jws) = seals.iter().find_map(|op| Jws::deserialize(&op.value).ok()) else { return Ok(None) };
    // The hub's signature comes as a field of the record: the seal itself is never written again.
    let countersigned = replica::register(conn, id.0, COUNTERSIGNED)?;
    if let Some(hub) = countersigned.shown().and_then(|side| Deserialize::deserialize(&side.value).ok()) {
        jws.signatures.truncate(1);
        jws.signatures.push(hub);
    }
    Ok(Some(jws))
}

/// What a signature over a round would seal.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sealable {
    pub checks: Vec<SealedCheck>,
    pub findings: Vec<SealedFinding>,
    /// Sorted, each once.
    pub evidence: Vec<Sha256>,
}

impl Sealable {
    /// The operations of all amendments.
    pub fn amended(&self) -> BTreeSet<Uuid> {
        self.checks.iter().flat_map(|check| &check.amendments).map(|amended| amended.rev).collect()
    }

    /// Stands for all of it: the SHA-256 of its canonical JSON, in hexadecimal.
    pub fn digest(&self) -> Result<String, StoreError> {
        let bytes = canonical::bytes(self).map_err(Fault::Json)?;
        Ok(sha256(&bytes).to_string())
    }
}

/// Everything of a round as it stands now.
pub fn sealable(conn: &Connection, round: RoundId) -> Result<Sealable, StoreError> {
    let mut sealable = Sealable::default();
    let mut evidence = BTreeSet::new();
    for row in stop_rows(conn, round)? {
        let registers = replica::registers(conn, row.check.0)?;
        let amendments = sealed_amendments(&log::rare_ops_of(conn, row.check.0, Kind::Amend)?);
        let held = evidence_of(conn, row.check)?;
        evidence.extend(held.iter().map(|held| held.evidence.sha256));
        let photos_of = |record: Uuid| -> Vec<Uuid> {
            held.iter().filter(|held| held.record == record).map(|held| held.rev).collect()
        };
        let mut settled: BTreeMap<FindingId, Vec<Uuid>> = BTreeMap::new();
        for held in held.iter().filter(|held| held.record != row.check.0) {
            settled.entry(FindingId(held.record)).or_default().push(held.rev);
        }
        for finding in findings_of(conn, row.check, &row.reference)? {
            let registers = replica::registers(conn, finding.id.0)?;
            let revs = revs(&registers, |field| matches!(field, "check" | "item" | "severity" | "words"));
            let FindingView { id, check, item, severity, words, .. } = finding;
            settled.remove(&id);
            let photos = photos_of(id.0);
            sealable.findings.push(SealedFinding { id, check, item, severity, words, revs, photos });
        }
        sealable.checks.push(SealedCheck {
            id: row.check,
            asset: row.asset,
            checklist: row.reference,
            answers: answers_in(&registers),
            revs: revs(&registers, |field| {
                field.starts_with(ANSWER) || matches!(field, "round" | "asset" | "checklist")
            }),
            photos: photos_of(row.check.0),
            settled,
            amendments,
        });
    }
    sealable.evidence = evidence.into_iter().collect();
    Ok(sealable)
}

/// The operation behind each field that is sealed.
fn revs(registers: &BTreeMap<String, Register>, sealed: impl Fn(&str) -> bool) -> BTreeMap<String, Uuid> {
    let fields = registers.iter().filter(|(field, _)| sealed(field));
    fields.filter_map(|(field, register)| Some((field.clone(), register.shown()?.rev))).collect()
}

/// The rounds in which something that was signed was amended. Amendments are few among the rare operations.
pub fn amended_rounds(conn: &Connection) -> Result<BTreeSet<RoundId>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT DISTINCT stop.round FROM op JOIN stop ON stop.id = op.id
             WHERE op.kind NOT IN ('set', 'add') AND op.kind = ?1",
        )?
        .query_map([Word(Kind::Amend)], |row| row.get(0).map(RoundId))?
        .collect::<Result<_, _>>()?)
}

/// How many of the units that a round asks have signed everything, amendments too.
pub fn units_that_signed(conn: &Connection, round: &Round) -> Result<u32, StoreError> {
    let mut amended = BTreeSet::new();
    let mut checks = conn.prepare_cached(
        "SELECT DISTINCT op.id FROM stop JOIN op ON op.id = stop.id
         WHERE stop.round = ?1 AND op.kind NOT IN ('set', 'add') AND op.kind = ?2",
    )?;
    let mut rows = checks.query(params![round.id.0, Word(Kind::Amend)])?;
    while let Some(row) = rows.next()? {
        let amendments = sealed_amendments(&log::rare_ops_of(conn, row.get(0)?, Kind::Amend)?);
        amended.extend(amendments.into_iter().map(|amendment| amendment.rev));
    }
    round
        .sign_off_of
        .iter()
        .try_fold(0, |count, unit| Ok(count + u32::from(has_signed(conn, round.id, *unit, amended.clone())?)))
}

/// Whether a unit's signatures cover everything, these amendments too.
pub fn has_signed(
    conn: &Connection,
    round: RoundId,
    unit: UnitId,
    amended: BTreeSet<Uuid>,
) -> Result<bool, StoreError> {
    let signed = conn
        .prepare_cached("SELECT 1 FROM sign_off WHERE round = ?1 AND unit = ?2")?
        .exists(params![round.0, unit.0])?;
    Ok(signed && uncovered(conn, round, unit, amended)?.is_empty())
}

/// Verifies every seal of a round.
pub fn reports(conn: &Connection, round: RoundId) -> Result<Vec<SealReport>, StoreError> {
    let own = identity(conn)?;
    let own_key = own.as_ref().map(|own| jwk(&SigningKey::from_bytes(&own.key.0).verifying_key()));
    let rows: Vec<(SignOffId, UnitId)> = conn
        .prepare_cached(concat!("SELECT id, unit FROM sign_off WHERE round = ?1 ORDER BY ", in_order!()))?
        .query_map([round.0], |row| Ok((SignOffId(row.get(0)?), UnitId(row.get(1)?))))?
        .collect::<Result<_, _>>()?;
    let report = |(sign_off, unit)| {
        let jws = jws(conn, sign_off)?.ok_or(Fault::Sql(rusqlite::Error::QueryReturnedNoRows))?;
        // What is not even readable has no row, so here it is.
        let payload = jws.payload().ok();
        let ours = payload
            .as_ref()
            .is_some_and(|payload| own.as_ref().is_some_and(|own| own.device == payload.device));
        let expected: Option<&Jwk> = own_key.as_ref().filter(|_| ours);
        let verified = jws.verify(expected).ok();
        Ok(SealReport {
            sign_off,
            unit,
            genuine: verified.is_some(),
            known: expected.is_some(),
            unchanged: payload.as_ref().map_or(Ok(false), |payload| is_unchanged(conn, payload))?,
            countersigned: verified.and_then(|verified| verified.hub?.received),
            photos: count_of(payload.map_or(0, |payload| payload.evidence.len())),
        })
    };
    rows.into_iter().map(report).collect()
}

/// Whether the tablet shows today what was sealed.
fn is_unchanged(conn: &Connection, payload: &SealPayload) -> Result<bool, StoreError> {
    for check in &payload.checks {
        let registers = replica::registers(conn, check.id.0)?;
        let amendments = sealed_amendments(&log::rare_ops_of(conn, check.id.0, Kind::Amend)?);
        let amended = check.amendments.iter().all(|sealed| amendments.contains(sealed));
        if !amended || !same_revs(&check.revs, &registers) || answers_in(&registers) != check.answers {
            return Ok(false);
        }
    }
    for finding in &payload.findings {
        let mut revs = finding.revs.clone();
        revs.retain(|field, _| !follows_from_id(entity::FINDING, field));
        if !same_revs(&revs, &replica::registers(conn, finding.id.0)?) {
            return Ok(false);
        }
    }
    // What came since stands beside it; what is gone was signed.
    let mut shown = BTreeSet::new();
    for check in &payload.checks {
        shown.extend(evidence_of(conn, check.id)?.into_iter().map(|held| held.evidence.sha256));
    }
    Ok(payload.evidence.iter().all(|sealed| shown.contains(sealed)))
}

fn same_revs(sealed: &BTreeMap<String, Uuid>, registers: &BTreeMap<String, Register>) -> bool {
    let shown = |field: &String| Some(registers.get(field)?.shown()?.rev);
    sealed.iter().all(|(field, rev)| shown(field) == Some(*rev))
}
