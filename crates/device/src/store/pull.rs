//! What the hub numbered, taken in page by page.

use super::chain;
use super::fault::StoreError;
use super::log::{self, Origin};
use super::project::AtHand;
use super::sql::{bits, of_bits};
use super::{Store, Writing, outbox, project, seen};
use rusqlite::{Connection, params};
use standpipe_domain::ids::Millis;
use standpipe_domain::record::entity;
use standpipe_oplog::checksum::Checksum;
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::wire::{Numbered, PullHead};
use std::borrow::Cow;
use uuid::Uuid;

impl Store {
    /// The hub's epoch, once one was met, and the cursor of the next pull.
    pub fn cursor(&self) -> Result<(Option<Uuid>, u64), StoreError> {
        self.read("reading the pull's cursor", |conn| {
            Ok(conn.query_row("SELECT epoch, after FROM pulled", [], |row| Ok((row.get(0)?, row.get(1)?)))?)
        })
    }

    /// Takes a page in, in one transaction, and moves the cursor behind it. Operations that are held already are
    /// numbered, not taken twice. Gives the checksum over everything that the hub has numbered.
    pub fn apply_page(&self, head: &PullHead, page: &[Numbered]) -> Result<u64, StoreError> {
        let sum = self.write_quietly("taking in what the office sent", |writing| {
            let mut sum =
                Checksum(of_bits(writing.query_row("SELECT checksum FROM pulled", [], |row| row.get(0))?));
            let mut taking = Taking::begin(writing)?;
            for one in page {
                if taking.take(one)? {
                    sum = sum + one.checksum();
                }
            }
            taking.finish()?;
            hear(writing, page)?;
            writing
                .prepare_cached("UPDATE pulled SET epoch = ?1, after = ?2, checksum = ?3")?
                .execute(params![head.hub_epoch, head.next, bits(sum.0)])?;
            Ok::<_, StoreError>(sum.0)
        })?;
        if !page.is_empty() {
            self.changed();
        }
        Ok(sum)
    }

    /// Whether all of a page up to `cursor` is held as the hub has it, under the same numbers.
    pub fn holds(&self, page: &[Numbered], cursor: u64) -> Result<bool, StoreError> {
        self.read("looking for what the office sent again", |conn| {
            let sql = "SELECT 1 FROM op WHERE op_id = ?1 AND hub_seq = ?2 AND hub_at = ?3 AND body = ?4";
            let mut same = conn.prepare_cached(sql)?;
            for one in page.iter().take_while(|one| one.seq <= cursor) {
                if !same.exists(params![one.op.op_id, one.seq, one.at.0, one.body])? {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// The office confirmed at `at` that everything had arrived and nothing new was there to fetch.
    pub fn synced_at(&self, at: Millis) -> Result<(), StoreError> {
        self.write_quietly("writing down the time of the sync", |writing| {
            writing.execute("UPDATE pulled SET synced_at = ?1", [at.0])?;
            Ok(())
        })
    }
}

/// What this tablet writes next is later than all of a page.
pub(super) fn hear(writing: &Writing<'_>, page: &[Numbered]) -> Result<(), StoreError> {
    let latest = page.iter().map(|one| one.op.hlc.clamped(one.at)).max().unwrap_or_default();
    if let Some(mut chain) = chain::load(writing)?
        && chain.hlc < latest
    {
        chain.hlc = latest;
        chain::save(writing, &chain)?;
    }
    Ok(())
}

/// A page that is being taken in.
struct Taking<'w, 'c, 'p> {
    writing: &'w mut Writing<'c>,
    at_hand: AtHand<'p>,
    /// Whether the office had set anything aside before.
    any_aside: bool,
}

impl<'w, 'c, 'p> Taking<'w, 'c, 'p> {
    fn begin(writing: &'w mut Writing<'c>) -> Result<Self, StoreError> {
        let any_aside = writing.prepare_cached("SELECT 1 FROM set_aside")?.exists([])?;
        Ok(Self { writing, at_hand: AtHand::default(), any_aside })
    }

    /// Takes one operation in. Whether the hub's number was new.
    fn take(&mut self, one: &'p Numbered) -> Result<bool, StoreError> {
        let hlc = one.op.hlc.clamped(one.at);
        let clamped = hlc != one.op.hlc;
        let op = if clamped { Cow::Owned(Op { hlc, ..one.op.clone() }) } else { Cow::Borrowed(&one.op) };
        // What the office had set aside and has in its log by now, it has taken.
        let counts_again = self.any_aside && seen::took(self.writing, op.op_id)?;
        log::put_receipt(self.writing, one)?;
        let conn: &Connection = self.writing;
        // The site's record tells more than itself, so it is read as ever.
        let is_site = op.entity == entity::SITE;
        let at_hand = &mut self.at_hand;
        let had = !at_hand.knows(op.id) && log::has_any(conn, op.id)?;
        if log::append_new(conn, &op, &one.body, Origin::Hub { seq: one.seq, at: one.at })? {
            if at_hand.count(&one.op, had || is_site) {
                self.writing.touch(&op);
            } else {
                self.writing.apply(&op)?;
            }
            return Ok(true);
        }
        at_hand.forget(op.id);
        take_again(self.writing, one, &op, clamped, counts_again)
    }

    /// Makes the rows of what was taken in.
    fn finish(self) -> Result<(), StoreError> {
        self.writing.project(&self.at_hand)
    }
}

/// Takes in an operation that is held. Whether the hub's number was new.
fn take_again(
    writing: &mut Writing<'_>,
    one: &Numbered,
    op: &Op,
    clamped: bool,
    counts_again: bool,
) -> Result<bool, StoreError> {
    let Some(held) = log::held(writing, op.op_id)? else { return Ok(false) };
    // The number and the time go with the mark that has just come.
    log::numbered(writing, held.seq, one.seq, one.at)?;
    let is_copy = held.body != one.body;
    if is_copy {
        let changed = outbox::adopt(writing, &held, one)?;
        writing.again(&changed)?;
    }
    // Where the sum has counted it already, so have the records.
    let is_new = held.hub_seq.is_none();
    let is_moved = held.hub_at.is_some_and(|at| at != one.at);
    if counts_again || is_moved {
        writing.again(&project::records_of(op))?;
    } else if is_new && !is_copy && (clamped || op.kind == Kind::Seal) {
        writing.apply(op)?;
    }
    Ok(is_new)
}
