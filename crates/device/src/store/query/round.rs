//! Rounds: their lines, their routes, what stands in the way of signing.

use super::asset;
use super::check::{amended, findings_of};
use super::common::{answers_in, count, day, kept, site, unit_name, words};
use super::seal;
use crate::store::fault::StoreError;
use crate::store::sql::{Json, Word};
use crate::store::{log, replica};
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, Row};
use standpipe_domain::checklist::{self, ChecklistRef};
use standpipe_domain::ids::{AssetId, CheckId, RoundId, SiteId};
use standpipe_domain::round::{Progress, Round, RoundState, StopState};
use standpipe_domain::signoff::Obstacles;
use standpipe_domain::tablet::{AmendedStop, RoundLine, RoundView, Stop};
use standpipe_domain::words::Words;
use standpipe_oplog::op::Kind;

/// The columns of a stop, as [`StopRow::read`] reads them.
macro_rules! stop_columns {
    () => {
        "stop.id, stop.asset, checklist, version, items, answered, failed, photos, sealed, in_conflict"
    };
}
pub(super) use stop_columns;

/// The row of a stop.
pub(super) struct StopRow {
    pub check: CheckId,
    pub asset: AssetId,
    pub reference: ChecklistRef,
    items: u32,
    answered: u32,
    pub failed: u32,
    photos: u32,
    sealed: bool,
    in_conflict: bool,
}

impl StopRow {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            check: CheckId(row.get(0)?),
            asset: AssetId(row.get(1)?),
            reference: ChecklistRef { id: row.get(2)?, version: row.get(3)? },
            items: row.get(4)?,
            answered: row.get(5)?,
            failed: row.get(6)?,
            photos: row.get(7)?,
            sealed: row.get(8)?,
            in_conflict: row.get::<_, u32>(9)? > 0,
        })
    }

    pub(super) fn stop(&self, conn: &Connection) -> Result<Stop, StoreError> {
        Ok(Stop {
            check: self.check,
            asset: asset::of_stop(conn, self.asset, &self.reference)?,
            state: StopState::of(self.items, self.answered, self.failed),
            items: self.items,
            answered: self.answered,
            failed: self.failed,
            photos: self.photos,
            sealed: self.sealed,
            in_conflict: self.in_conflict,
            kept: kept(conn, self.check.0)?,
            amended: self.sealed && log::has_rare(conn, self.check.0, Kind::Amend)?,
        })
    }
}

/// The record of a round; `None` for one that is not known.
pub fn round_record(conn: &Connection, id: RoundId) -> Result<Option<Round>, StoreError> {
    let round = conn
        .prepare_cached(
            "SELECT kind, title_zh, title_en, due, reason, present, sign_off_of FROM round WHERE id = ?1",
        )?
        .query_row([id.0], |row| {
            Ok(Round {
                id,
                kind: row.get::<_, Word<_>>(0)?.0,
                title: words(row, 1)?,
                due: day(row, 3)?,
                reason: row.get::<_, Option<Json<_>>>(4)?.map(|reason| reason.0),
                present: row.get::<_, Json<_>>(5)?.0,
                sign_off_of: row.get::<_, Json<_>>(6)?.0,
            })
        })
        .optional()?;
    Ok(round)
}

/// A round in a list, as it stands on the day `today`.
pub fn line(conn: &Connection, round: &Round, today: Date) -> Result<RoundLine, StoreError> {
    let signed = seal::units_that_signed(conn, round)?;
    let to_sign = count_of(round.sign_off_of.len());
    let line = conn
        .prepare_cached(
            "SELECT count(*), sum(answered >= items), sum(items), sum(answered), sum(failed) FROM stop WHERE round = ?1",
        )?
        .query_row([round.id.0], |row| {
            let (items, answered) = (count(row, 2)?, count(row, 3)?);
            let progress = Progress { items, answered, to_sign, signed };
            Ok(RoundLine {
                id: round.id,
                title: round.title.clone(),
                kind: round.kind,
                due: round.due,
                state: RoundState::of(progress, round.due, today),
                stops: count(row, 0)?,
                stops_done: count(row, 1)?,
                items,
                answered,
                findings: count(row, 4)?,
                to_sign,
                signed,
            })
        })?;
    Ok(line)
}

pub(super) fn count_of(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What stands in the way of signing a round. One that came before its route has something to be answered, whatever it
/// will be: there is nothing yet that a signature could be under.
pub fn obstacles(conn: &Connection, round: RoundId) -> Result<Obstacles, StoreError> {
    let obstacles = conn
        .prepare_cached(
            "SELECT iif(count(*) = 0, 1, sum(max(items - answered, 0))), sum(incomplete), sum(in_conflict)
             FROM stop WHERE round = ?1",
        )?
        .query_row([round.0], |row| {
            Ok(Obstacles {
                unanswered: count(row, 0)?,
                incomplete: count(row, 1)?,
                in_conflict: count(row, 2)?,
            })
        })?;
    Ok(obstacles)
}

pub(super) fn stop_rows(conn: &Connection, round: RoundId) -> Result<Vec<StopRow>, StoreError> {
    let rows = conn
        .prepare_cached(concat!("SELECT ", stop_columns!(), " FROM stop WHERE round = ?1 ORDER BY ord, id"))?
        .query_map([round.0], StopRow::read)?
        .collect::<Result<_, _>>()?;
    Ok(rows)
}

/// A round as a route; `None` for one that is not known.
pub fn round(
    conn: &Connection,
    id: RoundId,
    at: SiteId,
    today: Date,
) -> Result<Option<RoundView>, StoreError> {
    let Some(round) = round_record(conn, id)? else { return Ok(None) };
    let rows = stop_rows(conn, id)?;
    let mut findings = Vec::new();
    for row in rows.iter().filter(|row| row.failed > 0) {
        findings.extend(findings_of(conn, row.check, &row.reference)?);
    }
    let present = round.present.iter().map(|unit| unit_name(conn, *unit)).collect::<Result<_, _>>()?;
    let sealable = seal::sealable(conn, id)?;
    Ok(Some(RoundView {
        digest: sealable.digest()?,
        photos: count_of(sealable.evidence.len()),
        line: line(conn, &round, today)?,
        sealed_photos: seal::sealed_photos(conn, id)?,
        site: site(conn, at)?.map_or_else(|| Words::same(""), |(name, _)| name),
        present,
        stops: rows.iter().map(|row| row.stop(conn)).collect::<Result<_, _>>()?,
        findings,
        obstacles: obstacles(conn, id)?,
        sign_offs: seal::sign_offs(conn, &round, &sealable)?,
        amendments: amendments(conn, id, &rows)?,
        kept: kept(conn, id.0)?,
        round,
    }))
}

/// What was amended of a round's checks.
fn amendments(conn: &Connection, round: RoundId, rows: &[StopRow]) -> Result<Vec<AmendedStop>, StoreError> {
    let mut all = Vec::new();
    for row in rows.iter().filter(|row| row.sealed) {
        let amended = amended(conn, row.check, round)?;
        if amended.is_empty() {
            continue;
        }
        let asset = asset::of_stop(conn, row.asset, &row.reference)?.name;
        let answers = answers_in(&replica::registers(conn, row.check.0)?);
        all.extend(amended.into_iter().map(|amendment| AmendedStop {
            check: row.check,
            asset: asset.clone(),
            asked: checklist::item(&row.reference, &amendment.item).cloned(),
            was: answers.get(&amendment.item).cloned(),
            amendment,
        }));
    }
    all.sort_by_key(|amended| amended.amendment.at);
    Ok(all)
}
