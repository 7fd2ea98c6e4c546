//! Brings issues into the tracker that an office had before, each once: does what [`Delivery`] says, and keeps how far each
//! has come before the next thing is done about it.

mod net;

pub use net::{Carry, Network};

use crate::store::{Store, StoreError};
use crate::world::{Broken, World, within};
use standpipe_bridge::delivery::DEADLINE;
use standpipe_bridge::redmine::{Call, Redmine, Unclear};
use standpipe_bridge::twins::twins;
use standpipe_bridge::{Delivery, Filing, Heard, Next};
use standpipe_domain::ids::IssueId;
use standpipe_domain::issue::Outside;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// How many issues are looked at in one turn.
const AT_ONCE: u32 = 100;
/// What went wrong is tried again after so long, twice as long each time.
const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_mins(5);
/// Twins are looked for so long after something was sent, for it may arrive late; and once a day, as somebody else may have
/// put the hub back to an old state.
const SETTLES: Duration = Duration::from_mins(10);
const EVERY: Duration = Duration::from_hours(24);

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
    /// Those that are on their way. What is kept of them in the store is never behind.
    deliveries: BTreeMap<IssueId, Delivery>,
    /// When twins are looked for next, and when something was sent last.
    sweep_at: Duration,
    sent_at: Option<Duration>,
    /// Something came there without its mark: what is sent would not be found again.
    is_unmarked: bool,
    pause: Duration,
}

impl Filer {
    pub fn new(store: Arc<dyn Store>, world: Arc<dyn World>, tracker: Arc<Tracker>) -> Self {
        let sweep_at = world.elapsed();
        Self {
            store,
            world,
            tracker,
            deliveries: BTreeMap::new(),
            sweep_at,
            sent_at: None,
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
            // Missed pokes are pokes too. A store that is closed pokes no more, and the hub ends.
            if let Some(Err(RecvError::Closed)) = within(&*world, pause, changes.recv()).await {
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
            self.sweep().await?;
            let now = self.world.elapsed();
            let settled = self.sent_at.map(|sent| sent + SETTLES).filter(|settled| *settled > now);
            self.sweep_at = settled.unwrap_or(now + EVERY);
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
                self.sent_at = Some(now);
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

    /// Looks through everything that carries a mark: one stands for each issue, and others are closed. Marks that no issue of
    /// this hub has are somebody else's.
    async fn sweep(&mut self) -> Result<(), NotNow> {
        let tracker = Arc::clone(&self.tracker);
        let redmine = &tracker.redmine;
        let (mut marked, mut offset) = (Vec::new(), Some(0));
        while let Some(at) = offset {
            let (status, body) = self.ask(redmine.page(at)).await?;
            let (mut page, next) = redmine.marked(at, status, &body)?;
            marked.append(&mut page);
            offset = next;
        }
        let mut known = BTreeMap::new();
        for issue in marked.iter().map(|found| found.issue) {
            if let Entry::Vacant(unknown) = known.entry(issue)
                && let Some(filing) = self.store.filing(issue).await?
            {
                unknown.insert(filing);
            }
        }
        marked.retain(|found| known.contains_key(&found.issue));
        let (stands, others) = twins(&marked);
        for (issue, number) in stands {
            let filed = Filing::Filed(number);
            if known.get(&issue) != Some(&filed) {
                self.store.file(issue, filed).await?;
                self.deliveries.remove(&issue);
            }
        }
        for twin in others {
            let (status, _) = self.ask(redmine.close(twin)).await?;
            tracing::warn!(status, twin.number, twin.of, "an issue was in the outside tracker twice");
        }
        Ok(())
    }

    async fn ask(&self, call: Call) -> Result<(u16, bytes::Bytes), Broken> {
        let answer = within(&*self.world, DEADLINE, self.tracker.carry.send(call)).await;
        answer.unwrap_or_else(|| Err(Broken("no answer in time".into())))
    }
}
