//! The folders of a tablet's sites, and how one is forgotten: by a rename, which is the end of it, and then file by file.
//!
//! The first site lies in the root, where tablets of one site have always had it; each further one in `sites/<uuid>`.

use crate::store::{FILE, beside};
use crate::vault::{VaultError, make_private, sync_folder};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use uuid::Uuid;

/// What ends the name of something that is to be removed, come what may.
const FORGOTTEN: &str = ".forgotten";
/// The files that the app makes of a database, beside copies of damaged ones: by these endings.
const MADE: [&str; 8] = ["", "-wal", "-shm", ".rescue", ".rescue.part", ".fresh", ".fresh-wal", ".fresh-shm"];
/// What ends the name of a file that has not come in whole.
const PART: &str = ".part";
/// What the first site is called, where a further one has its number.
const FIRST: &str = "first";

/// Where the data of one site lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) enum Folder {
    /// In the tablet's root, beside `sites`, the window's folder and the lock.
    Root,
    Further(Uuid),
}

/// One step of forgetting. Each can be the last before the power fails.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Rename(PathBuf, PathBuf),
    RemoveFile(PathBuf),
    RemoveFolder(PathBuf),
    /// Unless something is left in it, which is not the app's.
    RemoveEmpty(PathBuf),
    /// What was done to the names in this folder is on disk before the next step.
    Sync(PathBuf),
}

impl Folder {
    pub(super) fn path(self, root: &Path) -> PathBuf {
        match self {
            Self::Root => root.to_owned(),
            Self::Further(id) => further(root).join(id.to_string()),
        }
    }

    /// Makes the folder, where it is not there: for this person's eyes only, and durably, since an enrolment that is written
    /// into it cannot be had twice.
    pub(super) fn make(self, root: &Path) -> Result<(), VaultError> {
        make_private(&self.path(root))?;
        if self == Self::Root {
            return Ok(());
        }
        // An app that made it and was killed before it had synced it left it here, and need not have made it last.
        sync_folder(&further(root))?;
        sync_folder(root)
    }

    /// All that hold data, the first one first and the others by age.
    pub(super) fn all(root: &Path) -> Result<Vec<Self>, VaultError> {
        let mut all = Vec::new();
        if !is_forgotten(root) && names_in(root)?.iter().any(|name| is_made(name)) {
            all.push(Self::Root);
        }
        let ids = names_in(&further(root))?;
        all.extend(ids.iter().filter_map(|name| Uuid::parse_str(name).ok()).map(Self::Further));
        all.sort();
        Ok(all)
    }

    /// The folder of a tablet that holds nothing yet; `None` where something is still to be removed from the root.
    pub(super) fn of_new_tablet(root: &Path) -> Option<Self> {
        (!is_forgotten(root)).then_some(Self::Root)
    }

    /// The copies of databases that lie here: of damaged ones, and those that somebody made.
    pub(super) fn copies(self, root: &Path) -> Result<Vec<PathBuf>, VaultError> {
        let folder = self.path(root);
        let is_copy = |name: &&String| name.starts_with(FILE) && !is_made(name) && !name.ends_with(FORGOTTEN);
        Ok(names_in(&folder)?.iter().filter(is_copy).map(|name| folder.join(name)).collect())
    }

    /// What puts an end to the site: after the first of these steps nothing opens it any more, and before it all of it is
    /// there. Nobody may have its database open.
    pub(super) fn end(self, root: &Path) -> Vec<Step> {
        match self {
            // Everything else that lies there is worth nothing without it.
            Self::Root => {
                let (live, gone) = (root.join(FILE), forgotten_of(root));
                vec![Step::Rename(live, gone), Step::Sync(root.to_owned())]
            }
            Self::Further(_) => {
                let folder = self.path(root);
                let gone = beside(&folder, FORGOTTEN);
                vec![Step::Rename(folder, gone), Step::Sync(further(root))]
            }
        }
    }

    /// What is left to be removed after sites were ended. It begins with what makes the end durable.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub(super) fn rest(root: &Path) -> Result<Vec<Step>, VaultError> {
        let mut steps = rest_of_root(root)?;
        let parent = further(root);
        let mut gone = names_in(&parent)?;
        gone.retain(|name| name.ends_with(FORGOTTEN));
        if !gone.is_empty() {
            steps.push(Step::Sync(parent.clone()));
        }
        steps.extend(gone.iter().map(|name| Step::RemoveFolder(parent.join(name))));
        Ok(steps)
    }
}

/// The mark goes last: as long as it stands, everything beside it belongs to what was forgotten.
fn rest_of_root(root: &Path) -> Result<Vec<Step>, VaultError> {
    if !is_forgotten(root) {
        return Ok(Vec::new());
    }
    let mark = forgotten_of(root);
    let names = names_in(root)?;
    // Only an older app, which knows no mark, makes a database beside it. What lies there is that one's, then.
    let is_in_use = |name: &String| *name == FILE || name.ends_with(".rescue");
    let mut steps = vec![Step::Sync(root.to_owned())];
    if !names.iter().any(is_in_use) {
        let files = names.iter().filter(|name| is_made(name));
        steps.extend(files.map(|name| Step::RemoveFile(root.join(name))));
        // The root may be a folder in which other things lie under such names.
        for vault in ["photos", "previews"].map(|name| root.join(name)) {
            let is_of_hash =
                |name: &&String| name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            let inner = names_in(&vault)?;
            steps.extend(inner.iter().filter(is_of_hash).map(|name| Step::RemoveFolder(vault.join(name))));
            steps.push(Step::RemoveEmpty(vault));
        }
        let incoming = root.join("incoming");
        let parts = names_in(&incoming)?;
        let parts = parts.iter().filter(|name| name.ends_with(PART));
        steps.extend(parts.map(|name| Step::RemoveFile(incoming.join(name))));
        steps.push(Step::RemoveEmpty(incoming));
        steps.push(Step::Sync(root.to_owned()));
    }
    steps.extend([Step::RemoveFile(mark), Step::Sync(root.to_owned())]);
    Ok(steps)
}

impl Step {
    /// Does it. What is gone already need not be removed.
    pub(super) fn take(&self) -> Result<(), VaultError> {
        let (path, done) = match self {
            Self::Rename(from, to) => return fs::rename(from, to).map_err(VaultError::io("renaming", from)),
            Self::Sync(folder) => return sync_folder(folder),
            Self::RemoveFile(path) => (path, fs::remove_file(path)),
            Self::RemoveFolder(path) => (path, fs::remove_dir_all(path)),
            Self::RemoveEmpty(path) => (path, fs::remove_dir(path)),
        };
        match done {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error)
                if matches!(self, Self::RemoveEmpty(_)) && error.kind() == ErrorKind::DirectoryNotEmpty =>
            {
                Ok(())
            }
            done => done.map_err(VaultError::io("removing", path)),
        }
    }
}

/// Removes what is left of sites that were ended.
pub(super) fn sweep(root: &Path) -> Result<(), VaultError> {
    Folder::rest(root)?.iter().try_for_each(Step::take)
}

/// Whether the app makes a file of this name.
fn is_made(name: &str) -> bool {
    name.strip_prefix(FILE).is_some_and(|ending| MADE.contains(&ending))
}

fn further(root: &Path) -> PathBuf {
    root.join("sites")
}

fn forgotten_of(root: &Path) -> PathBuf {
    beside(&root.join(FILE), FORGOTTEN)
}

fn is_forgotten(root: &Path) -> bool {
    forgotten_of(root).exists()
}

/// The names in a folder; none where it does not exist. What no text can name is not the app's.
fn names_in(folder: &Path) -> Result<Vec<String>, VaultError> {
    let reading = || VaultError::io("reading the folder", folder);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(reading())?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(reading())?.file_name().into_string());
    }
    Ok(names)
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str(FIRST),
            Self::Further(id) => id.fmt(f),
        }
    }
}

impl FromStr for Folder {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == FIRST { Ok(Self::Root) } else { Uuid::parse_str(text).map(Self::Further) }
    }
}

impl From<Folder> for String {
    fn from(folder: Folder) -> Self {
        folder.to_string()
    }
}

impl TryFrom<String> for Folder {
    type Error = uuid::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
