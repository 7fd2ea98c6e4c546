//! An office that loses its disk: backed up while three tablets work, it is restored, and gets back from them whatever came
//! after the backup.

use anyhow::{Result, ensure};
use standpipe_tests::fleet::{Answered, Fleet, Machine, Mode, TABLETS, rows};
use standpipe_tests::hub::{back_up, restore};
use standpipe_tests::process::{eventually, in_folder};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Only ends a run that hangs.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_office_that_lost_its_disk_gets_back_what_came_after_its_backup() -> Result<()> {
    in_folder(play).await
}

async fn play(home: &Path) -> Result<()> {
    let mut fleet = Fleet::found(home, 20_230_701, async |hub| Ok(hub)).await?;
    let (data, backup) = (fleet.hub_folder(), home.join("backup"));
    fleet.mode = Mode::Work { signs: false };
    fleet.start_all()?;
    more(&mut fleet, (0, 0)).await?;
    back_up(&data, &backup)?;
    let before = held(&data)?;
    // Each tablet is told of it, and of no more than it holds.
    more(&mut fleet, before).await?;
    eventually("the tablets know of the backup", PATIENCE, || {
        let told = (0..TABLETS).try_for_each(|number| {
            let (acknowledged, durable) = chain(&fleet.tablet_folder(number))?;
            ensure!(0 < durable && durable <= acknowledged, "tablet {number}: {durable} of {acknowledged}");
            Ok(())
        });
        std::future::ready(fleet.all_run().and(told))
    })
    .await?;
    fleet.kill(Machine::Hub)?;
    fleet.end_tablets()?;
    let lost = held(&data)?;
    ensure!(lost > before, "nothing came after the backup: {lost:?}");
    fs::remove_dir_all(&data)?;

    restore(&backup, &data)?;
    let restored = held(&data)?;
    ensure!(restored < lost, "nothing was lost: {restored:?} of {lost:?}");
    fleet.mode = Mode::Rest;
    fleet.start_all()?;
    let standings = fleet.settle().await?;
    fleet.end_hub()?;
    let back = fleet.compare(&standings, &Answered::default())?;
    let after = held(&data)?;
    println!("{restored:?} in the backup, {lost:?} before the loss, in the end {after:?}: {back:?}");
    ensure!(after.0 >= lost.0 && after.1 >= lost.1, "something is missing: {after:?} of {lost:?}");
    Ok(())
}

/// Waits until the hub has more operations and photos than these.
async fn more(fleet: &mut Fleet, than: (usize, usize)) -> Result<()> {
    let data = fleet.hub_folder();
    eventually("the tablets' work arrives", PATIENCE, || {
        let seen = fleet.all_run().and_then(|()| {
            let (ops, photos) = held(&data)?;
            ensure!(ops > than.0 + 30 && photos > than.1 + 1, "the hub holds {ops} and {photos}");
            Ok(())
        });
        std::future::ready(seen)
    })
    .await
}

/// How many operations a hub holds, and how many photos, small ones too.
fn held(data: &Path) -> Result<(usize, usize)> {
    let hub = rows::database(data)?;
    let count = |table: &str| hub.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
    Ok((count("op")?, count("blob")?))
}

/// What of a tablet's chain is at the hub, and in a backup.
fn chain(tablet: &Path) -> Result<(u64, u64)> {
    let tablet = rows::tablet_database(tablet)?;
    Ok(tablet
        .query_row("SELECT acknowledged, durable FROM chain", [], |row| Ok((row.get(0)?, row.get(1)?)))?)
}
