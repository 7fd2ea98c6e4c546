//! Watches a decoder read, to see whether it leaves coded data unread.
//!
//! A page of zeros in the middle of a file (the disk lost it) often decodes as more picture than it
//! replaced. The picture is then full before its data is used up, and no decoder complains.

use std::cell::Cell;
use std::ops::Range;

use zune_jpeg::zune_core::bytestream::{ZByteIoError, ZByteReaderTrait, ZCursor, ZSeekFrom};

/// So many unread bytes are a sign of damage. Cameras that round their data up to a block pad it with one
/// and the same byte, so a byte counts only if it differs from the one before.
pub(super) const SUSPICIOUS: usize = 16;

/// A reader over a fenced file that counts what is skipped of its coded data.
///
/// The decoder reads coded data by fours, and singly by a call that cannot fail. Single bytes by a call that
/// can fail it reads only where it looks for the next marker, that is where it skips.
pub(super) struct Watched<'a> {
    bytes: &'a [u8],
    coded: &'a [Range<usize>],
    skipped: &'a Cell<usize>,
    cursor: ZCursor<&'a [u8]>,
}

impl<'a> Watched<'a> {
    /// `coded` are the stretches of coded data in `bytes`, in order. The count goes to `skipped`, which
    /// outlives the decoder.
    pub fn new(bytes: &'a [u8], coded: &'a [Range<usize>], skipped: &'a Cell<usize>) -> Self {
        Self { bytes, coded, skipped, cursor: ZCursor::new(bytes) }
    }

    #[cold]
    fn skip_one(&mut self) -> Result<(), ZByteIoError> {
        let at = usize::try_from(self.cursor.z_position()?)?;
        let behind = self.coded.partition_point(|stretch| stretch.end <= at);
        let in_data = self.coded.get(behind).is_some_and(|stretch| stretch.contains(&at));
        if in_data && at > 0 && self.bytes.get(at) != self.bytes.get(at - 1) {
            self.skipped.set(self.skipped.get() + 1);
        }
        Ok(())
    }
}

impl ZByteReaderTrait for Watched<'_> {
    #[inline]
    fn read_byte_no_error(&mut self) -> u8 {
        self.cursor.read_byte_no_error()
    }

    #[inline]
    fn read_exact_bytes(&mut self, buf: &mut [u8]) -> Result<(), ZByteIoError> {
        if buf.len() == 1 {
            self.skip_one()?;
        }
        self.cursor.read_exact_bytes(buf)
    }

    fn read_bytes(&mut self, buf: &mut [u8]) -> Result<usize, ZByteIoError> {
        self.cursor.read_bytes(buf)
    }

    fn peek_bytes(&mut self, buf: &mut [u8]) -> Result<usize, ZByteIoError> {
        self.cursor.peek_bytes(buf)
    }

    fn peek_exact_bytes(&mut self, buf: &mut [u8]) -> Result<(), ZByteIoError> {
        self.cursor.peek_exact_bytes(buf)
    }

    #[inline]
    fn z_seek(&mut self, from: ZSeekFrom) -> Result<u64, ZByteIoError> {
        self.cursor.z_seek(from)
    }

    #[inline]
    fn is_eof(&mut self) -> Result<bool, ZByteIoError> {
        self.cursor.is_eof()
    }

    fn z_position(&mut self) -> Result<u64, ZByteIoError> {
        self.cursor.z_position()
    }

    fn read_remaining(&mut self, sink: &mut Vec<u8>) -> Result<usize, ZByteIoError> {
        self.cursor.read_remaining(sink)
    }
}
