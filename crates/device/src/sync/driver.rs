//! What brings the tablet and the office in step, for as long as the app runs.
//!
//! One request at a time (of photos that need one piece each, and of pushes on a quick line, two), the most urgent first:
//! what was recorded here, what the office wrote, thumbnails, originals in pieces. Between two pieces of a photo a new
//! record goes first. A lane that fails is closed until the next turn, and the others go on; a link that fails ends the
//! turn. Turns come for ever: at once when something is due, otherwise each minute, after failures with growing pauses.

use super::ear;
use super::fault::{stops_everything, worse};
use super::fetch::{self, Missing, Order};
use super::hub_client::{HubClient, Outside};
use super::inventory::Inventory;
use super::line::Link;
use super::mend::{Mend, never_numbered, not_numbered_again};
use super::moment::Moment;
use super::pace::Pace;
use super::photos::Photos;
use super::recheck::Recheck;
use super::standing::{Due, Standing};
use crate::identity::{Identity, Token};
use crate::store::blobs::{PendingUpload, Role};
use futures::FutureExt;
use futures::future::BoxFuture;
use standpipe_domain::ids::{RoundId, Sha256};
use standpipe_domain::sync::Trouble;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

/// How often the hub is asked when nothing pokes: a poke can be lost.
const INTERVAL: Duration = Duration::from_secs(60);

/// How the driver waits; a test does not.
pub(super) type Sleep = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

pub(super) struct Driver {
    pub(super) standing: Arc<Standing>,
    pub(super) photos: Photos,
    pub(super) missing: Missing,
    pub(super) recheck: Recheck,
    pub(super) inventory: Inventory,
    pub(super) mend: Mend,
    /// The run of the hub that was met last.
    pub(super) run: Option<Uuid>,
    /// Both ends were found to hold the same in this turn.
    pub(super) in_step: bool,
    /// The line broke at the last offer of what was set aside.
    pub(super) offer_broke: bool,
    /// The last pull ended before the hub's head, with more missing than one page holds.
    pub(super) lacks_much: bool,
    sleep: Sleep,
    pub(super) outside: Outside,
    hub: Option<(String, Token, Arc<HubClient>)>,
    reached: watch::Sender<Option<Arc<HubClient>>>,
    pulled: Duration,
    greeted: Duration,
    /// When what was set aside was last offered, or nothing was to be.
    pub(super) offered: Duration,
    /// When the last turn began.
    began: Moment,
    changes: watch::Receiver<u64>,
    /// Originals that the driver itself wants fetched: whoever asks for one on a screen does not stand behind them.
    pub(super) wishes: mpsc::UnboundedSender<Order>,
    wished: Option<mpsc::UnboundedReceiver<Order>>,
}

/// A kind of work that can fail by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    Push,
    Pull,
    Mend,
    Vault,
    Upload,
    Download,
    Recheck,
    Spoilt,
}

/// The next thing to do.
enum Job {
    Push,
    Offer,
    Pull,
    Repair,
    GiveBack,
    TakeStock,
    Upload(Box<PendingUpload>),
    Thumbnail(Sha256),
    Recheck,
    AskOfSpoilt,
    Sealed(RoundId),
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Good,
    Troubled,
}

impl Driver {
    pub(super) fn new(standing: Arc<Standing>, sleep: Sleep, outside: Outside) -> Self {
        let (wishes, wished) = mpsc::unbounded_channel();
        Self {
            changes: standing.store.changes(),
            wishes,
            wished: Some(wished),
            // Where that cannot be told, one end too many does no harm.
            mend: Mend::new(standing.store.owes_end().unwrap_or(true)),
            standing,
            photos: Photos::default(),
            missing: Missing::default(),
            recheck: Recheck::default(),
            inventory: Inventory::default(),
            run: None,
            in_step: false,
            offer_broke: false,
            lacks_much: false,
            sleep,
            pulled: outside.world.elapsed(),
            greeted: outside.world.elapsed(),
            offered: outside.world.elapsed(),
            began: Moment::of(&*outside.world),
            outside,
            hub: None,
            reached: watch::Sender::new(None),
        }
    }

    /// Works until dropped.
    pub(super) async fn run(mut self, orders: mpsc::UnboundedReceiver<Order>) {
        let ear = ear::listen(Arc::clone(&self.standing), self.reached.subscribe(), Arc::clone(&self.sleep));
        let serve = |orders| {
            fetch::serve(
                Arc::clone(&self.standing),
                self.reached.subscribe(),
                Arc::clone(&self.sleep),
                orders,
            )
        };
        let (asked, wished) =
            (serve(orders), futures::future::OptionFuture::from(self.wished.take().map(serve)));
        let tell = tell_of_changes(Arc::clone(&self.standing));
        futures::join!(ear, asked, wished, tell, self.turns());
    }

    async fn turns(&mut self) {
        let mut pace = Pace::default();
        let mut woken = false;
        loop {
            let turn = self.turn().await;
            if std::mem::take(&mut self.standing.due().afresh) || turn == Turn::Good {
                pace.reset();
            }
            let pause = match turn {
                Turn::Good => INTERVAL,
                Turn::Troubled => pace.pause(self.standing.dice(), woken),
            };
            woken = tokio::select! {
                biased;
                () = self.standing.woken.notified() => true,
                // Whatever was recorded, or a preview that was made: there may be something to send.
                Ok(()) = self.changes.changed() => true,
                () = (self.sleep)(pause) => false,
            };
            if !woken {
                let mut due = self.standing.due();
                (due.greet, due.pull) = (true, true);
            }
        }
    }

    /// Does what is due. Whatever goes wrong, the next turn comes.
    async fn turn(&mut self) -> Turn {
        self.changes.mark_unchanged();
        let mut soft = None;
        // A fault in this program must not end synchronisation in silence.
        let done = AssertUnwindSafe(self.work(&mut soft)).catch_unwind().await.unwrap_or_else(|_| {
            Err(Trouble::TabletFault { detail: "the app has a fault of its own; its log tells where".into() })
        });
        let reached = matches!(done, Ok(true));
        let trouble = done.err().or(soft);
        let turn = if trouble.is_none() { Turn::Good } else { Turn::Troubled };
        if !reached {
            self.reached.send_replace(None);
            self.standing.due().greet = true;
        }
        self.standing.set_link(|link| {
            *link = Link { sending: false, contact: reached, doubt: link.doubt, trouble };
        });
        turn
    }

    /// One turn: greets the hub when that is due, then does one job after the other. Gives whether the hub was there.
    /// What stops only one lane is put into `soft`.
    async fn work(&mut self, soft: &mut Option<Trouble>) -> Result<bool, Trouble> {
        self.notice_sleep()?;
        let Some(identity) = self.standing.store.identity()? else { return Ok(false) };
        let (token, hub) = (identity.token.clone(), self.hub(identity)?);
        if std::mem::take(&mut self.standing.due().doubt) {
            self.doubt();
        }
        // However much there is to do: what the hub has lost, it says in its greeting.
        if self.standing.due().greet || self.is_greeting_old() {
            self.greeted = self.elapsed();
            let greeted = self.greet(&hub).await;
            if self.judge(greeted, soft)? {
                self.standing.due().greet = false;
                self.meet(&hub);
            }
        }
        self.in_step = false;
        let mut closed = Vec::new();
        while let Some(job) = self.next(&closed)? {
            if self.is_greeting_old() {
                self.standing.woken.notify_one();
                return Ok(true);
            }
            // Who joins again has another hub to talk to, or is another device there: that is for the next turn.
            if self.standing.store.identity()?.is_none_or(|identity| identity.token != token) {
                self.standing.woken.notify_one();
                return Ok(true);
            }
            // Pushes and uploads say themselves when they send; of all else only what is given back goes up.
            if !matches!(job, Job::Push | Job::Offer | Job::Upload(_)) {
                self.standing.sending(matches!(job, Job::GiveBack));
            }
            let (lane, done) = match job {
                Job::Push => (Lane::Push, self.push(&hub).await),
                Job::Offer => (Lane::Push, self.offer(&hub).await),
                Job::Upload(blob) => (Lane::Upload, self.send_photo(&hub, *blob).await),
                Job::Pull => {
                    self.pulled = self.elapsed();
                    (Lane::Pull, self.pull(&hub).await)
                }
                Job::Repair => (Lane::Mend, self.repair(&hub).await),
                Job::GiveBack => (Lane::Mend, self.give_back(&hub).await),
                Job::TakeStock => (Lane::Vault, self.take_stock(&hub).await),
                Job::Thumbnail(of) => (Lane::Download, self.fetch_thumbnail(&hub, of).await),
                Job::Recheck => (Lane::Recheck, self.recheck_photos(&hub).await),
                Job::AskOfSpoilt => (Lane::Spoilt, self.ask_of_spoilt(&hub).await),
                Job::Sealed(round) => (Lane::Recheck, self.ask_of_sealed(&hub, round).await),
            };
            if !self.judge(done, soft)? {
                closed.push(lane);
            }
        }
        if self.in_step && soft.is_none() && !self.mend.differs && !self.recheck.is_due() {
            if self.mend.looks_back {
                self.mend.looks_back = self.standing.store.offer_unnumbered()? > 0;
                let looked = std::mem::replace(&mut self.mend.looked_back, self.mend.looks_back);
                if self.mend.looks_back {
                    // It waits now, and the next turn sends it; where that has not helped, after a pause.
                    if looked {
                        *soft = Some(never_numbered().into());
                    }
                    return Ok(true);
                }
            }
            if self.standing.doubts() {
                self.set_aside_only_here().await?;
                if self.standing.store.counts_unnumbered()? {
                    self.mend.give_all_back();
                    *soft = Some(not_numbered_again().into());
                    return Ok(true);
                }
            }
            // Somebody may have asked for all of it once more since this turn began, or does so at this moment: held until
            // it is said, so that the last word is theirs.
            let due = self.standing.due();
            if due.doubt {
                return Ok(true);
            }
            self.standing.set_link(|link| link.doubt = false);
            drop(due);
            self.all_arrived()?;
        }
        Ok(true)
    }

    /// After a sleep the hub is greeted, however little time has passed by the pauses, which measures the clock anew; and over
    /// connections of its own: of those that stood before nobody knows whether they lead anywhere.
    fn notice_sleep(&mut self) -> Result<(), Trouble> {
        let now = Moment::of(&*self.outside.world);
        if !now.leapt_since(std::mem::replace(&mut self.began, now)) {
            return Ok(());
        }
        tracing::info!("the tablet slept, or its clock was put forward: the hub is greeted anew");
        if let Some((address, token, hub)) = &mut self.hub {
            *hub = Arc::new(HubClient::new(address, Some(token.clone()), &self.outside)?);
        }
        let mut due = self.standing.due();
        (due.greet, due.pull) = (true, true);
        Ok(())
    }

    fn is_greeting_old(&self) -> bool {
        self.elapsed().saturating_sub(self.greeted) >= INTERVAL
    }

    /// The hub may not have what it once confirmed: both are compared, and until then nothing is said to be safe.
    pub(super) fn doubt(&mut self) {
        self.recheck.doubt();
        self.mend.looks_back = true;
        // Of what it had set aside it may know nothing any more.
        {
            let mut due = self.standing.due();
            (due.pull, due.offer) = (true, true);
        }
        self.photos.doubt();
        self.standing.set_link(|link| link.doubt = true);
    }

    /// See [`World::elapsed`](crate::world::World::elapsed).
    pub(super) fn elapsed(&self) -> Duration {
        self.outside.world.elapsed()
    }

    /// The most urgent thing to do in a lane that is not closed.
    fn next(&mut self, closed: &[Lane]) -> Result<Option<Job>, Trouble> {
        // What changed up to here is seen by this look; what changes from here on brings another turn.
        self.changes.mark_unchanged();
        let open = |lane| !closed.contains(&lane);
        // Before anything else goes up: a hub that was restored takes back what it had judged as it was, and judges what is
        // new in sight of that. Where that fails, the lane is closed, and what waits goes up all the same: nothing blocks.
        if open(Lane::Mend) && self.mend.differs {
            return Ok(Some(Job::Repair));
        }
        if open(Lane::Mend) && self.gives_back()? {
            return Ok(Some(Job::GiveBack));
        }
        let offers = open(Lane::Push) && self.offers()?;
        if open(Lane::Push) && self.records_wait()? {
            return Ok(Some(Job::Push));
        }
        if offers && !self.offer_broke {
            return Ok(Some(Job::Offer));
        }
        // Photos can take hours; what the office writes meanwhile does not wait for them.
        if open(Lane::Pull)
            && (self.standing.due().pull || self.elapsed().saturating_sub(self.pulled) >= INTERVAL)
        {
            return Ok(Some(Job::Pull));
        }
        // Before the small picture of a photo is fetched that is here.
        if open(Lane::Vault) && self.inventory.is_due() {
            return Ok(Some(Job::TakeStock));
        }
        // Somebody is looking, and one question tells.
        if open(Lane::Recheck)
            && let Some(round) = self.standing.to_ask_of()
        {
            return Ok(Some(Job::Sealed(round)));
        }
        if open(Lane::Spoilt) && self.photos.asks {
            return Ok(Some(Job::AskOfSpoilt));
        }
        let upload = if open(Lane::Upload) { self.next_upload()? } else { None };
        if !upload.as_ref().is_some_and(|blob| blob.key.role == Role::Thumbnail)
            && open(Lane::Download)
            && let Some(of) = self.missing.next()
        {
            return Ok(Some(Job::Thumbnail(of)));
        }
        let recheck = (open(Lane::Recheck) && self.recheck.is_due()).then_some(Job::Recheck);
        // One that breaks the line each time holds nothing else up.
        let offer = offers.then_some(Job::Offer);
        Ok(upload.map(|blob| Job::Upload(Box::new(blob))).or(recheck).or(offer))
    }

    fn next_upload(&mut self) -> Result<Option<PendingUpload>, Trouble> {
        let store = &self.standing.store;
        let is_asked = self.standing.due().retry;
        if is_asked || self.photos.parole(self.elapsed()) {
            store.upload_retry_all(!is_asked || self.standing.holds_originals()?)?;
            self.changes.mark_unchanged();
            self.standing.due().retry = false;
            self.photos.forget();
        }
        let next = store.next_upload()?;
        // Originals come last: behind one nothing stands that may go.
        let is_original = next.as_ref().is_some_and(|blob| blob.key.role == Role::Original);
        Ok(if is_original && self.standing.holds_originals()? { None } else { next })
    }

    /// Whether something went well. If not, the lane is closed, or the whole turn ends.
    fn judge(&self, done: Result<(), Trouble>, soft: &mut Option<Trouble>) -> Result<bool, Trouble> {
        let Err(trouble) = done else { return Ok(true) };
        if stops_everything(&trouble) {
            return Err(trouble);
        }
        let trouble = worse(soft.take(), trouble);
        *soft = Some(trouble.clone());
        self.standing.set_link(|link| {
            link.sending = false;
            link.trouble = Some(trouble);
        });
        Ok(false)
    }

    /// The hub answered.
    fn meet(&self, hub: &Arc<HubClient>) {
        self.reached.send_if_modified(|reached| {
            let news = !reached.as_ref().is_some_and(|reached| Arc::ptr_eq(reached, hub));
            *reached = Some(Arc::clone(hub));
            news
        });
        self.standing.set_link(|link| {
            if !link.contact {
                *link = Link { contact: true, doubt: link.doubt, ..Link::default() };
            }
        });
    }

    /// The hub at the tablet's address; another one after the tablet was enrolled elsewhere.
    fn hub(&mut self, identity: Identity) -> Result<Arc<HubClient>, Trouble> {
        if let Some((address, token, hub)) = &self.hub
            && *address == identity.hub
            && *token == identity.token
        {
            return Ok(Arc::clone(hub));
        }
        let hub = Arc::new(HubClient::new(&identity.hub, Some(identity.token.clone()), &self.outside)?);
        self.hub = Some((identity.hub, identity.token, Arc::clone(&hub)));
        self.inventory = Inventory::default();
        *self.standing.due() =
            Due { greet: true, pull: true, retry: true, offer: true, doubt: true, afresh: false };
        Ok(hub)
    }

    /// Both ends hold the same: if nothing was recorded since, and no photo waits, the person is told when.
    fn all_arrived(&self) -> Result<(), Trouble> {
        let store = &self.standing.store;
        let waiting = store.waiting()?;
        if waiting.records == 0 && waiting.photos == 0 {
            store.synced_at(store.world().now())?;
        }
        Ok(())
    }
}

/// Tells of the line whenever something was recorded, also while a request is under way.
async fn tell_of_changes(standing: Arc<Standing>) {
    let mut changes = standing.store.changes();
    while changes.changed().await.is_ok() {
        standing.tell();
    }
}
