//! Issues.

use super::state::State;
use super::{delete, json};
use crate::store::fault::StoreError;
use crate::store::sql::Word;
use rusqlite::{Connection, params};
use standpipe_domain::record::Issue;
use uuid::Uuid;

pub fn issue(conn: &Connection, id: Uuid, state: &State<'_>) -> Result<(), StoreError> {
    let Some(issue) = state.record::<Issue>() else {
        return delete(conn, "DELETE FROM issue WHERE id = ?1", id);
    };
    conn.prepare_cached(
        "INSERT OR REPLACE INTO issue (id, number, title_zh, title_en, severity, status, finding, round, words, unit,
             person, deadline, solution, claimed_by, changed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,
             (SELECT max(at) FROM (SELECT ?15 AS at UNION ALL SELECT at FROM member WHERE id = ?1)))",
    )?
    .execute(params![
        id,
        issue.number,
        issue.title.zh,
        issue.title.en,
        Word(issue.severity),
        Word(issue.status),
        issue.finding.map(|finding| finding.0),
        issue.round.map(|round| round.0),
        issue.words,
        issue.unit.map(|unit| unit.0),
        issue.person.map(|person| person.0),
        issue.deadline.map(|day| day.to_string()),
        issue.solution.as_ref().map(json).transpose()?,
        issue.claimed_by.map(|person| person.0),
        state.changed.0
    ])?;
    Ok(())
}
