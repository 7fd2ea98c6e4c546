//! What it takes to undo a change that no sync has made last.

use super::raw::{cut, put, read};
use crate::dice::Dice;
use libc::c_int;
use std::fs;
use std::path::{Path, PathBuf};

/// What a disk writes at once.
const SECTOR: usize = 512;
/// How to take a change of a file's bytes back: its length was this, and these bytes stood there.
pub(super) struct Undo {
    pub length: u64,
    pub at: u64,
    pub bytes: Vec<u8>,
    /// How many bytes were written; none when the file was cut off at `at`.
    pub written: u64,
}

/// A change of a folder that no sync has made last.
pub(super) enum Name {
    Made(PathBuf),
    Renamed { from: PathBuf, to: PathBuf, over: Option<PathBuf> },
    Removed { path: PathBuf, kept: PathBuf },
}

impl Name {
    pub(super) fn folder(&self) -> &Path {
        let path = match self {
            Self::Made(path) | Self::Renamed { to: path, .. } | Self::Removed { path, .. } => path,
        };
        path.parent().unwrap_or(path)
    }
}

impl Undo {
    pub(super) fn apply(&self, fd: c_int) {
        put(fd, self.at, &self.bytes);
        cut(fd, self.length);
    }
}

/// A disk that writes in an order of its own: of what no sync made last, each change lasts or not, or a part of it does.
pub(super) fn scatter(fd: c_int, undos: &[Undo], dice: &mut Dice) {
    let mut changes = Vec::with_capacity(undos.len());
    for undo in undos.iter().rev() {
        changes.push((undo, read(fd, undo.at, undo.written)));
        undo.apply(fd);
    }
    for (undo, bytes) in changes.into_iter().rev() {
        let lasts = match dice.below(5) {
            0 | 1 => bytes.len(),
            // Within a sector a disk writes all or nothing.
            2 => dice.index(bytes.len() / SECTOR + 1) * SECTOR,
            _ => continue,
        };
        if undo.written == 0 {
            cut(fd, undo.at);
        }
        put(fd, undo.at, &bytes[..lasts.min(bytes.len())]);
    }
}

impl Name {
    pub(super) fn undo(self) {
        match self {
            Self::Made(path) => {
                if path.is_dir() {
                    let _ = fs::remove_dir_all(path);
                } else {
                    let _ = fs::remove_file(path);
                }
            }
            Self::Renamed { from, to, over } => {
                let _ = fs::rename(&to, from);
                if let Some(over) = over {
                    let _ = fs::rename(over, to);
                }
            }
            Self::Removed { path, kept } => drop(fs::rename(kept, path)),
        }
    }
}
