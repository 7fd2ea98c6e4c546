//! Site, places, assets, people, rounds.

use super::state::State;
use super::{delete, json};
use crate::store::fault::StoreError;
use crate::store::query::place_path;
use crate::store::sql::Word;
use rusqlite::{Connection, OptionalExtension, params};
use standpipe_domain::asset::Asset;
use standpipe_domain::people::{Person, ResponsibleUnit};
use standpipe_domain::place::Place;
use standpipe_domain::record::Site;
use standpipe_domain::round::Round;
use standpipe_domain::search::pairs;
use standpipe_domain::words::Words;
use uuid::Uuid;

pub fn site(conn: &Connection, id: Uuid, state: &State<'_>) -> Result<(), StoreError> {
    let Some(site) = state.record::<Site>() else {
        return delete(conn, "DELETE FROM site WHERE id = ?1", id);
    };
    conn.prepare_cached("INSERT OR REPLACE INTO site (id, name_zh, name_en, code) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![id, site.name.zh, site.name.en, site.code])?;
    Ok(())
}

pub fn place(conn: &Connection, id: Uuid, state: &State<'_>) -> Result<(), StoreError> {
    match state.record::<Place>() {
        None => delete(conn, "DELETE FROM place WHERE id = ?1", id)?,
        Some(place) => {
            conn.prepare_cached(
                "INSERT OR REPLACE INTO place (id, kind, parent, name_zh, name_en, level)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                id,
                Word(place.kind),
                place.parent.map(|parent| parent.0),
                place.name.zh,
                place.name.en,
                place.level
            ])?;
        }
    }
    // The path of whatever stands below has changed with it.
    let below: Vec<AssetText> = conn
        .prepare_cached(
            "WITH RECURSIVE below (id, depth) AS (
                 SELECT ?1, 0 UNION SELECT place.id, depth + 1 FROM place JOIN below ON parent = below.id
                 WHERE depth < 32)
             SELECT num, place, name_zh, name_en, tag FROM asset
             WHERE place IN (SELECT id FROM below)",
        )?
        .query_map([id], |row| {
            let name = Words::new(row.get::<_, String>(2)?, row.get::<_, String>(3)?);
            Ok(AssetText { num: row.get(0)?, place: row.get(1)?, name, tag: row.get(4)? })
        })?
        .collect::<Result<_, _>>()?;
    below.iter().try_for_each(|text| index(conn, text))
}

/// What an asset is found by.
pub struct AssetText {
    num: i64,
    place: Uuid,
    name: Words,
    tag: String,
}

/// The row of an asset. Gives what is to be put into the full-text index by [`index`].
pub fn asset(conn: &Connection, id: Uuid, state: &State<'_>) -> Result<Option<AssetText>, StoreError> {
    let Some(asset) = state.record::<Asset>() else {
        let num: Option<i64> = conn
            .prepare_cached("DELETE FROM asset WHERE id = ?1 RETURNING num")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        if let Some(num) = num {
            conn.prepare_cached("DELETE FROM asset_text WHERE rowid = ?1")?.execute([num])?;
        }
        return Ok(None);
    };
    let num: i64 = conn
        .prepare_cached(
            "INSERT INTO asset (num, id, kind, place, name_zh, name_en, tag, facts)
             VALUES ((SELECT min(seq) FROM op WHERE id = ?1), ?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (id) DO UPDATE SET kind = ?2, place = ?3, name_zh = ?4, name_en = ?5, tag = ?6, facts = ?7
             RETURNING num",
        )?
        .query_row(
            params![id, Word(asset.kind), asset.place.0, asset.name.zh, asset.name.en, asset.tag, json(&asset.facts)?],
            |row| row.get(0),
        )?;
    Ok(Some(AssetText { num, place: asset.place.0, name: asset.name, tag: asset.tag }))
}

/// Puts an asset into the full-text index, in place of what stood there.
pub fn index(conn: &Connection, text: &AssetText) -> Result<(), StoreError> {
    let AssetText { num, place, name, tag } = text;
    let path = place_path(conn, *place)?;
    // Run together, so that 4栋33层 finds what stands on floor 33 of building 4.
    let zh: String = path.iter().map(|name| name.zh.as_str()).collect();
    let en: String = path.iter().map(|name| name.en.as_str()).collect();
    conn.prepare_cached("DELETE FROM asset_text WHERE rowid = ?1")?.execute([num])?;
    conn.prepare_cached(
        "INSERT INTO asset_text (rowid, name_zh, name_en, tag, path) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        num,
        pairs(&name.zh),
        pairs(&name.en),
        pairs(tag),
        format!("{} {}", pairs(&zh), pairs(&en))
    ])?;
    Ok(())
}

pub fn unit(conn: &Connection, id: Uuid, state: &State<'_>) -> Result<(), StoreError> {
    let Some(unit) = state.record::<ResponsibleUnit>() else {
        return delete(conn, "DELETE FROM unit WHERE id = ?1", id);
    };
    conn.prepare_cached("INSERT OR REPLACE INTO unit (id, level, name_zh, name_en) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![id, Word(unit.level), unit.name.zh, unit.name.en])?;
    Ok(())
}

pub fn person(conn: &Connection, id: Uuid, state: &State<'_>) -> Result<(), StoreError> {
    let Some(person) = state.record::<Person>() else {
        return delete(conn, "DELETE FROM person WHERE id = ?1", id);
    };
    conn.prepare_cached("INSERT OR REPLACE INTO person (id, name, unit, roles) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![id, person.name, person.unit.0, json(&person.roles)?])?;
    Ok(())
}

pub fn round(conn: &Connection, id: Uuid, state: &State<'_>) -> Result<(), StoreError> {
    let Some(round) = state.record::<Round>() else {
        return delete(conn, "DELETE FROM round WHERE id = ?1", id);
    };
    conn.prepare_cached(
        "INSERT OR REPLACE INTO round (id, kind, title_zh, title_en, due, reason, present, sign_off_of)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        id,
        Word(round.kind),
        round.title.zh,
        round.title.en,
        round.due.to_string(),
        round.reason.as_ref().map(json).transpose()?,
        json(&round.present)?,
        json(&round.sign_off_of)?
    ])?;
    Ok(())
}
