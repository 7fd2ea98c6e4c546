//! Whether the write-ahead log is whole. SQLite stops reading it at the first frame that does not fit, without a word:
//! what was committed behind that frame would be gone.
//!
//! The format is that of <https://www.sqlite.org/fileformat2.html>, section 4.

use super::pages::{FRAME_HEADER, PAGE, WAL_HEADER, number};
use crate::store::beside;
use std::fs;
use std::io;
use std::path::Path;

/// Whether the database at `path`, or its log, has lost committed work. Asked before SQLite opens the file, which would
/// throw away a log that it cannot read.
pub fn is_damaged(path: &Path, photos: &Path) -> io::Result<bool> {
    let log = match fs::read(beside(path, "-wal")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        other => other?,
    };
    if path.metadata().map_or(0, |file| file.len()) == 0 {
        // A new tablet has nothing at all.
        return Ok(log.len() > WAL_HEADER || has_files(photos));
    }
    Ok(!is_whole(&log))
}

fn has_files(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

/// Whether every transaction in the log can be read, save the last: a power failure may tear that one, and nobody was
/// told that it was saved.
fn is_whole(log: &[u8]) -> bool {
    let Some((header, frames)) = log.split_at_checked(WAL_HEADER) else { return true };
    let is_big = match number(header) {
        0x377F_0682 => false,
        0x377F_0683 => true,
        _ => return frames.len() < FRAME_HEADER + PAGE,
    };
    let mut sum = checksum(is_big, (0, 0), &header[..24]);
    if sum != (number(&header[24..]), number(&header[28..])) {
        return frames.len() < FRAME_HEADER + PAGE;
    }
    let mut frames = frames.chunks_exact(FRAME_HEADER + PAGE);
    let is_own = |frame: &[u8]| frame[8..16] == header[16..24];
    let is_commit = |frame: &[u8]| number(&frame[4..]) != 0;
    for frame in frames.by_ref() {
        sum = checksum(is_big, checksum(is_big, sum, &frame[..8]), &frame[FRAME_HEADER..]);
        if !is_own(frame) || sum != (number(&frame[16..]), number(&frame[20..])) {
            let own = is_own(frame) && is_commit(frame);
            return usize::from(own) + frames.filter(|frame| is_own(frame) && is_commit(frame)).count() < 2;
        }
    }
    true
}

fn checksum(is_big: bool, (mut a, mut b): (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let word = |bytes: &[u8]| if is_big { number(bytes) } else { number(bytes).swap_bytes() };
    for pair in bytes.chunks_exact(8) {
        a = a.wrapping_add(word(pair)).wrapping_add(b);
        b = b.wrapping_add(word(&pair[4..])).wrapping_add(a);
    }
    (a, b)
}
