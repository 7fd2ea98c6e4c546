//! A damaged database is set aside whole, and what can be read of it goes into a fresh one.
//!
//! The pages of the damaged file are read one by one, without asking the database engine for the way: so a page that
//! is destroyed costs the rows that lay in it, and no others. What the office has comes back with the next pull.

mod pages;
mod rows;
mod salvage;
mod wal;

use crate::store::{Doing, FILE, Fault, Store, StoreError, beside};
use crate::vault::{VaultError, sync_folder};
use crate::world::World;
use standpipe_domain::tablet::Rescue;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Databases up to this size, in bytes, are looked through at each start: about a tenth of a second. In a larger one
/// damage shows when a damaged page is met, and the next start looks through all of it.
const LOOKED_THROUGH: u64 = 32 << 20;

/// Opens the database in `folder`, by way of a rescue where it is damaged. Gives what the rescue found, until the person
/// has been told.
pub fn open(folder: &Path, world: Arc<dyn World>) -> Result<(Store, Option<Rescue>), StoreError> {
    fs::create_dir_all(folder).map_err(VaultError::io("making the folder", folder))?;
    if let Some(aside) = unfinished(folder)? {
        rescue(folder, &aside)?;
    }
    let store = match sound(folder, Arc::clone(&world)) {
        Err(error) if error.is_damage() => {
            let aside = name_aside(folder, &*world);
            tracing::error!(%error, aside = %aside.display(), "the database is damaged; what can be read is rescued");
            begin(folder, &aside)?;
            rescue(folder, &aside)?;
            let store = Store::open(folder, world)?;
            store.look_through()?;
            store
        }
        other => other?,
    };
    let rescue = store.untold_rescue()?;
    Ok((store, rescue))
}

fn sound(folder: &Path, world: Arc<dyn World>) -> Result<Store, StoreError> {
    let path = folder.join(FILE);
    let looking = || VaultError::io("looking through", &path);
    if wal::is_damaged(&path, &folder.join("photos")).map_err(looking())? {
        return Err(StoreError::damaged("the write-ahead log or the file itself is not whole"));
    }
    let store = Store::open(folder, world)?;
    let size = store.path().metadata().map_or(0, |file| file.len());
    if size <= LOOKED_THROUGH || store.is_suspect() {
        store.look_through()?;
    }
    Ok(store)
}

/// The file that says that a rescue is under way, and what it reads from. It outlives the app's end in the middle.
fn marker(folder: &Path) -> PathBuf {
    beside(&folder.join(FILE), ".rescue")
}

fn unfinished(folder: &Path) -> Result<Option<PathBuf>, StoreError> {
    let marker = marker(folder);
    if !marker.exists() {
        return Ok(None);
    }
    let name = fs::read_to_string(&marker).map_err(VaultError::io("reading", &marker))?;
    Ok(Some(folder.join(name.trim())))
}

/// A name that no earlier rescue has used: what was set aside once is never written over.
fn name_aside(folder: &Path, world: &dyn World) -> PathBuf {
    let time = jiff::Timestamp::from_millisecond(world.now().0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let stem = beside(&folder.join(FILE), &format!(".damaged-{}", time.strftime("%Y%m%dT%H%M%SZ")));
    let numbered = (1_u32..).map(|n| beside(&stem, &format!("-{n}")));
    std::iter::once(stem.clone()).chain(numbered).find(|name| !name.exists()).unwrap_or(stem)
}

fn begin(folder: &Path, aside: &Path) -> Result<(), StoreError> {
    let marker = marker(folder);
    let name = aside.file_name().unwrap_or_default().to_string_lossy();
    let part = beside(&marker, ".part");
    fs::write(&part, name.as_bytes())
        .and_then(|()| fs::File::open(&part)?.sync_all())
        .and_then(|()| fs::rename(&part, &marker))
        .map_err(VaultError::io("writing", &marker))?;
    Ok(sync_folder(folder)?)
}

/// Does a rescue, or what is left to do of one: each step leaves the next one to be done.
fn rescue(folder: &Path, aside: &Path) -> Result<(), StoreError> {
    let (live, fresh) = (folder.join(FILE), beside(&folder.join(FILE), ".fresh"));
    if !aside.exists() {
        move_file(&beside(&live, "-wal"), &beside(aside, "-wal"))?;
        if live.exists() {
            move_file(&live, aside)?;
        } else {
            // Only its log is left.
            fs::File::create(aside).map_err(VaultError::io("making", aside))?;
        }
        sync_folder(folder)?;
    }
    for old in [
        beside(&live, "-wal"),
        beside(&live, "-shm"),
        beside(&fresh, "-wal"),
        beside(&fresh, "-shm"),
        fresh.clone(),
    ] {
        if old.exists() {
            fs::remove_file(&old).map_err(VaultError::io("removing", &old))?;
        }
    }
    salvage::into_fresh(&fresh, aside, folder)?;
    move_file(&fresh, &live)?;
    sync_folder(folder)?;
    let marker = marker(folder);
    fs::remove_file(&marker).map_err(VaultError::io("removing", &marker))?;
    Ok(sync_folder(folder)?)
}

fn move_file(from: &Path, to: &Path) -> Result<(), StoreError> {
    if from.exists() {
        fs::rename(from, to).map_err(VaultError::io("setting aside", from))?;
    }
    Ok(())
}

const FOUND: &str = "rescue";
const TOLD: &str = "rescue-told";

impl Store {
    /// What the last rescue found, until a start after the person was told.
    fn untold_rescue(&self) -> Result<Option<Rescue>, StoreError> {
        let (found, told) = self.read("looking whether there was a rescue", |conn| {
            let mut fact = conn.prepare("SELECT value FROM fact WHERE name = ?1")?;
            let mut of = |name| fact.query_row([name], |row| row.get::<_, String>(0));
            Ok::<_, StoreError>((of(FOUND).ok(), of(TOLD).is_ok()))
        })?;
        if told {
            self.write("forgetting an old rescue", |writing| {
                writing.execute("DELETE FROM fact WHERE name IN (?1, ?2)", [FOUND, TOLD])?;
                Ok::<_, StoreError>(())
            })?;
            return Ok(None);
        }
        found.map(|text| serde_json::from_str(&text).map_err(|error| Fault::Json(error).into())).transpose()
    }

    /// The person has been told what the rescue found. It is shown until the app ends.
    pub(crate) fn rescue_was_told(&self) -> Result<(), StoreError> {
        self.write_quietly("writing down that the rescue was told", |writing| {
            writing.execute("INSERT OR IGNORE INTO fact (name, value) VALUES (?1, '')", [TOLD])?;
            Ok(())
        })
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
