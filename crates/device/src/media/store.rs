//! Derived pictures on disk: whole under their name, or not there.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::NoPreview;

/// Writes each picture beside its place, syncs it, and only then gives it its name. After a power failure
/// there is the whole picture or none, never a torn one under a good name.
pub(super) fn place(pictures: &[(&Path, &[u8])]) -> Result<(), NoPreview> {
    let parts: Vec<PathBuf> = pictures.iter().map(|(path, _)| part_of(path)).collect();
    let placed = write_all(pictures, &parts);
    if placed.is_err() {
        // What is left over only takes space; the error that matters is already in hand.
        for part in &parts {
            let _ = fs::remove_file(part);
        }
    }
    placed
}

fn write_all(pictures: &[(&Path, &[u8])], parts: &[PathBuf]) -> Result<(), NoPreview> {
    for ((_, bytes), part) in pictures.iter().zip(parts) {
        write_synced(part, bytes).map_err(NoPreview::io("writing the derived picture", part))?;
    }
    for ((path, _), part) in pictures.iter().zip(parts) {
        fs::rename(part, path).map_err(NoPreview::io("naming the derived picture", path))?;
    }
    let mut folders: Vec<&Path> = pictures.iter().filter_map(|(path, _)| path.parent()).collect();
    folders.dedup();
    for folder in folders {
        sync_folder(folder).map_err(NoPreview::io("syncing the folder", folder))?;
    }
    Ok(())
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".part");
    name.into()
}

fn write_synced(part: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(part)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A new name lasts only once its folder is on disk. Windows cannot open folders and needs no such step.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}
