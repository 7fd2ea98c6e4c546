//! The pages of a database file, with what its write-ahead log holds over them.
//!
//! The format is that of <https://www.sqlite.org/fileformat2.html>, sections 1 and 4.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::store::beside;

/// The size of the pages that this app writes, in bytes. A damaged header is not asked.
pub const PAGE: usize = 4096;
pub const WAL_HEADER: usize = 32;
pub const FRAME_HEADER: usize = 24;

/// A database file, page by page.
pub struct Pages {
    file: File,
    log: Option<File>,
    /// Where in the write-ahead log the last committed version of a page lies.
    over: HashMap<u32, u64>,
    /// How many pages there are.
    pub count: u32,
}

impl Pages {
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let log = match File::open(beside(path, "-wal")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            other => Some(other?),
        };
        let over = log.as_ref().map(committed).transpose()?.unwrap_or_default();
        let in_file = u32::try_from(file.metadata()?.len().div_ceil(PAGE as u64)).unwrap_or(u32::MAX);
        let count = over.keys().copied().fold(in_file, u32::max);
        Ok(Self { file, log, over, count })
    }

    /// A page by its number, from 1; `None` for one that cannot be read.
    pub fn page(&self, number: u32) -> Option<Vec<u8>> {
        let (mut file, at) = match (self.over.get(&number), &self.log) {
            (Some(at), Some(log)) => (log, *at),
            _ => (&self.file, u64::from(number.checked_sub(1)?) * PAGE as u64),
        };
        let mut page = vec![0; PAGE];
        file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(&mut page)).ok()?;
        Some(page)
    }
}

/// The committed frames of a write-ahead log: those of its last reset, up to its last commit.
fn committed(mut log: &File) -> io::Result<HashMap<u32, u64>> {
    let length = log.metadata()?.len();
    let mut header = [0; WAL_HEADER];
    let (mut committed, mut open) = (HashMap::new(), HashMap::new());
    if length < WAL_HEADER as u64 {
        return Ok(committed);
    }
    log.read_exact(&mut header)?;
    let mut at = WAL_HEADER as u64;
    let mut own: Option<[u8; 8]> = salts(&header);
    while at + (FRAME_HEADER + PAGE) as u64 <= length {
        let mut frame = [0; FRAME_HEADER];
        log.seek(SeekFrom::Start(at))?;
        log.read_exact(&mut frame)?;
        // Frames with other salts are left over from before the log was last reset, or were destroyed. Where the
        // header was, the first frame tells the salts.
        if own.get_or_insert(salts_of(&frame)) == &salts_of(&frame) {
            open.insert(number(&frame[0..4]), at + FRAME_HEADER as u64);
            if number(&frame[4..8]) != 0 {
                committed.extend(open.drain());
            }
        }
        at += (FRAME_HEADER + PAGE) as u64;
    }
    Ok(committed)
}

/// The salts in a log's header, where it is one.
fn salts(header: &[u8; WAL_HEADER]) -> Option<[u8; 8]> {
    (number(header) | 1 == 0x377F_0683).then(|| std::array::from_fn(|at| header[16 + at]))
}

fn salts_of(frame: &[u8; FRAME_HEADER]) -> [u8; 8] {
    std::array::from_fn(|at| frame[8 + at])
}

/// Four bytes as a number, the highest first.
pub fn number(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |number, byte| number << 8 | u32::from(*byte))
}
