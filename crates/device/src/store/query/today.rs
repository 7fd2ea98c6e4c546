//! The first screen.

use super::common::{count, site};
use super::round::{line, round_record};
use super::seal;
use crate::identity::Identity;
use crate::store::fault::StoreError;
use crate::world::day;
use jiff::ToSpan;
use jiff::civil::Date;
use rusqlite::Connection;
use standpipe_domain::ids::{Millis, RoundId};
use standpipe_domain::round::RoundState;
use standpipe_domain::sync::SyncLine;
use standpipe_domain::tablet::{RoundLine, Today};

/// For how many days a signed round stays on the first screen.
const STAYS: i32 = 14;
/// Signed rounds are shown on the first screen as long as there are no more rounds than this.
const SHOWN: usize = 200;

/// The first screen on the day `today`.
pub fn today(
    conn: &Connection,
    identity: Option<&Identity>,
    today: Date,
    sync: SyncLine,
) -> Result<Today, StoreError> {
    let site = match identity {
        None => None,
        Some(identity) => {
            Some(site(conn, identity.site)?.map_or_else(|| identity.site_name.clone(), |(name, _)| name))
        }
    };
    let (to_recheck, open_issues) = conn
        .prepare_cached(
            "SELECT sum(status = 'claimed-done'), sum(status NOT IN ('verified', 'closed')) FROM issue",
        )?
        .query_row([], |row| Ok((count(row, 0)?, count(row, 1)?)))?;
    Ok(Today {
        site,
        person: identity.map(|identity| identity.person_name.clone()),
        date: today,
        rounds: rounds(conn, today)?,
        to_recheck,
        open_issues,
        sync,
        rescue: None,
    })
}

/// Rounds that are not finished, soonest due first; then those that were signed lately.
fn rounds(conn: &Connection, today: Date) -> Result<Vec<RoundLine>, StoreError> {
    let amended = seal::amended_rounds(conn)?;
    // Who was asked to sign and has: such a round is finished, and its stops need no counting, unless it was amended.
    let mut statement = conn.prepare_cached(
        "SELECT id, json_array_length(sign_off_of),
             (SELECT count(DISTINCT unit) FROM sign_off WHERE round = round.id),
             (SELECT max(at) FROM sign_off WHERE round = round.id)
         FROM round ORDER BY due, id",
    )?;
    let mut rows = statement.query([])?;
    let (mut open, mut signed) = (Vec::new(), Vec::new());
    let since = today.checked_sub(STAYS.days()).unwrap_or(today);
    while let Some(row) = rows.next()? {
        let id = RoundId(row.get(0)?);
        let (to_sign, have): (u32, u32) = (row.get(1)?, row.get(2)?);
        let last = row.get::<_, Option<i64>>(3)?.map(|at| day(Millis(at)));
        if to_sign > 0 && have >= to_sign && last.is_some_and(|last| last < since) && !amended.contains(&id) {
            continue;
        }
        let Some(round) = round_record(conn, id)? else { continue };
        let line = line(conn, &round, today)?;
        if line.state != RoundState::Signed {
            open.push(line);
        } else if last.unwrap_or(round.due) >= since {
            signed.push(line);
        }
    }
    // What is to be done is never left out.
    let room = SHOWN.saturating_sub(open.len());
    open.extend(signed.into_iter().rev().take(room));
    Ok(open)
}
