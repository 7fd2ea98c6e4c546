//! The lane of records: the handshake, pushes and pulls. The state machines of `oplog` decide; this performs.

use super::driver::Driver;
use super::fault::{Fault, stops_everything};
use super::hub_client::HubClient;
use super::moment::Moment;
use super::pace::PAROLE;
use super::source::Source;
use super::under_way::{QUICK, UnderWay, is_taken};
use crate::store::Store;
use crate::store::outbox::ChainId;
use crate::world::aside;
use standpipe_domain::sync::Trouble;
use standpipe_oplog::PROTOCOL;
use standpipe_oplog::pull::{self, Pull};
use standpipe_oplog::push::{self, Push};
use standpipe_oplog::wire::{MAX_OPS, PushHead, encode_push};
use std::collections::VecDeque;
use std::sync::Arc;

/// A hub that answers, and answers, and never takes anything is given up for this turn after so many exchanges.
const FRUITLESS: u32 = 3;

/// A batch that is ready to be sent.
pub(super) struct Packed {
    pub of: ChainId,
    pub after: u64,
    /// Its last operation.
    pub last: u64,
    pub body: Vec<u8>,
}

/// See [`Driver::pack`].
fn pack(store: &Store, of: ChainId, after: u64, batch: usize) -> Result<Option<Packed>, Trouble> {
    let batch = store.outbox_of(after, batch)?;
    if batch.of != of {
        return Ok(None);
    }
    if batch.bodies.is_empty() {
        // What bears the hub's mark left the chain when it was numbered anew: nothing may wait any more.
        if store.chain_state()?.last_seq <= after {
            return Ok(None);
        }
        let detail = format!("records behind number {after} are missing from this tablet's outbox");
        tracing::error!(after, "{detail}");
        return Err(Trouble::TabletFault { detail });
    }
    let last = after + batch.bodies.len() as u64;
    let (incarnation, prev_hash) = (of.incarnation, batch.prev_hash);
    let head = PushHead { protocol: PROTOCOL, incarnation, after, prev_hash };
    let body = encode_push(&head, batch.bodies.iter().map(|body| &**body))
        .map_err(|error| Trouble::TabletFault { detail: format!("packing records: {error}") })?;
    Ok(Some(Packed { of, after, last, body }))
}

impl Driver {
    /// Greets the hub: measures the clock, and learns whether the hub still holds what it once acknowledged.
    pub(super) async fn greet(&mut self, hub: &HubClient) -> Result<(), Trouble> {
        let store = Arc::clone(&self.standing.store);
        let chain = store.chain_state()?;
        let sent = Moment::of(store.world());
        let hello = hub.hello(chain.id.incarnation, sent.clock).await?;
        let came_back = Moment::of(store.world());
        if came_back.leapt_since(sent) {
            // Nobody knows on which side of the sleep the hub looked at its clock: the next turn notices that, and
            // greets it once more.
            self.standing.woken.notify_one();
        } else {
            let middle = sent.clock.0.midpoint(came_back.clock.0);
            store.set_clock_offset(middle - hello.now.0)?;
        }
        // Only ever backwards: that this tablet's operations arrived is known from a push of them, whose hashes the hub
        // compared. A cloned tablet would take another's acknowledgement for its own.
        if hello.acknowledged < chain.acknowledged {
            tracing::warn!(
                acknowledged = chain.acknowledged,
                held = hello.acknowledged,
                "the hub holds less than it acknowledged; everything behind that is offered again"
            );
            store.rewind(chain.id, hello.acknowledged)?;
            self.mend.differs = true;
            self.doubt();
        }
        let (epoch, cursor) = store.cursor()?;
        let is_other = epoch.is_some_and(|epoch| epoch != hello.hub_epoch);
        let is_behind = hello.head.is_some_and(|head| head < cursor);
        if is_other || is_behind {
            self.mend.differs = true;
        }
        // Of what this tablet knows to be at the hub: a backup may be made long after the last push.
        let durable = hello.durable_seq.min(chain.acknowledged);
        if !self.mend.differs && durable > chain.durable {
            store.acknowledge(chain.id, 0, durable)?;
        }
        // A hub that was started anew may stand on another disk: what it confirmed is asked for again.
        if is_other || is_behind || self.run != hello.run {
            self.run = hello.run;
            self.doubt();
        }
        // What the hub found spoilt while it made a backup is in no later one either: all is asked for again behind it.
        if store.would_be_held(hello.hub_epoch, hello.backups)? {
            self.doubt();
        }
        if store.told_of_backups(hello.hub_epoch, hello.backups)? {
            self.standing.tell_once_more();
        }
        // Before anything else is asked. Records do not wait for it: it is made up for before photos are asked for.
        if let Err(trouble) = self.recheck.settle(&store) {
            tracing::error!("what the office said to have is not forgotten yet: {trouble:?}");
        }
        self.mend.is_withdrawn = hello.revoked;
        if hello.revoked { Err(Fault::Revoked.into()) } else { Ok(()) }
    }

    /// Pushes until nothing waits.
    pub(super) async fn push(&mut self, hub: &HubClient) -> Result<(), Trouble> {
        let chain = self.standing.store.chain_state()?;
        let mut of = chain.id;
        let (mut push, effects) = Push::new(chain.acknowledged, chain.last_seq);
        let mut effects = VecDeque::from(effects);
        let (mut fruitless, mut next, mut owed, mut is_quick) = (0, None, None, false);
        while let Some(effect) = effects.pop_front() {
            let store = &self.standing.store;
            match effect {
                push::Effect::Send { after } => {
                    let batch = match next.take().filter(|next: &UnderWay<'_>| next.is(of, after)) {
                        Some(batch) => batch,
                        None => match self.pack(of, after).await? {
                            Some(batch) => UnderWay::new(hub, batch),
                            None => return self.acknowledge(of, owed).await,
                        },
                    };
                    self.standing.sending(true);
                    let begun = self.elapsed();
                    // While the hub works at this one, the one before is written down and the next is packed.
                    let (last, end) = (batch.last, after + push.waiting());
                    let beside = async {
                        let written = self.acknowledge(of, owed.take()).await;
                        // What cannot be packed is told of when its turn comes.
                        let next = if last < end { self.pack(of, last).await.ok().flatten() } else { None };
                        written.map(|()| next)
                    };
                    let (event, behind) = batch.answered(hub, beside, is_quick).await?;
                    next = behind;
                    let Some(event) = event else {
                        is_quick = false;
                        effects.push_front(push::Effect::Send { after });
                        continue;
                    };
                    is_quick = self.elapsed().saturating_sub(begun) <= QUICK;
                    fruitless = if is_taken(&event, after) { 0 } else { fruitless + 1 };
                    if fruitless == FRUITLESS {
                        return Err(Fault::of_hub(
                            "sending records",
                            "the hub takes nothing and does not say why",
                        )
                        .into());
                    }
                    effects.extend(push.step(event));
                }
                push::Effect::Acknowledge { upto, durable } => {
                    owed = Some((upto, durable));
                    if effects.is_empty() {
                        self.acknowledge(of, owed.take()).await?;
                    }
                }
                push::Effect::SetAside(refused) => {
                    for refused in &refused {
                        tracing::warn!(op = %refused.op_id, code = refused.code, "the hub set a record aside");
                    }
                    store.set_aside(&refused)?;
                    self.standing.tell();
                }
                push::Effect::Renumber { incarnation } => {
                    tracing::warn!(
                        incarnation,
                        "this tablet was cloned or restored; it goes on as a new incarnation"
                    );
                    store.renumber(of, incarnation)?;
                    of.incarnation = incarnation;
                    // What the hub acknowledged may be another's of the same number.
                    self.mend.looks_back = true;
                }
                push::Effect::Rewind { to } => {
                    tracing::warn!(to, "the hub holds less than it acknowledged; the rest is offered again");
                    let is_loss = to < store.chain_state()?.acknowledged;
                    store.rewind(of, to)?;
                    // What it lost goes back before anything else goes up.
                    if is_loss {
                        self.doubt();
                        self.mend.differs = true;
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether something that was set aside is to be offered again. Now and then it is, unasked: its reason may have passed.
    pub(super) fn offers(&mut self) -> Result<bool, Trouble> {
        let now = self.elapsed();
        if now.saturating_sub(self.offered) >= PAROLE {
            self.offered = now;
            self.standing.due().offer = true;
        }
        if self.standing.due().offer && self.standing.store.set_aside_ids()?.is_empty() {
            // What is set aside from here on has just been judged.
            self.standing.due().offer = false;
        }
        Ok(self.standing.due().offer)
    }

    /// Offers again what the office set aside: it may be allowed by now.
    pub(super) async fn offer(&mut self, hub: &HubClient) -> Result<(), Trouble> {
        // Only a line that breaks leaves it due: it is tried again with the next that holds. A hub that fails at it would
        // fail again.
        self.standing.due().offer = false;
        self.offered = self.elapsed();
        let done = self.offer_all(hub).await;
        self.offer_broke = done.as_ref().is_err_and(stops_everything);
        self.standing.due().offer |= self.offer_broke;
        done
    }

    async fn offer_all(&mut self, hub: &HubClient) -> Result<(), Trouble> {
        let store = &self.standing.store;
        for ops in store.set_aside_ids()?.chunks(MAX_OPS) {
            let answer = match hub.offer(ops.to_vec()).await {
                // A hub of an earlier version knows no such request.
                Err(fault) if matches!(fault.code(), "not-a-hub" | "no-such-address") => break,
                answer => answer?,
            };
            store.set_aside(&answer.quarantined)?;
            store.offer_lost(&answer.lost)?;
            // What it took comes with a number.
            self.standing.due().pull |= answer.quarantined.len() + answer.lost.len() < ops.len();
        }
        self.standing.tell();
        Ok(())
    }

    /// Writes down what the hub took.
    async fn acknowledge(&self, of: ChainId, taken: Option<(u64, u64)>) -> Result<(), Trouble> {
        let Some((upto, durable)) = taken else { return Ok(()) };
        self.beside(move |store| Ok(store.acknowledge(of, upto, durable)?)).await?;
        // The hub numbered them: fetching the numbers proves that both hold the same.
        self.standing.due().pull = true;
        self.standing.tell();
        Ok(())
    }

    /// Packs the batch behind `after`. `None` when the tablet has joined again meanwhile: the numbers mean other
    /// operations then, and the hub that was asked is not the one to ask.
    async fn pack(&self, of: ChainId, after: u64) -> Result<Option<Packed>, Trouble> {
        let batch = self.outside.batch;
        self.beside(move |store| pack(store, of, after, batch)).await
    }

    /// Works at the database on another thread: this one carries what goes over the line.
    pub(super) async fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let store = Arc::clone(&self.standing.store);
        let done = aside(&**self.standing.store.outside(), move || work(&store)).await;
        done.unwrap_or_else(|gone| Err(Trouble::TabletFault { detail: gone.to_string() }))
    }

    /// Pulls until nothing new is there, or something was recorded meanwhile.
    pub(super) async fn pull(&mut self, hub: &HubClient) -> Result<(), Trouble> {
        // Before the request, so that a poke during it is not lost.
        self.standing.due().pull = false;
        let done = self.pull_pages(hub).await;
        if done.is_err() {
            self.standing.due().pull = true;
        }
        done
    }

    async fn pull_pages(&mut self, hub: &HubClient) -> Result<(), Trouble> {
        const DOING: &str = "fetching records";
        let (epoch, cursor) = self.standing.store.cursor()?;
        let world = Arc::clone(self.standing.store.outside());
        // A new tablet, or one that was at it when something else went first.
        let mut source = Source::new(world, cursor == 0 || self.lacks_much);
        let (mut pull, effect) = Pull::new(epoch, cursor);
        let (mut effect, mut page, mut began) = (Some(effect), None, false);
        while let Some(doing) = effect.take() {
            let store = &self.standing.store;
            match doing {
                pull::Effect::Request { after } => {
                    if began && self.records_wait()? && !source.wind_up() {
                        self.standing.due().pull = true;
                        return Ok(());
                    }
                    let (head, ops) = source.next(hub, after).await?;
                    self.lacks_much = source.lacks_much();
                    if head.more && head.next == after {
                        return Err(Fault::of_hub(DOING, "the hub's pages do not end").into());
                    }
                    let held = head.from >= after || store.holds(&ops, after)?;
                    if !held {
                        self.mend.otherwise = Some(head.from);
                    }
                    effect = pull.step(pull::Event::Page { head: head.clone(), held });
                    page = Some((head, ops));
                    began = true;
                }
                pull::Effect::Apply => {
                    let Some((head, ops)) = page.take() else { continue };
                    let checksum = store.apply_page(&head, &ops)?;
                    // To let go of a large page takes a seventh of the time that it takes to take it in.
                    drop(aside(&**store.outside(), move || drop(ops)));
                    effect = pull.step(pull::Event::Applied { checksum });
                }
                pull::Effect::InStep => {
                    self.in_step = true;
                    self.mend.agreed(store.end_pulling_anew()?);
                }
                pull::Effect::Differ => {
                    self.doubt();
                    self.mend.differ()?;
                }
            }
        }
        self.look_for_originals()?;
        self.look_for_thumbnails()
    }

    pub(super) fn records_wait(&self) -> Result<bool, Trouble> {
        let chain = self.standing.store.chain_state()?;
        Ok(chain.last_seq > chain.acknowledged)
    }
}
