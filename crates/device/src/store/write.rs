//! One transaction of changes: operations, and what follows from them, together or not at all.

use super::chain::{self, Chain};
use super::fault::{Doing, Fault, StoreError};
use super::project::AtHand;
use super::{Store, log, project, query};
use crate::identity::Identity;
use crate::world::World;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use standpipe_domain::ids::Millis;
use standpipe_oplog::op::Op;
use standpipe_oplog::pen::{Draft, Moment, Pen};
use standpipe_oplog::replica::Touched;
use standpipe_oplog::wire::{FRAME, MAX_TX};
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::PoisonError;
use uuid::Uuid;

/// A transaction under way. Dropped without being finished, it leaves nothing behind.
pub struct Writing<'a> {
    transaction: Transaction<'a>,
    world: &'a dyn World,
    tx: Uuid,
    now: Millis,
    author: Option<Author>,
    touched: BTreeSet<Touched>,
    /// What its own operations have together, each with its frame.
    bytes: usize,
}

struct Author {
    identity: Identity,
    chain: Chain,
}

impl Deref for Writing<'_> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.transaction
    }
}

impl Store {
    /// Makes changes in one transaction: durable when this returns, or not there at all. The screens are told.
    pub fn write<T, E: Doing + From<StoreError>>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let result = self.write_quietly(doing, work)?;
        self.changed();
        Ok(result)
    }

    /// As [`Store::write`], for what no screen shows.
    pub(crate) fn write_quietly<T, E: Doing + From<StoreError>>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut Writing<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let attempt = || -> Result<T, E> {
            // A panic elsewhere rolled its transaction back: what the lock guards is whole.
            let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction =
                writer.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
            let mut writing = Writing {
                transaction,
                world: &*self.world,
                tx: self.world.uuid(),
                now: self.world.now(),
                author: None,
                touched: BTreeSet::new(),
                bytes: 0,
            };
            let result = work(&mut writing)?;
            writing.finish()?;
            Ok(result)
        };
        attempt().map_err(|error| self.noticing(error.doing(doing)))
    }
}

impl Writing<'_> {
    /// When this transaction began, by the tablet's clock.
    pub fn now(&self) -> Millis {
        self.now
    }

    pub fn world(&self) -> &dyn World {
        self.world
    }

    /// As whom the tablet records.
    pub fn identity(&mut self) -> Result<&Identity, StoreError> {
        Ok(&self.author()?.identity)
    }

    fn author(&mut self) -> Result<&mut Author, StoreError> {
        if self.author.is_none() {
            let identity = query::identity(&self.transaction)?.ok_or(Fault::NotEnrolled)?;
            let chain = chain::load(&self.transaction)?.ok_or(Fault::NotEnrolled)?;
            self.author = Some(Author { identity, chain });
        }
        self.author.as_mut().ok_or_else(|| Fault::NotEnrolled.into())
    }

    /// Writes an operation behind the last one, and applies it. Gives its id.
    pub fn record(&mut self, draft: Draft) -> Result<Uuid, StoreError> {
        let (tx, now, op_id) = (self.tx, self.now, self.world.uuid());
        let Author { identity, chain } = self.author()?;
        let mut pen = Pen {
            device: identity.device,
            scope: identity.site,
            incarnation: chain.incarnation,
            last_seq: chain.last_seq,
            last_hash: chain.last_hash,
            hlc: chain.hlc,
            clock_offset: chain.clock_offset,
        };
        let moment = Moment { now, actor: identity.person, tx };
        let written = pen.write(draft, op_id, moment).map_err(Fault::Json)?;
        chain.last_seq = pen.last_seq;
        chain.last_hash = pen.last_hash;
        chain.hlc = pen.hlc;
        self.bytes += written.body.len() + FRAME;
        if self.bytes > MAX_TX {
            return Err(Fault::TooLarge { bytes: self.bytes, limit: MAX_TX }.into());
        }
        log::append_own(&self.transaction, &written)?;
        self.apply(&written.op)?;
        Ok(op_id)
    }

    /// Applies an operation that the log holds.
    pub(super) fn apply(&mut self, op: &Op) -> Result<(), StoreError> {
        self.touched.extend(project::apply(&self.transaction, op)?);
        Ok(())
    }

    /// The rows of the operation's record are to be made anew.
    pub(super) fn touch(&mut self, op: &Op) {
        self.touched.insert(Touched::new(&op.entity, op.id));
    }

    /// Makes the rows of what was touched so far.
    pub(super) fn project(&mut self, at_hand: &AtHand<'_>) -> Result<(), StoreError> {
        project::all_with(&self.transaction, std::mem::take(&mut self.touched), at_hand)
    }

    /// Makes everything that is shown of these records anew: what counts of their operations has changed.
    pub(super) fn again(&mut self, records: &BTreeSet<Touched>) -> Result<(), StoreError> {
        self.touched.extend(project::again(&self.transaction, records)?);
        Ok(())
    }

    fn finish(mut self) -> Result<(), StoreError> {
        project::all(&self.transaction, std::mem::take(&mut self.touched))?;
        if let Some(Author { chain, .. }) = &self.author {
            chain::save(&self.transaction, chain)?;
        }
        self.transaction.commit()?;
        Ok(())
    }
}
