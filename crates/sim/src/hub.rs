//! The hub of a simulation: the real store, the real photos, the real HTTP interface, on a disk that can fail.

use crate::dice::Dice;
use crate::disk::Disks;
use crate::estate::{OFFICE, SITE, STAFF};
use crate::net::Net;
use crate::people::request;
use crate::time::Owner;
use crate::world::{SimWorld, time};
use futures::FutureExt;
use standpipe_domain::ids::PersonId;
use standpipe_domain::office::IssueFilter;
use standpipe_hub::http::App;
use standpipe_hub::issues::step as step_of;
use standpipe_hub::office::{Hand, write};
use standpipe_hub::secret::Code;
use standpipe_hub::store::sqlite::SqliteStore;
use standpipe_hub::store::{Enrolment, Store, StoreError};
use standpipe_oplog::pen::Draft;
use standpipe_world::World;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use uuid::Uuid;

/// The hub's folder, and its number as a machine.
pub const NAME: &str = "hub";
pub const MACHINE: u32 = 1_000;

pub struct Hub {
    pub folder: PathBuf,
    seed: u64,
    life: u32,
    running: Option<Running>,
}

struct Running {
    world: Arc<SimWorld>,
    store: Arc<SqliteStore>,
}

impl Hub {
    pub fn new(disks: &Disks, seed: u64) -> Self {
        Self { folder: disks.folder(NAME), seed, life: 0, running: None }
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
        let world = SimWorld::new(self.owner(), self.seed, Arc::new(AtomicI64::new(0)));
        let outside: Arc<dyn World> = world.clone();
        let store = now(SqliteStore::open(&self.folder.join("hub.db"), Arc::clone(&outside)))?;
        let store = Arc::new(store);
        let app = now(App::open(&self.folder, Arc::clone(&store), outside, false))?;
        net.set_hub(Some((self.owner(), app.router())));
        self.running = Some(Running { world, store });
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
        now(store.transact(move |ledger| {
            let hand = Hand { scope: SITE, actor: OFFICE, now: world.now() };
            write(ledger, &*world, hand, drafts)
        }))
    }

    /// Every operation on a record: what somebody sees who looks at it here.
    pub fn ops_on(&self, id: Uuid) -> Vec<Uuid> {
        let Some(Running { store, .. }) = &self.running else { return Vec::new() };
        let store: &dyn Store = &**store;
        let ops = now(store.transact(move |ledger| ledger.ops_of(id)));
        ops.unwrap_or_default().into_iter().map(|op| op.op_id).collect()
    }

    /// The office moves an issue on by one of the steps that its console offers.
    pub fn move_issue(&self, which: u64) -> Option<bool> {
        let Running { world, store } = self.running.as_ref()?;
        let store: &dyn Store = &**store;
        let mut dice = Dice::new(which);
        let by = *dice.pick(&[OFFICE, STAFF])?;
        let issues = now(store.issues(&IssueFilter::default(), world.today())).ok()?;
        let id = dice.pick(&issues)?.id;
        let view = now(store.issue(id, by, world.today())).ok()??;
        let step = *dice.pick(&view.next_steps)?;
        let world: Arc<dyn World> = world.clone();
        Some(now(step_of(store, world, id, by, request(step))).is_ok())
    }

    pub fn store(&self) -> Option<&dyn Store> {
        self.running.as_ref().map(|running| &*running.store as &dyn Store)
    }

    /// Offers a code that enrols a tablet of `person`.
    pub fn code(&self, person: PersonId) -> String {
        let Running { world, store } = self.running.as_ref().expect("a hub that runs");
        let code = Code::generate(&**world);
        let expires = standpipe_domain::ids::Millis(world.now().0 + 600_000);
        let offer = Enrolment { code: code.hash(), name: format!("{person}"), person, expires };
        now(store.offer(offer)).expect("a fresh hub offers a code");
        code.reveal()
    }
}

/// What a future gives that waits for nothing: on one thread, with work done where it is asked for, the store never waits.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing to wait for")
}
