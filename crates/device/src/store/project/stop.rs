//! Stops, findings, signatures.

use super::state::State;
use super::{delete, json};
use crate::store::fault::StoreError;
use crate::store::query::{evidence_of, finding_conflicts};
use crate::store::sql::Word;
use crate::store::{log, replica};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use standpipe_domain::answer::{Answer, Outcome, Tally};
use standpipe_domain::checklist;
use standpipe_domain::finding::lacks;
use standpipe_domain::record::{Finding, finding_id};
use standpipe_domain::round::Check;
use standpipe_oplog::op::Kind;
use standpipe_oplog::seal::SealPayload;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The row of a check, with the counts that lists show.
pub fn stop(conn: &Connection, id: Uuid, state: &State<'_>) -> Result<(), StoreError> {
    let Some(check) = state.record::<Check>() else {
        return delete(conn, "DELETE FROM stop WHERE id = ?1", id);
    };
    let answer = |(item, value)| Some((item, Answer::deserialize(value).ok()?.outcome));
    let outcomes: Vec<(&str, Outcome)> = state.answers().filter_map(answer).collect();
    let evidence = evidence_of(conn, check.id)?;
    let fails = |one: &&(&str, Outcome)| one.1 == Outcome::Fail;
    let failed: Vec<&str> = outcomes.iter().filter(fails).map(|(item, _)| *item).collect();
    let mut incomplete = 0;
    for item in &failed {
        let photos = evidence.iter().filter(|one| one.item() == Some(item)).count();
        incomplete += usize::from(!is_complete(conn, finding_id(check.id, item).0, photos)?);
    }
    let tally = Tally::of(checklist::find(&check.checklist), outcomes);
    let sealed = replica::is_sealed(conn, id)?;
    let mut in_conflict = state.in_conflict;
    for item in &failed {
        let found = finding_conflicts(conn, check.id, item)?;
        in_conflict += found.iter().filter(|(_, register)| register.in_conflict()).count();
    }
    // Two rows of one check never stand side by side: the route may have changed.
    conn.prepare_cached("DELETE FROM stop WHERE id = ?1 AND (round <> ?2 OR ord <> ?3)")?
        .execute(params![id, check.round.0, check.order])?;
    conn.prepare_cached(
        "INSERT INTO stop (round, ord, id, asset, checklist, version, items, answered, failed, incomplete,
             in_conflict, photos, sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (round, ord, id) DO UPDATE SET asset = ?4, checklist = ?5, version = ?6, items = ?7,
             answered = ?8, failed = ?9, incomplete = ?10, in_conflict = ?11, photos = ?12, sealed = ?13",
    )?
    .execute(params![
        check.round.0,
        check.order,
        id,
        check.asset.0,
        check.checklist.id,
        check.checklist.version,
        tally.items,
        tally.answered,
        tally.failed,
        incomplete,
        in_conflict,
        evidence.len(),
        sealed
    ])?;
    Ok(())
}

fn is_complete(conn: &Connection, finding: Uuid, photos: usize) -> Result<bool, StoreError> {
    let words: Option<String> = conn
        .prepare_cached("SELECT words FROM finding WHERE id = ?1 AND severity IS NOT NULL")?
        .query_row([finding], |row| row.get(0))
        .optional()?;
    Ok(words.is_some_and(|words| lacks(&words, photos).is_empty()))
}

/// The row of a finding. Gives the checks whose counts changed with it.
pub fn finding(conn: &Connection, id: Uuid, state: &State<'_>) -> Result<BTreeSet<Uuid>, StoreError> {
    let before: Option<Uuid> = conn
        .prepare_cached("SELECT check_id FROM finding WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    let mut checks: BTreeSet<Uuid> = before.into_iter().collect();
    match state.record::<Finding>() {
        Some(finding) => {
            conn.prepare_cached(
                "INSERT OR REPLACE INTO finding (id, check_id, item, severity, words) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![id, finding.check.0, finding.item, finding.severity.map(Word), finding.words])?;
            checks.insert(finding.check.0);
        }
        None => delete(conn, "DELETE FROM finding WHERE id = ?1", id)?,
    }
    Ok(checks)
}

/// The row of a signature.
pub fn sign_off(conn: &Connection, id: Uuid) -> Result<(), StoreError> {
    let seals = log::rare_ops_of(conn, id, Kind::Seal)?;
    let payload = seals.iter().find_map(|op| SealPayload::of(&op.value));
    let Some(payload) = payload.filter(|payload| payload.sign_off.0 == id) else {
        return delete(conn, "DELETE FROM sign_off WHERE id = ?1", id);
    };
    let SealPayload { round, unit, name, objection, strokes, at, checks, evidence, .. } = payload;
    let amendments: Vec<Uuid> =
        checks.into_iter().flat_map(|check| check.amendments).map(|amended| amended.rev).collect();
    conn.prepare_cached(
        "INSERT OR REPLACE INTO sign_off (id, round, unit, name, objection, strokes, at, evidence, amendments)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        id,
        round.0,
        unit.0,
        name,
        objection,
        json(&strokes)?,
        at.0,
        json(&evidence)?,
        json(&amendments)?
    ])?;
    Ok(())
}
