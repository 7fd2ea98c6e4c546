//! A tablet of several sites: real folders, real drivers, and for each site a small hub.

mod forgetting;
mod joining;
mod leaving;

use super::{News, Sites};
use crate::enrolment::NotEnrolled;
use crate::store::Store;
use crate::sync::tests::hub::Hub;
use crate::world::TestWorld;
use axum::response::IntoResponse;
use standpipe_domain::ids::{DeviceId, Millis, PersonId, SiteId};
use standpipe_domain::site::{Keeps, SiteLine};
use standpipe_domain::sync::SyncState;
use standpipe_domain::words::Words;
use standpipe_oplog::greeting::{Enrolled, Token};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use uuid::Uuid;

struct Tablet {
    sites: Sites,
    root: TempDir,
    world: Arc<TestWorld>,
    /// How often something was told.
    told: watch::Receiver<u64>,
}

impl Tablet {
    fn new() -> Self {
        Self::on(TempDir::new().unwrap(), Arc::new(TestWorld::new(1)))
    }

    fn on(root: TempDir, world: Arc<TestWorld>) -> Self {
        let (tell, told) = watch::channel(0);
        let tell = move |_: News| tell.send_modify(|times| *times += 1);
        let sites = Sites::open(root.path(), world.clone(), tell).unwrap();
        Self { sites, root, world, told }
    }

    fn restarted(self) -> Self {
        self.restarted_after(|_| ())
    }

    /// Ends the app, does something to its folder, and starts it again.
    fn restarted_after(self, change: impl FnOnce(&Path)) -> Self {
        let Self { sites, root, world, told: _ } = self;
        drop(sites);
        change(root.path());
        Self::on(root, world)
    }

    /// Joins site `n` at `hub`, and shows it.
    async fn join(&self, hub: &Hub, n: u8) {
        let folder = self.try_join(hub, n).await.unwrap();
        self.sites.show(&folder).unwrap();
    }

    async fn try_join(&self, hub: &Hub, n: u8) -> Result<String, NotEnrolled> {
        hub.rule("POST /enrol", move || Some(axum::Json(enrolled(n)).into_response()));
        self.sites.join(&hub.address, "k3m9p-x7q2w").await
    }

    /// The database of the site that is shown.
    fn store(&self) -> Arc<Store> {
        Arc::clone(self.sites.shown().unwrap().engine.store())
    }

    /// The line of site `n`; `None` where it is not here.
    fn find(&self, n: u8) -> Option<SiteLine> {
        self.sites.list().into_iter().find(|line| line.name.as_ref() == Some(&name(n)))
    }

    fn line(&self, n: u8) -> SiteLine {
        self.find(n).unwrap_or_else(|| panic!("site {n} is here: {:?}", self.sites.list()))
    }

    fn folder(&self, n: u8) -> String {
        self.line(n).folder
    }

    /// The site that is shown.
    fn shown(&self) -> Option<Words> {
        let mut shown = self.sites.list().into_iter().filter(|line| line.shown);
        let name = shown.next().unwrap().name;
        assert_eq!(shown.next(), None);
        name
    }

    /// Waits until it is so. Whatever changes is told.
    async fn until(&mut self, what: &str, mut is: impl FnMut(&Self) -> bool) {
        let so = async {
            loop {
                self.told.mark_unchanged();
                if is(self) {
                    return;
                }
                self.told.changed().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(60), so).await;
        assert!(waited.is_ok(), "{what}: {:#?}", self.sites.list());
    }

    async fn safe(&mut self, n: u8) {
        self.until("safe", |tablet| tablet.line(n).sync.is_some_and(|sync| sync.state == SyncState::Safe))
            .await;
    }

    async fn kept_for(&mut self, n: u8, why: Keeps) {
        self.until(&format!("kept: {why:?}"), |tablet| tablet.line(n).leaving == Some(why.clone())).await;
    }

    async fn forgotten(&mut self, n: u8) {
        self.until("forgotten", |tablet| tablet.find(n).is_none()).await;
    }
}

fn name(n: u8) -> Words {
    Words::new(format!("第{n}小区"), format!("Estate {n}"))
}

/// What a hub says to a tablet that joins site `n`.
fn enrolled(n: u8) -> Enrolled {
    let id = |of: u128| Uuid::from_u128(of * 0x100 + u128::from(n));
    Enrolled {
        device: DeviceId(id(3)),
        token: Token("sesame".into()),
        incarnation: 1,
        person: PersonId(id(4)),
        person_name: "Inspector".into(),
        site: SiteId(id(5)),
        site_name: name(n),
        hub_epoch: id(7),
        protocol: 1,
        now: Millis(1_688_173_200_000),
    }
}

/// Nobody answers there any more.
fn cut(hub: &Hub) {
    for path in ["POST /sync", "GET /sync", "GET /events", "POST /blobs"] {
        hub.rule(path, || Some(crate::sync::tests::hub::silence()));
    }
}
