//! Photos from one tablet, against curl and nginx on the same machine.

use crate::bare;
use crate::estate::{must_hold, plant};
use crate::nginx::Nginx;
use crate::tablet::{Tablet, random};
use anyhow::Result;
use serde_json::json;
use standpipe_device::testing::figure::{percentile, report, rounded};
use standpipe_device::testing::large::Large;
use standpipe_tests::hub::Hub;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

const PHOTOS: u32 = 20;
const PHOTO: usize = 4_000_000;
/// Both send fresh photos by turns so many times, and the median of each counts.
const TURNS: u32 = 3;

/// Megabytes per second, from the greeting until the hub has read every photo back and the tablet knows it. nginx neither
/// syncs nor reads back. `bare` is what the disk takes where each photo is synced, named, read back and hashed, and no
/// network is between.
pub async fn measure(folder: TempDir) -> Result<()> {
    let data = folder.path().join("hub");
    let planted = plant(&data, Large { assets: 100, checks: 100, open: 100 }).await?;
    let hub = Hub::start(&data, 0).await?;
    let nginx = Nginx::start(&folder.path().join("nginx")).await?;
    let tablet = Tablet::with_estate(&folder.path().join("tablet"), &hub).await?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let mut files: Vec<PathBuf> = Vec::new();
        for n in 0..PHOTOS {
            let photo = random(PHOTO);
            let file = folder.path().join(format!("{turn}-{n}.jpg"));
            fs::write(&file, &photo)?;
            files.push(file);
            tablet.photo(n, &photo)?;
        }
        // What was just written is on the disk, and disturbs neither.
        rustix::fs::sync();
        theirs.push(nginx.receive(&files)?);
        rustix::fs::sync();
        let mut sync = tablet.begin()?;
        sync.photos_sent().await?;
        ours.push(sync.elapsed());
        sync.in_step().await?;
        sync.stop();
    }
    hub.stop()?;
    rustix::fs::sync();
    let bare = bare::files(&folder.path().join("bare"), &random(PHOTO), PHOTOS)?;
    let bare = rate(&mut [Duration::from_secs_f64(bare)]);
    let photos = u64::from(TURNS * PHOTOS);
    must_hold(&data, planted + photos, photos).await?;
    let (value, peer) = (rate(&mut ours), rate(&mut theirs));
    let more = json!({
        "photos": PHOTOS, "megabytes_each": 4, "turns": TURNS, "curl_nginx": rounded(peer),
        "ratio": rounded(value / peer),
        "bare": rounded(bare),
    });
    report("push_photos", value, "MB/s", more);
    Ok(())
}

fn rate(times: &mut [Duration]) -> f64 {
    #[expect(clippy::cast_precision_loss)]
    let kilobytes = f64::from(PHOTOS) * PHOTO as f64 / 1_000.0;
    kilobytes / percentile(times, 0.5)
}
