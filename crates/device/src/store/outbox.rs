//! What the tablet's own chain owes to the hub.

use super::chain::{self, Chain};
use super::fault::{Fault, StoreError};
use super::sql::Hash;
use super::{Store, Writing, backup, blobs, log, project, query};
use crate::identity::Identity;
use rusqlite::{Connection, OptionalExtension, params};
use standpipe_domain::ids::{DeviceId, Sha256, SiteId};
use standpipe_oplog::chain::{START, Written};
use standpipe_oplog::clock::Hlc;
use standpipe_oplog::op::Op;
use standpipe_oplog::replica::Touched;
use standpipe_oplog::wire::{MAX_OPS, MAX_PUSH, MAX_TX, Numbered, Refused};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Which chain is spoken of. A tablet that joins again goes on as another device while an answer about the chain that it
/// had may still be on its way: the same numbers, other operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainId {
    pub device: DeviceId,
    pub incarnation: u32,
}

/// Operations to push: contiguous, in order, within the limits of one push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutBatch {
    pub of: ChainId,
    /// The hash of the operation before the first one here.
    pub prev_hash: Sha256,
    pub bodies: Vec<Box<str>>,
}

/// Where the chain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainState {
    pub id: ChainId,
    pub last_seq: u64,
    pub acknowledged: u64,
    pub durable: u64,
}

impl Store {
    /// To which office the tablet belongs; `None` until it is enrolled.
    pub fn identity(&self) -> Result<Option<Identity>, StoreError> {
        self.read("reading the enrolment", query::identity)
    }

    /// Writes down an enrolment. A tablet that was enrolled before at the same site goes on as the new device:
    /// what was not acknowledged is numbered anew.
    ///
    /// # Errors
    /// `other-site` when the tablet holds records of another site.
    pub fn enrol(&self, identity: &Identity) -> Result<(), StoreError> {
        self.write("enrolling the tablet", |writing| {
            let before = query::identity(writing)?;
            if site_of_log(writing)?.is_some_and(|site| site != identity.site) {
                return Err(StoreError::from(Fault::OtherSite));
            }
            put_identity(writing, identity)?;
            let same_device = before.is_some_and(|before| before.device == identity.device);
            match chain::load(writing)? {
                None => chain::save(writing, &fresh(identity.incarnation)),
                Some(old) if same_device && old.incarnation == identity.incarnation => Ok(()),
                Some(old) => {
                    let changed = renumber(writing, &old, identity.incarnation, identity, same_device)?;
                    writing.again(&changed)
                }
            }
        })
    }

    /// The next push behind sequence number `after`; no bodies when there is nothing.
    ///
    /// A transaction is not cut in two unless it is larger than a whole push.
    pub fn outbox(&self, after: u64) -> Result<OutBatch, StoreError> {
        self.outbox_of(after, MAX_OPS)
    }

    /// As [`Store::outbox`], of about `most` operations.
    pub fn outbox_of(&self, after: u64, most: usize) -> Result<OutBatch, StoreError> {
        self.read("reading the outbox", |conn| {
            let chain = chain::load(conn)?.ok_or(Fault::NotEnrolled)?;
            let of = id(conn, &chain)?;
            let prev_hash = hash_at(conn, chain.incarnation, after)?;
            let mut statement = conn.prepare_cached(
                "SELECT body, tx FROM op WHERE incarnation = ?1 AND dev_seq > ?2 ORDER BY dev_seq LIMIT ?3",
            )?;
            let mut rows = statement.query(params![chain.incarnation, after, MAX_OPS + 1])?;
            let mut cut = Cut { most, ..Cut::default() };
            while let Some(row) = rows.next()? {
                if !cut.take(row.get(0)?, row.get(1)?) {
                    break;
                }
            }
            Ok(OutBatch { of, prev_hash, bodies: cut.finish() })
        })
    }

    /// Where the chain stands.
    ///
    /// # Errors
    /// `not-enrolled` until the tablet is.
    pub fn chain_state(&self) -> Result<ChainState, StoreError> {
        self.read("reading the chain", |conn| {
            let chain = chain::load(conn)?.ok_or(Fault::NotEnrolled)?;
            let id = id(conn, &chain)?;
            let Chain { last_seq, acknowledged, durable, .. } = chain;
            Ok(ChainState { id, last_seq, acknowledged, durable })
        })
    }

    /// Whether anything that was recorded here waits for the office: a record, a photo, or a small picture, also one that was
    /// set aside for a while or is still to be made.
    pub fn anything_waits(&self) -> Result<bool, StoreError> {
        Ok(self.waiting()?.records > 0
            || self.any_upload_waits()?
            || self.read("looking for photos without a preview", blobs::any_preview_waits)?)
    }

    /// Everything of this chain up to `upto` is at the hub, and up to `durable` in a backup of it. Takes nothing back.
    /// Said of a chain that the tablet does not write any more, it changes nothing; so with the others below.
    pub fn acknowledge(&self, of: ChainId, upto: u64, durable: u64) -> Result<(), StoreError> {
        self.write_quietly("writing down what the hub acknowledged", |writing| {
            let mut chain = chain::load(writing)?.ok_or(Fault::NotEnrolled)?;
            if id(writing, &chain)? != of {
                return Ok(());
            }
            let before = chain.acknowledged;
            chain.acknowledged = before.max(upto.min(chain.last_seq));
            chain.durable = chain.durable.max(durable.min(chain.acknowledged));
            chain::save(writing, &chain)?;
            if chain.acknowledged > before { backup::forget(writing) } else { Ok(()) }
        })
    }

    /// The hub holds less than it once acknowledged: everything behind `to` is offered again, and every photo.
    pub fn rewind(&self, of: ChainId, to: u64) -> Result<(), StoreError> {
        self.write_quietly("rewinding the outbox", |writing| {
            let mut chain = chain::load(writing)?.ok_or(Fault::NotEnrolled)?;
            if id(writing, &chain)? != of {
                return Ok(());
            }
            if to < chain.acknowledged {
                blobs::offer_all_again(writing)?;
            }
            chain.acknowledged = to.min(chain.last_seq);
            chain.durable = chain.durable.min(chain.acknowledged);
            chain::save(writing, &chain)?;
            let held: u64 = writing
                .prepare_cached("SELECT count(*) FROM op WHERE incarnation = ?1 AND dev_seq > ?2")?
                .query_row(params![chain.incarnation, chain.acknowledged], |row| row.get(0))?;
            if held == chain.last_seq - chain.acknowledged {
                return Ok(());
            }
            // A chain has no gaps: what is left of this one goes on in another. Should that be taken, the hub says so.
            let identity = query::identity(writing)?.ok_or(Fault::NotEnrolled)?;
            renumber(writing, &chain, chain.incarnation.saturating_add(1), &identity, true).map(drop)
        })
    }

    /// How far the tablet's clock runs ahead of the hub's, in milliseconds.
    pub fn set_clock_offset(&self, ahead: i64) -> Result<(), StoreError> {
        self.write_quietly("writing down the clock's offset", |writing| {
            let mut chain = chain::load(writing)?.ok_or(Fault::NotEnrolled)?;
            chain.clock_offset = Some(ahead);
            chain::save(writing, &chain)
        })
    }

    /// Goes on as this incarnation, with what was not acknowledged numbered from 1.
    pub fn renumber(&self, of: ChainId, incarnation: u32) -> Result<(), StoreError> {
        self.write("renumbering the outbox", |writing| {
            let identity = query::identity(writing)?.ok_or(Fault::NotEnrolled)?;
            let chain = chain::load(writing)?.ok_or(Fault::NotEnrolled)?;
            if id(writing, &chain)? != of {
                return Ok(());
            }
            renumber(writing, &chain, incarnation, &identity, true).map(drop)
        })
    }

    /// The records that the office set aside.
    pub fn set_aside_ids(&self) -> Result<Vec<Uuid>, StoreError> {
        self.read("reading what the office set aside", |conn| {
            let mut ids = conn.prepare_cached("SELECT op_id FROM set_aside ORDER BY rowid")?;
            Ok(ids.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })
    }

    /// Offers anew what this tablet had brought to the hub and no pull has brought back, though both ends hold the same by now:
    /// the hub lost it, and no mark tells so. It was brought in an earlier chain, or a clone has gone on in this one since.
    /// Gives how many operations that were.
    pub fn offer_unnumbered(&self) -> Result<usize, StoreError> {
        self.write("offering anew what the office lost", |writing| {
            let (Some(identity), Some(mut chain)) = (query::identity(writing)?, chain::load(writing)?) else {
                return Ok(0);
            };
            let lost: Vec<(i64, String)> = writing
                .prepare_cached(
                    "SELECT seq, body FROM op INDEXED BY op_chain
                     WHERE (incarnation <> ?1 OR dev_seq <= ?2) AND dev_seq IS NOT NULL AND hub_seq IS NULL
                         AND op_id NOT IN (SELECT op_id FROM receipt) AND op_id NOT IN (SELECT op_id FROM set_aside)
                     ORDER BY seq",
                )?
                .query_map(params![chain.incarnation, chain.acknowledged], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            let mut changed = BTreeSet::new();
            for (seq, body) in &lost {
                let op = add_link(writing, &mut chain, identity.device, *seq, log::parse(body, None)?)?;
                tracing::warn!(op = %op.op_id, "the office lost a record that it had acknowledged; it is offered anew");
                changed.extend(project::records_of(&op));
            }
            chain::save(writing, &chain)?;
            writing.again(&changed)?;
            Ok(lost.len())
        })
    }

    /// Offers anew what the hub had set aside and knows nothing of any more, as it was restored. What was not recorded on this
    /// tablet stays set aside.
    pub fn offer_lost(&self, lost: &[Uuid]) -> Result<(), StoreError> {
        if lost.is_empty() {
            return Ok(());
        }
        self.write("offering anew what the office set aside and lost", |writing| {
            let mut changed = BTreeSet::new();
            for op_id in lost {
                // Whoever held the tablet then: it is at the office that it is looked at.
                if let Some(op) = offer_anew(writing, *op_id, |_, held| held.is_own)? {
                    tracing::warn!(op = %op_id, "the office lost a record that it had set aside; it is offered anew");
                    changed.extend(project::records_of(&op));
                }
            }
            writing.again(&changed)
        })
    }

    /// Writes down what the hub put into quarantine.
    pub fn set_aside(&self, refused: &[Refused]) -> Result<(), StoreError> {
        self.write("writing down what the office set aside", |writing| {
            let mut changed = BTreeSet::new();
            for one in refused {
                writing
                    .prepare_cached(
                        "INSERT OR REPLACE INTO set_aside (op_id, code, detail, at) VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute(params![one.op_id, one.code, one.detail, writing.now().0])?;
                changed.extend(log::op(writing, one.op_id)?.iter().flat_map(project::records_of));
            }
            writing.again(&changed)
        })
    }
}

fn id(conn: &Connection, chain: &Chain) -> Result<ChainId, StoreError> {
    let device = conn
        .prepare_cached("SELECT device FROM identity")?
        .query_row([], |row| row.get(0).map(DeviceId))
        .optional()?;
    Ok(ChainId { device: device.ok_or(Fault::NotEnrolled)?, incarnation: chain.incarnation })
}

fn fresh(incarnation: u32) -> Chain {
    Chain {
        incarnation,
        last_seq: 0,
        last_hash: START,
        acknowledged: 0,
        durable: 0,
        hlc: Hlc::default(),
        clock_offset: None,
    }
}

/// The site that the records here are of; `None` while there are none.
pub(crate) fn site_of_log(conn: &Connection) -> Result<Option<SiteId>, StoreError> {
    let body: Option<String> =
        conn.prepare_cached("SELECT body FROM op LIMIT 1")?.query_row([], |row| row.get(0)).optional()?;
    body.map(|body| Ok(log::parse(&body, None)?.scope)).transpose()
}

pub(crate) fn hash_at(conn: &Connection, incarnation: u32, dev_seq: u64) -> Result<Sha256, StoreError> {
    if dev_seq == 0 {
        return Ok(START);
    }
    let hash: Option<Hash> = conn
        .prepare_cached("SELECT hash FROM op WHERE incarnation = ?1 AND dev_seq = ?2")?
        .query_row(params![incarnation, dev_seq], |row| row.get(0))
        .optional()?;
    // Behind a number that was never written stands nothing; the hub will say what it expects.
    Ok(hash.map_or(START, |hash| hash.0))
}

/// Numbers what was not acknowledged from 1, as `incarnation` of the device in `identity`. What was acknowledged keeps
/// its number, by which the hub knows it, unless that was the number of another device: then whatever of it no pull has
/// brought is offered again, in case the hub has lost it. Gives the records whose author is another device now.
pub fn renumber(
    conn: &Connection,
    old: &Chain,
    incarnation: u32,
    identity: &Identity,
    same_device: bool,
) -> Result<BTreeSet<Touched>, StoreError> {
    let mut chain = Chain { hlc: old.hlc, clock_offset: old.clock_offset, ..fresh(incarnation) };
    let mut changed = BTreeSet::new();
    // What the hub has numbered is there, and what bears its mark is given back as it is.
    conn.prepare_cached(
        "UPDATE op SET incarnation = NULL, dev_seq = NULL, hash = NULL WHERE incarnation = ?1 AND dev_seq > ?2
             AND (hub_seq IS NOT NULL OR op_id IN (SELECT op_id FROM receipt))",
    )?
    .execute(params![old.incarnation, old.acknowledged])?;
    let sql = if same_device {
        "SELECT seq, body FROM op WHERE incarnation = ?1 AND dev_seq > ?2 ORDER BY dev_seq"
    } else {
        "SELECT seq, body FROM op WHERE dev_seq IS NOT NULL AND (incarnation = ?1 AND dev_seq > ?2
             OR hub_seq IS NULL AND op_id NOT IN (SELECT op_id FROM receipt)) ORDER BY seq"
    };
    let waiting: Vec<(i64, String)> = conn
        .prepare_cached(sql)?
        .query_map(params![old.incarnation, old.acknowledged], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    // Out of the way first: the new numbers may be numbers that are still taken.
    for (seq, _) in &waiting {
        conn.prepare_cached("UPDATE op SET dev_seq = NULL WHERE seq = ?1")?.execute([seq])?;
    }
    if !same_device {
        conn.execute(
            "UPDATE op SET incarnation = NULL, dev_seq = NULL, hash = NULL WHERE dev_seq IS NOT NULL",
            [],
        )?;
    }
    for (seq, body) in waiting {
        let op = add_link(conn, &mut chain, identity.device, seq, log::parse(&body, None)?)?;
        if !same_device {
            changed.extend(project::records_of(&op));
        }
    }
    chain::save(conn, &chain)?;
    Ok(changed)
}

/// Makes an operation that the log holds at `seq` the next of the chain. Gives it as it is written there.
fn add_link(
    conn: &Connection,
    chain: &mut Chain,
    device: DeviceId,
    seq: i64,
    op: Op,
) -> Result<Op, StoreError> {
    chain.last_seq += 1;
    let op = Op { device, incarnation: chain.incarnation, dev_seq: chain.last_seq, ..op };
    let written = Written::new(&op, chain.last_hash).map_err(Fault::Json)?;
    chain.last_hash = written.hash;
    conn.prepare_cached("UPDATE op SET incarnation = ?2, dev_seq = ?3, hash = ?4, body = ?5 WHERE seq = ?1")?
        .execute(params![seq, chain.incarnation, chain.last_seq, Hash(written.hash), written.body])?;
    Ok(written.op)
}

/// Takes the hub's copy of an operation that is held in another form. Where that is other work than what was recorded here,
/// this goes on under an id of its own, and is offered as such. Gives the records that are to be shown anew.
pub(super) fn adopt(
    writing: &Writing<'_>,
    held: &log::Held,
    one: &Numbered,
) -> Result<BTreeSet<Touched>, StoreError> {
    let op = &one.op;
    let mut changed = project::records_of(op);
    // What cannot be read any more was damaged here.
    let own = log::parse(&held.body, None).ok().filter(|own| !own.same_work(op));
    if let Some(own) = own {
        tracing::error!(op = %op.op_id, "other work than here has the id of a record at the office; that here goes on under another");
        changed.extend(project::records_of(&own));
        if let (true, Some(identity), Some(mut chain)) =
            (held.is_own, query::identity(writing)?, chain::load(writing)?)
        {
            let own = Op { op_id: writing.world().uuid(), ..own };
            let seq = log::append_loose(writing, &own, &held.body)?;
            add_link(writing, &mut chain, identity.device, seq, own)?;
            chain::save(writing, &chain)?;
        }
        log::rename(writing, held.seq, op)?;
    }
    log::adopt(writing, held.seq, &one.body)?;
    Ok(changed)
}

/// Offers an operation anew, where it `may` be. `None` where it may not.
pub(super) fn offer_anew(
    conn: &Connection,
    op_id: Uuid,
    may: impl FnOnce(&Op, &log::Held) -> bool,
) -> Result<Option<Op>, StoreError> {
    let (Some(identity), Some(mut chain)) = (query::identity(conn)?, chain::load(conn)?) else {
        return Ok(None);
    };
    let (Some(op), Some(held)) = (log::op(conn, op_id)?, log::held(conn, op_id)?) else { return Ok(None) };
    if !may(&op, &held) {
        return Ok(None);
    }
    let here: Option<u64> = conn
        .prepare_cached(
            "SELECT dev_seq FROM op WHERE op_id = ?1 AND incarnation = ?2 AND dev_seq IS NOT NULL",
        )?
        .query_row(params![op_id, chain.incarnation], |row| row.get(0))
        .optional()?;
    conn.prepare_cached("DELETE FROM receipt WHERE op_id = ?1")?.execute([op_id])?;
    conn.prepare_cached("DELETE FROM set_aside WHERE op_id = ?1")?.execute([op_id])?;
    // It waits already. What was acknowledged leaves a gap, over which no [`Store::rewind`] goes back.
    if here.is_some_and(|place| place > chain.acknowledged) {
        return Ok(Some(op));
    }
    let op = add_link(conn, &mut chain, identity.device, held.seq, log::parse(&held.body, None)?)?;
    chain::save(conn, &chain)?;
    Ok(Some(op))
}

fn put_identity(conn: &Connection, identity: &Identity) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO identity
             (one, hub, token, device, key, person, person_name, site, site_zh, site_en)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        identity.hub,
        identity.token.0,
        identity.device.0,
        identity.key.0,
        identity.person.0,
        identity.person_name,
        identity.site.0,
        identity.site_name.zh,
        identity.site_name.en
    ])?;
    Ok(())
}

/// Cuts a batch where a transaction ends.
#[derive(Default)]
struct Cut {
    /// How many bodies are enough.
    most: usize,
    bodies: Vec<Box<str>>,
    bytes: usize,
    tx: Option<Uuid>,
    /// How many bodies stand before the transaction that is being taken.
    whole: usize,
    full: bool,
}

impl Cut {
    /// Whether the operation still fits.
    fn take(&mut self, body: Box<str>, tx: Uuid) -> bool {
        if self.tx != Some(tx) {
            self.whole = self.bodies.len();
            self.tx = Some(tx);
        }
        self.bytes += body.len() + 1;
        // A transaction that is larger than a push goes whole, and alone: none is larger than what a hub takes at once.
        let (most, room) = if self.whole > 0 { (self.most, MAX_PUSH) } else { (MAX_OPS, MAX_TX) };
        self.full = self.bodies.len() >= most || (self.bytes > room && !self.bodies.is_empty());
        if !self.full {
            self.bodies.push(body);
        }
        !self.full
    }

    fn finish(mut self) -> Vec<Box<str>> {
        if self.full && self.whole > 0 {
            self.bodies.truncate(self.whole);
        }
        self.bodies
    }
}
