//! A tablet of a simulation: the real engine and the real sync driver, on a disk and a network that can fail.

use crate::disk::Disks;
use crate::net::Net;
use crate::screen::Screen;
use crate::time::Owner;
use crate::world::{SimWorld, time};
use rusqlite::Connection;
use standpipe_device::engine::Engine;
use standpipe_device::store::FILE;
use standpipe_device::sync::{Handle, Outside, Patience};
use standpipe_domain::hold::Surroundings;
use standpipe_domain::sync::{SyncLine, SyncState};
use standpipe_world::World;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicI64};

pub struct Tablet {
    pub number: usize,
    pub name: String,
    pub folder: PathBuf,
    /// What its clock is ahead of the true time, in milliseconds.
    pub ahead: Arc<AtomicI64>,
    /// Its screen has said that everything is safe, and nobody has looked whether it is.
    says_safe: Arc<AtomicBool>,
    /// Its screen has said something else since the hub was put back to an old state.
    has_doubted: Arc<AtomicBool>,
    /// Checks that somebody has open, by their stop, as they were drawn.
    pub screens: BTreeMap<usize, Screen>,
    /// What it stands in.
    surroundings: Surroundings,
    seed: u64,
    life: u32,
    running: Option<Running>,
}

struct Running {
    engine: Engine,
    handle: Handle,
}

impl Tablet {
    pub fn new(disks: &Disks, seed: u64, number: usize) -> Self {
        let name = format!("tablet-{number}");
        let folder = disks.folder(&name);
        let (ahead, says_safe, has_doubted, screens, surroundings) = Default::default();
        Self {
            number,
            name,
            folder,
            ahead,
            says_safe,
            has_doubted,
            screens,
            surroundings,
            seed,
            life: 0,
            running: None,
        }
    }

    /// The hub was put back to an old state, of which this tablet does not know yet.
    pub fn hub_was_restored(&self) {
        self.has_doubted.store(false, Relaxed);
    }

    /// Whether its screen has said since then that not everything is safe.
    pub fn has_doubted(&self) -> bool {
        self.has_doubted.load(Relaxed)
    }

    /// Whether its screen has said that everything is safe since this was asked last.
    pub fn said_safe(&self) -> bool {
        self.says_safe.swap(false, Relaxed)
    }

    fn owner(&self) -> Owner {
        Owner { machine: u32::try_from(self.number).unwrap_or(u32::MAX), life: self.life }
    }

    /// How often its app was started.
    pub fn life(&self) -> u32 {
        self.life
    }

    pub fn engine(&self) -> Option<&Engine> {
        self.running.as_ref().map(|running| &running.engine)
    }

    pub fn handle(&self) -> Option<&Handle> {
        self.running.as_ref().map(|running| &running.handle)
    }

    fn outside(&self, net: &Net, world: Arc<dyn World>) -> Outside {
        // Few operations in each push, so that two are under way at once.
        Outside { world, connect: net.wire(self.number), patience: Patience::default(), batch: 3 }
    }

    /// Starts the app.
    pub fn start(&mut self, net: &Net) -> anyhow::Result<()> {
        self.life += 1;
        let world = SimWorld::new(self.owner(), self.seed, Arc::clone(&self.ahead));
        let engine = Engine::open_on_one_thread(&self.folder, world.clone())?;
        let outside = self.outside(net, world);
        let says_safe = Arc::clone(&self.says_safe);
        says_safe.store(false, Relaxed);
        net.starts(self.number);
        // Whoever starts anew has to greet the hub first.
        self.has_doubted.store(true, Relaxed);
        let has_doubted = Arc::clone(&self.has_doubted);
        let tell = move |line: SyncLine| {
            let is_safe = line.state == SyncState::Safe;
            says_safe.store(is_safe, Relaxed);
            has_doubted.fetch_or(!is_safe, Relaxed);
        };
        let (handle, work) = Handle::on_one_thread(Arc::clone(engine.store()), outside, tell);
        handle.surrounded_by(self.surroundings);
        time().spawn(self.owner(), Box::pin(work));
        self.running = Some(Running { engine, handle });
        Ok(())
    }

    /// It stands in something else.
    pub fn stands(&mut self, surroundings: Surroundings) {
        self.surroundings = surroundings;
        if let Some(handle) = self.handle() {
            handle.surrounded_by(surroundings);
        }
    }

    /// Whether originals wait here, as its person chose.
    pub fn holds_originals(&self) -> bool {
        let choices = self.engine().and_then(|engine| engine.store().choices().ok());
        choices.is_some_and(|choices| choices.hold(self.surroundings).is_some())
    }

    /// Ends the app, wherever it stands.
    pub fn stop(&mut self) {
        time().end(self.owner());
        self.screens.clear();
        if let Some(Running { engine, handle }) = self.running.take() {
            let store = Arc::downgrade(engine.store());
            drop(handle);
            drop(engine);
            assert!(store.upgrade().is_none(), "nothing of a tablet outlives it");
        }
    }

    /// Joins the office. What the network or the disk does not let it do is told.
    pub fn join(&self, net: &Net, code: &str) -> anyhow::Result<()> {
        let Some(engine) = self.engine() else { return Ok(()) };
        let outside = self.outside(net, Arc::clone(engine.store().outside()));
        time().wait(engine.join_over(&outside, "http://hub", code))?;
        Ok(())
    }
}

/// Leaves the database in a tablet's folder as an older version of the app would have: one that knew no operations but those
/// that set and add, and whose rows are of no use to this one. It kept the others, and could not tell what they are.
pub fn as_older(folder: &Path) -> rusqlite::Result<()> {
    let database = Connection::open(folder.join(FILE))?;
    database.execute_batch(
        "BEGIN;
         UPDATE op SET kind = 'unknown' WHERE kind NOT IN ('set', 'add');
         DELETE FROM apart; DELETE FROM member; DELETE FROM pin;
         DELETE FROM round; DELETE FROM stop; DELETE FROM finding; DELETE FROM sign_off; DELETE FROM issue;
         UPDATE fact SET value = '1' WHERE name = 'projection';
         COMMIT;",
    )
}
