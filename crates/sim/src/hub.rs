//! The hub of a simulation: the real store, the real photos, the real HTTP interface, on a disk that can fail.

use crate::dice::Dice;
use crate::disk::{Disks, untracked};
use crate::effects::{Effect, happens};
use crate::estate::{OFFICE, SITE, STAFF};
use crate::net::Net;
use crate::people::request;
use crate::postgres;
use crate::time::Owner;
use crate::tracker::Outside;
use crate::world::{AtOnce, SimWorld, time};
use futures::executor::block_on;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use standpipe_bridge::Filing;
use standpipe_domain::ids::{DeviceId, IssueId, PersonId};
use standpipe_domain::issue::{Step, StepRequest};
use standpipe_domain::office::IssueFilter;
use standpipe_domain::people::Role;
use standpipe_domain::record::entity;
use standpipe_hub::backup::{self, BackupError};
use standpipe_hub::http::App;
use standpipe_hub::ingest::judge_again;
use standpipe_hub::issues::step as step_of;
use standpipe_hub::office::{Hand, change, write};
use standpipe_hub::secret::Code;
use standpipe_hub::store::postgres::{PostgresStore, move_in, move_out};
use standpipe_hub::store::sqlite::SqliteStore;
use standpipe_hub::store::{Book, Enrolment, Store, StoreError};
use standpipe_oplog::pen::Draft;
use standpipe_world::World;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;
use uuid::Uuid;

/// The hub's folder, and its number as a machine.
pub const NAME: &str = "hub";
pub const MACHINE: u32 = 1_000;
/// The folder of its backups: another disk of the same machine.
pub const BACKUP: &str = "backup";

pub struct Hub {
    pub folder: PathBuf,
    pub backup: PathBuf,
    /// Its folder is empty, and somebody restores it from the backup before it starts.
    restoring: Option<Restoring>,
    /// Its database is in PostgreSQL, at this address: on another machine, which does not fail.
    moved: Option<String>,
    /// Somebody moves the database to the other kind before it starts.
    is_moving: bool,
    /// What its clock is ahead of the true time, in milliseconds.
    pub ahead: Arc<AtomicI64>,
    /// The tracker that the office had before.
    outside: Outside,
    seed: u64,
    life: u32,
    running: Option<Running>,
}

/// A restore that has not ended: with an epoch of its own, or with this one, as if nothing had happened.
#[derive(Clone, Copy)]
struct Restoring {
    epoch: Option<Uuid>,
}

struct Running {
    world: Arc<SimWorld>,
    store: Arc<dyn Store>,
}

impl Hub {
    pub fn new(disks: &Disks, seed: u64, outside: Outside) -> Self {
        disks.mount(BACKUP, NAME);
        Self {
            folder: disks.folder(NAME),
            backup: disks.folder(BACKUP),
            restoring: None,
            moved: None,
            is_moving: false,
            ahead: Arc::default(),
            outside,
            seed,
            life: 0,
            running: None,
        }
    }

    fn owner(&self) -> Owner {
        Owner { machine: MACHINE, life: self.life }
    }

    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Starts it, as `standpipe-hub serve` does. What its disk does not let it do is told.
    pub fn start(&mut self, net: &Net) -> anyhow::Result<()> {
        self.life += 1;
        let world = SimWorld::new(self.owner(), self.seed, Arc::clone(&self.ahead));
        let outside: Arc<dyn World> = world.clone();
        if let Some(Restoring { epoch }) = self.restoring {
            self.restore(epoch, &outside)?;
        }
        if self.is_moving {
            self.move_over(&outside)?;
        }
        if let Some(url) = &self.moved {
            let store = time().wait(PostgresStore::open(url, outside))?;
            self.serve(net, world, Arc::new(store))
        } else {
            let store = time().wait(SqliteStore::open(&self.folder.join("hub.db"), outside))?;
            self.serve(net, world, Arc::new(store))
        }
    }

    fn serve<S: Store + Book + 'static>(
        &mut self,
        net: &Net,
        world: Arc<SimWorld>,
        store: Arc<S>,
    ) -> anyhow::Result<()> {
        let app = time().wait(App::open(&self.folder, Arc::clone(&store), world.clone(), false))?;
        let app = app.beside(self.outside.tracker(net));
        if let Some(filer) = app.filer() {
            time().spawn(self.owner(), Box::pin(async move { match filer.run().await {} }));
        }
        net.set_hub(Some((self.owner(), app.router())));
        self.running = Some(Running { world, store });
        Ok(())
    }

    /// Its database is moved to the other kind before it starts.
    pub fn moves(&mut self) {
        self.is_moving = true;
    }

    /// As `standpipe-hub migrate` does, or the other way; power may fail, and then it is done again.
    fn move_over(&mut self, outside: &Arc<dyn World>) -> anyhow::Result<()> {
        let file = self.folder.join("hub.db");
        if let Some(url) = self.moved.clone() {
            // What the office was when it left.
            for left in ["hub.db", "hub.db-wal", "hub.db-shm"].map(|name| self.folder.join(name)) {
                if left.exists() {
                    std::fs::remove_file(left)?;
                }
            }
            time().wait(move_out(&url, &file, Arc::clone(outside)))?;
            self.moved = None;
        } else {
            // Whoever waits for a lock holds up everybody here: the whole of it is one thread.
            let url = format!("{}&options=-clock_timeout%3D20ms", postgres::database());
            time().wait(move_in(&file, &url, Arc::clone(outside), || Ok(())))?;
            self.moved = Some(url);
        }
        self.is_moving = false;
        happens(Effect::HubMoved);
        Ok(())
    }

    /// A look into its database, whichever it is.
    pub fn database(&self) -> anyhow::Result<Connection> {
        let file = match &self.moved {
            None => self.folder.join("hub.db"),
            Some(url) => {
                let copy = self.folder.with_file_name("copy-of-hub.db");
                for left in ["", "-wal", "-shm"].map(|ending| format!("{}{ending}", copy.display())) {
                    let _ = std::fs::remove_file(left);
                }
                // Nothing of the simulation goes on while somebody looks.
                block_on(move_out(url, &copy, Arc::new(AtOnce)))?;
                copy
            }
        };
        Ok(Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
    }

    /// Whether its database is in PostgreSQL: what was read of it is not seen to change.
    pub fn is_moved(&self) -> bool {
        self.moved.is_some()
    }

    /// Backs it up while it runs, as `standpipe-hub backup` does beside it. `None` while it does not: its machine is off.
    pub fn back_up(&self) -> Option<Result<(), BackupError>> {
        let outside: Arc<dyn World> = self.running.as_ref()?.world.clone();
        if self.is_moved() {
            // That is for the server's own tools.
            return None;
        }
        let made = async {
            let store = SqliteStore::open(&self.folder.join("hub.db"), Arc::clone(&outside)).await?;
            let made = backup::make(&self.folder, &store, &self.backup, false, &outside, &mut |_| ()).await;
            store.close().await;
            made.map(drop)
        };
        Some(time().wait(made))
    }

    /// Loses its folder: it is restored when it starts. With `epoch` it does not tell.
    pub fn lose(&mut self, epoch: Option<Uuid>) {
        // A backup is of a folder.
        (self.moved, self.is_moving) = (None, false);
        self.restoring = Some(Restoring { epoch });
    }

    /// As `standpipe-hub restore` does; power may fail, and then it is done again.
    fn restore(&mut self, epoch: Option<Uuid>, outside: &Arc<dyn World>) -> anyhow::Result<()> {
        time().wait(backup::restore(&self.backup, &self.folder, false, outside, &mut |_| ()))?;
        self.restoring = None;
        if let Some(epoch) = epoch {
            untracked(|| {
                let database = Connection::open(self.folder.join("hub.db"))?;
                database.execute("UPDATE hub SET epoch = ?1", [epoch])
            })?;
        }
        happens(Effect::HubRestored);
        Ok(())
    }

    /// Ends it, wherever it stands: as when power fails, or after its disk was told to fail.
    pub fn stop(&mut self, net: &Net) {
        net.set_hub(None);
        time().end(self.owner());
        let left = self.running.take().map(|running| Arc::downgrade(&running.store));
        assert!(left.is_none_or(|store| store.upgrade().is_none()), "nothing of a hub outlives it");
    }

    /// The office does something.
    pub fn write(&self, drafts: Vec<Draft>) -> Result<(), StoreError> {
        let Some(Running { world, store }) = &self.running else { return Ok(()) };
        let world = Arc::clone(world);
        let store: &dyn Store = &**store;
        time().wait(store.transact(move |ledger| {
            let hand = Hand { scope: SITE, actor: OFFICE, now: world.now() };
            write(ledger, &*world, hand, drafts)
        }))
    }

    /// Whether each of its issues is in the tracker outside, as far as it knows.
    pub fn has_filed(&self) -> bool {
        let Some(Running { store, .. }) = &self.running else { return false };
        let store: &dyn Store = &**store;
        time().wait(store.not_filed(1)).is_ok_and(|open| open.is_empty())
    }

    /// What it knows of its issues in the tracker outside. `None` while it is down.
    pub fn filings(&self) -> Option<BTreeMap<IssueId, Filing>> {
        let Running { store, .. } = self.running.as_ref()?;
        let store: &dyn Store = &**store;
        Some(time().wait(store.filings()).ok()?.into_iter().collect())
    }

    /// Has another process write to the database, as any number of hubs could; its commit comes `later` than what it read and
    /// numbered, and all else goes on meanwhile. `None` where there is no such database.
    pub fn write_beside(&self, later: Duration) -> Option<bool> {
        let (url, Running { world, .. }) = self.moved.as_ref().zip(self.running.as_ref())?;
        let world = Arc::clone(world);
        let outside: Arc<dyn World> = world.clone();
        let written = async {
            let store = PostgresStore::open(url, outside).await?;
            let work: &dyn Store = &store;
            let written = work.transact(move |ledger| {
                let hand = Hand { scope: SITE, actor: OFFICE, now: world.now() };
                let note = Draft::set("note", world.uuid(), "words", json!("beside"), None);
                write(ledger, &*world, hand, [note])?;
                let end = time().now() + later;
                while time().step(end) {}
                Ok(())
            });
            let written = written.await;
            store.close().await;
            written
        };
        let is_written = time().wait(written).is_ok();
        if is_written {
            happens(Effect::WrittenBeside);
        }
        Some(is_written)
    }

    /// Every operation on a record: what somebody sees who looks at it here.
    pub fn ops_on(&self, id: Uuid) -> Vec<Uuid> {
        let Some(Running { store, .. }) = &self.running else { return Vec::new() };
        let store: &dyn Store = &**store;
        let ops = time().wait(store.transact(move |ledger| ledger.ops_of(id)));
        ops.unwrap_or_default().into_iter().map(|op| op.op_id).collect()
    }

    /// The office moves an issue on by one of the steps that its console offers to somebody.
    pub fn move_issue(&self, which: u64) -> Option<bool> {
        let mut dice = Dice::new(which);
        let issue = self.issue(&mut dice)?;
        let offered =
            [OFFICE, STAFF].map(|by| self.offered(issue, by).into_iter().map(move |step| (by, step)));
        let offered: Vec<_> = offered.into_iter().flatten().collect();
        let (by, step) = *dice.pick(&offered)?;
        Some(self.take(issue, by, step))
    }

    /// The office has an issue seen to, by all steps that this takes, until somebody claims that it is done. Whether they do.
    pub fn claim(&self, which: u64) -> Option<bool> {
        let issue = self.issue(&mut Dice::new(which))?;
        let mut is_claimed = false;
        for (by, step) in [
            (OFFICE, Step::Assign),
            (STAFF, Step::Propose),
            (OFFICE, Step::Agree),
            (STAFF, Step::Start),
            (STAFF, Step::ClaimDone),
        ] {
            is_claimed = self.offered(issue, by).contains(&step) && self.take(issue, by, step);
        }
        Some(is_claimed)
    }

    /// One of the issues that there are.
    fn issue(&self, dice: &mut Dice) -> Option<IssueId> {
        let Running { world, store } = self.running.as_ref()?;
        let issues = time().wait(store.issues(&IssueFilter::default(), world.today())).ok()?;
        dice.pick(&issues).map(|issue| issue.id)
    }

    /// The steps that the console offers to somebody.
    fn offered(&self, issue: IssueId, by: PersonId) -> Vec<Step> {
        let Some(Running { world, store }) = &self.running else { return Vec::new() };
        let view = time().wait(store.issue(issue, by, world.today())).ok().flatten();
        view.map(|view| view.next_steps).unwrap_or_default()
    }

    fn take(&self, issue: IssueId, by: PersonId, step: Step) -> bool {
        let Some(Running { world, store }) = &self.running else { return false };
        let (store, world): (&dyn Store, Arc<dyn World>) = (&**store, world.clone());
        let Ok(Some(view)) = time().wait(store.issue(issue, by, world.today())) else { return false };
        let request = StepRequest { seen: view.seen(), ..request(step) };
        time().wait(step_of(store, world, issue, by, request)).is_ok()
    }

    /// Offers a code that enrols a tablet of `person`.
    pub fn code(&self, person: PersonId) -> anyhow::Result<String> {
        let Some(Running { world, store }) = &self.running else { anyhow::bail!("the hub is down") };
        let code = Code::generate(&**world);
        let expires = standpipe_domain::ids::Millis(world.now().0 + 600_000);
        let offer = Enrolment { code: code.hash(), name: format!("{person}"), person, expires };
        time().wait(store.offer(offer))?;
        Ok(code.reveal())
    }

    /// The office withdraws a tablet's permission. Whether the hub knew the tablet: one that was restored may have forgotten
    /// who joined.
    pub fn revoke(&self, device: DeviceId) -> Result<bool, StoreError> {
        let Some(Running { store, .. }) = &self.running else { return Ok(false) };
        time().wait(store.revoke(device)).map(|tablet| tablet.is_some())
    }

    /// Lets somebody be an inspector, or not any more.
    pub fn give_role(&self, person: PersonId, inspects: bool) -> Result<(), StoreError> {
        let Some(Running { world, store }) = &self.running else { return Ok(()) };
        let (store, world): (&dyn Store, Arc<SimWorld>) = (&**store, Arc::clone(world));
        let roles: &[Role] = if inspects { &[Role::Inspector] } else { &[] };
        time().wait(store.transact(move |ledger| {
            let hand = Hand { scope: SITE, actor: OFFICE, now: world.now() };
            let draft = change(ledger, entity::PERSON, person.0, "roles", json!(roles))?;
            write(ledger, &*world, hand, [draft])
        }))
    }

    /// Has everything judged again that was set aside.
    pub fn judge_again(&self) -> Result<(), StoreError> {
        let Some(Running { world, store }) = &self.running else { return Ok(()) };
        let store: &dyn Store = &**store;
        for tablet in time().wait(store.tablets())? {
            let world: Arc<dyn World> = world.clone();
            time().wait(judge_again(store, world, tablet.id, None))?;
        }
        Ok(())
    }

    /// Makes everything that is shown again out of the log.
    pub fn rebuild(&self) -> Result<(), StoreError> {
        let Some(Running { store, .. }) = &self.running else { return Ok(()) };
        time().wait(store.rebuild())
    }
}
