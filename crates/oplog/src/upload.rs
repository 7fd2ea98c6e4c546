//! The upload of one blob over tus 1.0.0: asks how far the hub is, sends the next piece, until the hub has confirmed
//! the hash from its own disk. Pieces grow on a good link and shrink on a bad one.

use serde::{Deserialize, Serialize};

/// The smallest and the largest piece, in bytes.
pub const PIECE: std::ops::RangeInclusive<u64> = 64 * 1024..=4 * 1024 * 1024;
/// Pieces grow while one takes less than this, in milliseconds, and shrink when it takes more than four times as long.
const COMFORTABLE: u64 = 1_000;

/// How much of a blob the hub holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlobState {
    Absent,
    /// On its way.
    Partial,
    /// Here, re-read from where it lies, and hashed.
    Verified,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The hub made a place for the blob, or had one, and holds so many bytes of it, if it said so.
    Created { offset: Option<u64> },
    /// The hub holds this many bytes.
    Offset(u64),
    /// A piece arrived, in so many milliseconds; the hub now holds this many bytes. With the last piece it may say at
    /// once that it has re-read and hashed them.
    Sent { offset: u64, millis: u64, verified: bool },
    /// The hub has re-read and hashed its own copy.
    Verified,
    /// The hub's copy has another hash: what it held is thrown away, and the blob begins again.
    Mismatch,
    /// The hub no longer knows the upload.
    Gone,
    /// The connection broke: how much arrived is not known.
    Lost,
    /// The hub will not take it, with its reason's code.
    Refused(String),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Create,
    AskOffset,
    Send {
        offset: u64,
        len: u64,
    },
    /// All bytes are there: ask whether the hub has verified them.
    AskVerified,
    /// Write down, durably, that the blob is safe at the office.
    Done,
    /// Hold the blob back, and show why. The lane goes on with the next.
    SetAside(String),
    BackOff,
}

/// The state of one blob's upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    bytes: u64,
    piece: u64,
    mismatches: u32,
}

impl Upload {
    /// The upload of so many `bytes`, and what is to be done first. `piece` is what the link bore lately, in bytes;
    /// `created` whether the hub has made a place for it before.
    pub fn new(bytes: u64, piece: u64, created: bool) -> (Self, Effect) {
        let upload = Self { bytes, piece: piece.clamp(*PIECE.start(), *PIECE.end()), mismatches: 0 };
        (upload, if created { Effect::AskOffset } else { Effect::Create })
    }

    /// The size of the next piece, for the blob that comes after.
    pub fn piece(&self) -> u64 {
        self.piece
    }

    pub fn step(&mut self, event: Event) -> Effect {
        match event {
            Event::Created { offset } => offset.map_or(Effect::AskOffset, |offset| self.at(offset)),
            Event::Offset(offset) => self.at(offset),
            Event::Sent { offset, millis, verified } => {
                self.adapt(millis);
                if verified { Effect::Done } else { self.at(offset) }
            }
            Event::Verified => Effect::Done,
            Event::Mismatch => {
                self.mismatches += 1;
                // Twice the same bytes with the wrong hash: it is not the link.
                if self.mismatches > 1 { Effect::SetAside("hash-mismatch".into()) } else { Effect::Create }
            }
            Event::Gone => Effect::Create,
            Event::Lost => {
                self.piece = (self.piece / 2).max(*PIECE.start());
                Effect::BackOff
            }
            Event::Refused(code) => Effect::SetAside(code),
        }
    }

    fn at(&self, offset: u64) -> Effect {
        match self.bytes.saturating_sub(offset) {
            0 => Effect::AskVerified,
            left => Effect::Send { offset, len: left.min(self.piece) },
        }
    }

    fn adapt(&mut self, millis: u64) {
        if millis < COMFORTABLE {
            self.piece = (self.piece * 2).min(*PIECE.end());
        } else if millis > 4 * COMFORTABLE {
            self.piece = (self.piece / 2).max(*PIECE.start());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIB: u64 = 1024;

    #[test]
    fn a_blob_goes_up_in_growing_pieces_and_is_done_only_when_verified() {
        let (mut upload, first) = Upload::new(300 * KIB, 64 * KIB, false);
        assert_eq!(first, Effect::Create);
        assert_eq!(upload.step(Event::Created { offset: None }), Effect::AskOffset);
        assert_eq!(upload.step(Event::Offset(0)), Effect::Send { offset: 0, len: 64 * KIB });
        let sent = Event::Sent { offset: 64 * KIB, millis: 10, verified: false };
        assert_eq!(upload.step(sent), Effect::Send { offset: 64 * KIB, len: 128 * KIB });
        let sent = Event::Sent { offset: 192 * KIB, millis: 10, verified: false };
        assert_eq!(upload.step(sent), Effect::Send { offset: 192 * KIB, len: 108 * KIB });
        assert_eq!(
            upload.step(Event::Sent { offset: 300 * KIB, millis: 10, verified: false }),
            Effect::AskVerified
        );
        assert_eq!(upload.step(Event::Verified), Effect::Done);
    }

    #[test]
    fn what_the_hub_says_by_itself_is_not_asked_for() {
        let (mut upload, _) = Upload::new(100 * KIB, 64 * KIB, false);
        let rest = Effect::Send { offset: 40 * KIB, len: 60 * KIB };
        assert_eq!(upload.step(Event::Created { offset: Some(40 * KIB) }), rest);
        let sent = Event::Sent { offset: 100 * KIB, millis: 5_000, verified: true };
        assert_eq!(upload.step(sent), Effect::Done);
        assert_eq!(upload.piece(), 64 * KIB, "the last piece tells of the link as any other");
    }

    #[test]
    fn after_a_cut_the_hub_is_asked_how_far_it_is() {
        let (mut upload, _) = Upload::new(1000 * KIB, 256 * KIB, true);
        upload.step(Event::Offset(0));
        assert_eq!(upload.step(Event::Lost), Effect::BackOff);
        let (mut upload, first) = Upload::new(1000 * KIB, upload.piece(), true);
        assert_eq!(first, Effect::AskOffset);
        assert_eq!(upload.step(Event::Offset(100 * KIB)), Effect::Send { offset: 100 * KIB, len: 128 * KIB });
    }

    #[test]
    fn a_wrong_hash_begins_again_once_and_is_then_shown() {
        let (mut upload, _) = Upload::new(10, 64 * KIB, true);
        assert_eq!(upload.step(Event::Mismatch), Effect::Create);
        assert_eq!(upload.step(Event::Mismatch), Effect::SetAside("hash-mismatch".into()));
    }

    #[test]
    fn an_upload_that_the_hub_forgot_begins_again() {
        let (mut upload, first) = Upload::new(10, 64 * KIB, true);
        assert_eq!(first, Effect::AskOffset);
        assert_eq!(upload.step(Event::Gone), Effect::Create);
    }

    #[test]
    fn an_empty_blob_needs_no_piece() {
        let (mut upload, _) = Upload::new(0, 64 * KIB, true);
        assert_eq!(upload.step(Event::Offset(0)), Effect::AskVerified);
    }

    #[test]
    fn pieces_follow_the_link_within_their_bounds() {
        let (mut upload, _) = Upload::new(100 << 20, 3 << 20, true);
        let mut at = 0;
        let mut sent = |millis| {
            at += 64 * KIB;
            let Effect::Send { len, .. } = upload.step(Event::Sent { offset: at, millis, verified: false })
            else {
                panic!("there is more to send")
            };
            len / KIB
        };
        assert_eq!([sent(0), sent(999)], [4 * KIB; 2], "no piece is larger than 4 MiB");
        assert_eq!([sent(1_000), sent(4_000)], [4 * KIB; 2], "neither quick nor slow");
        assert_eq!([sent(4_001), sent(60_000)], [2 * KIB, KIB], "each that is slow halves the next");
        assert_eq!(sent(999), 2 * KIB);
        assert_eq!([0; 7].map(|_| sent(4_001)), [1_024, 512, 256, 128, 64, 64, 64]);
        // So it is with what earlier photos found of the link.
        assert_eq!([1, 100 << 20].map(|piece| Upload::new(10, piece, true).0.piece()), [64 * KIB, 4 << 20]);
    }

    #[test]
    fn a_line_that_breaks_leaves_no_piece_smaller_than_the_smallest() {
        let (mut upload, _) = Upload::new(1000 * KIB, 100 * KIB, true);
        assert_eq!((upload.step(Event::Lost), upload.piece()), (Effect::BackOff, 64 * KIB));
    }
}
