//! Folders that the first version left, with what waited in them: today's hub and tablets open copies of them, everything
//! arrives, and all show the same.

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;
use standpipe_device::store::FILE;
use standpipe_tests::fleet::{Answered, Fleet, Mode, TABLETS};
use standpipe_tests::process::{in_folder, own_port};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

fn first_version() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/first-version")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_first_version_left_arrives_and_all_agree() -> Result<()> {
    in_folder(play).await
}

async fn play(home: &Path) -> Result<()> {
    copy(&first_version(), home)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, own_port()?));
    let mut fleet = Fleet::within(home, address)?;
    let hub = fleet.hub_folder().join("hub.db");
    ensure!(layout(&Connection::open(&hub)?)? == 1, "the first version had layout 1 at the hub");
    let mut waiting = (0, 0);
    for number in 0..TABLETS {
        let tablet = Connection::open(fleet.tablet_folder(number).join(FILE))?;
        ensure!(layout(&tablet)? == 2, "the first version had layout 2");
        let count = |sql: &str| tablet.query_row(sql, [], |row| row.get::<_, u32>(0));
        let ops = count("SELECT last_seq - acknowledged FROM chain")?;
        let photos = count("SELECT count(*) FROM upload WHERE role = 'original' AND state <> 'verified'")?;
        ensure!(ops > 0 && photos > 0, "on tablet {number} nothing waits");
        waiting = (waiting.0 + ops, waiting.1 + photos);
        // The office answers elsewhere than it did when these were made.
        tablet.execute("UPDATE identity SET hub = ?1", [format!("http://{address}")])?;
    }
    println!("{} operations and {} photos wait", waiting.0, waiting.1);

    fleet.mode = Mode::Rest;
    fleet.start_all()?;
    let standings = fleet.settle().await?;
    fleet.end_hub()?;
    let held = fleet.compare(&standings, &Answered::default())?;
    println!("{held:?}");
    for number in 0..TABLETS {
        let tablet = Connection::open(fleet.tablet_folder(number).join(FILE))?;
        ensure!(layout(&tablet)? == newest("device")?, "tablet {number} was not brought up to date");
    }
    ensure!(layout(&Connection::open(&hub)?)? == newest("hub/sqlite")?, "the hub was not brought up to date");
    Ok(())
}

fn layout(database: &Connection) -> Result<u32> {
    Ok(database.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// The newest layout of a database.
fn newest(whose: &str) -> Result<u32> {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(whose);
    Ok(u32::try_from(fs::read_dir(migrations)?.count())?)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("reading {}", from.display()))? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
