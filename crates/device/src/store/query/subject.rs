//! What a record is about, as a person knows it.

use super::asset;
use super::check::check_row;
use super::common::words;
use super::issue;
use super::round::round_record;
use crate::store::fault::StoreError;
use rusqlite::{Connection, OptionalExtension};
use standpipe_domain::checklist;
use standpipe_domain::ids::{AssetId, CheckId, FindingId, IssueId, RoundId};
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::record::entity;
use standpipe_domain::sync::Subject;
use standpipe_domain::words::Words;
use uuid::Uuid;

/// The record that a person would look for: a finding stands under its check.
pub fn whole(conn: &Connection, entity: String, id: Uuid) -> Result<(String, Uuid), StoreError> {
    let check = match entity.as_str() {
        entity::FINDING => issue::item_of(conn, FindingId(id))?.map(|(check, _)| check),
        _ => None,
    };
    Ok(check.map_or((entity, id), |check| (entity::CHECK.to_owned(), check.0)))
}

/// What a record is about.
pub fn subject(conn: &Connection, entity: String, id: Uuid) -> Result<Subject, StoreError> {
    let (whole, id) = whole(conn, entity.clone(), id)?;
    let (name, path) = match whole.as_str() {
        entity::CHECK => of_check(conn, CheckId(id))?,
        entity::ASSET => of_asset(conn, AssetId(id))?,
        entity::ISSUE => (issue::number(conn, IssueId(id))?.map(Words::same), Vec::new()),
        entity::ROUND => (round_record(conn, RoundId(id))?.map(|round| round.title), Vec::new()),
        entity::SIGN_OFF => (signed_round(conn, id)?, Vec::new()),
        _ => (None, Vec::new()),
    };
    Ok(Subject { entity, name, path })
}

/// What a field of a check asks; `None` where it is no answer.
pub fn question(conn: &Connection, check: CheckId, field: &str) -> Result<Option<Words>, StoreError> {
    let Some(item) = field.strip_prefix(ANSWER) else { return Ok(None) };
    let list = check_row(conn, check)?.map(|(_, list)| list);
    Ok(list.and_then(|list| Some(checklist::item(&list, item)?.question.clone())))
}

fn of_check(conn: &Connection, check: CheckId) -> Result<(Option<Words>, Vec<Words>), StoreError> {
    let of = conn
        .prepare_cached("SELECT asset FROM stop WHERE id = ?1")?
        .query_row([check.0], |row| row.get(0).map(AssetId))
        .optional()?;
    of.map_or(Ok((None, Vec::new())), |of| of_asset(conn, of))
}

fn of_asset(conn: &Connection, id: AssetId) -> Result<(Option<Words>, Vec<Words>), StoreError> {
    Ok(asset::line(conn, id)?.map_or((None, Vec::new()), |line| (Some(line.name), line.path)))
}

fn signed_round(conn: &Connection, sign_off: Uuid) -> Result<Option<Words>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT title_zh, title_en FROM sign_off JOIN round ON round.id = round WHERE sign_off.id = ?1",
        )?
        .query_row([sign_off], |row| words(row, 0))
        .optional()?)
}
