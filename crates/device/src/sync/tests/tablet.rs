//! A tablet for tests: the real store on a folder of its own, and a driver that waits when the test says so.

use super::hub::Hub;
use crate::identity::{Identity, Seed, Token};
use crate::store::blobs::{self, Own, Role, UploadKey};
use crate::store::query::sync_detail;
use crate::store::{Store, StoreError, Writing};
use crate::sync::driver::{Driver, Sleep};
use crate::sync::fetch::Order;
use crate::sync::hub_client::Outside;
use crate::sync::standing::Standing;
use crate::world::{TestWorld, World};
use rusqlite::Connection;
use serde_json::{Value, json};
use standpipe_domain::evidence::Evidence;
use standpipe_domain::ids::{DeviceId, Millis, PersonId, Sha256, SiteId};
use standpipe_domain::record::{entity, set};
use standpipe_domain::sync::{SyncLine, SyncState};
use standpipe_domain::words::Words;
use standpipe_oplog::chain::sha256;
use standpipe_oplog::pen::Draft;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{Semaphore, mpsc};
use uuid::Uuid;

pub(in crate::sync) struct Tablet {
    pub store: Arc<Store>,
    pub standing: Arc<Standing>,
    pub orders: mpsc::UnboundedSender<Order>,
    lines: mpsc::UnboundedReceiver<SyncLine>,
    /// Every line that was told, in order.
    pub told: Arc<Mutex<Vec<SyncLine>>>,
    pauses: mpsc::UnboundedReceiver<Duration>,
    go: Arc<Semaphore>,
    driver: Option<(Driver, mpsc::UnboundedReceiver<Order>)>,
    /// Where its data lies, for whoever opens it again.
    pub folder: Arc<TempDir>,
}

impl Tablet {
    /// A tablet that is enrolled at `hub`.
    pub fn of(hub: &Hub) -> Self {
        let tablet = Self::new();
        tablet.enrol(&hub.address);
        tablet
    }

    /// A tablet that is enrolled at `hub`, in a world whose time can be changed.
    pub fn with_world(hub: &Hub) -> (Arc<TestWorld>, Self) {
        let world = Arc::new(TestWorld::new(1));
        let tablet = Self::within(Arc::clone(&world) as Arc<dyn World>);
        tablet.enrol(&hub.address);
        (world, tablet)
    }

    /// A tablet with one record, which `hub` sets aside, as whatever else comes.
    pub fn refused_by(hub: &Hub) -> Self {
        hub.kept().quarantine = Some("not-allowed");
        let tablet = Self::of(hub);
        record(&tablet.store);
        tablet
    }

    /// A tablet that is not enrolled.
    pub fn new() -> Self {
        Self::within(Arc::new(TestWorld::new(1)))
    }

    /// A tablet that is not enrolled, within this world.
    pub fn within(world: Arc<dyn World>) -> Self {
        Self::at(Arc::new(TempDir::new().unwrap()), world)
    }

    /// The app as it is started on what lies in `folder`.
    pub fn at(folder: Arc<TempDir>, world: Arc<dyn World>) -> Self {
        let store = Arc::new(crate::rescue::open(folder.path(), world).unwrap().0);
        let (tell, lines) = mpsc::unbounded_channel();
        let told = Arc::new(Mutex::new(vec![]));
        let all = Arc::clone(&told);
        let tell = move |line: SyncLine| {
            all.lock().unwrap().push(line.clone());
            let _ = tell.send(line);
        };
        let standing = Arc::new(Standing::new(Arc::clone(&store), Box::new(tell)));
        let (slept, pauses) = mpsc::unbounded_channel();
        let go = Arc::new(Semaphore::new(0));
        let permits = Arc::clone(&go);
        let sleep: Sleep = Arc::new(move |pause| {
            let _ = slept.send(pause);
            let permits = Arc::clone(&permits);
            Box::pin(async move { permits.acquire().await.unwrap().forget() })
        });
        let driver = Driver::new(Arc::clone(&standing), sleep, Outside::network(Arc::clone(store.outside())));
        let (orders, ordered) = mpsc::unbounded_channel();
        let driver = Some((driver, ordered));
        Self { store, standing, orders, lines, told, pauses, go, driver, folder }
    }

    pub fn enrol(&self, address: &str) {
        let identity = Identity {
            hub: address.to_owned(),
            token: Token("sesame".into()),
            device: DeviceId(Uuid::from_u128(3)),
            key: Seed([7; 32]),
            person: PersonId(Uuid::from_u128(4)),
            person_name: "Inspector".into(),
            site: SiteId(Uuid::from_u128(5)),
            site_name: Words::same("Garden"),
            incarnation: 1,
        };
        self.store.enrol(&identity).unwrap();
    }

    /// Runs the driver while `story` is told. A story that takes longer than a minute has got stuck.
    pub async fn play<T>(mut self, story: impl AsyncFnOnce(&mut Self) -> T) -> T {
        let (driver, orders) = self.driver.take().unwrap();
        tokio::select! {
            // The driver's work is large, and every test's with it.
            () = Box::pin(driver.run(orders)) => unreachable!("the driver never ends"),
            told = tokio::time::timeout(Duration::from_secs(60), story(&mut self)) => told.expect("the story ends"),
        }
    }

    /// See [`photo`].
    pub fn photo(&self, bytes: &[u8]) -> Sha256 {
        photo(&self.store, bytes)
    }

    /// Waits for a line that fits.
    pub async fn line(&mut self, fits: impl Fn(&SyncLine) -> bool) -> SyncLine {
        loop {
            let line = self.lines.recv().await.unwrap();
            if fits(&line) {
                return line;
            }
        }
    }

    /// Waits until both ends hold the same, and nothing is to be done.
    pub async fn in_step(&mut self) {
        self.line(|line| line.last_synced.is_some()).await;
        self.pause().await;
    }

    /// Waits until the hub has set one record aside, and nothing is to be done.
    pub async fn set_aside(&mut self) {
        self.line(|line| line.set_aside == 1 && line.records == 0).await;
        self.pause().await;
    }

    pub async fn safe(&mut self) -> SyncLine {
        self.line(|line| line.state == SyncState::Safe).await
    }

    /// Waits until the driver has nothing to do, and gives for how long it means to wait.
    pub async fn pause(&mut self) -> Duration {
        let mut pause = self.pauses.recv().await.unwrap();
        // What a turn writes down itself makes it look once more, which takes no request.
        for _ in 0..8 {
            tokio::task::yield_now().await;
            pause = self.pauses.try_recv().unwrap_or(pause);
        }
        pause
    }

    /// How far the screen says that the tablet's clock is ahead, in milliseconds.
    pub fn clock_ahead(&self) -> Option<i64> {
        let detail = |conn: &Connection| sync_detail(conn, self.standing.line(), None);
        self.store.read("the clock", detail).unwrap().clock_ahead
    }

    /// What the operation that was recorded last says of that.
    pub fn offset_recorded(&self) -> Option<i64> {
        let bodies = self.store.outbox(0).unwrap().bodies;
        serde_json::from_str::<Value>(bodies.last().unwrap()).unwrap()["clock_offset"].as_i64()
    }

    /// Ends the wait.
    pub fn go_on(&self) {
        self.go.add_permits(1);
    }
}

/// Records one operation.
pub fn record(store: &Store) {
    let answer = json!({"outcome": "pass", "at": 1});
    store
        .write("recording", |writing| {
            let id = writing.world().uuid();
            writing.record(Draft::set(entity::CHECK, id, "answer:signage", answer, None))?;
            Ok::<_, StoreError>(())
        })
        .unwrap();
}

pub fn evidence(sha256: Sha256, bytes: usize) -> Evidence {
    let media_type = "image/jpeg".to_owned();
    Evidence { sha256, media_type, bytes: bytes as u64, name: "a.jpg".into(), item: None, at: Millis(1) }
}

fn keep(store: &Store, bytes: &[u8]) -> Sha256 {
    let (vault, world) = (store.vault(), store.world());
    let mut incoming = vault.begin(world.uuid(), bytes.len() as u64, world).unwrap();
    incoming.write(bytes).unwrap();
    vault.finish(incoming).unwrap().sha256
}

/// Records a photo, with what has become of its preview.
fn add(writing: &mut Writing<'_>, of: Sha256, bytes: &[u8], preview: &str) -> Result<Uuid, StoreError> {
    let evidence = evidence(of, bytes.len());
    let value = serde_json::to_value(&evidence).unwrap();
    let op_id = writing.record(Draft::add(entity::CHECK, Uuid::from_u128(6), set::PHOTOS, value))?;
    let Evidence { sha256, bytes, ref media_type, .. } = evidence;
    blobs::put_own(writing, &Own { sha256, bytes, media_type, preview: (preview, None) }, op_id)?;
    Ok(op_id)
}

/// Brings a photo in, of which the engine is still to make the small picture. Gives its hash.
pub fn fresh_photo(store: &Store, bytes: &[u8]) -> Sha256 {
    let of = keep(store, bytes);
    store.write("adding a photo", |writing| add(writing, of, bytes, "pending").map(drop)).unwrap();
    of
}

/// Brings a photo in, with a thumbnail, as the engine does. Gives its hash.
pub fn photo(store: &Store, bytes: &[u8]) -> Sha256 {
    let of = keep(store, bytes);
    let thumbnail = format!("thumbnail of {of}");
    store.vault().keep_thumbnail(of, thumbnail.as_bytes(), store.world().uuid()).unwrap();
    store
        .write("adding a photo", |writing| {
            let op_id = add(writing, of, bytes, "ready")?;
            let key = UploadKey { of, role: Role::Thumbnail };
            let (sha256, bytes) = (sha256(thumbnail.as_bytes()), thumbnail.len() as u64);
            blobs::put_upload(writing, key, sha256, bytes, op_id, writing.now())
        })
        .unwrap();
    of
}
