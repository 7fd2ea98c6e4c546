//! What a whole backup says of itself.

use super::BackupError;
use super::files::{self, Copied};
use crate::blobs::hash_back;
use crate::store::Holds;
use crate::store::sqlite::AtRest;
use serde::{Deserialize, Serialize};
use standpipe_domain::ids::{DeviceId, Millis, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use uuid::Uuid;

const FILE: &str = "manifest.json";
/// The layout of a backup's folder that this program writes.
const FORMAT: u32 = 1;

/// What a whole backup says of itself: the file `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// The version that made it.
    pub standpipe: String,
    /// When the copy of the database began, by the hub's clock: whatever the hub had acknowledged by then is in it.
    pub at: Millis,
    /// The same, to be read.
    pub time: String,
    pub database: Database,
    /// How many photos the hub counted as here then, and its disk did not give: the backup lacks them, and does not count
    /// them. Not said by backups of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<u64>,
    #[serde(flatten)]
    pub holds: Holds,
}

/// The file of the database's copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    pub file: String,
    pub bytes: u64,
    pub sha256: Sha256,
}

impl Manifest {
    pub(super) fn of(at: Millis, database: Database, lost: u64, holds: Holds) -> Self {
        let time = jiff::Timestamp::from_millisecond(at.0).map(|time| time.to_string()).unwrap_or_default();
        Self {
            format: FORMAT,
            standpipe: env!("CARGO_PKG_VERSION").into(),
            at,
            time,
            database,
            lost: Some(lost),
            holds,
        }
    }

    /// What the backup in `folder` says of itself. `None` where no backup has ever ended there.
    pub fn find(folder: &Path) -> Result<Option<Self>, BackupError> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let path = folder.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BackupError::disk("reading", &path)(error)),
        };
        if serde_json::from_slice(&text).is_ok_and(|Format { format }| format > FORMAT) {
            return Err(BackupError::Newer { path: folder.to_owned() });
        }
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| {
            BackupError::damaged(folder, format!("manifest.json cannot be read ({error})"))
        })?;
        // What it names lies beside it, and nowhere else.
        if is_database(&manifest.database.file) {
            Ok(Some(manifest))
        } else {
            Err(BackupError::damaged(folder, "manifest.json names no database"))
        }
    }

    /// See [`Manifest::find`].
    ///
    /// # Errors
    /// [`BackupError::NoManifest`] where there is none.
    pub fn read(folder: &Path) -> Result<Self, BackupError> {
        Self::find(folder)?.ok_or_else(|| BackupError::NoManifest { path: folder.to_owned() })
    }

    /// Makes this what the folder holds. Whatever it names must last already.
    pub(super) fn write(&self, folder: &Path) -> Result<(), BackupError> {
        let mut text = serde_json::to_vec_pretty(self).map_err(io::Error::other);
        if let Ok(text) = &mut text {
            text.push(b'\n');
        }
        let path = folder.join(FILE);
        files::write_whole(&path, &text.map_err(BackupError::disk("writing", &path))?)
    }

    /// Whether the database in `folder` is the one that was copied, byte for byte, and holds what this says. Gives its
    /// path.
    ///
    /// # Errors
    /// [`BackupError::Damaged`] where it is not.
    pub(super) fn database(&self, folder: &Path) -> Result<PathBuf, BackupError> {
        let Database { file, sha256, .. } = &self.database;
        let path = folder.join(file);
        let damaged = |detail: String| BackupError::damaged(folder, detail);
        let found = match hash_back(&path) {
            Ok(found) => found,
            Err(error) => return Err(damaged(format!("its database {file} cannot be read ({error})"))),
        };
        if found.sha256 != *sha256 {
            return Err(damaged(format!("its database {file} has other bytes than were written")));
        }
        let at_rest = AtRest::open(&path)?;
        if at_rest.holds()? != self.holds {
            return Err(damaged(format!("manifest.json does not say what its database {file} holds")));
        }
        Ok(path)
    }
}

/// Keeps the database that a hub of another life left in `folder`, where no later backup takes it away: it may hold what this
/// hub, which was restored from an older one, has not.
pub(super) fn keep_apart(folder: &Path, before: &Manifest) -> Result<(), BackupError> {
    let apart = folder.join(format!("before-{}", before.holds.epoch));
    files::make_dir(&apart)?;
    let Database { file, sha256, .. } = &before.database;
    let (from, to) = (folder.join(file), apart.join(file));
    match fs::hard_link(&from, &to) {
        Ok(()) => {}
        // It was kept by a run that was interrupted, or there is nothing to keep.
        Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) => {}
        // Not every file system has a second name for a file.
        Err(_) => {
            let part = files::part_of(&to);
            match files::copy(&from, &part, *sha256)? {
                Copied::Whole(_) => files::into_place(&part, &to)?,
                Copied::Missing => {}
                // What can be read of it may still be wanted, and the backup that is being made would take it away.
                Copied::There | Copied::Unreadable | Copied::Spoilt => {
                    return Err(BackupError::NotApart { database: from, apart });
                }
            }
        }
    }
    before.write(&apart)
}

/// The databases in `folder`, with a manifest or without.
fn databases(folder: &Path) -> Result<Vec<String>, BackupError> {
    let names = files::names(folder)?.into_iter().filter_map(|name| name.into_string().ok());
    Ok(names.filter(|name| is_database(name)).collect())
}

/// Whether a database in `folder` says that it is another hub's. One that cannot be read says nothing.
pub(super) fn holds_another(folder: &Path, hub: DeviceId) -> Result<bool, BackupError> {
    let of = |name: &String| Some(AtRest::open(&folder.join(name)).ok()?.holds().ok()?.hub);
    Ok(databases(folder)?.iter().filter_map(of).any(|of| of != hub))
}

/// Keeps the databases in `folder` that no manifest names, with the manifest that cannot be read, where no later backup
/// takes them away: nobody knows which of them is whole, or of which life of the hub. `id` is one that was never used.
pub(super) fn keep_unnamed(folder: &Path, id: Uuid) -> Result<(), BackupError> {
    let names = databases(folder)?;
    if names.is_empty() {
        return Ok(());
    }
    let apart = folder.join(format!("unnamed-{id}"));
    files::make_dir(&apart)?;
    for name in names.iter().map(String::as_str).chain([FILE]) {
        match fs::rename(folder.join(name), apart.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(BackupError::disk("moving aside", &folder.join(name))(error));
            }
            _ => {}
        }
    }
    files::sync_dir(&apart)?;
    files::sync_dir(folder)?;
    let path = apart.display();
    tracing::warn!(%path, "what no readable manifest names is kept there; delete it once nobody wants it");
    Ok(())
}

/// A name for a copy of the database.
pub(super) fn new_database(id: Uuid) -> String {
    format!("hub-{id}.db")
}

/// Whether a copy of the database can have this name.
fn is_database(name: &str) -> bool {
    parts(name).is_some_and(|(id, _)| name == new_database(id))
}

/// Removes what backups left that were interrupted or replaced: all but the database that `manifest` names. Without one
/// only what was begun: each of the others may be the one that is whole.
pub(super) fn tidy(folder: &Path, manifest: Option<&Manifest>) -> Result<(), BackupError> {
    for name in files::names(folder)? {
        // Files of others are theirs; of ours SQLite may have left one beside each.
        let Some((_, end)) = name.to_str().and_then(parts) else { continue };
        let is_left = match manifest {
            Some(manifest) => name.to_str() != Some(&manifest.database.file),
            None => end.starts_with(".part"),
        };
        if is_left {
            files::remove(&folder.join(&name))?;
        }
    }
    Ok(())
}

/// The id in the name of a copy of the database, or of what lies beside one, and what stands behind it.
fn parts(name: &str) -> Option<(Uuid, &str)> {
    let (id, rest) = name.strip_prefix("hub-")?.split_at_checked(36)?;
    Some((Uuid::try_parse(id).ok()?, rest.strip_prefix(".db")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256 as Hasher};
    use tempfile::TempDir;

    const ID: &str = "01890000-0000-7000-8000-000000000001";

    /// The manifest of a backup whose database has these bytes.
    fn manifest(file: &str, bytes: &[u8]) -> Manifest {
        let database = Database {
            file: file.into(),
            bytes: bytes.len() as u64,
            sha256: Sha256(Hasher::digest(bytes).into()),
        };
        let (hub, epoch) = (DeviceId(Uuid::nil()), Uuid::nil());
        let holds = Holds { hub, epoch, sites: vec![], chains: vec![], photos: 0, photo_bytes: 0 };
        Manifest::of(Millis(0), database, 0, holds)
    }

    #[test]
    fn a_database_that_cannot_be_kept_apart_is_not_passed_over() {
        // On another file system, where no file has a second name in this one.
        let (dir, other) = (TempDir::new().unwrap(), TempDir::new_in("/dev/shm").unwrap());
        let before = manifest(&new_database(Uuid::nil()), b"whole");
        let database = dir.path().join(&before.database.file);
        let apart = dir.path().join(format!("before-{}", before.holds.epoch));
        std::os::unix::fs::symlink(other.path(), &apart).unwrap();
        fs::write(&database, "spoilt").unwrap();
        let link = fs::hard_link(&database, apart.join("link")).unwrap_err();
        assert_eq!(link.kind(), io::ErrorKind::CrossesDevices);

        let refused = keep_apart(dir.path(), &before).unwrap_err();
        assert!(matches!(refused, BackupError::NotApart { .. }), "{refused}");
        assert_eq!(files::names(&apart).unwrap().len(), 0, "nothing says that it is kept there");
        fs::remove_file(&database).unwrap();
        fs::create_dir(&database).unwrap();
        let refused = keep_apart(dir.path(), &before).unwrap_err();
        assert!(matches!(refused, BackupError::NotApart { .. }), "it cannot be read: {refused}");
        fs::remove_dir(&database).unwrap();
        fs::write(&database, "whole").unwrap();
        keep_apart(dir.path(), &before).unwrap();
        assert_eq!(fs::read(apart.join(&before.database.file)).unwrap(), b"whole");
        assert_eq!(Manifest::read(&apart).unwrap(), before);
    }

    #[test]
    fn only_what_backups_left_is_tidied_away() {
        let dir = TempDir::new().unwrap();
        let ours = [".db", ".db.part", ".db.part-journal"].map(|end| format!("hub-{ID}{end}"));
        let others = ["hub-.db", "hub-2023.db", "hub.db", "photo.part", "hub-阀阀阀阀阀阀阀阀阀阀阀阀.db"];
        for name in ours.iter().map(String::as_str).chain(others) {
            fs::write(dir.path().join(name), "").unwrap();
        }
        tidy(dir.path(), None).unwrap();
        let is_there = ours.each_ref().map(|name| dir.path().join(name).exists());
        assert_eq!(is_there, [true, false, false], "no manifest says that another one is whole");
        let replaced = manifest(&new_database(Uuid::nil()), b"");
        tidy(dir.path(), Some(&replaced)).unwrap();
        let mut left = files::names(dir.path()).unwrap();
        left.sort();
        let mut expected = others.map(std::ffi::OsString::from).to_vec();
        expected.sort();
        assert_eq!(left, expected);
        assert!(is_database(&ours[0]));
        for name in [ours[1].as_str(), "../hub.db", "hub-2023.db", ""] {
            assert!(!is_database(name), "{name}");
        }
    }
}
