//! Takes what a tablet pushes: all of it, in one durable transaction, applied or set aside.

mod again;
mod alone;
mod arrived;
mod follow;
mod take_back;
mod transaction;

pub use again::{JudgedAgain, judge_again, lost};
pub use follow::rebuild_if_outdated;
pub use take_back::take_back;

use crate::judge::Seen;
use crate::office::Hand;
use crate::store::{Device, Ledger, Store, StoreError};
use crate::world::World;
use arrived::{Arrived, hashes};
use follow::follow;
use standpipe_domain::ids::Millis;
use standpipe_oplog::clock::Hlc;
use standpipe_oplog::receive::{Verdict, receive};
use standpipe_oplog::replica::Touched;
use standpipe_oplog::wire::{Line, Malformed, PushAnswer, PushConflict, PushHead, decode_push};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// What becomes of a push that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// Kept, durably: applied or in quarantine.
    Taken(PushAnswer),
    /// Does not fit what the hub holds (409). Nothing was kept.
    Conflict(PushConflict),
}

/// Why nothing of a push was taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    #[error("reading the push: {0}")]
    Malformed(#[from] Malformed),
    #[error("keeping the push: {0}")]
    Store(#[from] StoreError),
}

impl NotTaken {
    /// A stable code for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}

/// How much of one tablet's may be in quarantine. An honest tablet has a few operations there; one that was withdrawn, and
/// comes after months, some thousands. Beyond this nothing that would go there is taken: it stays on the tablet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    pub ops: u64,
    pub bytes: u64,
}

impl Default for Room {
    fn default() -> Self {
        Self { ops: 100_000, bytes: 1024 * 1024 * 1024 }
    }
}

/// Takes a push, compressed as it came, of the tablet that was authenticated, revoked or not. `room` is how much of it may
/// be set aside, with what is aside already.
///
/// What is answered as acknowledged is durable.
pub async fn push(
    store: &dyn Store,
    world: Arc<dyn World>,
    device: &Device,
    body: &[u8],
    room: Room,
) -> Result<Pushed, NotTaken> {
    let taken = take(store, &world, device, body, room, Way::Together).await;
    match taken {
        // The tablet would send the same again for ever, and nothing behind it.
        Err(NotTaken::Store(error)) if error.is_of_the_work() => {
            tracing::error!(device = %device.id, %error, "a push failed: its transactions are taken one by one");
            take(store, &world, device, body, room, Way::OneByOne).await
        }
        taken => taken,
    }
}

/// How the transactions of a push are taken.
#[derive(Clone, Copy)]
enum Way {
    /// What follows from them is made once for all of them. Where one fails all do.
    Together,
    /// Each with all that follows from it, so that it fails for itself.
    OneByOne,
}

async fn take(
    store: &dyn Store,
    world: &Arc<dyn World>,
    device: &Device,
    body: &[u8],
    room: Room,
    way: Way,
) -> Result<Pushed, NotTaken> {
    let (head, lines) = decode_push(body)?;
    let (world, device) = (Arc::clone(world), device.clone());
    let pushed = store
        .transact(move |ledger| {
            let at = world.now();
            Intake::new(ledger, &*world, &device, &head, at).take(lines, room, way)
        })
        .await?;
    Ok(pushed)
}

/// The lines of one transaction. A line that names none is one by itself.
type Group = (Option<Uuid>, Vec<Arrived>);

/// One push on its way in.
struct Intake<'a> {
    ledger: &'a mut dyn Ledger,
    world: &'a dyn World,
    device: &'a Device,
    head: &'a PushHead,
    at: Millis,
    /// What the judge has read.
    seen: Seen,
    /// Records of which nothing changed yet that anybody is judged by. Their rows are made once for the whole push.
    owing: BTreeSet<Touched>,
    /// The latest stamp that was taken in.
    latest: Hlc,
    /// Whether anything at all is in quarantine, once that was asked.
    any_aside: Option<bool>,
}

impl<'a> Intake<'a> {
    fn new(
        ledger: &'a mut dyn Ledger,
        world: &'a dyn World,
        device: &'a Device,
        head: &'a PushHead,
        at: Millis,
    ) -> Self {
        let (seen, owing, latest, any_aside) = (Seen::default(), BTreeSet::new(), Hlc::default(), None);
        Self { ledger, world, device, head, at, seen, owing, latest, any_aside }
    }

    fn take(mut self, lines: Vec<Line>, room: Room, way: Way) -> Result<Pushed, StoreError> {
        let PushHead { incarnation, after, .. } = *self.head;
        let device = self.device.id;
        let hashes = hashes(self.head, &lines);
        let held = self.ledger.held(device, incarnation)?;
        let next_incarnation = self.ledger.next_incarnation(device)?;
        let verdict = receive(self.head, &hashes, held, next_incarnation, |seq| {
            self.ledger.hash_at(device, incarnation, seq)
        })?;
        let from = match verdict {
            Verdict::Take { from } => from,
            Verdict::Conflict(conflict) => return Ok(Pushed::Conflict(conflict)),
        };
        let acknowledged = after + lines.len() as u64;
        let is_new = from < lines.len();
        let mut groups: Vec<Group> = Vec::new();
        for ((dev_seq, hash), read) in (after + 1..).zip(hashes).zip(lines).skip(from) {
            self.ledger.extend(device, incarnation, dev_seq, hash)?;
            let line = Arrived { dev_seq, read };
            let tx = line.stub().tx;
            match groups.iter_mut().find(|(of, _)| tx.is_some() && *of == tx) {
                Some((_, group)) => group.push(line),
                None => groups.push((tx, vec![line])),
            }
        }
        match way {
            Way::Together => self.transactions(&groups)?,
            Way::OneByOne => groups.iter().try_for_each(|group| self.alone(group))?,
        }
        let quarantined = self.ledger.refused(device, incarnation, after + 1..=acknowledged)?;
        if is_new && !quarantined.is_empty() {
            self.must_fit(room)?;
        }
        let durable_seq = self.ledger.durable_seq(device, incarnation)?;
        Ok(Pushed::Taken(PushAnswer { acknowledged, durable_seq, quarantined }))
    }

    /// Takes transactions, with all that follows from them.
    fn transactions(&mut self, groups: &[Group]) -> Result<(), StoreError> {
        let mut touched = BTreeSet::new();
        for (tx, lines) in groups {
            self.transaction(*tx, lines, &mut touched)?;
        }
        self.settle()?;
        let hand = Hand { scope: self.device.site, actor: self.device.person, now: self.at };
        follow(self.ledger, self.world, hand, &touched)
    }

    /// Undoes the push where more is aside now than there is room for.
    fn must_fit(&mut self, Room { ops, bytes }: Room) -> Result<(), StoreError> {
        let (many, large) = self.ledger.aside_size(self.device.id)?;
        if many > ops || large > bytes {
            return Err(StoreError::QuarantineFull { ops, bytes });
        }
        Ok(())
    }
}
