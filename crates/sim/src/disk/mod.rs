//! Disks that lose power, and that fill up.
//!
//! Each machine of a simulation has a folder. What is written there is written for real, and beside it is kept what it
//! takes to undo whatever no `fsync` has made last. When a machine loses power, some of that is undone, as a real disk
//! would: a file loses its latest writes, or any of them, or a part of one; a new name is not there, a removed file is
//! back.
//!
//! The state belongs to the thread that simulates; files elsewhere are not touched.

#![allow(unsafe_code)]

mod calls;
mod raw;
mod undo;

use crate::dice::Dice;
use crate::effects::{Effect, happens};
use libc::{EIO, ENOSPC, c_int};
use raw::{c_path, close, copy_folder, drop_shared_memory, open, path_of, read, stat};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use undo::{Name, Undo, scatter};

/// A change that a call is about to make.
#[derive(Clone, Copy)]
pub(crate) enum Change<'a> {
    Write { fd: c_int, at: Option<u64>, len: usize },
    Truncate { fd: c_int, to: u64 },
    Sync { fd: c_int },
    Open { path: &'a Path, flags: c_int },
    Rename { from: &'a Path, to: &'a Path },
    Remove { path: &'a Path },
}

/// What is to be written down once the call was made.
pub(crate) struct Pending {
    node: String,
    kind: PendingKind,
    dies: bool,
}

enum PendingKind {
    Bytes { file: u64, undo: Undo },
    Name(Name),
    SyncFile(u64),
    SyncFolder(PathBuf),
}

/// Of one machine.
#[derive(Default)]
struct Node {
    is_dead: bool,
    is_full: bool,
    /// Power fails at so many changes from now: `true` after the change, `false` before it.
    fuse: Option<(u32, bool)>,
    /// What a loss of power may take back, by file, in the order of the first change.
    files: Vec<(u64, Vec<Undo>)>,
    /// Files that are held open, to look into them.
    held: Held,
    names: Vec<Name>,
}

/// Descriptors of our own, by file: the caller's may be for writing only, and closed by the time that bytes are put back.
#[derive(Default)]
struct Held(BTreeMap<u64, c_int>);

impl Held {
    /// The file that the caller has open as `fd`.
    fn of(&mut self, file: u64, fd: c_int) -> c_int {
        *self.0.entry(file).or_insert_with(|| open(Path::new(&format!("/proc/self/fd/{fd}"))))
    }

    /// Nothing of the file may have to be put back. It is written to again soon, unless there are many.
    fn lasts(&mut self, file: u64) {
        if self.0.len() > MANY
            && let Some(fd) = self.0.remove(&file)
        {
            close(fd);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.values().for_each(|fd| close(*fd));
    }
}

struct Disk {
    root: PathBuf,
    /// What happens now is no machine's doing.
    is_off: bool,
    /// A machine changed something since somebody asked.
    has_changed: bool,
    nodes: BTreeMap<String, Node>,
    /// Folders that are further disks of a machine: they lose power with it.
    mounts: BTreeMap<String, String>,
    kept: u64,
    /// Paths by descriptor, with the file that it was of: asking the system at each write is slow.
    known: BTreeMap<c_int, (u64, PathBuf)>,
}

/// How many files are held open that need not be.
const MANY: usize = 16;

thread_local! {
    static DISK: RefCell<Option<Disk>> = const { RefCell::new(None) };
}

/// The disks under `root`, one folder for each machine, until dropped.
pub struct Disks;

impl Disks {
    pub fn within(root: &Path) -> Self {
        let root = root.to_owned();
        DISK.with_borrow_mut(|disk| {
            *disk = Some(Disk {
                root,
                is_off: false,
                has_changed: false,
                nodes: BTreeMap::new(),
                mounts: BTreeMap::new(),
                kept: 0,
                known: BTreeMap::new(),
            });
        });
        Self
    }

    /// The folder of a machine.
    pub fn folder(&self, node: &str) -> PathBuf {
        within(|disk| disk.root.join(node))
    }

    /// Makes a folder another disk of a machine. It is there, and stays: what holds it is no disk of the simulation's, so that
    /// no sync could make its name last.
    pub fn mount(&self, folder: &str, node: &str) {
        within(|disk| disk.mounts.insert(folder.to_owned(), node.to_owned()));
        untracked(|| fs::create_dir_all(self.folder(folder))).expect("the simulation's folder can be made");
    }

    /// Power fails after so many more changes.
    pub fn light(&self, node: &str, changes: u32, after: bool) {
        with_node(node, |node| node.fuse = Some((changes, after)));
    }

    pub fn set_full(&self, node: &str, is_full: bool) {
        with_node(node, |node| node.is_full = is_full);
    }

    /// Power fails now.
    pub fn kill(&self, node: &str) {
        with_node(node, |node| node.is_dead = true);
    }

    /// Whether any machine changed anything since this was asked last.
    pub fn have_changed(&self) -> bool {
        within(|disk| std::mem::take(&mut disk.has_changed))
    }

    pub fn is_any_dead(&self) -> bool {
        within(|disk| disk.nodes.values().any(|node| node.is_dead))
    }

    pub fn is_dead(&self, node: &str) -> bool {
        with_node(node, |node| node.is_dead)
    }

    /// The machine has lost power: takes back what no sync had made last, as the dice say. Nothing of it may run.
    pub fn settle(&self, name: &str, dice: &mut Dice) {
        let (node, folder) = within(|disk| {
            let node = disk.nodes.remove(name).unwrap_or_default();
            disk.nodes.insert(name.to_owned(), Node { is_full: node.is_full, ..Node::default() });
            (node, disk.root.join(name))
        });
        untracked(|| {
            // A prefix lasts: all of it, none, or something between.
            let lasts = |count: usize, dice: &mut Dice| match dice.below(4) {
                0 => count,
                1 | 2 => 0,
                _ => dice.index(count + 1),
            };
            for (file, undos) in node.files {
                let fd = node.held.0[&file];
                if dice.chance(400) {
                    scatter(fd, &undos, dice);
                } else {
                    let kept = lasts(undos.len(), dice);
                    undos.iter().skip(kept).rev().for_each(|undo| undo.apply(fd));
                }
            }
            let kept = lasts(node.names.len(), dice);
            for name in node.names.into_iter().skip(kept).rev() {
                name.undo();
            }
            drop_shared_memory(&folder);
        });
    }

    /// Copies a machine's folder to another's, or to a place apart. Nothing of either may run.
    pub fn copy(&self, from: &Path, to: &Path) {
        untracked(|| {
            let _ = fs::remove_dir_all(to);
            copy_folder(from, to).expect("the simulation's folder can be copied");
            drop_shared_memory(to);
        });
        forget(to);
    }

    /// Empties a machine's folder. Nothing of it may run.
    pub fn empty(&self, folder: &Path) {
        untracked(|| {
            let _ = fs::remove_dir_all(folder);
            fs::create_dir_all(folder).expect("the simulation's folder can be made");
        });
        forget(folder);
    }
}

/// What a machine's folder holds now lasts.
fn forget(folder: &Path) {
    if let Some(name) = folder.file_name().and_then(OsStr::to_str) {
        with_node(name, |node| {
            let Node { is_full, fuse, .. } = *node;
            *node = Node { is_full, fuse, ..Node::default() };
        });
    }
}

impl Drop for Disks {
    fn drop(&mut self) {
        DISK.with_borrow_mut(Option::take);
    }
}

fn within<T>(work: impl FnOnce(&mut Disk) -> T) -> T {
    DISK.with_borrow_mut(|disk| work(disk.as_mut().expect("the disks are there while the simulation runs")))
}

fn with_node<T>(node: &str, work: impl FnOnce(&mut Node) -> T) -> T {
    within(|disk| work(disk.nodes.entry(node.to_owned()).or_default()))
}

/// Does something that is no machine's doing.
pub fn untracked<T>(work: impl FnOnce() -> T) -> T {
    within(|disk| disk.is_off = true);
    let result = work();
    within(|disk| disk.is_off = false);
    result
}

/// Whether this thread simulates.
pub(crate) fn is_simulated() -> bool {
    DISK.try_with(|cell| cell.try_borrow().is_ok_and(|disk| disk.is_some())).unwrap_or(false)
}

/// Whether the change may be made, and what is then to be written down. `None`: it is not of a machine's folder.
pub(crate) fn before(change: Change<'_>) -> Result<Option<Pending>, c_int> {
    let asked = DISK.try_with(|cell| {
        // While the disks themselves are at work, and where there are none, every call is the system's own.
        let Ok(mut disk) = cell.try_borrow_mut() else { return Ok(None) };
        match disk.as_mut().filter(|disk| !disk.is_off) {
            Some(disk) => disk.before(change),
            None => Ok(None),
        }
    });
    asked.unwrap_or(Ok(None))
}

/// Writes down a change that was made, or tried.
pub(crate) fn after(pending: Option<Pending>, done: bool) -> Result<(), c_int> {
    let Some(Pending { node, kind, dies }) = pending else { return Ok(()) };
    with_node(&node, |node| {
        if done {
            node.note(kind);
        }
        if dies {
            node.is_dead = true;
            return Err(EIO);
        }
        Ok(())
    })
}

impl Disk {
    fn before(&mut self, change: Change<'_>) -> Result<Option<Pending>, c_int> {
        let mut file = (0, 0);
        let path = match &change {
            Change::Write { fd, .. } | Change::Truncate { fd, .. } | Change::Sync { fd } => {
                if *fd < 3 {
                    return Ok(None);
                }
                file = stat(*fd);
                self.path_of(*fd, file.0)
            }
            Change::Open { path, flags } => {
                let empties = flags & libc::O_TRUNC != 0 && path.metadata().is_ok_and(|file| file.len() > 0);
                if !empties && (flags & libc::O_CREAT == 0 || path.exists()) {
                    return Ok(None);
                }
                path.to_path_buf()
            }
            Change::Rename { from, .. } => from.to_path_buf(),
            Change::Remove { path } => path.to_path_buf(),
        };
        let Some(name) = self.node_of(&path) else { return Ok(None) };
        // Shared memory is no disk, and a lock holds nothing.
        let is_shm = path.as_os_str().as_bytes().ends_with(b"-shm");
        let node = self.nodes.entry(name.clone()).or_default();
        if node.is_dead {
            return Err(EIO);
        }
        if is_shm {
            return Ok(None);
        }
        let grows = matches!(change, Change::Write { .. } | Change::Open { .. });
        if node.is_full && grows {
            happens(Effect::DiskFull);
            return Err(ENOSPC);
        }
        let mut dies = false;
        if let Some((left, after)) = &mut node.fuse {
            *left = left.saturating_sub(1);
            if *left == 0 {
                dies = true;
                if matches!(change, Change::Sync { .. }) {
                    // SQLite syncs its log when it commits.
                    let is_commit = path.as_os_str().as_bytes().ends_with(b"-wal");
                    happens(match (is_commit, *after) {
                        (true, false) => Effect::PowerBeforeCommit,
                        (true, true) => Effect::PowerAfterCommit,
                        (false, false) => Effect::PowerBeforeSync,
                        (false, true) => Effect::PowerAfterSync,
                    });
                }
                if !*after {
                    node.is_dead = true;
                    node.fuse = None;
                    return Err(EIO);
                }
                node.fuse = None;
            }
        }
        let kind = match change {
            Change::Write { fd, at, len } => node.bytes_before(fd, file, at, len),
            Change::Truncate { fd, to } => node.shortened_before(fd, to),
            Change::Sync { .. } if path.is_dir() => PendingKind::SyncFolder(path),
            Change::Sync { .. } => PendingKind::SyncFile(file.0),
            Change::Open { path, .. } if path.exists() => node.emptied_before(path),
            Change::Open { path, .. } => PendingKind::Name(Name::Made(path.to_owned())),
            Change::Rename { from, to } => {
                let over = to.exists().then(|| self.keep(to));
                PendingKind::Name(Name::Renamed { from: from.to_owned(), to: to.to_owned(), over })
            }
            Change::Remove { path } => {
                if !path.exists() {
                    return Ok(None);
                }
                let kept = self.keep(path);
                PendingKind::Name(Name::Removed { path: path.to_owned(), kept })
            }
        };
        self.has_changed = true;
        Ok(Some(Pending { node: name, kind, dies }))
    }

    /// Where the file of a descriptor lies. A file that is renamed stays with its machine.
    fn path_of(&mut self, fd: c_int, file: u64) -> PathBuf {
        match self.known.get(&fd) {
            Some((known, path)) if *known == file => path.clone(),
            _ => {
                let path = path_of(fd);
                self.known.insert(fd, (file, path.clone()));
                path
            }
        }
    }

    fn node_of(&self, path: &Path) -> Option<String> {
        let first = path.strip_prefix(&self.root).ok()?.components().next()?;
        let folder = first.as_os_str().to_str()?;
        let node = self.mounts.get(folder).map_or(folder, String::as_str);
        (!node.starts_with('.')).then(|| node.to_owned())
    }

    /// Keeps a file under another name, whatever becomes of its own.
    fn keep(&mut self, path: &Path) -> PathBuf {
        self.kept += 1;
        let kept = self.root.join(format!(".kept-{}", self.kept));
        let (from, to) = (c_path(path), c_path(&kept));
        // SAFETY: both are C strings that live through the call.
        unsafe { libc::syscall(libc::SYS_link, from.as_ptr(), to.as_ptr()) };
        kept
    }
}

impl Node {
    /// What `len` bytes at `at` will stand in the place of.
    fn bytes_before(
        &mut self,
        fd: c_int,
        (file, length): (u64, u64),
        at: Option<u64>,
        len: usize,
    ) -> PendingKind {
        let at = at.unwrap_or_else(|| {
            // SAFETY: asks, changes nothing.
            let (flags, at) = unsafe { (libc::fcntl(fd, libc::F_GETFL), libc::lseek(fd, 0, libc::SEEK_CUR)) };
            if flags & libc::O_APPEND == 0 { at.unsigned_abs() } else { length }
        });
        let written = len as u64;
        let old = length.saturating_sub(at).min(written);
        PendingKind::Bytes { file, undo: Undo { length, at, bytes: self.look(fd, file, at, old), written } }
    }

    /// What a file holds that is opened to be written anew.
    fn emptied_before(&mut self, path: &Path) -> PendingKind {
        let fd = open(path);
        let pending = self.shortened_before(fd, 0);
        close(fd);
        pending
    }

    fn shortened_before(&mut self, fd: c_int, to: u64) -> PendingKind {
        let (file, length) = stat(fd);
        let bytes = self.look(fd, file, to, length.saturating_sub(to));
        PendingKind::Bytes { file, undo: Undo { length, at: to, bytes, written: 0 } }
    }

    /// Bytes of a file.
    fn look(&mut self, fd: c_int, file: u64, at: u64, len: u64) -> Vec<u8> {
        if !self.files.iter().any(|(known, _)| *known == file) {
            self.files.push((file, Vec::new()));
        }
        read(self.held.of(file, fd), at, len)
    }

    fn note(&mut self, kind: PendingKind) {
        match kind {
            PendingKind::Bytes { file, undo } => {
                if let Some((_, undos)) = self.files.iter_mut().find(|(known, _)| *known == file) {
                    undos.push(undo);
                }
            }
            PendingKind::Name(name) => self.names.push(name),
            PendingKind::SyncFile(file) => {
                if let Some(at) = self.files.iter().position(|(known, _)| *known == file) {
                    self.files.remove(at);
                    self.held.lasts(file);
                }
            }
            PendingKind::SyncFolder(folder) => self.names.retain(|name| {
                let lasts = name.folder() == folder;
                if lasts && let Name::Removed { kept, .. } | Name::Renamed { over: Some(kept), .. } = name {
                    let kept = c_path(kept);
                    // SAFETY: a C string that lives through the call.
                    unsafe { libc::syscall(libc::SYS_unlink, kept.as_ptr()) };
                }
                !lasts
            }),
        }
    }
}
