//! Where a command finds what the hub keeps: a data folder, and the database in it or elsewhere.

use super::Failed;
use crate::backup::{BackupError, UNFINISHED};
use crate::blobs::Book;
use crate::store::postgres::PostgresStore;
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};
use crate::world::RealWorld;
use std::fmt;
use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// The mark of a folder whose database is in PostgreSQL by now.
pub const MOVED: &str = "moved";

/// Whether an office was moved out of a folder for certain.
pub fn is_moved(data: &Path) -> bool {
    std::fs::read_to_string(data.join(MOVED)).is_ok_and(|mark| mark.starts_with(MOVED))
}

/// The address of a database. It may hold a password, so it is not shown.
#[derive(Clone)]
pub struct Address(String);

impl Address {
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it names a server, and no folder.
    pub fn is_server(&self) -> bool {
        ["postgres://", "postgresql://"].iter().any(|scheme| self.0.starts_with(scheme))
    }
}

impl FromStr for Address {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}

/// Where a hub's things are.
#[derive(Clone, Debug)]
pub struct Place {
    pub data: PathBuf,
    /// Where the database is, when it is not a file in the folder.
    pub database: Option<Address>,
}

/// An open store.
#[derive(Clone)]
pub enum Kept {
    File(Arc<SqliteStore>),
    Server(Arc<PostgresStore>),
}

impl Kept {
    pub fn store(&self) -> &dyn Store {
        match self {
            Self::File(store) => &**store,
            Self::Server(store) => &**store,
        }
    }

    pub fn book(&self) -> Arc<dyn Book> {
        match self {
            Self::File(store) => Arc::clone(store) as Arc<dyn Book>,
            Self::Server(store) => Arc::clone(store) as Arc<dyn Book>,
        }
    }

    /// Ends once the database must not be served any more: another process serves it, or it is another one.
    pub fn over(&self) -> impl Future<Output = ()> + Send + 'static {
        let over = match self {
            Self::File(_) => None,
            Self::Server(store) => Some(store.over()),
        };
        async move {
            match over {
                Some(over) => {
                    over.await;
                }
                None => std::future::pending().await,
            }
        }
    }

    /// Whether the database may still be served.
    ///
    /// # Errors
    /// Why not.
    pub fn is_ours(&self) -> Result<(), Failed> {
        match self {
            Self::Server(store) => store.is_over().map_or(Ok(()), |over| Err(over.into())),
            Self::File(_) => Ok(()),
        }
    }

    /// Does what was asked for so far, and closes the database.
    pub async fn close(&self) {
        match self {
            Self::File(store) => store.close().await,
            Self::Server(store) => store.close().await,
        }
    }
}

impl Place {
    /// The folder, where the database lies in it too.
    pub fn in_folder(&self) -> Result<&Path, Failed> {
        if self.database.is_some() { Err(Failed::ServersOwn) } else { Ok(&self.data) }
    }

    /// Opens the database. Where there is none, one is made: this is for a hub that serves.
    pub async fn open(&self) -> Result<Kept, Failed> {
        let Some(address) = &self.database else { return Ok(Kept::File(in_folder(&self.data).await?)) };
        let (has_file, was_moved) = (self.data.join("hub.db").exists(), self.data.join(MOVED).exists());
        let store = Arc::new(PostgresStore::open(address.reveal(), Arc::new(RealWorld)).await?);
        if has_file || was_moved {
            let (is_empty, path) = (!holds_office(&*store).await?, self.data.clone());
            let failed = match (is_empty, was_moved) {
                // A hub that began anew over this folder would take its uploads for nobody's.
                (true, _) if is_moved(&path) => Some(Failed::MovedElsewhere { path }),
                (true, _) => Some(Failed::NotMovedYet { path }),
                (false, false) => Some(Failed::TwoOffices { path }),
                (false, true) => None,
            };
            if let Some(failed) = failed {
                store.close().await;
                return Err(failed);
            }
        }
        Ok(Kept::Server(store))
    }

    /// Works with the database of an office that is there, and closes it. None is founded where the folder, or the address,
    /// is a wrong one: whoever looked there would be told that all is well.
    pub async fn with_store(
        &self,
        work: impl AsyncFnOnce(&Kept) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        if self.database.is_none() {
            is_there(&self.data)?;
        }
        let kept = self.open().await?;
        let done = match holds_office(kept.store()).await {
            Ok(false) if self.database.is_some() => Err(Failed::NoOfficeThere),
            Ok(_) => work(&kept).await,
            Err(error) => Err(error.into()),
        };
        kept.close().await;
        done
    }
}

/// Whether somebody was founded in it.
async fn holds_office(store: &dyn Store) -> Result<bool, StoreError> {
    Ok(store.has_users().await? || store.site().await?.is_some())
}

/// The database in the data folder, which is there.
pub async fn in_folder(data: &Path) -> Result<Arc<SqliteStore>, Failed> {
    may_open(data)?;
    Ok(Arc::new(SqliteStore::open(&data.join("hub.db"), Arc::new(RealWorld)).await?))
}

/// Whether a hub lies in the data folder.
///
/// # Errors
/// What is there instead.
pub(super) fn is_there(data: &Path) -> Result<(), Failed> {
    may_open(data)?;
    if data.join("hub.db").is_file() {
        as_owner(data)
    } else {
        Err(BackupError::NoHub { path: data.to_owned() }.into())
    }
}

/// Whether what is made in the folder from now on is of those who own what is there.
///
/// # Errors
/// Where root works for another account: that could not use root's files, not even the lock of its next backup.
pub(super) fn as_owner(data: &Path) -> Result<(), Failed> {
    let there = [data.join("hub.db"), data.to_owned()];
    let owned = there.into_iter().find_map(|path| path.metadata().ok().map(|of| (of.uid(), path)));
    match owned {
        Some((owner, path)) if owner != 0 && rustix::process::geteuid().is_root() => {
            Err(Failed::AsRoot { path, account: account(owner) })
        }
        _ => Ok(()),
    }
}

/// What `sudo -u` takes for this user.
fn account(uid: u32) -> String {
    let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = known.lines().find_map(|line| {
        let mut parts = line.split(':');
        let (name, id) = (parts.next()?, parts.nth(1)?);
        (id.parse() == Ok(uid)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| format!("'#{uid}'"))
}

/// Whether a database that lies in the folder is one to be opened.
fn may_open(data: &Path) -> Result<(), Failed> {
    is_restored(data)?;
    if data.join(MOVED).exists() { Err(Failed::Moved { path: data.to_owned() }) } else { Ok(()) }
}

fn is_restored(data: &Path) -> Result<(), Failed> {
    if data.join(UNFINISHED).exists() { Err(Failed::Unfinished { path: data.to_owned() }) } else { Ok(()) }
}

/// What lies there is nobody else's to read: people's names, passwords' hashes, the key that seals, photos.
pub(super) fn make(data: &Path) -> Result<(), Failed> {
    is_restored(data)?;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.map_err(|source| Failed::Folder { path: data.to_owned(), source })
}
