//! What the hub numbered, taken in page by page.

use super::chain;
use super::fault::StoreError;
use super::log::{self, Origin};
use super::sql::{bits, of_bits};
use super::{Store, Writing, outbox, project};
use rusqlite::params;
use standpipe_domain::ids::Millis;
use standpipe_oplog::checksum::Checksum;
use standpipe_oplog::clock::Hlc;
use standpipe_oplog::op::Kind;
use standpipe_oplog::wire::{Numbered, PullHead};
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
            let mut seen = Hlc::default();
            for one in page {
                if take(writing, one)? {
                    sum = sum + Checksum::of(one.op.op_id, one.at, &one.body);
                }
                seen = seen.max(one.op.hlc.clamped(one.at));
            }
            if let Some(mut chain) = chain::load(writing)?
                && chain.hlc < seen
            {
                chain.hlc = seen;
                chain::save(writing, &chain)?;
            }
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

    /// The office confirmed at `at` that everything had arrived and nothing new was there to fetch.
    pub fn synced_at(&self, at: Millis) -> Result<(), StoreError> {
        self.write_quietly("writing down the time of the sync", |writing| {
            writing.execute("UPDATE pulled SET synced_at = ?1", [at.0])?;
            Ok(())
        })
    }
}

/// Takes one operation in. Whether the hub's number was new.
fn take(writing: &mut Writing<'_>, one: &Numbered) -> Result<bool, StoreError> {
    let mut op = one.op.clone();
    op.hlc = op.hlc.clamped(one.at);
    let clamped = op.hlc != one.op.hlc;
    // What the office had set aside and has in its log by now, it has taken.
    let counts_again =
        writing.prepare_cached("DELETE FROM set_aside WHERE op_id = ?1")?.execute([op.op_id])? > 0;
    log::put_receipt(writing, one)?;
    let Some(held) = log::held(writing, op.op_id)? else {
        log::append(writing, &op, &one.body, Origin::Hub { seq: one.seq, at: one.at })?;
        writing.apply(&op)?;
        return Ok(true);
    };
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
        writing.again(&project::records_of(&op))?;
    } else if is_new && !is_copy && (clamped || op.kind == Kind::Seal) {
        writing.apply(&op)?;
    }
    Ok(is_new)
}
