//! Issues: what the office tracks, as the tablet shows it.

use super::asset;
use super::check::answer_now;
use super::common::{day, person_name, site, unit_name, words};
use super::evidence::{evidence_of, held_view, members_of};
use crate::identity::Identity;
use crate::store::fault::StoreError;
use crate::store::replica;
use crate::store::sql::{Json, Word};
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, Row as SqlRow};
use serde::Deserialize;
use standpipe_domain::answer::Outcome;
use standpipe_domain::asset::AssetLine;
use standpipe_domain::checklist::ChecklistRef;
use standpipe_domain::evidence::EvidenceView;
use standpipe_domain::finding::Severity;
use standpipe_domain::ids::{AssetId, CheckId, FindingId, IssueId, Millis, PersonId, RoundId, UnitId};
use standpipe_domain::issue::{IssueLine, IssueView, Mover, Solution, Status, StatusSide, TimelineEntry};
use standpipe_domain::record::{entity, set};
use standpipe_domain::words::Words;
use uuid::Uuid;

/// The row of an issue.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub id: IssueId,
    number: u32,
    title: Words,
    severity: Severity,
    pub status: Status,
    finding: Option<FindingId>,
    round: Option<RoundId>,
    words: String,
    unit: Option<UnitId>,
    person: Option<PersonId>,
    deadline: Option<Date>,
    solution: Option<Solution>,
    pub claimed_by: Option<PersonId>,
    changed: Millis,
}

impl Row {
    fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        let id = |at: usize| row.get::<_, Option<Uuid>>(at);
        let deadline: Option<String> = row.get(11)?;
        Ok(Self {
            id: IssueId(row.get(0)?),
            number: row.get(1)?,
            title: words(row, 2)?,
            severity: row.get::<_, Word<_>>(4)?.0,
            status: row.get::<_, Word<_>>(5)?.0,
            finding: id(6)?.map(FindingId),
            round: id(7)?.map(RoundId),
            words: row.get(8)?,
            unit: id(9)?.map(UnitId),
            person: id(10)?.map(PersonId),
            deadline: deadline.map(|_| day(row, 11)).transpose()?,
            solution: row.get::<_, Option<Json<_>>>(12)?.map(|solution| solution.0),
            claimed_by: id(13)?.map(PersonId),
            changed: Millis(row.get(14)?),
        })
    }
}

macro_rules! issue_columns {
    () => {
        "SELECT id, number, title_zh, title_en, severity, status, finding, round, words, unit, person, deadline,
             solution, claimed_by, changed FROM issue "
    };
}

/// The row of an issue; `None` for one that is not known.
pub fn issue_row(conn: &Connection, id: IssueId) -> Result<Option<Row>, StoreError> {
    let row = conn
        .prepare_cached(concat!(issue_columns!(), "WHERE id = ?1"))?
        .query_row([id.0], Row::read)
        .optional()?;
    Ok(row)
}

/// All issues of the site: those that are not over first, then the newest change first.
pub fn issues(conn: &Connection, identity: &Identity, today: Date) -> Result<Vec<IssueLine>, StoreError> {
    let mut rows: Vec<Row> =
        conn.prepare_cached(issue_columns!())?.query_map([], Row::read)?.collect::<Result<_, _>>()?;
    rows.sort_by_key(|row| (row.status.is_over(), std::cmp::Reverse((row.changed, row.number))));
    let code = site(conn, identity.site)?.map(|(_, code)| code).unwrap_or_default();
    rows.iter().map(|row| line(conn, row, &code, today)).collect()
}

fn line(conn: &Connection, row: &Row, code: &str, today: Date) -> Result<IssueLine, StoreError> {
    let asset = match row.finding {
        Some(finding) => asset_of(conn, finding)?,
        None => None,
    };
    let (asset, path) = asset.map_or((None, Vec::new()), |asset| (Some(asset.name), asset.path));
    Ok(IssueLine {
        id: row.id,
        number: format!("{code}-{}", row.number),
        title: row.title.clone(),
        words: row.words.clone(),
        finding: row.finding,
        severity: row.severity,
        status: row.status,
        unit: row.unit.map(|unit| unit_name(conn, unit)).transpose()?,
        person: row.person.map(|person| person_name(conn, person)).transpose()?,
        deadline: row.deadline,
        overdue: row.status.is_overdue(row.deadline, today),
        withdrawn: row.finding.map_or(Ok(false), |finding| is_withdrawn(conn, finding))?,
        path,
        asset,
        changed: row.changed,
    })
}

fn asset_of(conn: &Connection, finding: FindingId) -> Result<Option<AssetLine>, StoreError> {
    let stop: Option<(Uuid, ChecklistRef)> = conn
        .prepare_cached(
            "SELECT asset, checklist, version FROM stop WHERE id = (SELECT check_id FROM finding WHERE id = ?1)",
        )?
        .query_row([finding.0], |row| {
            Ok((row.get(0)?, ChecklistRef { id: row.get(1)?, version: row.get(2)? }))
        })
        .optional()?;
    stop.map(|(id, reference)| asset::of_stop(conn, AssetId(id), &reference)).transpose()
}

/// An issue with everything that happened to it; `None` for one that is not known.
pub fn issue(
    conn: &Connection,
    id: IssueId,
    identity: &Identity,
    mover: Mover<'_>,
    today: Date,
) -> Result<Option<IssueView>, StoreError> {
    let Some(row) = issue_row(conn, id)? else { return Ok(None) };
    let code = site(conn, identity.site)?.map(|(_, code)| code).unwrap_or_default();
    let timeline = replica::members(conn, id.0, set::TIMELINE)?;
    let mut before = found(conn, row.finding)?;
    before.extend(photos(conn, id, set::PHOTOS)?);
    Ok(Some(IssueView {
        outside: None,
        line: line(conn, &row, &code, today)?,
        statuses: statuses(conn, id)?,
        before,
        after: photos(conn, id, set::PROOF)?,
        timeline: timeline
            .into_iter()
            .filter_map(|side| TimelineEntry::deserialize(side.value).ok())
            .collect(),
        next_steps: mover.next_steps(row.status, row.claimed_by),
        round: row.round,
        unit_id: row.unit,
        person_id: row.person,
        solution: row.solution,
    }))
}

/// Every status that stands, the shown one first.
fn statuses(conn: &Connection, id: IssueId) -> Result<Vec<StatusSide>, StoreError> {
    let mut statuses = Vec::new();
    for side in replica::register(conn, id.0, "status")?.sides {
        // One of a later version is not shown, so that nobody takes a step over it.
        let Ok(status) = Status::deserialize(&side.value) else { continue };
        statuses.push(StatusSide { rev: side.rev, status, by: person_name(conn, side.actor)? });
    }
    Ok(statuses)
}

/// The number that people call an issue by; `None` for one that is not known.
pub fn number(conn: &Connection, id: IssueId) -> Result<Option<String>, StoreError> {
    let number = conn
        .prepare_cached("SELECT code, number FROM issue, site WHERE issue.id = ?1")?
        .query_row([id.0], |row| Ok(format!("{}-{}", row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    Ok(number)
}

/// The item of a check that a finding is about.
pub fn item_of(conn: &Connection, finding: FindingId) -> Result<Option<(CheckId, String)>, StoreError> {
    let item = conn
        .prepare_cached("SELECT check_id, item FROM finding WHERE id = ?1")?
        .query_row([finding.0], |row| Ok((CheckId(row.get(0)?), row.get(1)?)))
        .optional()?;
    Ok(item)
}

/// Whether the item that a finding is about does not fail any more.
fn is_withdrawn(conn: &Connection, finding: FindingId) -> Result<bool, StoreError> {
    let Some((check, item)) = item_of(conn, finding)? else { return Ok(false) };
    Ok(answer_now(conn, check, &item)?.is_some_and(|answer| answer.outcome != Outcome::Fail))
}

/// The photos of the failed item that an issue was opened for.
fn found(conn: &Connection, finding: Option<FindingId>) -> Result<Vec<EvidenceView>, StoreError> {
    let item = finding.map(|finding| item_of(conn, finding)).transpose()?.flatten();
    let Some((check, item)) = item else { return Ok(Vec::new()) };
    let held = evidence_of(conn, check)?.into_iter().filter(|held| held.item() == Some(&item));
    held.map(|held| held_view(conn, &held)).collect()
}

fn photos(conn: &Connection, id: IssueId, field: &str) -> Result<Vec<EvidenceView>, StoreError> {
    let held = members_of(conn, entity::ISSUE, id.0, field)?.into_iter();
    held.map(|held| held_view(conn, &held)).collect()
}
