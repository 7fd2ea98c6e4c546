//! How synchronisation stands, for whoever asks, and what is due.

use super::line::{Counts, Link, line};
use super::rows::Stored;
use crate::store::Store;
use crate::store::blobs::Waiting;
use standpipe_domain::hold::{Battery, Choices, Held, Hold, Network, Surroundings};
use standpipe_domain::ids::RoundId;
use standpipe_domain::sync::{SyncLine, Trouble};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Who is told of a new line.
pub type Tell = Box<dyn Fn(SyncLine) + Send + Sync>;

/// What the driver shares with the screens, and with those who wake it.
pub(super) struct Standing {
    pub store: Arc<Store>,
    link: Mutex<Link>,
    due: Mutex<Due>,
    /// Somebody looks at the seals of these rounds, and is told where the photos in them are.
    looked_at: Mutex<BTreeSet<RoundId>>,
    /// Absent until something was told of them.
    surroundings: Mutex<Option<Surroundings>>,
    /// Originals go in spite of what the person chose: they said so, for those that wait now.
    released: Mutex<bool>,
    /// Notified when something is due.
    pub woken: Notify,
    counted: Mutex<Counts>,
    told: Mutex<Option<SyncLine>>,
    tell: Tell,
}

/// What is to be done at the next turn, besides sending what waits.
#[derive(Clone, Copy, Debug, Default)]
// Each comes due by itself.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Due {
    pub greet: bool,
    pub pull: bool,
    /// Photos that were set aside are tried again.
    pub retry: bool,
    /// Records that the office set aside are offered again.
    pub offer: bool,
    /// Nothing counts as safe at the office any more until it was asked for all of it again.
    pub doubt: bool,
    /// What failed before says nothing of the next try: pauses grow from the shortest again.
    pub afresh: bool,
}

impl Standing {
    pub(super) fn new(store: Arc<Store>, tell: Tell) -> Self {
        Self {
            store,
            link: Mutex::default(),
            due: Mutex::new(Due { greet: true, pull: true, retry: true, offer: true, ..Due::default() }),
            looked_at: Mutex::default(),
            surroundings: Mutex::default(),
            released: Mutex::default(),
            woken: Notify::new(),
            counted: Mutex::default(),
            told: Mutex::default(),
            tell,
        }
    }

    /// The line as it is now.
    pub(super) fn line(&self) -> SyncLine {
        let mut link = hold(&self.link).clone();
        let counts = self.counts().unwrap_or_else(|trouble| {
            link.trouble = Some(trouble);
            // What cannot be counted is not said to be safe.
            link.contact = false;
            let counted = *hold(&self.counted);
            let enrolled = self.store.identity().map_or(counted.enrolled, |identity| identity.is_some());
            Counts { enrolled, ..counted }
        });
        line(counts, hold(&self.surroundings).unwrap_or_default(), &link)
    }

    fn counts(&self) -> Result<Counts, Trouble> {
        let Stored { is_enrolled, waiting, choices, last_synced } = self.store.standing()?;
        let counts = Counts {
            enrolled: is_enrolled,
            records: waiting.records,
            photos: waiting.photos - waiting.gone.0,
            bytes: waiting.bytes - waiting.gone.1,
            lost: waiting.gone.0,
            held: self.held(waiting, choices),
            set_aside: waiting.set_aside,
            not_there: waiting.not_there,
            last_synced,
        };
        *hold(&self.counted) = counts;
        Ok(counts)
    }

    /// The originals that the person's choice holds back in these surroundings. That they go all the same, once, is over
    /// when none of them waits any more, or the choice holds nothing back.
    fn held(&self, waiting: Waiting, choices: Choices) -> Option<Held> {
        let why = self.why(choices);
        let mut released = hold(&self.released);
        let held = match (why, waiting.ready) {
            (None, _) | (_, (0, _)) => None,
            (Some(why), (photos, bytes)) => Some(Held { why, photos, bytes, released: *released }),
        };
        *released &= held.is_some();
        held
    }

    /// Whether originals wait.
    pub(super) fn holds_originals(&self) -> Result<bool, Trouble> {
        Ok(self.why(self.store.choices()?).is_some() && !*hold(&self.released))
    }

    /// Why the person's choice holds originals back. In the moment after the app has started nobody has told what the
    /// tablet stands in: what was chosen to wait waits for that, too.
    fn why(&self, choices: Choices) -> Option<Hold> {
        const WORST: Surroundings = Surroundings { network: Network::Metered, battery: Battery::Low };
        let surroundings = hold(&self.surroundings).unwrap_or(WORST);
        choices.hold(surroundings)
    }

    /// The tablet stands in other surroundings; what waited for them goes at once.
    pub(super) fn surround(&self, surroundings: Surroundings) {
        let before = hold(&self.surroundings).replace(surroundings);
        if before != Some(surroundings) {
            // What was not tried while originals were held is tried now.
            self.due().retry = true;
            self.wake();
        }
    }

    /// The originals that wait go all the same, this once; or wait again.
    pub(super) fn release(&self, all_the_same: bool) {
        *hold(&self.released) = all_the_same;
        self.due().retry |= all_the_same;
        self.wake();
    }

    /// Tells of the line, if it has changed.
    pub(super) fn tell(&self) {
        // Held meanwhile: lines must not overtake each other, or the last one told would not be the truth.
        let mut told = hold(&self.told);
        let line = self.line();
        if told.as_ref() != Some(&line) {
            (self.tell)(line.clone());
            *told = Some(line);
        }
    }

    /// Tells of the line though it may be the same: something else is to be looked at.
    pub(super) fn tell_once_more(&self) {
        *hold(&self.told) = None;
        self.tell();
    }

    pub(super) fn due(&self) -> MutexGuard<'_, Due> {
        hold(&self.due)
    }

    /// Nothing that the office had confirmed counts as safe until it has confirmed it once more.
    pub(super) fn doubt_all(&self) {
        self.due().doubt = true;
        self.set_link(|link| link.doubt = true);
        self.woken.notify_one();
    }

    /// Something was recorded, or is due.
    pub(super) fn wake(&self) {
        self.woken.notify_one();
        self.tell();
    }

    /// The tablet is back from somewhere, or its network is.
    pub(super) fn come_back(&self) {
        let mut due = self.due();
        *due = Due { greet: true, pull: true, afresh: true, ..*due };
        drop(due);
        self.wake();
    }

    /// Somebody looks at the seals of a round.
    pub(super) fn look_at(&self, round: RoundId) {
        hold(&self.looked_at).insert(round);
        self.woken.notify_one();
    }

    /// A round whose sealed photos the office is to be asked for.
    pub(super) fn to_ask_of(&self) -> Option<RoundId> {
        hold(&self.looked_at).first().copied()
    }

    /// The office has said which of them it has.
    pub(super) fn asked_of(&self, round: RoundId) {
        hold(&self.looked_at).remove(&round);
    }

    /// The hub has something new.
    pub(super) fn poke(&self) {
        self.due().pull = true;
        self.woken.notify_one();
    }

    /// Any number, that no other tablet has at the same moment.
    pub(super) fn dice(&self) -> u32 {
        let mut dice = [0; 4];
        self.store.world().random(&mut dice);
        u32::from_le_bytes(dice)
    }

    /// Changes how the driver stands with the office, and tells of it.
    pub(super) fn set_link(&self, change: impl FnOnce(&mut Link)) {
        change(&mut hold(&self.link));
        self.tell();
    }

    /// Whether the hub may not have everything that it once confirmed.
    pub(super) fn doubts(&self) -> bool {
        hold(&self.link).doubt
    }

    /// Whether a request that carries something up is under way.
    pub(super) fn sending(&self, sending: bool) {
        if hold(&self.link).sending != sending {
            self.set_link(|link| link.sending = sending);
        }
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing here is left half changed by a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
