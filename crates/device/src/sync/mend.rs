//! Puts right what differs between this tablet and the hub: the hub lost its disk, or this tablet lost something.

use super::driver::Driver;
use super::fault::Fault;
use super::hub_client::HubClient;
use standpipe_domain::sync::Trouble;
use standpipe_oplog::checksum::Checksum;
use standpipe_oplog::repair::{Effect, Repair, Span};
use standpipe_oplog::wire::{MAX_OPS, encode_return};
use uuid::Uuid;

const DOING: &str = "comparing records";

/// What there is to put right.
#[derive(Debug)]
// Each is so, or not, by itself.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Mend {
    /// Both ends do not hold the same.
    pub differs: bool,
    /// It was put right once, and both ends were not in step since.
    tried: bool,
    /// Behind here the hub has numbered otherwise what is held, whatever the sums say.
    pub otherwise: Option<u64>,
    /// Something may be here that the hub lost.
    gives_back: bool,
    /// The first operation of what was given back last. Once the hub has numbered it, it is not given back again.
    given: Option<Uuid>,
    /// The place here of the last operation that was given back, while more follows.
    behind: i64,
    /// The hub was told that more follows, and has not heard that there is no more.
    owes_end: bool,
    /// The office has withdrawn this tablet's permission.
    pub is_withdrawn: bool,
    /// Once both hold the same: something that the hub acknowledged long ago may not be among it.
    pub looks_back: bool,
    /// The last look found something, which was offered anew.
    pub looked_back: bool,
}

impl Mend {
    /// The app may have ended in the middle of it. `owes_end`: between two parts of what it gave back.
    pub(super) fn new(owes_end: bool) -> Self {
        Self {
            differs: false,
            tried: false,
            otherwise: None,
            gives_back: true,
            given: None,
            behind: 0,
            owes_end,
            is_withdrawn: false,
            looks_back: true,
            looked_back: false,
        }
    }

    /// Both ends hold the same. `anew`: for the first time since the database was rescued.
    pub(super) fn agreed(&mut self, anew: bool) {
        self.tried = false;
        // What was given back should have its number now: whether it has is looked at.
        self.gives_back |= anew || self.given.is_some();
    }

    /// The hub may have lost something that is here: all of it is given back, also what it was given before it lost that.
    pub(super) fn give_all_back(&mut self) {
        (self.differs, self.gives_back, self.behind, self.given) = (false, true, 0, None);
    }

    /// Both ends do not hold the same. What did not help once is said, and tried again all the same: the hub may have lost
    /// something anew meanwhile.
    pub(super) fn differ(&mut self) -> Result<(), Trouble> {
        self.differs = true;
        if std::mem::replace(&mut self.tried, true) {
            return Err(Fault::of_hub(DOING, "this tablet and the hub do not hold the same records").into());
        }
        tracing::warn!("this tablet and the hub do not hold the same records");
        Ok(())
    }
}

impl Driver {
    /// Whether something the hub lost may be here.
    pub(super) fn gives_back(&mut self) -> Result<bool, Trouble> {
        // After a rescue nothing has its number, and all of it would go back: what the hub lost is known once all was
        // pulled. Who was withdrawn pulls nothing.
        if self.mend.gives_back && !self.mend.is_withdrawn && self.standing.store.pulls_anew()? {
            return Ok(false);
        }
        if self.mend.gives_back
            && !self.mend.owes_end
            && self.standing.store.lacking(self.mend.behind)?.0.is_empty()
        {
            (self.mend.gives_back, self.mend.given) = (false, None);
        }
        Ok(self.mend.gives_back)
    }

    /// Finds where the two differ, and takes what the hub has there. What only this tablet has stays, and is given back.
    pub(super) async fn repair(&mut self, hub: &HubClient) -> Result<(), Trouble> {
        let store = &self.standing.store;
        let (_, cursor) = store.cursor()?;
        let held = store.held_sums()?;
        let (mut repair, mut effect) = Repair::begin(cursor);
        let mut epoch = None;
        loop {
            match effect {
                Effect::Ask(points) => {
                    let ours: Vec<Checksum> = points.iter().map(|point| held.upto(*point)).collect();
                    let answer = hub.sums(points).await?;
                    same_hub(&mut epoch, answer.hub_epoch)?;
                    let sum = |text: &String| u64::from_str_radix(text, 16).map(Checksum);
                    let theirs: Result<Vec<Checksum>, _> = answer.sums.iter().map(sum).collect();
                    let theirs = theirs.map_err(|error| Fault::of_hub(DOING, error.to_string()))?;
                    effect = repair.step(answer.head, &theirs, &ours);
                }
                Effect::Fetch { mut spans, upto } => {
                    let Some(epoch) = epoch else {
                        return Err(Fault::of_hub(DOING, "the hub says nothing").into());
                    };
                    let is_same = spans.is_empty();
                    if self.mend.is_withdrawn {
                        return self.repair_blindly(epoch, cursor, &spans, upto);
                    }
                    if let Some(after) = self.mend.otherwise.take().filter(|_| is_same) {
                        spans.push(Span { after, upto: cursor });
                    }
                    tracing::warn!(spans = spans.len(), upto, "putting right what differs from the office");
                    for span in spans {
                        self.replace(hub, epoch, span, upto).await?;
                    }
                    let store = &self.standing.store;
                    store.number_nothing_behind(upto)?;
                    store.repaired(epoch, if is_same { cursor.min(upto) } else { upto })?;
                    // Also where nothing is here that the hub lost: another tablet may have died in the middle of its part.
                    store.owe_end(true)?;
                    self.mend.owes_end = true;
                    self.mend.give_all_back();
                    self.standing.due().pull = true;
                    return Ok(());
                }
            }
        }
    }

    /// A tablet whose permission was withdrawn is given nothing that it could compare with. Whatever stands behind the
    /// first difference it gives back: the hub knows what it has.
    fn repair_blindly(&mut self, epoch: Uuid, cursor: u64, spans: &[Span], upto: u64) -> Result<(), Trouble> {
        let store = &self.standing.store;
        let same = spans.iter().map(|span| span.after).min().unwrap_or(upto).min(cursor);
        store.number_nothing_behind(same)?;
        store.repaired(epoch, same)?;
        self.mend.give_all_back();
        Ok(())
    }

    async fn replace(&self, hub: &HubClient, epoch: Uuid, span: Span, upto: u64) -> Result<(), Trouble> {
        let mut after = span.after;
        while after < span.upto.min(upto) {
            let (head, ops) = hub.pull(after).await?;
            same_hub(&mut Some(epoch), head.hub_epoch)?;
            if head.next <= after {
                return Err(Fault::of_hub(DOING, "the hub's pages do not end").into());
            }
            self.standing.store.replace_page(&head, &ops)?;
            after = head.next;
        }
        Ok(())
    }

    /// Gives the hub what it lost, a part of it at a time.
    pub(super) async fn give_back(&mut self, hub: &HubClient) -> Result<(), Trouble> {
        let store = &self.standing.store;
        let behind = self.mend.behind;
        let (lacking, next) = store.lacking(behind)?;
        let (ids, ops): (Vec<Uuid>, Vec<_>) = lacking.into_iter().unzip();
        let packed = |error| Trouble::TabletFault { detail: format!("packing records: {error}") };
        let Some(first) = ids.first().copied() else {
            // Others gave the rest back meanwhile: what follows from all of it follows at the end.
            hub.give_back(encode_return(&[], false).map_err(packed)?).await?;
            store.owe_end(false)?;
            (self.mend.gives_back, self.mend.owes_end, self.mend.behind) = (false, false, 0);
            return Ok(());
        };
        if behind == 0 && self.mend.given == Some(first) {
            (self.mend.gives_back, self.mend.given) = (false, None);
            return Err(Fault::of_hub(DOING, "the hub does not take back what it lost").into());
        }
        let body = encode_return(&ops, next.is_some()).map_err(packed)?;
        if next.is_some() && !self.mend.owes_end {
            store.owe_end(true)?;
        }
        tracing::warn!(operations = ids.len(), "the office lost records that are here; they are given back");
        store.forget_backup()?;
        let answer = hub.give_back(body).await?;
        if behind == 0 {
            self.mend.given = Some(first);
        }
        if next.is_none() && self.mend.owes_end {
            store.owe_end(false)?;
        }
        (self.mend.gives_back, self.mend.owes_end) = (next.is_some(), next.is_some());
        self.mend.behind = next.unwrap_or(0);
        if !answer.refused.is_empty() {
            store.offer_or_set_aside(&answer.refused)?;
            self.standing.tell();
        }
        self.standing.due().pull = true;
        Ok(())
    }
}

impl Driver {
    /// Both ends hold the same. What is here nevertheless, and nothing here brings to the hub, is told of one by one: whoever
    /// could bring it may be gone.
    pub(super) async fn set_aside_only_here(&mut self) -> Result<(), Trouble> {
        let only_here = self.standing.store.only_here()?;
        for part in only_here.chunks(MAX_OPS) {
            tracing::warn!(
                operations = part.len(),
                "the office lacks records that are here, and no mark of it tells"
            );
            let part = part.to_vec();
            self.beside(move |store| Ok(store.offer_or_set_aside(&part)?)).await?;
            self.standing.tell();
        }
        Ok(())
    }
}

/// What was offered anew was taken, and has no number still.
pub(super) fn never_numbered() -> Fault {
    Fault::of_hub(DOING, "the hub acknowledges records that it never numbers")
}

/// What bears the hub's mark was given back, and has no number still.
pub(super) fn not_numbered_again() -> Fault {
    Fault::of_hub(
        DOING,
        "the hub lacks records that are here with its marks under them, and does not number them",
    )
}

fn same_hub(known: &mut Option<Uuid>, epoch: Uuid) -> Result<(), Trouble> {
    if *known.get_or_insert(epoch) == epoch {
        Ok(())
    } else {
        Err(Fault::of_hub(DOING, "the hub is another at each request").into())
    }
}
