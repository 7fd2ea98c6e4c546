//! A tablet: its engine, what an inspector does on it, and its synchronisation.

use anyhow::{Context, Result, bail};
use standpipe_device::engine::Engine;
use standpipe_device::sync::Handle;
use standpipe_device::testing::check;
use standpipe_device::testing::large::passing;
use standpipe_device::world::{RealWorld, World};
use standpipe_domain::answer::Answer;
use standpipe_domain::checklist::Item;
use standpipe_domain::ids::{Millis, Sha256};
use standpipe_domain::sync::{SyncLine, SyncState};
use standpipe_domain::tablet::{AttachTo, NewAnswer, NewFile};
use standpipe_tests::hub::Hub;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Only ends a run that hangs.
const PATIENCE: Duration = Duration::from_secs(600);

/// A tablet that does not synchronise yet.
pub struct Tablet {
    pub engine: Engine,
}

impl Tablet {
    /// A new tablet in `folder`, enrolled at the hub, which it reaches at `address`.
    pub async fn join(folder: &Path, hub: &Hub, address: &str) -> Result<Self> {
        let engine = Engine::open(folder, Arc::new(RealWorld))?;
        engine.join(address, &hub.enrolment_code()?).await?;
        Ok(Self { engine })
    }

    /// A new tablet that has fetched the estate.
    pub async fn with_estate(folder: &Path, hub: &Hub) -> Result<Self> {
        let tablet = Self::join(folder, hub, &hub.url()).await?;
        let mut sync = tablet.begin()?;
        sync.in_step().await?;
        sync.stop();
        Ok(tablet)
    }

    /// Begins to synchronise.
    pub fn begin(&self) -> Result<Sync> {
        self.begin_telling(|_| {})
    }

    /// Begins to synchronise, and hands on each line that the person is shown.
    pub fn begin_telling(
        &self,
        tell: impl Fn(&SyncLine) + Send + std::marker::Sync + 'static,
    ) -> Result<Sync> {
        let (show, shown) = watch::channel(None);
        let began = (RealWorld.now(), Instant::now());
        let handle = Handle::spawn(Arc::clone(self.engine.store()), move |line| {
            tell(&line);
            show.send_replace(Some(line));
        })?;
        Ok(Sync { handle, shown, began })
    }

    /// Answers `count` items, each a record of its own: those of the large estate's checks from `first` on, one check
    /// after the other.
    pub fn answer(&self, first: u32, count: usize) -> Result<()> {
        let mut left = count;
        for n in first.. {
            for item in self.items(n)? {
                if left == 0 {
                    return Ok(());
                }
                let answer = Answer { note: "外观完好，无锈蚀".into(), ..passing(&item) };
                self.engine.answer(&NewAnswer {
                    check: check(n),
                    item: item.id,
                    answer,
                    seen: Vec::new(),
                })?;
                left -= 1;
            }
        }
        Ok(())
    }

    /// Attaches `bytes` to the first item of check `n`, a record more; gives their hash.
    pub fn photo(&self, n: u32, bytes: &[u8]) -> Result<Sha256> {
        let item = self.items(n)?.into_iter().next().context("a checklist has items")?.id;
        let to = AttachTo::Item { check: check(n), item };
        let file = NewFile { name: "photo.jpg".into(), bytes: bytes.len() as u64, to };
        let upload = self.engine.attach_begin(file)?;
        self.engine.attach_chunk(&upload, bytes)?;
        Ok(self.engine.attach_end(&upload)?.evidence.sha256)
    }

    fn items(&self, n: u32) -> Result<Vec<Item>> {
        Ok(self.engine.check(check(n))?.checklist.context("a check has a checklist")?.items)
    }

    /// The bodies of the records that the hub has not acknowledged.
    pub fn waiting(&self) -> Result<Vec<Box<str>>> {
        let store = self.engine.store();
        let state = store.chain_state()?;
        let (mut after, mut bodies) = (state.acknowledged, Vec::new());
        while after < state.last_seq {
            let batch = store.outbox(after)?.bodies;
            after += batch.len() as u64;
            bodies.extend(batch);
        }
        Ok(bodies)
    }
}

/// `count` bytes that nothing can compress, and that no other photo has.
pub fn random(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    RealWorld.random(&mut bytes);
    bytes
}

/// A tablet's synchronisation under way.
pub struct Sync {
    handle: Handle,
    shown: watch::Receiver<Option<SyncLine>>,
    began: (Millis, Instant),
}

impl Sync {
    /// How long it has been under way.
    pub fn elapsed(&self) -> Duration {
        self.began.1.elapsed()
    }

    /// Waits until a line is shown of which this is true; at once, if it is true of the one that is shown.
    ///
    /// # Errors
    /// When something was set aside, and after ten minutes.
    pub async fn until(&mut self, what: &str, is_true: impl Fn(&SyncLine) -> bool) -> Result<()> {
        let found =
            |line: &Option<SyncLine>| line.as_ref().is_some_and(|line| line.set_aside > 0 || is_true(line));
        let Ok(line) = tokio::time::timeout(PATIENCE, self.shown.wait_for(found)).await else {
            bail!("waited for {PATIENCE:?}: {what}; the tablet shows {:?}", self.handle.line());
        };
        match &*line.context("the synchronisation ended")? {
            Some(line) if line.set_aside > 0 => bail!("{what}: {} were set aside", line.set_aside),
            _ => Ok(()),
        }
    }

    /// Waits until the hub has everything that was recorded here and the tablet everything that the hub has.
    pub async fn in_step(&mut self) -> Result<()> {
        let since = self.began.0;
        self.in_step_since(since).await
    }

    /// Has the tablet ask the hub now, as somebody does who taps the line, and waits until both are in step.
    pub async fn ask(&mut self) -> Result<()> {
        let since = RealWorld.now();
        self.handle.sync_now();
        self.in_step_since(since).await
    }

    async fn in_step_since(&mut self, since: Millis) -> Result<()> {
        let is_true =
            |line: &SyncLine| line.state == SyncState::Safe && line.last_synced.is_some_and(|at| at >= since);
        self.until("both are in step", is_true).await
    }

    /// Waits until the hub has acknowledged every record.
    pub async fn records_sent(&mut self) -> Result<()> {
        self.until("the records are sent", |line| line.records == 0).await
    }

    /// Waits until the hub has verified every photo.
    pub async fn photos_sent(&mut self) -> Result<()> {
        self.until("the photos are sent", |line| line.records == 0 && line.photos == 0).await
    }

    /// Ends it, and waits until it has ended.
    pub fn stop(self) {
        self.handle.stop();
    }
}
