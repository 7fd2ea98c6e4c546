//! Brings issues into the tracker that an office had before, each once: does what [`Delivery`] says, and keeps how far each
//! has come before the next thing is done about it.

mod net;
mod sweep;
#[cfg(test)]
mod tests;

pub use net::{Carry, Network};

use crate::store::{Store, StoreError};
use crate::world::{Broken, World, within};
use futures::future::{Either, select};
use standpipe_bridge::delivery::DEADLINE;
use standpipe_bridge::redmine::{Call, Redmine, Unclear};
use standpipe_bridge::{Delivery, Filing, Heard, Next};
use standpipe_domain::ids::IssueId;
use standpipe_domain::issue::Outside;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;

/// How many issues are looked at in one turn.
const AT_ONCE: u32 = 100;
/// What went wrong is tried again after so long, twice as long each time.
const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_mins(5);
/// Twins are looked for so long after something was sent, for it may arrive late; and once a day, as somebody else may have
/// put the hub back to an old state. Where something of that was left open, after an hour.
const SETTLES: Duration = Duration::from_mins(10);
const EVERY: Duration = Duration::from_hours(24);
const SOON: Duration = Duration::from_hours(1);

/// The tracker that an office had before.
pub struct Tracker {
    pub redmine: Redmine,
    /// Where people find it, without a slash at its end.
    pub address: String,
    pub carry: Arc<dyn Carry>,
}

impl Tracker {
    /// What a page shows of an issue.
    pub(crate) fn shows(&self, filing: Option<Filing>) -> Outside {
        match filing {
            None | Some(Filing::Waits) => Outside::Waits,
            Some(Filing::Sent) => Outside::Sent,
            Some(Filing::Filed(number)) => {
                Outside::Filed { number, address: format!("{}/issues/{number}", self.address) }
            }
            Some(Filing::Gone(number)) => Outside::Gone { number },
            Some(Filing::Refused(said)) => Outside::Refused { said },
        }
    }
}

/// Why nothing could be done for now.
#[derive(Debug, thiserror::Error)]
enum NotNow {
    #[error(transparent)]
    Unclear(#[from] Unclear),
    #[error("it cannot be reached: {0}")]
    Broken(#[from] Broken),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Brings issues to a tracker for as long as a hub runs.
pub struct Filer {
    store: Arc<dyn Store>,
    world: Arc<dyn World>,
    tracker: Arc<Tracker>,
    /// Somebody wants something brought there again.
    wanted: Arc<Notify>,
    /// Those that are on their way. What is kept of them in the store is never behind.
    deliveries: BTreeMap<IssueId, Delivery>,
    /// When twins are looked for next, and when something may have been sent last.
    sweep_at: Duration,
    sent_at: Duration,
    /// Of what a sweep did not show, the last that was asked for singly.
    asked: Option<IssueId>,
    /// Something came there without its mark: what is sent would not be found again.
    is_unmarked: bool,
    pause: Duration,
}

impl Filer {
    /// `wanted` tells when something is to be brought there again.
    pub fn new(
        store: Arc<dyn Store>,
        world: Arc<dyn World>,
        tracker: Arc<Tracker>,
        wanted: Arc<Notify>,
    ) -> Self {
        let now = world.elapsed();
        Self {
            store,
            world,
            tracker,
            wanted,
            deliveries: BTreeMap::new(),
            sweep_at: now,
            // What an earlier run sent may arrive late too.
            sent_at: now,
            asked: None,
            is_unmarked: false,
            pause: SHORTEST,
        }
    }

    /// Works for as long as it is not dropped. Issues that are new are brought at once.
    pub async fn run(mut self) -> Infallible {
        let mut changes = self.store.changes();
        loop {
            let pause = match self.turn().await {
                Ok(pause) => {
                    self.pause = SHORTEST;
                    pause
                }
                Err(error) => {
                    tracing::warn!(%error, "the outside tracker: {error}; tried again in {:?}", self.pause);
                    let pause = self.pause;
                    self.pause = (pause * 2).min(LONGEST);
                    // Not before: what keeps it from working is not over because somebody records something.
                    self.world.sleep(pause).await;
                    continue;
                }
            };
            let world = Arc::clone(&self.world);
            let (changed, wanted) = (pin!(changes.recv()), pin!(self.wanted.notified()));
            // Missed pokes are pokes too. A store that is closed pokes no more, and the hub ends.
            let news = within(&*world, pause, select(changed, wanted)).await;
            if let Some(Either::Left((Err(RecvError::Closed), _))) = news {
                world.sleep(EVERY).await;
            }
        }
    }

    /// Does what can be done now. Gives how long there is nothing more to do.
    async fn turn(&mut self) -> Result<Duration, NotNow> {
        if self.is_unmarked {
            return Ok(EVERY);
        }
        if self.world.elapsed() >= self.sweep_at {
            let is_done = self.sweep().await?;
            let (now, settled) = (self.world.elapsed(), self.sent_at + SETTLES);
            self.sweep_at = match is_done {
                _ if settled > now => settled,
                true => now + EVERY,
                false => now + SOON,
            };
        }
        let open = self.store.not_filed(AT_ONCE).await?;
        self.deliveries.retain(|issue, _| open.iter().any(|(open, _)| open == issue));
        let mut pause = self.sweep_at.saturating_sub(self.world.elapsed());
        for (issue, filing) in open {
            let now = self.world.elapsed();
            let delivery = self.deliveries.entry(issue).or_insert_with(|| Delivery::new(filing, now));
            let next = delivery.next(now);
            if let Next::Pause(quiet) = next {
                pause = pause.min(quiet);
            } else if next != Next::Nothing {
                self.act(issue, &next).await?;
                return Ok(Duration::ZERO);
            }
            // One create at a time: until it is known what became of it, nothing else is sent.
            if self.deliveries.get(&issue).is_some_and(|delivery| *delivery.filing() == Filing::Sent) {
                break;
            }
        }
        Ok(pause)
    }

    /// Looks for an issue, or creates it, and keeps what came of that.
    async fn act(&mut self, issue: IssueId, next: &Next) -> Result<(), NotNow> {
        let heard = match next {
            Next::Create => {
                let now = self.world.elapsed();
                self.sent_at = now;
                self.sweep_at = self.sweep_at.min(now + SETTLES);
                self.create(issue).await
            }
            _ => self.look(issue).await.map(|heard| (heard, Ok(()))),
        };
        // Gone from the map where it cannot be kept: what was kept before counts then.
        let Some(mut delivery) = self.deliveries.remove(&issue) else { return Ok(()) };
        let before = delivery.filing().clone();
        let (heard, told) = heard.unwrap_or_else(|error| (Heard::Unclear, Err(error)));
        self.is_unmarked = matches!(told, Err(NotNow::Unclear(Unclear::Unmarked(..))));
        delivery.hears(heard, self.world.elapsed(), self.pause);
        let filing = delivery.filing().clone();
        if filing != before {
            tracing::info!(%issue, ?filing, "the outside tracker");
            self.store.file(issue, filing).await?;
        }
        self.deliveries.insert(issue, delivery);
        told
    }

    async fn look(&self, issue: IssueId) -> Result<Heard, NotNow> {
        let redmine = &self.tracker.redmine;
        let (status, body) = self.ask(redmine.look(issue)).await?;
        Ok(redmine.found(issue, status, &body)?)
    }

    /// Creates an issue. Gives what came of it, and beside that what is to be told.
    async fn create(&self, issue: IssueId) -> Result<(Heard, Result<(), NotNow>), NotNow> {
        let redmine = &self.tracker.redmine;
        // Gone meanwhile: what is not sent is not there.
        let Some(line) = self.store.issue_line(issue, self.world.today()).await? else {
            return Ok((Heard::Unclear, Ok(())));
        };
        let (status, body) = self.ask(redmine.create(&line)).await?;
        let (heard, told) = redmine.created(status, &body)?;
        Ok((heard, told.map_err(NotNow::from)))
    }

    async fn ask(&self, call: Call) -> Result<(u16, bytes::Bytes), Broken> {
        let answer = within(&*self.world, DEADLINE, self.tracker.carry.send(call)).await;
        answer.unwrap_or_else(|| Err(Broken("no answer in time".into())))
    }
}
