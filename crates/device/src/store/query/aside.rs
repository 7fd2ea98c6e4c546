//! What was set aside: what was recorded, about what, and where it can be recorded again.

use super::check::check_row;
use super::common::person_name;
use super::evidence::evidence_in;
use super::issue;
use super::subject::{begun_as, sealed_in, subject};
use crate::store::fault::StoreError;
use crate::store::log;
use crate::store::seen::{IS_GONE, NOWHERE_ELSE};
use crate::store::sql::Hash;
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::Value;
use standpipe_domain::checklist::{self, Item};
use standpipe_domain::ids::{CheckId, FindingId, IssueId, Millis, RoundId};
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::record::entity;
use standpipe_domain::sync::{AsideId, Author, Kept, Recorded, Seen, SetAside, Spot};
use standpipe_oplog::op::Op;
use standpipe_oplog::recorded::recorded;
use uuid::Uuid;

/// Everything that was set aside, the latest first.
pub fn set_aside(conn: &Connection) -> Result<Vec<SetAside>, StoreError> {
    let mut all = records(conn)?;
    all.extend(photos(conn)?);
    all.sort_by_key(|one| std::cmp::Reverse(one.at));
    Ok(all)
}

fn records(conn: &Connection) -> Result<Vec<SetAside>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT code, detail, set_aside.at, body, name, seen_to.at, op_id FROM set_aside LEFT JOIN op USING (op_id)
         LEFT JOIN seen_to ON what = op_id AND stands = 1",
    )?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let code: String = row.get(0)?;
        let nothing = SetAside {
            id: AsideId::Record(row.get(6)?),
            kept: if code == NOWHERE_ELSE { Kept::Here } else { Kept::AtOffice },
            seen: seen(row)?,
            photo: None,
            author: None,
            about: None,
            content: Vec::new(),
            spot: None,
            code,
            detail: row.get(1)?,
            at: Millis(row.get(2)?),
        };
        let body: Option<String> = row.get(3)?;
        // One that cannot be read is said to be there all the same.
        let op = body.and_then(|body| log::parse(&body, None).ok());
        all.push(match op {
            Some(op) => told(conn, nothing, &op)?,
            None => nothing,
        });
    }
    Ok(all)
}

fn photos(conn: &Connection) -> Result<Vec<SetAside>, StoreError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT code, upload.at, body, of, name, seen_to.at FROM upload JOIN op USING (op_id)
         LEFT JOIN seen_to ON what = of AND stands = 1 AND {IS_GONE}
         WHERE role = 'original' AND state = 'set-aside'",
    ))?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let body: String = row.get(2)?;
        let code: String = row.get::<_, Option<_>>(0)?.unwrap_or_default();
        let nothing = SetAside {
            id: AsideId::Photo(row.get::<_, Hash>(3)?.0),
            kept: match code.as_str() {
                "file-missing" => Kept::Lost,
                "file-damaged" => Kept::Spoilt,
                "file-missing-unasked" | "file-damaged-unasked" => Kept::Unasked,
                _ => Kept::Whole,
            },
            seen: seen(row)?,
            photo: Some(evidence_in(&body).map(|evidence| evidence.name).unwrap_or_default()),
            author: None,
            about: None,
            content: Vec::new(),
            spot: None,
            code,
            detail: String::new(),
            at: Millis(row.get(1)?),
        };
        all.push(told(conn, nothing, &log::parse(&body, None)?)?);
    }
    Ok(all)
}

/// Who has seen to it: their name in the fifth column, and when in the sixth.
fn seen(row: &Row<'_>) -> rusqlite::Result<Option<Seen>> {
    let by: Option<String> = row.get(4)?;
    by.map(|by| Ok(Seen { by, at: Millis(row.get(5)?) })).transpose()
}

/// With what is known by the operation.
fn told(conn: &Connection, aside: SetAside, op: &Op) -> Result<SetAside, StoreError> {
    Ok(SetAside {
        author: Some(Author { name: person_name(conn, op.actor)?, at: op.device_time }),
        about: Some(subject(conn, op.entity.clone(), op.id)?),
        content: content(conn, op)?,
        spot: spot(conn, op)?,
        ..aside
    })
}

/// What an operation was to record, each field with what it asks.
fn content(conn: &Connection, op: &Op) -> Result<Vec<Recorded>, StoreError> {
    let told = |(field, value): (String, Value)| {
        let asked = asked(conn, op, &field)?;
        Ok(Recorded { field, asked, value })
    };
    recorded(op).into_iter().map(told).collect()
}

/// The item that a field answers, or that a finding is about.
fn asked(conn: &Connection, op: &Op, field: &str) -> Result<Option<Item>, StoreError> {
    let (check, item) = match op.entity.as_str() {
        entity::CHECK => match field.strip_prefix(ANSWER) {
            Some(item) => (CheckId(op.id), item.to_owned()),
            None => return Ok(None),
        },
        entity::FINDING => match begun_as(conn, FindingId(op.id))? {
            Some(of) => of,
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    let list = check_row(conn, check)?.map(|(_, list)| list);
    Ok(list.and_then(|list| checklist::item(&list, &item).cloned()))
}

/// Where it can be recorded again.
fn spot(conn: &Connection, op: &Op) -> Result<Option<Spot>, StoreError> {
    let (check, item) = match op.entity.as_str() {
        entity::CHECK => (CheckId(op.id), item_of(op)),
        entity::FINDING => match begun_as(conn, FindingId(op.id))? {
            Some((check, item)) => (check, Some(item)),
            None => return Ok(None),
        },
        entity::SIGN_OFF => {
            let round = sealed_in(conn, op.id)?;
            let known = round.map(|round| is_known(conn, round)).transpose()?.unwrap_or_default();
            return Ok(round.filter(|_| known).map(|round| Spot::Sign { round }));
        }
        entity::ISSUE => {
            return Ok(issue::number(conn, IssueId(op.id))?.map(|_| Spot::Issue { id: IssueId(op.id) }));
        }
        _ => return Ok(None),
    };
    let round: Option<Uuid> = conn
        .prepare_cached("SELECT round FROM stop WHERE id = ?1")?
        .query_row([check.0], |row| row.get(0))
        .optional()?;
    Ok(round.map(|round| Spot::Check { round: RoundId(round), check, item }))
}

/// The item of an answer, or of a photo.
fn item_of(op: &Op) -> Option<String> {
    let answered = op.field.as_deref().and_then(|field| field.strip_prefix(ANSWER));
    answered.or_else(|| op.value.get("item")?.as_str()).map(str::to_owned)
}

fn is_known(conn: &Connection, round: RoundId) -> Result<bool, StoreError> {
    Ok(conn.prepare_cached("SELECT 1 FROM round WHERE id = ?1")?.exists([round.0])?)
}
