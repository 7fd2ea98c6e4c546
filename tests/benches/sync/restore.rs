//! A hub that is put back to yesterday.

use crate::estate::{Holds, look, plant};
use crate::tablet::{Sync, Tablet, random};
use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::json;
use standpipe_device::sync::Outside;
use standpipe_device::sync::hub_client::HubClient;
use standpipe_device::testing::figure::{report, rounded};
use standpipe_device::testing::large::Large;
use standpipe_device::world::RealWorld;
use standpipe_domain::ids::Sha256;
use standpipe_oplog::upload::BlobState;
use standpipe_tests::hub::{Hub, back_up, restore};
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const TABLETS: u32 = 5;
const OPERATIONS: u32 = 20_000;
const PHOTOS: u32 = 500;
const PHOTO: usize = 300_000;
/// Each tablet's part of the estate's checks.
const CHECKS: u32 = 400;
const ESTATE: Large = Large { assets: 1_000, checks: TABLETS * CHECKS, open: TABLETS * CHECKS };
/// Only ends a run that hangs.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often it is looked whether everything is back.
const LOOK: Duration = Duration::from_millis(100);

/// The seconds from the start of the restored hub until it holds every operation and every photo again. The tablets run
/// on all the time; nobody touches them, nor the hub.
pub async fn measure(folder: TempDir) -> Result<()> {
    let (data, backup) = (folder.path().join("hub"), folder.path().join("backup"));
    let planted = plant(&data, ESTATE).await?;
    let hub = Hub::start(&data, 0).await?;
    let mut tablets = Vec::new();
    for n in 0..TABLETS {
        tablets.push(Tablet::with_estate(&folder.path().join(format!("tablet-{n}")), &hub).await?);
    }
    // While it runs, as every night.
    back_up(&data, &backup)?;
    let photos = std::thread::scope(|scope| {
        let work: Vec<_> = tablets
            .iter()
            .zip(0..)
            .map(|(tablet, n)| scope.spawn(move || record(tablet, n * CHECKS)))
            .collect();
        let mut photos = Vec::new();
        for one in work {
            photos.append(&mut one.join().map_err(|_| anyhow!("a tablet panicked"))??);
        }
        anyhow::Ok(photos)
    })?;
    let mut syncs = tablets.iter().map(Tablet::begin).collect::<Result<Vec<_>>>()?;
    for sync in &mut syncs {
        sync.photos_sent().await?;
    }
    all_agree(&mut syncs).await?;
    let port = hub.stop()?;
    let full = look(&data).await?;
    let expected =
        Holds { operations: planted + u64::from(OPERATIONS), set_aside: 0, photos: u64::from(PHOTOS) };
    ensure!(full == expected, "before the loss the hub holds {full:?} instead of {expected:?}");

    fs::remove_dir_all(&data)?;
    restore(&backup, &data)?;
    let began = Instant::now();
    let hub = Hub::start(&data, port).await?;
    let observer = Observer::of(&tablets[0])?;
    let operations_back = observer.until_all_is_back(full.operations, &photos, began).await?;
    let seconds = began.elapsed().as_secs_f64();
    all_agree(&mut syncs).await?;
    syncs.into_iter().for_each(Sync::stop);
    hub.stop()?;
    let back = look(&data).await?;
    ensure!(back == full, "the hub holds {back:?} instead of {full:?}");
    let more = json!({
        "tablets": TABLETS, "operations": OPERATIONS, "photos": PHOTOS, "photo_bytes": PHOTO,
        "operations_seconds": rounded(operations_back),
    });
    report("restore", seconds, "s", more);
    Ok(())
}

/// Each fetches what the others sent, and finds that it holds what the hub does.
async fn all_agree(syncs: &mut [Sync]) -> Result<()> {
    for sync in syncs {
        sync.ask().await?;
    }
    Ok(())
}

/// A tablet's part of the records and photos. Gives the photos' hashes.
fn record(tablet: &Tablet, first: u32) -> Result<Vec<Sha256>> {
    let photos = PHOTOS / TABLETS;
    tablet.answer(first, (OPERATIONS / TABLETS - photos) as usize)?;
    (first..first + photos).map(|n| tablet.photo(n, &random(PHOTO))).collect()
}

/// Asks the hub what it holds, as a tablet does; changes nothing, here or there.
struct Observer(HubClient);

impl Observer {
    fn of(tablet: &Tablet) -> Result<Self> {
        let identity = tablet.engine.store().identity()?.context("the tablet is enrolled")?;
        let outside = Outside::network(Arc::new(RealWorld));
        Ok(Self(HubClient::new(&identity.hub, Some(identity.token), &outside)?))
    }

    /// Waits for so many operations, then for these photos. Gives how many seconds the operations took.
    async fn until_all_is_back(&self, operations: u64, photos: &[Sha256], began: Instant) -> Result<f64> {
        let mut look = tokio::time::interval(LOOK);
        let mut operations_back = None;
        loop {
            look.tick().await;
            let held = self.0.sums(Vec::new()).await?.head;
            if held >= operations {
                let seconds = *operations_back.get_or_insert_with(|| began.elapsed().as_secs_f64());
                let states = self.0.blob_states(photos).await?;
                if photos.iter().all(|photo| states.get(photo) == Some(&BlobState::Verified)) {
                    return Ok(seconds);
                }
            }
            if began.elapsed() > PATIENCE {
                bail!("after {PATIENCE:?} the hub holds {held} operations of {operations}, or lacks photos");
            }
        }
    }
}
