//! What a record is about, as a person knows it.

use super::asset;
use super::issue;
use super::round::round_record;
use crate::store::fault::StoreError;
use crate::store::log;
use rusqlite::{Connection, OptionalExtension};
use standpipe_domain::ids::{AssetId, CheckId, FindingId, IssueId, RoundId};
use standpipe_domain::record::{Finding, entity, read};
use standpipe_domain::sync::Subject;
use standpipe_domain::words::Words;
use standpipe_oplog::seal::SealPayload;
use uuid::Uuid;

/// The record that a person would look for: a finding stands under its check.
pub fn whole(conn: &Connection, entity: String, id: Uuid) -> Result<(String, Uuid), StoreError> {
    let check = match entity.as_str() {
        entity::FINDING => begun_as(conn, FindingId(id))?.map(|(check, _)| check),
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
        entity::SIGN_OFF => {
            let round = sealed_in(conn, id)?.map(|round| round_record(conn, round)).transpose()?.flatten();
            (round.map(|round| round.title), Vec::new())
        }
        _ => (None, Vec::new()),
    };
    Ok(Subject { entity, name, path })
}

/// The check and the item that a finding is about. What was set aside of it is in the log, and nowhere else.
pub fn begun_as(conn: &Connection, finding: FindingId) -> Result<Option<(CheckId, String)>, StoreError> {
    if let Some(of) = issue::item_of(conn, finding)? {
        return Ok(Some(of));
    }
    let body = first_of(conn, finding.0, "kind = 'set' AND field IS NULL")?;
    let begun = body.and_then(|body| {
        read::<Finding>(finding.0, log::parse(&body, None).ok()?.value.as_object()?.clone()).ok()
    });
    Ok(begun.map(|begun| (begun.check, begun.item)))
}

/// The round that a signature is of, as it says itself.
pub fn sealed_in(conn: &Connection, sign_off: Uuid) -> Result<Option<RoundId>, StoreError> {
    let body = first_of(conn, sign_off, "kind = 'seal'")?;
    let payload = body.and_then(|body| SealPayload::of(&log::parse(&body, None).ok()?.value));
    Ok(payload.map(|payload| payload.round))
}

fn first_of(conn: &Connection, record: Uuid, which: &str) -> Result<Option<String>, StoreError> {
    let sql = format!("SELECT body FROM op WHERE id = ?1 AND {which} ORDER BY seq LIMIT 1");
    Ok(conn.prepare_cached(&sql)?.query_row([record], |row| row.get(0)).optional()?)
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
