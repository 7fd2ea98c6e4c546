//! What lies in the vault, whatever the database says of it.

use super::{Vault, VaultError, sync_folder};
use crate::store::blobs::Role;
use sha2::{Digest, Sha256 as Hasher};
use standpipe_domain::ids::Sha256;
use std::collections::BTreeMap;
use std::fs::{self, DirEntry, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use uuid::Uuid;

/// What was found under the name of an original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The original: so many bytes, and they have its hash.
    Whole(u64),
    /// Other bytes.
    Spoilt,
    Nothing,
}

impl Vault {
    /// The originals by their names alone, each with how many bytes its file has. None of them is opened.
    pub fn originals(&self) -> Result<BTreeMap<Sha256, u64>, VaultError> {
        let mut all = BTreeMap::new();
        for folder in entries(&self.folder.join("photos"))? {
            let path = folder.path();
            let looking = || VaultError::io("looking at", &path);
            if !folder.file_type().map_err(looking())?.is_dir() {
                continue;
            }
            for file in entries(&path)? {
                let name =
                    [folder.file_name(), file.file_name()].map(|name| name.to_string_lossy().into_owned());
                // What was put aside has another name.
                let Ok(of) = name.concat().parse() else { continue };
                match file.metadata() {
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    file => _ = all.insert(of, file.map_err(looking())?.len()),
                }
            }
        }
        Ok(all)
    }

    /// Reads what lies under the name of an original.
    pub fn look_at(&self, of: Sha256) -> Result<Found, VaultError> {
        let path = self.path(of, Role::Original);
        let looking = || VaultError::io("looking at", &path);
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            file => file.map_err(looking())?,
        };
        let bytes = file.metadata().map_err(looking())?.len();
        let is_whole = hash_of(&mut file).map_err(looking())? == of;
        Ok(if is_whole { Found::Whole(bytes) } else { Found::Spoilt })
    }

    /// Puts what lies under the name of an original aside, under a name with `name` in it, unless it is the original after all.
    /// Gives what lies under its name then. Where it cannot be read it stays where it is: it may be whole.
    pub fn put_aside(&self, of: Sha256, name: Uuid) -> Result<Found, VaultError> {
        let path = self.path(of, Role::Original);
        let mut aside = path.clone();
        aside.set_extension(format!("spoilt-{name}"));
        let moving =
            |from: &Path, to: &Path| fs::rename(from, to).map_err(VaultError::io("putting aside", from));
        let folder = path.parent().unwrap_or(&path);
        moving(&path, &aside)?;
        // Somebody may have brought the right one between the look and this.
        let looked = File::open(&aside).and_then(|mut file| hash_of(&mut file));
        if looked.as_ref().is_ok_and(|hash| *hash != of) {
            tracing::error!(path = %aside.display(), "a file was not the photo that its name says, and was put aside");
            sync_folder(folder)?;
            return Ok(Found::Nothing);
        }
        // Unless it has come in once more meanwhile, and so is there.
        if !path.exists() {
            moving(&aside, &path)?;
        }
        sync_folder(folder)?;
        looked.map_err(VaultError::io("looking at", &path))?;
        self.look_at(of)
    }
}

fn entries(folder: &Path) -> Result<Vec<DirEntry>, VaultError> {
    fs::read_dir(folder).and_then(Iterator::collect).map_err(VaultError::io("listing", folder))
}

/// The hash of what a file holds from where it stands.
pub(crate) fn hash_of(file: &mut File) -> io::Result<Sha256> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Sha256(hasher.finalize().into())),
            read => hasher.update(&buffer[..read]),
        }
    }
}
