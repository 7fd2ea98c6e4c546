//! `standpipe-hub migrate`, and `restored`

use super::kept::{Address, Kept, MOVED, Place, as_owner, is_moved};
use super::seen::{SERVED, has_any};
use super::{Failed, lock, say};
use crate::blobs::Book;
use crate::count::count;
use crate::store::postgres::{Moved, move_in, move_out};
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};
use crate::world::RealWorld;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The data folder of the hub, which no hub serves now. The photos stay there. Or, for the way back, the database, where
    /// it is not named by --database.
    #[arg(long)]
    from: Option<Address>,
    /// For the way back: the folder. Otherwise it goes into the database of --database, which holds no office yet; that may
    /// stand here too.
    #[arg(long)]
    to: Option<Address>,
}

pub async fn migrate(Options { from, to }: Options, database: Option<Address>) -> Result<(), Failed> {
    let ends = (from, to, database);
    let ((Some(from), Some(to), _) | (Some(from), None, Some(to)) | (None, Some(to), Some(from))) = ends
    else {
        return Err(Failed::MoveWhere);
    };
    match (from.is_server(), to.is_server()) {
        // An address may hold a password: it is no path to be shown.
        (true, true) => Err(Failed::TwoServers),
        (true, false) => back(&from, to.reveal().into()).await,
        (false, _) => over(from.reveal().into(), &to).await,
    }
}

async fn over(from: PathBuf, to: &Address) -> Result<(), Failed> {
    let file = from.join("hub.db");
    if !file.is_file() {
        return Err(Failed::NothingToMove { path: from });
    }
    as_owner(&from)?;
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
            let operations = count(operations, "operation", "operations");
            say(&format!("the office is in PostgreSQL{already}: {operations}, each row compared"));
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

/// Moves an office out of PostgreSQL into the file of its folder.
async fn back(from: &Address, to: PathBuf) -> Result<(), Failed> {
    let failed = |source| Failed::Folder { path: to.clone(), source };
    as_owner(&to)?;
    let _lock = lock(&to)?;
    let file = to.join("hub.db");
    // What stands there without the mark, or with that of a move which was interrupted, may be all there is of an office.
    if file.exists() && !is_moved(&to) {
        return Err(Failed::OfficeThere { path: to });
    }
    let part = to.join("hub.db.part");
    for left in ["", "-wal", "-shm"].map(|ending| format!("{}{ending}", part.display())) {
        match fs::remove_file(left) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    let Moved { operations, .. } = move_out(from.reveal(), &part, Arc::new(RealWorld)).await?;
    let store = SqliteStore::open(&part, Arc::new(RealWorld)).await?;
    let found = async {
        let office: &dyn Store = &store;
        let is_office = office.has_users().await? || office.site().await?.is_some();
        Ok::<_, StoreError>((is_office, !store.blobs(None, 1).await?.is_empty()))
    };
    let found = found.await;
    store.close().await;
    match found? {
        (false, _) => return Err(Failed::NoOfficeThere),
        (true, true) if !has_any(&to.join("blobs")).map_err(failed)? => {
            return Err(Failed::PhotosElsewhere { path: to });
        }
        _ => {}
    }
    // The mark goes last: until then no hub starts on either of the two files.
    File::open(&part).and_then(|part| part.sync_all()).map_err(failed)?;
    // With its log, where one was left: the new file must not stand beside that.
    for ending in ["-wal", "-shm", ""] {
        let (old, kept) = (to.join(format!("hub.db{ending}")), to.join(format!("hub.db.before{ending}")));
        if old.exists() {
            fs::rename(old, kept).map_err(failed)?;
        }
    }
    fs::rename(&part, &file).map_err(failed)?;
    File::open(&to).and_then(|folder| folder.sync_all()).map_err(failed)?;
    for left in [SERVED, MOVED] {
        match fs::remove_file(to.join(left)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    File::open(&to).and_then(|folder| folder.sync_all()).map_err(failed)?;
    let operations = count(operations, "operation", "operations");
    say(&format!("the office is in {} again: {operations}, each row compared", file.display()));
    say("Start the hub without --database. The database is as the office was, and is best dropped.");
    Ok(())
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
