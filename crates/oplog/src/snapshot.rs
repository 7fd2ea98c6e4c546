//! The wire format of a snapshot: the pages of a pull, one behind the other in one answer, for a tablet that lacks much.
//!
//! Each page is four bytes that tell its length (big-endian), and then the body that a pull of it would have. A page holds
//! whole transactions and tells the cursor behind it, so whoever took one in asks for the rest from there, however the
//! answer ended. Pages begin small, so that a link which breaks all the time brings something each time, and double up to
//! [`LARGEST`], so that a good one is not held up by the tablet's disk, nor whoever records meanwhile by a page.

use crate::wire::MAX_BODY;

/// The bytes of operations in the first page, before compression, unless one transaction alone is larger.
pub const FIRST: usize = 64 * 1024;
/// The bytes of operations in a page, before compression, unless one transaction alone is larger.
pub const LARGEST: usize = 2 * 1024 * 1024;
const _: () = assert!(LARGEST < MAX_BODY);
/// What the answer is called.
pub const MEDIA_TYPE: &str = "application/vnd.standpipe.pages";

const LENGTH: usize = 4;

/// The bytes of the page behind one of so many.
pub fn larger(bytes: usize) -> usize {
    (bytes * 2).min(LARGEST)
}

/// A page that [`crate::wire::encode_pull`] made, as it stands in the answer.
pub fn framed(page: &[u8]) -> Vec<u8> {
    // A page has at most `MAX_BODY` bytes and what packing adds to what cannot be packed: far less than four bytes count.
    let length = u32::try_from(page.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), page].concat()
}

/// A page that is longer than any may be: this is no hub's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a page of {bytes} bytes, and none has more than {MAX_BODY}")]
pub struct TooLong {
    pub bytes: usize,
}

/// Takes an answer apart as it comes in. Keeps no more than one page and what came with its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pages {
    come: Vec<u8>,
}

impl Pages {
    /// Takes the next bytes in.
    pub fn take(&mut self, bytes: &[u8]) {
        self.come.extend_from_slice(bytes);
    }

    /// The next page, where it has come whole.
    ///
    /// # Errors
    /// [`TooLong`].
    pub fn page(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        let Some(length) = self.come.first_chunk::<LENGTH>() else { return Ok(None) };
        let bytes = u32::from_be_bytes(*length) as usize;
        if bytes > MAX_BODY {
            return Err(TooLong { bytes });
        }
        if self.come.len() < LENGTH + bytes {
            return Ok(None);
        }
        let rest = self.come.split_off(LENGTH + bytes);
        let mut page = std::mem::replace(&mut self.come, rest);
        page.drain(..LENGTH);
        Ok(Some(page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_come_out_as_they_went_in_however_the_bytes_arrive() {
        let pages: [&[u8]; 4] = [b"one", b"", b"three, which is longer", &[7; 700]];
        let answer: Vec<u8> = pages.iter().flat_map(|page| framed(page)).collect();
        for part in [1, 2, 3, 5, 64, answer.len()] {
            let (mut coming, mut found) = (Pages::default(), Vec::new());
            for bytes in answer.chunks(part) {
                coming.take(bytes);
                while let Some(page) = coming.page().unwrap() {
                    found.push(page);
                }
            }
            assert_eq!(found, pages, "in parts of {part}");
            assert_eq!(coming, Pages::default(), "nothing is left");
        }
    }

    #[test]
    fn half_a_page_is_none() {
        let answer = framed(b"a page");
        for cut in 0..answer.len() {
            let mut coming = Pages::default();
            coming.take(&answer[..cut]);
            assert_eq!(coming.page(), Ok(None), "after {cut} bytes");
        }
    }

    #[test]
    fn a_page_longer_than_any_is_refused_before_it_comes() {
        let mut coming = Pages::default();
        coming.take(&u32::try_from(MAX_BODY + 1).unwrap().to_be_bytes());
        assert_eq!(coming.page(), Err(TooLong { bytes: MAX_BODY + 1 }));
        // A login page begins with letters, which count more.
        let mut coming = Pages::default();
        coming.take(b"<html>");
        assert!(coming.page().is_err());
    }

    #[test]
    fn pages_grow_up_to_what_a_body_may_hold() {
        let sizes: Vec<usize> =
            std::iter::successors(Some(FIRST), |size| Some(larger(*size))).take(9).collect();
        assert!(sizes.is_sorted() && sizes[..6].is_sorted_by(|a, b| a < b), "{sizes:?}");
        assert_eq!(sizes[8], LARGEST);
    }
}
