//! `standpipe-hub backup`, `restore`, and `verify --backup`

use super::kept::{as_owner, in_folder, is_there};
use super::{Failed, say};
use crate::backup::{self, Manifest, Step};
use crate::blobs::Health;
use crate::count;
use crate::world::{RealWorld, World};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use rustix::fs::Mode;
use serde_json::json;
use standpipe_domain::ids::Sha256;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub struct Making {
    /// The folder of the backup, on another disk. Photos that it holds from before are not copied again.
    #[arg(long)]
    to: PathBuf,
    /// Read back the photos from before too, and copy again those that are spoilt.
    #[arg(long)]
    again: bool,
    /// Say what was done as one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub struct Restoring {
    /// The folder of the backup.
    #[arg(long)]
    from: PathBuf,
    /// Go on where photos are missing from the backup or spoilt there: the hub then asks the tablets for them.
    #[arg(long)]
    without_damaged: bool,
    /// Say what was done as one line of JSON.
    #[arg(long)]
    json: bool,
}

pub async fn make(data: &Path, options: Making) -> Result<(), Failed> {
    is_there(data)?;
    owner_only();
    let store = in_folder(data).await?;
    let Making { to, again, json } = options;
    let mut bar = Bar::new("copied");
    let made = backup::make(data, &store, &to, again, &world(), &mut |step| bar.step(step)).await;
    store.close().await;
    bar.end();
    let backup::Made { manifest, photos } = made?;
    if json {
        say(&json!({ "folder": to, "manifest": manifest, "photos": photos }).to_string());
    } else {
        say_lost(&photos.lost);
        say(&format!("the backup is whole: {}", holds(&manifest)));
        let new = HumanBytes(photos.copied_bytes);
        let of = count::photos(photos.copied);
        say(&format!("{of} {} new in {}, with {new}", count::is(photos.copied), to.display()));
    }
    let (lost, spoilt) = (photos.lost.len(), photos.spoilt.len());
    if lost > 0 { Err(Failed::Lost { lost, spoilt }) } else { Ok(()) }
}

pub async fn restore(data: &Path, options: Restoring) -> Result<(), Failed> {
    as_owner(data)?;
    owner_only();
    let Restoring { from, without_damaged, json } = options;
    let mut bar = Bar::new("copied");
    let restored =
        backup::restore(&from, data, without_damaged, &world(), &mut |step| bar.step(step)).await?;
    bar.end();
    let backup::Restored { manifest, epoch, lost } = restored;
    if json {
        say(&json!({ "folder": data, "manifest": manifest, "epoch": epoch, "lost": lost }).to_string());
        return Ok(());
    }
    say_lost(&lost);
    say_lacks(&manifest);
    say(&format!("{} is as the hub was at {}: {}", data.display(), manifest.time, holds(&manifest)));
    say(
        "Start the hub now. Each tablet sees that it was restored and gives back, by itself, what the hub lost of its \
         records and photos, and of what it had fetched from others and from the office.",
    );
    say(
        "As they were then are passwords, sign-ins and tablets: what was changed or withdrawn since, change or withdraw \
         again; a tablet that joined since joins again.",
    );
    say("Never start the hub that was backed up again: both would write under one name.");
    Ok(())
}

pub async fn verify(folder: &Path) -> Result<(), Failed> {
    let mut bar = Bar::new("read");
    let checked = backup::check(folder, &world(), &mut |step| bar.step(step)).await?;
    bar.end();
    let backup::Checked { manifest, damaged } = checked;
    for (sha256, bytes, health) in &damaged {
        let what = if *health == Health::Missing { "missing" } else { "spoilt" };
        say(&format!("{what} {sha256} {bytes} bytes"));
    }
    if !damaged.is_empty() {
        return Err(Failed::NotWholeBackup { damaged: damaged.len() });
    }
    say_lacks(&manifest);
    say(&format!("the backup of {} is whole: {}", manifest.time, holds(&manifest)));
    Ok(())
}

fn say_lost(photos: &[Sha256]) {
    for sha256 in photos {
        say(&format!("lost {sha256}"));
    }
}

/// What the backup lacks since it was made.
fn say_lacks(manifest: &Manifest) {
    if let Some(lost @ 1..) = manifest.lost {
        let (photos, were) = (count::photos(lost), if lost == 1 { "was" } else { "were" });
        say(&format!(
            "{photos} that the hub counted as here {were} lost when this backup was made, and {} not in it",
            count::is(lost)
        ));
    }
}

fn holds(manifest: &Manifest) -> String {
    let operations = count::count(manifest.holds.operations(), "operation", "operations");
    let photos = count::photos(manifest.holds.photos);
    let (database, bytes) = (HumanBytes(manifest.database.bytes), HumanBytes(manifest.holds.photo_bytes));
    format!("{operations}, {photos} with {bytes}, a database of {database}")
}

fn world() -> Arc<dyn World> {
    Arc::new(RealWorld)
}

/// What is written from now on is nobody else's to read, whoever makes the file.
fn owner_only() {
    rustix::process::umask(Mode::from_raw_mode(0o077));
}

/// Drawn on standard error, and only in a terminal.
struct Bar {
    bar: ProgressBar,
    bytes: u64,
}

impl Bar {
    fn new(what: &str) -> Self {
        let bar = ProgressBar::new_spinner();
        let style = format!("{{pos}} of {{len}} photos, {{msg}} {what}, {{elapsed}}");
        if let Ok(style) = ProgressStyle::with_template(&style) {
            bar.set_style(style);
        }
        Self { bar, bytes: 0 }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Database => self.bar.tick(),
            Step::Photo { bytes, of } => {
                self.bytes += bytes;
                self.bar.set_length(of);
                self.bar.set_message(HumanBytes(self.bytes).to_string());
                self.bar.inc(1);
            }
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
