//! Assets: finding them, and what was checked on one.

use super::common::{day, place_path, words};
use super::round::stop_columns;
use crate::store::fault::StoreError;
use crate::store::sql::Word;
use rusqlite::{Connection, OptionalExtension, params};
use standpipe_domain::asset::{AssetKind, AssetLine};
use standpipe_domain::checklist::{self, ChecklistRef};
use standpipe_domain::ids::{AssetId, CheckId, RoundId};
use standpipe_domain::round::StopState;
use standpipe_domain::search::phrase;
use standpipe_domain::tablet::{AssetCheck, AssetView};
use standpipe_domain::words::Words;
use uuid::Uuid;

/// More than fit on a screen; who sees so many types another character.
const FOUND: usize = 50;

/// The assets whose names, tag or path hold every word of `text`; one that has it as its tag stands first.
pub fn search(conn: &Connection, text: &str) -> Result<Vec<AssetLine>, StoreError> {
    let phrases: Vec<String> = text.split_whitespace().filter_map(phrase).collect();
    if phrases.is_empty() {
        return Ok(Vec::new());
    }
    let mut found: Vec<Uuid> = conn
        .prepare_cached("SELECT id FROM asset WHERE tag = ?1 COLLATE NOCASE LIMIT ?2")?
        .query_map(params![text.trim(), FOUND], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let matching: Vec<Uuid> = conn
        .prepare_cached(
            "SELECT id FROM asset JOIN (SELECT rowid FROM asset_text WHERE asset_text MATCH ?1 LIMIT ?2) AS hit
             ON asset.num = hit.rowid ORDER BY num",
        )?
        .query_map(params![phrases.join(" AND "), FOUND], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for id in matching {
        if !found.contains(&id) {
            found.push(id);
        }
    }
    found.truncate(FOUND);
    found.into_iter().filter_map(|id| line(conn, AssetId(id)).transpose()).collect()
}

/// An asset with the checks made on it, newest first; `None` for one that is not known.
pub fn asset(conn: &Connection, id: AssetId) -> Result<Option<AssetView>, StoreError> {
    let Some(asset) = line(conn, id)? else { return Ok(None) };
    let checks = conn
        .prepare_cached(&format!(
            "SELECT {}, round, title_zh, title_en, due FROM stop JOIN round ON round.id = round
             WHERE asset = ?1 ORDER BY due DESC, round DESC",
            stop_columns!()
        ))?
        .query_map([id.0], |row| {
            Ok(AssetCheck {
                check: CheckId(row.get(0)?),
                round: RoundId(row.get("round")?),
                title: Words { zh: row.get("title_zh")?, en: row.get("title_en")? },
                due: day(row, row.as_ref().column_index("due")?)?,
                state: StopState::of(row.get("items")?, row.get("answered")?, row.get("failed")?),
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(Some(AssetView { asset, checks }))
}

/// An asset in a list; `None` for one that is not known.
pub fn line(conn: &Connection, id: AssetId) -> Result<Option<AssetLine>, StoreError> {
    let row = conn
        .prepare_cached("SELECT kind, name_zh, name_en, tag, place FROM asset WHERE id = ?1")?
        .query_row([id.0], |row| {
            let kind = row.get::<_, Word<AssetKind>>(0)?.0;
            Ok((
                AssetLine { id, kind, name: words(row, 1)?, tag: row.get(3)?, path: Vec::new() },
                row.get(4)?,
            ))
        })
        .optional()?;
    let Some((line, place)) = row else { return Ok(None) };
    Ok(Some(AssetLine { path: place_path(conn, place)?, ..line }))
}

/// The asset of a stop. One whose record is not here yet is shown by its number, not left out.
pub fn of_stop(conn: &Connection, id: AssetId, reference: &ChecklistRef) -> Result<AssetLine, StoreError> {
    let kind = checklist::kind_of(reference);
    let unknown =
        || AssetLine { id, kind, name: Words::same(id.to_string()), tag: String::new(), path: Vec::new() };
    Ok(line(conn, id)?.unwrap_or_else(unknown))
}
