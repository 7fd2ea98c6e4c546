//! What others photographed: thumbnails after each pull, originals when somebody wants to see one.

use super::driver::{Driver, Sleep};
use super::fault::Fault;
use super::hub_client::{HubClient, Thumbnail};
use super::inventory;
use super::pace::Pace;
use super::standing::Standing;
use crate::store::StoreError;
use crate::vault::{Incoming, VaultError};
use standpipe_domain::ids::Sha256;
use standpipe_domain::sync::Trouble;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// A thumbnail that the hub does not have is asked for again after so long, then after twice as long, and so on: up to
/// five minutes where a tablet is still sending it, up to an hour where there may be none.
const SOON: Duration = Duration::from_secs(30);
const STILL: Duration = Duration::from_secs(5 * 60);
const LATE: Duration = Duration::from_secs(60 * 60);
/// The most bytes of an original that is fetched in place of a thumbnail.
const STAND_IN: u64 = 16 << 20;
/// A fetch that brings no byte is tried so many times.
const TRIES: u32 = 4;

/// The thumbnails that are to be fetched.
#[derive(Debug, Default)]
pub(super) struct Missing {
    queue: VecDeque<Sha256>,
    /// Those that the hub did not have, when to ask again, and how long that was put off.
    later: HashMap<Sha256, (Duration, Duration)>,
}

impl Missing {
    pub(super) fn next(&mut self) -> Option<Sha256> {
        self.queue.pop_front()
    }

    /// The original is here, and its small picture is made of it.
    pub(super) fn forget(&mut self, of: Sha256) {
        self.queue.retain(|one| *one != of);
    }

    fn fill(&mut self, wanted: Vec<Sha256>, now: Duration) {
        let all: HashSet<_> = wanted.iter().copied().collect();
        self.later.retain(|of, _| all.contains(of));
        let due = |of: &Sha256| self.later.get(of).is_none_or(|(at, _)| *at <= now);
        self.queue = wanted.into_iter().filter(due).collect();
    }

    /// Asks for it later. Whether it was put off so often that it will hardly come any more.
    fn put_off(&mut self, of: Sha256, now: Duration) -> bool {
        let wait = self.later.get(&of).map_or(SOON, |(_, wait)| (*wait * 2).min(LATE));
        self.later.insert(of, (now + wait, wait));
        wait == LATE
    }

    /// Asks for it soon again: a tablet is still sending it, or the link broke.
    fn expect_soon(&mut self, of: Sha256, now: Duration) {
        if let Some(later) = self.later.get_mut(&of) {
            let wait = later.1.min(STILL);
            *later = (now + wait, wait);
        }
    }
}

impl Driver {
    /// Puts the thumbnails that are not here in line.
    pub(super) fn look_for_thumbnails(&mut self) -> Result<(), Trouble> {
        let wanted = self.standing.store.wanted()?;
        let now = self.elapsed();
        self.missing.fill(wanted, now);
        Ok(())
    }

    /// Fetches the thumbnail of one original.
    pub(super) async fn fetch_thumbnail(&mut self, hub: &HubClient, of: Sha256) -> Result<(), Trouble> {
        // Whatever comes of it, the others are not kept waiting by this one.
        let now = self.elapsed();
        let late = self.missing.put_off(of, now);
        let store = &self.standing.store;
        let answer = hub.thumbnail(of).await;
        match &answer {
            Ok(Thumbnail::NotMade) => store.office_has(of, true)?,
            Ok(Thumbnail::NotYet) => store.office_has(of, false)?,
            // The original may have come after it.
            Ok(Thumbnail::Here(_) | Thumbnail::Unfit) => store.office_may_have(of)?,
            Err(_) => {}
        }
        if !matches!(answer, Ok(Thumbnail::NotMade | Thumbnail::Unfit)) {
            self.missing.expect_soon(of, now);
        }
        match answer? {
            Thumbnail::Here(bytes) => store.put_thumbnail(of, &bytes)?,
            // The office's own photos have none: the tablet makes the small picture itself.
            Thumbnail::NotMade | Thumbnail::Unfit if self.may_stand_in(of)? => self.want(of),
            Thumbnail::NotMade | Thumbnail::Unfit if late => store.not_to_be_had(of, "no-thumbnail")?,
            Thumbnail::NotMade | Thumbnail::Unfit | Thumbnail::NotYet => {}
        }
        Ok(())
    }

    /// Whether an original is small enough to be fetched unasked, and nothing that the person chose speaks against it.
    fn may_stand_in(&self, of: Sha256) -> Result<bool, Trouble> {
        let is_small = self.standing.store.bytes_of(of)?.is_some_and(|bytes| bytes <= STAND_IN);
        Ok(is_small && !self.standing.holds_originals()?)
    }

    /// Has an original fetched beside the driver's own work. Should that fail, its thumbnail is asked for again later.
    fn want(&self, sha256: Sha256) {
        let (answer, _) = oneshot::channel();
        let _ = self.wishes.send(Order { sha256, answer, progress: Box::new(|_| ()) });
    }
}

/// Who is told of how far a fetch is.
pub type Progress = Box<dyn Fn(u8) + Send + Sync>;

/// Somebody wants to see an original.
pub(super) struct Order {
    pub sha256: Sha256,
    /// Is told how many percent are here, whenever that has changed.
    pub progress: Progress,
    pub answer: oneshot::Sender<Result<(), NotFetched>>,
}

/// Why an original could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum NotFetched {
    #[error("the office has not been reached, so its photos cannot be fetched: try again with a network")]
    NoOffice,
    #[error("the photo is still on the tablet that took it: try again later")]
    NotYet,
    #[error(transparent)]
    Link(#[from] Fault),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl NotFetched {
    /// A stable code for it.
    pub fn code(&self) -> &str {
        match self {
            Self::NoOffice => "no-answer",
            Self::NotYet => "not-here-yet",
            Self::Link(fault) => fault.code(),
            Self::Vault(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}

/// Fetches originals, one after the other, beside the driver's own work.
pub(super) async fn serve(
    standing: Arc<Standing>,
    reached: watch::Receiver<Option<Arc<HubClient>>>,
    sleep: Sleep,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    // What came in of the last one that did not come whole: whoever asks once more goes on there.
    let mut broken: Option<(Sha256, Part)> = None;
    while let Some(Order { sha256, progress, answer }) = orders.recv().await {
        let mut part = broken.take().filter(|(of, _)| *of == sha256).map(|(_, part)| part);
        let fetched = original(&standing, &reached, &sleep, (sha256, &progress), &mut part).await;
        broken = part.map(|part| (sha256, part));
        // Whoever asked may have gone on to another screen; the photo is here all the same.
        let _ = answer.send(fetched);
    }
}

async fn original(
    standing: &Standing,
    reached: &watch::Receiver<Option<Arc<HubClient>>>,
    sleep: &Sleep,
    (sha256, progress): (Sha256, &Progress),
    incoming: &mut Option<Part>,
) -> Result<(), NotFetched> {
    if is_here(standing, sha256).await? {
        return Ok(());
    }
    let mut pace = Pace::default();
    let mut fruitless = 0;
    loop {
        let hub = reached.borrow().clone().ok_or(NotFetched::NoOffice)?;
        let before = incoming.as_ref().map_or(0, |incoming| incoming.bytes);
        let fault = match more(standing, &hub, (sha256, progress), incoming).await {
            Ok(()) => break,
            Err(NotFetched::NotYet) => {
                standing.store.office_has(sha256, false)?;
                // It had confirmed it. What else it has lost is asked for, and this photo is told of.
                if standing.store.is_confirmed(sha256)? {
                    standing.doubt_all();
                }
                return Err(NotFetched::NotYet);
            }
            Err(NotFetched::Link(fault @ Fault::NoAnswer { .. })) => fault,
            Err(error) => return Err(error),
        };
        // A link that cuts every few megabytes still brings the photo in the end.
        let moved = incoming.as_ref().is_some_and(|incoming| incoming.bytes > before);
        fruitless = if moved { 0 } else { fruitless + 1 };
        if fruitless == TRIES {
            return Err(fault.into());
        }
        if !moved {
            sleep(pace.pause(standing.dice(), false)).await;
        }
    }
    if let Some(part) = incoming.take() {
        standing.store.put_fetched(sha256, part.file)?;
    }
    Ok(())
}

/// Whether the original is here.
async fn is_here(standing: &Standing, of: Sha256) -> Result<bool, StoreError> {
    let (is_here, is_news) = inventory::is_here(&standing.store, of).await?;
    if is_news {
        // Nobody may have sent it.
        standing.doubt_all();
    }
    Ok(is_here)
}

/// An original that is coming in.
struct Part {
    file: Incoming,
    bytes: u64,
}

/// Fetches what is still missing of an original, as far as the link lasts.
async fn more(
    standing: &Standing,
    hub: &HubClient,
    (sha256, progress): (Sha256, &Progress),
    part: &mut Option<Part>,
) -> Result<(), NotFetched> {
    let from = part.as_ref().map_or(0, |part| part.bytes);
    let mut download = hub.original(sha256, from).await?.ok_or(NotFetched::NotYet)?;
    let store = &standing.store;
    let going_on = part.take().filter(|part| part.bytes == download.from);
    let into = part.insert(if let Some(going_on) = going_on {
        going_on
    } else {
        let file = store.vault().begin(store.world().uuid(), download.total, store.world())?;
        Part { file, bytes: 0 }
    });
    while let Some(bytes) = download.next().await? {
        let before = percent(into.bytes, download.total);
        into.bytes = match into.file.write(&bytes) {
            Ok(arrived) => arrived,
            Err(error) => {
                // Half of these bytes may be in the file: the next ones would stand in the wrong place.
                *part = None;
                return Err(error.into());
            }
        };
        let now = percent(into.bytes, download.total);
        if now != before {
            progress(now);
        }
    }
    Ok(())
}

fn percent(arrived: u64, total: u64) -> u8 {
    u8::try_from(arrived.saturating_mul(100) / total.max(1)).unwrap_or(100).min(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbnail_that_does_not_come_is_asked_for_less_and_less() {
        let (mut missing, of) = (Missing::default(), Sha256([1; 32]));
        let mut now = Duration::ZERO;
        let mut waits = vec![];
        for late in [false, false, false, false, false, false, false, true, true] {
            missing.fill(vec![of], now);
            assert_eq!(missing.next(), Some(of));
            assert_eq!(missing.put_off(of, now), late);
            let (at, wait) = missing.later[&of];
            missing.fill(vec![of], at.checked_sub(Duration::from_millis(1)).unwrap());
            assert_eq!(missing.next(), None, "it is not its time yet");
            waits.push(wait.as_secs());
            now = at;
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
        missing.fill(vec![], now);
        assert!(missing.later.is_empty(), "what is here is forgotten");
    }
}
