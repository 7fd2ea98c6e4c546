//! One check, with everything that its screen shows.

use super::common::{answers_in, day, kept, person_name};
use super::evidence::{Held, evidence_of, held_view};
use super::round::{StopRow, stop_columns};
use super::seal;
use crate::store::fault::StoreError;
use crate::store::sql::Word;
use crate::store::{log, replica};
use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use standpipe_domain::answer::{Answer, Answers, Outcome};
use standpipe_domain::checklist::{self, ChecklistRef};
use standpipe_domain::finding::{FindingView, Severity, lacks};
use standpipe_domain::ids::{AssetId, CheckId, FindingId, RoundId};
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::record::{finding_id, issue_id};
use standpipe_domain::tablet::{Amendment, CheckView, FieldConflict, LastAnswer};
use standpipe_oplog::merge::{Amended, Register, Side, amended_answer, amendments};
use standpipe_oplog::op::Kind;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A check; `None` for one that is not known.
pub fn check(conn: &Connection, id: CheckId) -> Result<Option<CheckView>, StoreError> {
    let row = conn
        .prepare_cached(concat!("SELECT ", stop_columns!(), ", round FROM stop WHERE id = ?1"))?
        .query_row([id.0], |row| Ok((StopRow::read(row)?, RoundId(row.get(10)?))))
        .optional()?;
    let Some((row, round)) = row else { return Ok(None) };
    let checklist = checklist::find(&row.reference);
    let registers = replica::registers(conn, id.0)?;
    let answers = answers_in(&registers);
    let evidence = evidence_of(conn, id)?;
    let failed = |held: &&Held| held.item().and_then(|item| answers.get(item)).is_some_and(is_fail);
    let photos = evidence.iter().filter(|held| !failed(held));
    Ok(Some(CheckView {
        id,
        round,
        stop: row.stop(conn)?,
        last: last_answers(conn, id, row.asset, round)?,
        open_interlocks: checklist.map(|list| list.open_interlocks(&answers)).unwrap_or_default(),
        findings: findings(conn, id, &row.reference, &answers, &evidence)?,
        photos: photos.map(|held| held_view(conn, held)).collect::<Result<_, _>>()?,
        conflicts: conflicts(conn, id, &registers, &answers)?,
        revs: revs(conn, id, &registers, &answers)?,
        sealed: if registers.values().any(|register| register.pin.is_some()) {
            seal::sealed(conn, round)?
        } else {
            None
        },
        amendments: amended(conn, id, round)?,
        reference: row.reference,
        checklist: checklist.cloned(),
        answers,
    }))
}

/// To which round a check belongs, and its checklist; `None` for one that is not known.
pub fn check_row(conn: &Connection, id: CheckId) -> Result<Option<(RoundId, ChecklistRef)>, StoreError> {
    let row = conn
        .prepare_cached("SELECT round, checklist, version FROM stop WHERE id = ?1")?
        .query_row([id.0], |row| {
            Ok((RoundId(row.get(0)?), ChecklistRef { id: row.get(1)?, version: row.get(2)? }))
        })
        .optional()?;
    Ok(row)
}

/// Whether the latest amendment of a sealed item says that it fails: it is a finding then, and wants its proof.
pub fn was_amended_to_fail(conn: &Connection, check: CheckId, item: &str) -> Result<bool, StoreError> {
    let (_, amended) = answer_of(conn, check, item)?;
    Ok(amended.as_ref().is_some_and(is_fail))
}

/// Whether a finding was recorded, and is not gone.
pub fn is_found(conn: &Connection, id: FindingId) -> Result<bool, StoreError> {
    Ok(conn.prepare_cached("SELECT 1 FROM finding WHERE id = ?1")?.exists([id.0])?)
}

/// The answer to an item that is shown, and what amendments make of it.
fn answer_of(
    conn: &Connection,
    check: CheckId,
    item: &str,
) -> Result<(Option<Answer>, Option<Answer>), StoreError> {
    let register = replica::register(conn, check.0, &format!("{ANSWER}{item}"))?;
    let shown = register.shown();
    let amended = amended_answer(&log::rare_ops_of(conn, check.0, Kind::Amend)?, item, shown);
    Ok((shown.and_then(|side| Answer::deserialize(&side.value).ok()), amended))
}

/// The answer that an item has by now: what an amendment says, or else the one that is shown.
pub fn answer_now(conn: &Connection, check: CheckId, item: &str) -> Result<Option<Answer>, StoreError> {
    let (shown, amended) = answer_of(conn, check, item)?;
    Ok(amended.or(shown))
}

fn is_fail(answer: &Answer) -> bool {
    answer.outcome == Outcome::Fail
}

/// The findings of a check: each failed item has one, if only the place for it.
pub fn findings_of(
    conn: &Connection,
    check: CheckId,
    reference: &ChecklistRef,
) -> Result<Vec<FindingView>, StoreError> {
    let answers = answers_in(&replica::registers(conn, check.0)?);
    findings(conn, check, reference, &answers, &evidence_of(conn, check)?)
}

fn findings(
    conn: &Connection,
    check: CheckId,
    reference: &ChecklistRef,
    answers: &Answers,
    evidence: &[Held],
) -> Result<Vec<FindingView>, StoreError> {
    let mut failed: Vec<(&String, &Answer)> = answers.iter().filter(|(_, answer)| is_fail(answer)).collect();
    if let Some(list) = checklist::find(reference) {
        failed.sort_by_key(|(item, _)| list.items.iter().position(|known| known.id == **item));
    }
    let view = |(item, answer): (&String, &Answer)| finding(conn, check, reference, (item, answer), evidence);
    failed.into_iter().map(view).collect()
}

fn finding(
    conn: &Connection,
    check: CheckId,
    reference: &ChecklistRef,
    (item, answer): (&str, &Answer),
    evidence: &[Held],
) -> Result<FindingView, StoreError> {
    let id = finding_id(check, item);
    let row: Option<(Option<Word<Severity>>, String)> = conn
        .prepare_cached("SELECT severity, words FROM finding WHERE id = ?1")?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    // What was deleted, and is the bare place for a photo again, was not kept.
    let kept = if row.is_some() { kept(conn, id.0)? } else { None };
    let (severity, words) = row.unwrap_or_default();
    let own = evidence.iter().filter(|held| held.item() == Some(item));
    let photos: Vec<_> = own.map(|held| held_view(conn, held)).collect::<Result<_, _>>()?;
    let issue = issue_id(id);
    let tracked = conn.prepare_cached("SELECT 1 FROM issue WHERE id = ?1")?.exists([issue.0])?;
    Ok(FindingView {
        id,
        check,
        item: item.to_owned(),
        asked: checklist::item(reference, item).cloned(),
        answer: answer.clone(),
        severity: severity.map_or(Severity::UNSAID, |severity| severity.0),
        lacks: lacks(&words, photos.len()),
        words,
        photos,
        issue: tracked.then_some(issue),
        kept,
    })
}

/// The answers of the last earlier round in which somebody answered this asset's check.
fn last_answers(
    conn: &Connection,
    check: CheckId,
    asset: AssetId,
    round: RoundId,
) -> Result<BTreeMap<String, LastAnswer>, StoreError> {
    let last = conn
        .prepare_cached(
            "SELECT stop.id, before.due FROM stop
             JOIN round AS before ON before.id = stop.round JOIN round AS this ON this.id = ?2
             WHERE asset = ?1 AND stop.id <> ?3 AND answered > 0 AND (before.due, before.id) < (this.due, this.id)
             ORDER BY before.due DESC, before.id DESC LIMIT 1",
        )?
        .query_row(params![asset.0, round.0, check.0], |row| Ok((row.get::<_, Uuid>(0)?, day(row, 1)?)))
        .optional()?;
    let Some((before, on)) = last else { return Ok(BTreeMap::new()) };
    let answers = answers_in(&replica::registers(conn, before)?);
    Ok(answers.into_iter().map(|(item, answer)| (item, LastAnswer { answer, on })).collect())
}

/// Which operations wrote what is shown in the fields of the check, and of the findings of its failed items.
fn revs(
    conn: &Connection,
    check: CheckId,
    registers: &BTreeMap<String, Register>,
    answers: &Answers,
) -> Result<BTreeMap<String, Vec<Uuid>>, StoreError> {
    let answered = registers.iter().filter(|(field, _)| field.starts_with(ANSWER));
    let mut revs: BTreeMap<_, _> =
        answered.map(|(field, register)| (field.clone(), register.shown_revs())).collect();
    for item in answers.iter().filter(|(_, answer)| is_fail(answer)).map(|(item, _)| item) {
        let said = replica::registers(conn, finding_id(check, item).0)?;
        for field in ["severity", "words"] {
            let shown = said.get(field).map(Register::shown_revs).unwrap_or_default();
            revs.insert(format!("{field}:{item}"), shown);
        }
    }
    Ok(revs)
}

/// The fields on which people differ: of the check, and of the findings of its failed items. A finding's field is named
/// with its item behind it.
fn conflicts(
    conn: &Connection,
    check: CheckId,
    registers: &BTreeMap<String, Register>,
    answers: &Answers,
) -> Result<Vec<FieldConflict>, StoreError> {
    let mut all = Vec::new();
    for (field, register) in registers.iter().filter(|(_, register)| register.differs()) {
        all.push(conflict(conn, field, register)?);
    }
    for item in answers.iter().filter(|(_, answer)| is_fail(answer)).map(|(item, _)| item) {
        for (field, register) in finding_conflicts(conn, check, item)? {
            let of_finding = conflict(conn, &field, &register)?;
            all.push(FieldConflict { field: format!("{field}:{item}"), ..of_finding });
        }
    }
    Ok(all)
}

/// The fields of an item's finding on which people differ.
pub fn finding_conflicts(
    conn: &Connection,
    check: CheckId,
    item: &str,
) -> Result<Vec<(String, Register)>, StoreError> {
    let registers = replica::registers(conn, finding_id(check, item).0)?;
    Ok(registers.into_iter().filter(|(_, register)| register.differs()).collect())
}

fn conflict(conn: &Connection, field: &str, register: &Register) -> Result<FieldConflict, StoreError> {
    // Tablets have names at the office only.
    let side = |side: &Side| Ok(side.view(person_name(conn, side.actor)?));
    let sides = register.sides.iter().map(side).collect::<Result<_, StoreError>>()?;
    let base = register.base(field, |rev| log::op(conn, rev))?.as_ref().map(side).transpose()?;
    Ok(FieldConflict { field: field.to_owned(), base, sides })
}

/// The amendments of a check, oldest first.
pub fn amended(conn: &Connection, id: CheckId, round: RoundId) -> Result<Vec<Amendment>, StoreError> {
    let ops = log::rare_ops_of(conn, id.0, Kind::Amend)?;
    if ops.is_empty() {
        return Ok(Vec::new());
    }
    let covered = seal::covered(conn, round)?;
    let view = |amended: &Amended| {
        let by = person_name(conn, amended.side.actor)?;
        Ok(amended.view(by, covered.contains(&amended.side.rev)))
    };
    amendments(&ops).iter().filter_map(|amended| view(amended).transpose()).collect()
}
