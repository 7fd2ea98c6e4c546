//! What several questions share.

use crate::identity::{Identity, Seed, Token};
use crate::store::fault::StoreError;
use crate::store::sql::Json;
use crate::store::{chain, log, replica};
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Deserialize;
use standpipe_domain::answer::{Answer, Answers};
use standpipe_domain::ids::{DeviceId, PersonId, SiteId, UnitId};
use standpipe_domain::kept::KeptAgainstDelete;
use standpipe_domain::merge_rule::ANSWER;
use standpipe_domain::people::Role;
use standpipe_domain::place::DEPTH;
use standpipe_domain::words::Words;
use standpipe_oplog::merge::{Register, tombstones};
use standpipe_oplog::op::Kind;
use std::collections::BTreeMap;
use uuid::Uuid;

/// To which office the tablet belongs; `None` until it is enrolled.
pub fn identity(conn: &Connection) -> Result<Option<Identity>, StoreError> {
    let Some(chain) = chain::load(conn)? else { return Ok(None) };
    let identity = conn
        .prepare_cached(
            "SELECT hub, token, device, key, person, person_name, site, site_zh, site_en FROM identity",
        )?
        .query_row([], |row| {
            Ok(Identity {
                hub: row.get(0)?,
                token: Token(row.get(1)?),
                device: DeviceId(row.get(2)?),
                key: Seed(row.get(3)?),
                person: PersonId(row.get(4)?),
                person_name: row.get(5)?,
                site: SiteId(row.get(6)?),
                site_name: words(row, 7)?,
                incarnation: chain.incarnation,
            })
        })
        .optional()?;
    Ok(identity)
}

/// The names from the phase down to a place; the site itself is left out.
pub fn place_path(conn: &Connection, place: Uuid) -> Result<Vec<Words>, StoreError> {
    let path = conn
        .prepare_cached(
            "WITH RECURSIVE up (parent, kind, name_zh, name_en, depth) AS (
                 SELECT parent, kind, name_zh, name_en, 0 FROM place WHERE id = ?1
                 UNION ALL
                 SELECT place.parent, place.kind, place.name_zh, place.name_en, depth + 1
                 FROM place JOIN up ON place.id = up.parent WHERE depth < ?2 - 1)
             SELECT name_zh, name_en FROM up WHERE kind <> 'site' ORDER BY depth DESC",
        )?
        .query_map(params![place, DEPTH], |row| words(row, 0))?
        .collect::<Result<_, _>>()?;
    Ok(path)
}

/// The answers that are shown, out of a check's registers.
pub fn answers_in(registers: &BTreeMap<String, Register>) -> Answers {
    registers
        .iter()
        .filter_map(|(field, register)| {
            let item = field.strip_prefix(ANSWER)?;
            let answer = Answer::deserialize(&register.shown()?.value).ok()?;
            Some((item.to_owned(), answer))
        })
        .collect()
}

/// The site's name and the code before its issues' numbers; absent until the first pull.
pub fn site(conn: &Connection, id: SiteId) -> Result<Option<(Words, String)>, StoreError> {
    let site = conn
        .prepare_cached("SELECT name_zh, name_en, code FROM site WHERE id = ?1")?
        .query_row([id.0], |row| Ok((words(row, 0)?, row.get(2)?)))
        .optional()?;
    Ok(site)
}

/// Two columns, Chinese and English.
pub fn words(row: &Row<'_>, first: usize) -> rusqlite::Result<Words> {
    Ok(Words { zh: row.get(first)?, en: row.get(first + 1)? })
}

/// The name of a unit; its id where the record is not here.
pub fn unit_name(conn: &Connection, id: UnitId) -> Result<Words, StoreError> {
    let name = conn
        .prepare_cached("SELECT name_zh, name_en FROM unit WHERE id = ?1")?
        .query_row([id.0], |row| words(row, 0))
        .optional()?;
    Ok(name.unwrap_or_else(|| Words::same(id.to_string())))
}

/// The name of a person; their id where the record is not here.
pub fn person_name(conn: &Connection, id: PersonId) -> Result<String, StoreError> {
    let name = conn
        .prepare_cached("SELECT name FROM person WHERE id = ?1 UNION ALL SELECT person_name FROM identity WHERE person = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    Ok(name.unwrap_or_else(|| id.to_string()))
}

/// Who deleted a record that has its row all the same, and why it was kept: one that is gone has no row. `None` where
/// nobody deleted it, which a look into an index tells.
pub fn kept(conn: &Connection, id: Uuid) -> Result<Option<KeptAgainstDelete>, StoreError> {
    if !log::has_rare(conn, id, Kind::Delete)? {
        return Ok(None);
    }
    let deletes = log::rare_ops_of(conn, id, Kind::Delete)?;
    let Some(last) = tombstones(&deletes).pop() else { return Ok(None) };
    let (by, signed) = (person_name(conn, last.actor)?, replica::is_sealed(conn, id)?);
    Ok(Some(KeptAgainstDelete { by, at: last.device_time, signed }))
}

/// What the tablet's person may do. Before the first pull brought their record: what an inspector may; the hub asks
/// again on each operation.
pub fn roles(conn: &Connection, id: PersonId) -> Result<Vec<Role>, StoreError> {
    let roles = conn
        .prepare_cached("SELECT roles FROM person WHERE id = ?1")?
        .query_row([id.0], |row| Ok(row.get::<_, Json<_>>(0)?.0))
        .optional()?;
    Ok(roles.unwrap_or_else(|| vec![Role::Inspector]))
}

/// The number of a row's count column.
pub fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u32> {
    Ok(row.get::<_, Option<u32>>(at)?.unwrap_or_default())
}

/// A day, as it stands in a column.
pub fn day(row: &Row<'_>, at: usize) -> rusqlite::Result<Date> {
    row.get_ref(at)?.as_str()?.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, Box::new(error))
    })
}
