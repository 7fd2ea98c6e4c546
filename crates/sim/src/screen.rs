//! A check as a tablet's screen shows it, and what people write there: from what they saw, which may not be what is there by
//! then.

use crate::disk::untracked;
use crate::effects::{Effect, happens};
use crate::estate;
use rusqlite::Connection;
use standpipe_device::engine::Engine;
use standpipe_device::error::Error;
use standpipe_device::store::StoreError;
use standpipe_domain::answer::{Answer, Outcome};
use standpipe_domain::finding::Severity;
use standpipe_domain::record::entity;
use standpipe_domain::tablet::{CheckView, FieldConflict, NewAnswer, NewFinding};
use standpipe_oplog::op::{Kind, Op, Resolve};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What somebody says of a finding.
const WORDS: [&str; 3] = ["rust", "leaks", "loose"];

pub struct Screen {
    pub view: CheckView,
    /// How far the tablet's log went when it was drawn.
    drawn: i64,
}

impl Screen {
    /// What it shows now.
    pub fn draw(engine: &Engine, stop: usize) -> Result<Self, Error> {
        let drawn = end_of_log(engine)?;
        Ok(Self { view: engine.check(estate::check(stop))?, drawn })
    }

    pub fn answer(&self, engine: &Engine, item: &str, fails: bool) -> Result<(), Error> {
        let (answer, seen) = (given(engine, fails), self.view.seen(&format!("answer:{item}")));
        engine.answer(&NewAnswer { check: self.view.id, item: item.to_owned(), answer, seen }).map(drop)
    }

    /// Says how bad it is that an item fails: this one, or another where this does not, for the screen offers no other.
    pub fn say(&self, engine: &Engine, item: &str, words: u64) -> Result<(), Error> {
        let fails =
            |item: &str| self.view.answers.get(item).is_some_and(|answer| answer.outcome == Outcome::Fail);
        let other = self.view.answers.keys().find(|item| fails(item)).filter(|_| !fails(item));
        let words = usize::try_from(words).ok().and_then(|which| WORDS.get(which)).unwrap_or(&WORDS[0]);
        self.tell(engine, other.map_or(item, String::as_str), Severity::Serious, words)
    }

    /// Says something of a finding.
    pub fn tell(&self, engine: &Engine, item: &str, severity: Severity, words: &str) -> Result<(), Error> {
        let seen = ["severity", "words"].iter().flat_map(|field| self.view.seen(&format!("{field}:{item}")));
        let new = NewFinding {
            check: self.view.id,
            item: item.to_owned(),
            severity: Some(severity),
            words: Some(words.to_owned()),
            seen: seen.collect(),
        };
        engine.finding(&new).map(drop)
    }

    /// Settles the first conflict that it shows.
    pub fn choose(&self, engine: &Engine) -> Result<(), Error> {
        let Some(conflict) = self.view.conflicts.first() else { return Ok(()) };
        let Some(side) = conflict.sides.last() else { return Ok(()) };
        engine.resolve(self.view.id, &conflict.field, &side.rev, &conflict.revs()).map(drop)
    }

    /// What was written behind `before` replaces what this showed, and what the tablet itself wrote since: nothing else that
    /// came in between, which nobody saw. An operation that does, if there is one.
    pub fn replaces_unseen(&self, engine: &Engine, before: i64) -> Result<Option<Uuid>, StoreError> {
        let written = look(engine, |conn| since(conn, self.drawn))?;
        let sides = self.view.conflicts.iter().flat_map(FieldConflict::revs);
        let mut seen: BTreeSet<Uuid> = self.view.revs.values().flatten().copied().chain(sides).collect();
        seen.extend(written.iter().filter(|(_, is_own, _)| *is_own).map(|(_, _, op)| op.op_id));
        let mut own = written.iter().filter(|(seq, is_own, _)| *is_own && *seq > before).map(|(.., op)| op);
        let is_news = |op: &Op| {
            let news = written.iter().filter(|(_, is_own, _)| !*is_own).map(|(.., news)| news);
            news.into_iter().any(|news| news.id == op.id && news.field == op.field)
        };
        if own.clone().any(|op| [entity::CHECK, entity::FINDING].contains(&op.entity.as_str()) && is_news(op))
        {
            happens(Effect::WrittenUnseen);
        }
        Ok(own.find(|op| !replaced(op).is_subset(&seen)).map(|op| op.op_id))
    }
}

/// What an operation replaces.
fn replaced(op: &Op) -> BTreeSet<Uuid> {
    let saw = || serde_json::from_value::<Resolve>(op.value.clone()).map(|resolve| resolve.saw);
    let several = if op.kind == Kind::Resolve { saw().unwrap_or_default() } else { Vec::new() };
    op.base_rev.into_iter().chain(several).collect()
}

/// Where a tablet's log ends.
pub fn end_of_log(engine: &Engine) -> Result<i64, StoreError> {
    let sql = "SELECT coalesce(max(seq), 0) FROM op";
    look(engine, |conn| conn.prepare_cached(sql)?.query_row([], |row| row.get(0)))
}

/// Reads a tablet's database, as nobody does whose machine it is.
fn look<T>(engine: &Engine, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
    untracked(|| engine.store().read("looking as the oracle", |conn| read(conn).map_err(StoreError::from)))
}

/// The operations behind a place of the log, and whether the tablet's own.
fn since(conn: &Connection, seq: i64) -> rusqlite::Result<Vec<(i64, bool, Op)>> {
    let sql = "SELECT seq, incarnation IS NOT NULL, body FROM op WHERE seq > ?1 ORDER BY seq";
    let mut rows = conn.prepare_cached(sql)?;
    let rows = rows.query_map([seq], |row| {
        let body: String = row.get(2)?;
        let op = serde_json::from_str(&body);
        let op = op.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok((row.get(0)?, row.get(1)?, op))
    })?;
    rows.collect()
}

/// An answer without anything besides.
pub fn given(engine: &Engine, fails: bool) -> Answer {
    let outcome = if fails { Outcome::Fail } else { Outcome::Pass };
    Answer { outcome, reading: None, choice: None, note: String::new(), at: engine.store().world().now() }
}
