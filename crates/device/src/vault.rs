//! The vault: photos and clips as files, each under the SHA-256 of its bytes.
//!
//! A file gets its name only when all its bytes are on disk. So what has a name is whole, and what is not whole is
//! swept away at the next start.

pub(crate) mod inside;

use crate::store::blobs::Role;
use crate::world::World;
use sha2::{Digest, Sha256 as Hasher};
use standpipe_domain::ids::Sha256;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Bytes of the disk that photos leave free, so that records can always be written.
pub const RESERVE: u64 = 64 << 20;
/// The longest beginning of a file that is kept in memory, to tell what it holds.
const HEAD: usize = crate::media::SNIFF_BYTES;

/// Why a file could not be taken or read. What was there before is there still.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("no room for {needed} bytes, only {free} are free: remove something else from the tablet")]
    NoRoom { needed: u64, free: u64 },
    #[error("the file is empty, so it shows nothing: take the photo again")]
    Empty,
    #[error("only {got} of {expected} bytes arrived, so the photo was not kept: add it again")]
    CutShort { expected: u64, got: u64 },
    #[error("the bytes of {expected} have another hash, {got}: they were not kept")]
    OtherBytes { expected: Sha256, got: Sha256 },
    #[error("{doing} {} failed: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl VaultError {
    /// A stable word for it, for screens.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoRoom { .. } => "no-room",
            Self::Empty => "empty-file",
            Self::CutShort { .. } => "cut-short",
            Self::OtherBytes { .. } => "hash-mismatch",
            Self::Io { source, .. } if is_full(source) => "disk-full",
            Self::Io { .. } => "disk-fault",
        }
    }

    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// The folder of the files.
#[derive(Clone, Debug)]
pub struct Vault {
    folder: PathBuf,
    /// The folders within it that are sure to outlast a power failure. One that the app made and did not sync when it was
    /// killed is there, and need not be; so is one that another thread is just making.
    durable: Arc<Mutex<BTreeSet<PathBuf>>>,
}

/// A file that is coming in.
#[derive(Debug)]
pub struct Incoming {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    bytes: u64,
    expected: u64,
    head: Vec<u8>,
    named: bool,
}

/// A file that is in the vault, durably.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    pub sha256: Sha256,
    pub bytes: u64,
    /// Its first bytes, as many as it takes to tell what it holds.
    pub head: Vec<u8>,
}

impl Vault {
    /// The vault in `folder`, to look only.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), durable: Arc::default() }
    }

    /// Opens the vault in `folder`, or makes it, and sweeps away what was half in when the app last ended.
    pub fn open(folder: &Path) -> Result<Self, VaultError> {
        let vault = Self::at(folder);
        make_private(folder)?;
        let incoming = vault.incoming();
        for part in [&incoming, &vault.folder.join("photos"), &vault.folder.join("previews")] {
            fs::create_dir_all(part).map_err(VaultError::io("making the folder", part))?;
        }
        let reading = || VaultError::io("sweeping the folder", &incoming);
        for left in fs::read_dir(&incoming).map_err(reading())? {
            let path = left.map_err(reading())?.path();
            fs::remove_file(&path).map_err(VaultError::io("sweeping away", &path))?;
        }
        sync_folder(&vault.folder)?;
        Ok(vault)
    }

    /// Where the bytes are, once they are here.
    pub fn path(&self, of: Sha256, role: Role) -> PathBuf {
        let name = of.to_string();
        match role {
            Role::Original => self.folder.join("photos").join(&name[..2]).join(&name[2..]),
            Role::Thumbnail => self.derived(&name, "thumb"),
        }
    }

    /// Where the preview is, once it is made.
    pub fn preview(&self, of: Sha256) -> PathBuf {
        self.derived(&of.to_string(), "preview")
    }

    /// Makes the folder in which the derived pictures of a photo will lie.
    pub fn make_derived_folder(&self, of: Sha256) -> Result<(), VaultError> {
        self.make_folder_of(&self.preview(of)).map(drop)
    }

    fn derived(&self, name: &str, what: &str) -> PathBuf {
        self.folder.join("previews").join(&name[..2]).join(format!("{}-{what}.jpg", &name[2..]))
    }

    fn incoming(&self) -> PathBuf {
        self.folder.join("incoming")
    }

    /// Begins to take a file of `bytes` bytes in, under a name that nothing else has.
    ///
    /// # Errors
    /// `empty-file`, and `no-room` when it would eat into the [`RESERVE`].
    pub fn begin(&self, name: Uuid, bytes: u64, world: &dyn World) -> Result<Incoming, VaultError> {
        if bytes == 0 {
            return Err(VaultError::Empty);
        }
        let asking = VaultError::io("asking for the free room of", &self.folder);
        let free = world.free(&self.folder).map_err(asking)?.saturating_sub(RESERVE);
        if free < bytes {
            return Err(VaultError::NoRoom { needed: bytes, free });
        }
        let path = self.incoming().join(format!("{name}.part"));
        let file = File::create_new(&path).map_err(VaultError::io("making the file", &path))?;
        let head = Vec::with_capacity(HEAD);
        Ok(Incoming { path, file, hasher: Hasher::new(), bytes: 0, expected: bytes, head, named: false })
    }

    /// Gives a file that came in whole its name. When this returns it is durable.
    ///
    /// Bytes that are here already are not kept twice: these take their place.
    pub fn finish(&self, incoming: Incoming) -> Result<Arrived, VaultError> {
        self.finish_as(incoming, None)
    }

    /// As [`Vault::finish`], for bytes that must have this hash.
    pub fn finish_as(&self, mut incoming: Incoming, expected: Option<Sha256>) -> Result<Arrived, VaultError> {
        if incoming.bytes != incoming.expected {
            return Err(VaultError::CutShort { expected: incoming.expected, got: incoming.bytes });
        }
        // The hash is of what was given. After a write that failed half way the file holds something else.
        let looking = || VaultError::io("looking at", &incoming.path);
        let length = incoming.file.metadata().map_err(looking())?.len();
        if length != incoming.bytes {
            return Err(looking()(io::Error::other(format!(
                "it has {length} bytes instead of {}",
                incoming.bytes
            ))));
        }
        let sha256 = Sha256(std::mem::take(&mut incoming.hasher).finalize().into());
        if let Some(expected) = expected.filter(|expected| *expected != sha256) {
            return Err(VaultError::OtherBytes { expected, got: sha256 });
        }
        let path = self.path(sha256, Role::Original);
        // A file that lies there under this hash may have been damaged since: the fresh bytes take its place.
        incoming.file.sync_all().map_err(VaultError::io("writing to disk", &incoming.path))?;
        self.place(&incoming.path, &path)?;
        incoming.named = true;
        Ok(Arrived { sha256, bytes: incoming.bytes, head: std::mem::take(&mut incoming.head) })
    }

    /// Keeps a thumbnail that was fetched from the office. When this returns it is durable.
    pub fn keep_thumbnail(&self, of: Sha256, bytes: &[u8], name: Uuid) -> Result<(), VaultError> {
        let part = self.incoming().join(format!("{name}.part"));
        let path = self.path(of, Role::Thumbnail);
        self.make_folder_of(&path)?;
        write_whole(&part, &path, bytes)
    }

    /// Moves a file, whose bytes are on disk, to its name, durably.
    fn place(&self, from: &Path, to: &Path) -> Result<(), VaultError> {
        let folder = self.make_folder_of(to)?;
        rename(from, to, folder)
    }

    /// Makes the folder in which a file of the vault will lie, durably.
    fn make_folder_of<'a>(&self, file: &'a Path) -> Result<&'a Path, VaultError> {
        let folder = file.parent().unwrap_or(file);
        let durable = || self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        if !durable().contains(folder) {
            make_folder(folder)?;
            durable().insert(folder.to_owned());
        }
        Ok(folder)
    }
}

impl Incoming {
    /// Takes the next bytes; gives how many have come so far.
    ///
    /// # Errors
    /// `disk-full` and the like. Half of the chunk may be in the file then, so this is to be dropped, and with it all that
    /// came.
    pub fn write(&mut self, chunk: &[u8]) -> Result<u64, VaultError> {
        self.file.write_all(chunk).map_err(VaultError::io("writing", &self.path))?;
        self.hasher.update(chunk);
        let wanted = (HEAD - self.head.len()).min(chunk.len());
        self.head.extend_from_slice(&chunk[..wanted]);
        self.bytes += chunk.len() as u64;
        Ok(self.bytes)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.named {
            // What stays in spite of this is swept away at the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Writes a small file, as `part` first, so that nobody finds half of it under its name. When this returns it is
/// durable.
pub(crate) fn write_whole(part: &Path, to: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    for file in [part, to] {
        let folder = file.parent().unwrap_or(file);
        if !folder.exists() {
            make_folder(folder)?;
        }
    }
    let written = (|| {
        let mut file = File::create_new(part)?;
        file.write_all(bytes)?;
        file.sync_all()
    })();
    let placed = written
        .map_err(VaultError::io("writing", part))
        .and_then(|()| rename(part, to, to.parent().unwrap_or(to)));
    if placed.is_err() {
        let _ = fs::remove_file(part);
    }
    placed
}

/// Gives a file, whose bytes are on disk, its name in `folder`, durably.
fn rename(from: &Path, to: &Path, folder: &Path) -> Result<(), VaultError> {
    fs::rename(from, to).map_err(VaultError::io("naming the file", to))?;
    sync_folder(folder)
}

/// Makes a folder, durably.
fn make_folder(folder: &Path) -> Result<(), VaultError> {
    fs::create_dir_all(folder).map_err(VaultError::io("making the folder", folder))?;
    sync_folder(folder.parent().unwrap_or(folder))
}

/// Makes a folder that lasts, where it is not there, with those that it lies in. What lies here is for this person's eyes only:
/// the token and the key too lie here.
pub(crate) fn make_private(folder: &Path) -> Result<(), VaultError> {
    if folder.is_dir() {
        return Ok(());
    }
    let outer = folder.parent().filter(|outer| *outer != Path::new("")).unwrap_or(Path::new("."));
    make_private(outer)?;
    #[cfg_attr(not(unix), allow(unused_mut))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        // Made by somebody else at this moment.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        made => made.map_err(VaultError::io("making the folder", folder))?,
    }
    sync_folder(outer)
}

/// A new name lasts only once its folder is on disk. Windows cannot open folders and needs no such step.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), VaultError> {
    if cfg!(windows) {
        return Ok(());
    }
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(VaultError::io("syncing the folder", folder))
}

#[cfg(test)]
#[path = "vault_tests.rs"]
mod tests;
