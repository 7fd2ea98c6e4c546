//! `standpipe-hub migrate`, and `restored`

use super::kept::{Address, Kept, MOVED, Place, is_moved};
use super::{Failed, lock, say};
use crate::store::StoreError;
use crate::store::postgres::{Moved, move_in};
use crate::world::RealWorld;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The data folder of the hub, which no hub serves now. The photos stay there.
    #[arg(long)]
    from: PathBuf,
    /// The database: postgres://user:password@host/database. It holds no office yet.
    #[arg(long, env = "STANDPIPE_DATABASE", hide_env_values = true)]
    to: Address,
}

pub async fn migrate(Options { from, to }: Options) -> Result<(), Failed> {
    let file = from.join("hub.db");
    if !file.is_file() {
        return Err(Failed::NothingToMove { path: from });
    }
    let _lock = lock(&from)?;
    // What the file holds by now is what the office was once.
    if is_moved(&from) {
        return Err(Failed::MovedAlready { path: from });
    }
    // Marked before the move holds: whatever it is interrupted in, no hub starts on the file while the office may be
    // elsewhere.
    let (folder, was_marked) = (from.clone(), from.join(MOVED).exists());
    let sure = move || mark(&folder, BEGUN);
    match move_in(&file, to.reveal(), Arc::new(RealWorld), sure).await {
        Ok(Moved { operations, was_there }) => {
            mark(&from, MOVED).map_err(|source| Failed::Folder { path: from.clone(), source })?;
            let already = if was_there { " already" } else { "" };
            say(&format!("the office is in PostgreSQL{already}: {operations} operations, each row compared"));
            let from = from.display();
            say(&format!("Start the hub with --data {from} and --database: the photos stay in the folder."));
            say(&format!(
                "{from}/hub.db is as the office was; no hub starts on it any more, and it may be removed."
            ));
            Ok(())
        }
        Err(error) => {
            // Nobody knows whether it holds, where the database was away at the last moment; then the mark stays.
            if !was_marked && !matches!(error, StoreError::Away { .. }) {
                let _ = fs::remove_file(from.join(MOVED));
            }
            Err(error.into())
        }
    }
}

/// What the mark says while the move may hold or not.
const BEGUN: &str = "begun";

/// Says in the folder that its database is elsewhere, or may be.
fn mark(folder: &Path, word: &str) -> io::Result<()> {
    let (part, whole) = (folder.join("moved.part"), folder.join(MOVED));
    let mut file = File::create(&part)?;
    writeln!(file, "{word}: the database of this office is in PostgreSQL. The photos are still here.")?;
    file.sync_all()?;
    fs::rename(part, whole)?;
    File::open(folder)?.sync_all()
}

pub async fn restored(place: &Place) -> Result<(), Failed> {
    if place.database.is_none() {
        return Err(Failed::NotAServer);
    }
    let revive = async |kept: &Kept| {
        let Kept::Server(store) = kept else { return Err(Failed::NotAServer) };
        store.serve().await?;
        store.revive().await?;
        say(
            "Start the hub now. Each tablet sees that it was restored, and gives back by itself what it lost.",
        );
        Ok(())
    };
    place.with_store(revive).await
}
