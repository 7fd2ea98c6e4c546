//! Issues as the office reads them.

use super::{Scene, evidence};
use crate::store::{IssueQuery, IssueRow, Records, StoreError, answer_now};
use jiff::civil::Date;
use serde::Deserialize;
use standpipe_domain::answer::Outcome;
use standpipe_domain::ids::{IssueId, PersonId};
use standpipe_domain::issue::{IssueLine, IssueView, Mover, Status, StatusSide, TimelineEntry};
use standpipe_domain::office::IssueFilter;
use standpipe_domain::record::set;

pub(super) fn issues(
    records: &mut dyn Records,
    filter: &IssueFilter,
    today: Date,
) -> Result<Vec<IssueLine>, StoreError> {
    let scene = Scene::of(records)?;
    let query = IssueQuery { id: None, status: filter.status, unit: filter.unit };
    let wanted = filter.q.trim().to_lowercase();
    let fits = |line: &IssueLine, row: &IssueRow| {
        let asset = row.asset.iter().flat_map(|asset| [&asset.name.zh, &asset.name.en, &asset.tag]);
        let path = line.path.iter().flat_map(|words| [&words.zh, &words.en]);
        [&line.number, &line.title.zh, &line.title.en, &row.issue.words]
            .into_iter()
            .chain(path)
            .chain(asset)
            .any(|text| text.to_lowercase().contains(&wanted))
    };
    let rows = records.issues(query)?;
    let lines = rows.iter().map(|row| (line(row, &scene, today), row));
    let mut lines: Vec<IssueLine> =
        lines.filter(|(line, row)| fits(line, row)).map(|(line, _)| line).collect();
    for line in &mut lines {
        line.withdrawn = is_withdrawn(records, line)?;
    }
    Ok(lines)
}

/// Whether the item that an issue was opened for does not fail any more.
fn is_withdrawn(records: &mut dyn Records, line: &IssueLine) -> Result<bool, StoreError> {
    let finding = line.finding.map_or(Ok(None), |finding| records.finding(finding))?;
    let Some(finding) = finding else { return Ok(false) };
    let answer = answer_now(records, finding.check, &finding.item)?;
    Ok(answer.is_some_and(|answer| answer.outcome != Outcome::Fail))
}

pub(super) fn one(
    records: &mut dyn Records,
    id: IssueId,
    today: Date,
) -> Result<Option<IssueLine>, StoreError> {
    let row = records.issues(IssueQuery { id: Some(id), ..IssueQuery::default() })?.pop();
    let Some(row) = row else { return Ok(None) };
    let mut line = line(&row, &Scene::of(records)?, today);
    line.withdrawn = is_withdrawn(records, &line)?;
    Ok(Some(line))
}

fn line(row: &IssueRow, scene: &Scene, today: Date) -> IssueLine {
    let issue = &row.issue;
    IssueLine {
        id: issue.id,
        number: format!("{}-{}", scene.code, issue.number),
        title: issue.title.clone(),
        words: issue.words.clone(),
        finding: issue.finding,
        severity: issue.severity,
        status: issue.status,
        unit: issue.unit.map(|unit| scene.unit(unit)),
        person: issue.person.map(|person| scene.person(person)),
        deadline: issue.deadline,
        overdue: issue.status.is_overdue(issue.deadline, today),
        // Said once it is known which lines are wanted.
        withdrawn: false,
        path: row.asset.as_ref().map(|asset| scene.path(asset.place)).unwrap_or_default(),
        asset: row.asset.as_ref().map(|asset| asset.name.clone()),
        changed: row.changed,
    }
}

pub(super) fn issue(
    records: &mut dyn Records,
    id: IssueId,
    asking: PersonId,
    today: Date,
) -> Result<Option<IssueView>, StoreError> {
    let Some(row) = records.issues(IssueQuery { id: Some(id), ..IssueQuery::default() })?.pop() else {
        return Ok(None);
    };
    let scene = Scene::of(records)?;
    let mut before = Vec::new();
    if let Some(finding) = row.issue.finding {
        before.extend(evidence::photos(records, finding.0)?);
    }
    before.extend(evidence::photos(records, id.0)?);
    let roles = records.person(asking)?.map(|person| person.roles).unwrap_or_default();
    let mover = Mover { person: asking, roles: &roles };
    let mut line = line(&row, &scene, today);
    line.withdrawn = is_withdrawn(records, &line)?;
    let issue = row.issue;
    Ok(Some(IssueView {
        next_steps: mover.next_steps(issue.status, issue.claimed_by),
        line,
        statuses: statuses(records, id, &scene)?,
        round: issue.round,
        unit_id: issue.unit,
        person_id: issue.person,
        solution: issue.solution,
        before,
        after: evidence::of(records, id.0, set::PROOF)?,
        timeline: timeline(records, id, &scene)?,
        // That is no matter of records.
        outside: None,
    }))
}

/// Every status that stands, the shown one first.
fn statuses(records: &mut dyn Records, id: IssueId, scene: &Scene) -> Result<Vec<StatusSide>, StoreError> {
    let fields = records.sides(id.0)?.into_iter();
    let sides = fields.filter(|(field, _)| field == "status").flat_map(|(_, sides)| sides);
    // One of a later version is not shown, so that nobody takes a step over it.
    let shown = sides.filter_map(|side| {
        let status = Status::deserialize(&side.value).ok()?;
        Some(StatusSide { rev: side.rev, status, by: scene.person(side.actor) })
    });
    Ok(shown.collect())
}

fn timeline(records: &mut dyn Records, id: IssueId, scene: &Scene) -> Result<Vec<TimelineEntry>, StoreError> {
    let entries = records.members(id.0, set::TIMELINE)?.into_iter().filter_map(|side| {
        let entry: TimelineEntry = serde_json::from_value(side.value).ok()?;
        // Who did it is whoever the operation names and the hub let do it, whatever name was written down.
        Some(TimelineEntry { by: scene.person(side.actor), ..entry })
    });
    Ok(entries.collect())
}
