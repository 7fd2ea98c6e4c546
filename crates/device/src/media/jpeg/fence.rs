//! Fences off a JPEG's coded data, so that a decoder that runs out of it stumbles.
//!
//! A file cut in two has no end marker, which is easy to see. Worse is one that was cut or has a hole,
//! and was then closed by a recovery tool: the decoder meets the end early, reads zeros for ever and
//! paints grey, even in strict mode. No Huffman code of a JPEG consists of ones only (ITU-T T.81,
//! annex C), so ones are put where data must not be read: a decoder that gets there reports a bad code.

use std::ops::Range;

/// Eight bytes of ones, each 0xFF followed by the zero that says that it is no marker. A decoder reads up
/// to 63 bits ahead, so it comes as far as this in a sound file but never beyond.
const FENCE: [u8; 16] = [0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0, 0xFF, 0];

const PROGRESSIVE_FRAME: u8 = 0xC2;
const RESTART_FIRST: u8 = 0xD0;
const RESTART_LAST: u8 = 0xD7;
const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;

const BREAKS_OFF: &str = "it ends before the picture does";

/// A JPEG from its first byte to its end marker.
pub(super) struct Fenced {
    pub bytes: Vec<u8>,
    /// The stretches of coded data in `bytes`, in order, without the fences.
    pub coded: Vec<Range<usize>>,
    /// How many scans it has: one in a camera's file, more in a progressive one.
    pub scans: usize,
    pub progressive: bool,
}

/// Copies the first picture of a JPEG file with fences behind its coded data. What follows the picture is
/// left out: phones append a second picture or a whole clip.
///
/// # Errors
/// What is wrong, if the file ends before the picture does.
pub(super) fn fence(file: &[u8]) -> Result<Fenced, &'static str> {
    let bytes = Vec::with_capacity(file.len() + FENCE.len());
    let mut fenced = Fenced { bytes, coded: Vec::new(), scans: 0, progressive: false };
    let mut coded_from = None;
    let mut copied = 0;
    let mut at = 2;
    loop {
        let (start, marker) = next_marker(file, at).ok_or(BREAKS_OFF)?;
        fenced.bytes.extend_from_slice(&file[copied..start]);
        copied = start;
        at = start + 2;
        let end = fenced.bytes.len();
        fenced.coded.extend(coded_from.take().map(|from| from..end));
        match marker {
            END_OF_IMAGE if fenced.scans == 0 => return Err("it has no picture data"),
            END_OF_IMAGE => {
                fenced.bytes.extend_from_slice(&FENCE);
                fenced.bytes.extend_from_slice(&file[start..at]);
                return Ok(fenced);
            }
            RESTART_FIRST..=RESTART_LAST => {
                fenced.bytes.extend_from_slice(&FENCE);
                coded_from = Some(fenced.bytes.len() + 2);
            }
            // Markers with nothing behind them.
            0x01 | 0xD8 => {}
            _ => {
                let length = file.get(at..at + 2).ok_or(BREAKS_OFF)?;
                let length = usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
                at += length;
                fenced.progressive |= marker == PROGRESSIVE_FRAME;
                if marker == START_OF_SCAN {
                    fenced.scans += 1;
                    coded_from = Some(end + 2 + length);
                }
            }
        }
    }
}

/// Where the next marker begins, and which it is. 0xFF followed by zero is data, by another 0xFF padding.
fn next_marker(file: &[u8], mut from: usize) -> Option<(usize, u8)> {
    loop {
        let start = from + file.get(from..)?.iter().position(|&byte| byte == 0xFF)?;
        match *file.get(start + 1)? {
            0 => from = start + 2,
            0xFF => from = start + 1,
            marker => return Some((start, marker)),
        }
    }
}
