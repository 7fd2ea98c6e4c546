//! The hub's mark under an operation that it took.
//!
//! Tablets keep it beside the operation. A hub that was restored from a backup has lost what came since, and would have to
//! judge it anew, in another order and by what holds now; its own mark tells that it had judged it before, whoever gives
//! it back. The mark is an HMAC-SHA-256 (RFC 2104) under a key that follows from the hub's own, cut to 72 bits: only the
//! hub can make one, and trying takes a request for each guess.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ed25519_dalek::SigningKey;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use standpipe_domain::ids::Millis;
use standpipe_oplog::chain::sha256;

const BYTES: usize = 9;

/// Makes and knows marks.
#[derive(Clone)]
pub struct Receipts(Hmac<Sha256>);

impl Receipts {
    pub fn of(key: &SigningKey) -> Self {
        let mut seed = b"standpipe receipt".to_vec();
        seed.extend_from_slice(key.as_bytes());
        // A key of 32 bytes is as long as any.
        Self(Hmac::new_from_slice(&sha256(&seed).0).unwrap_or_else(|_| unreachable!("any length is taken")))
    }

    /// The mark of an operation that was received at `at`: 12 letters of base64url.
    pub fn mark(&self, at: Millis, body: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(&at.0.to_be_bytes());
        mac.update(body.as_bytes());
        BASE64URL.encode(&mac.finalize().into_bytes()[..BYTES])
    }

    /// Whether this hub made the mark.
    pub fn knows(&self, at: Millis, body: &str, mark: &str) -> bool {
        let mut mac = self.0.clone();
        mac.update(&at.0.to_be_bytes());
        mac.update(body.as_bytes());
        let decoded = BASE64URL.decode(mark).ok().filter(|bytes| bytes.len() == BYTES);
        decoded.is_some_and(|bytes| mac.verify_truncated_left(&bytes).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_one_operation_one_time_and_one_hub() {
        let receipts = Receipts::of(&SigningKey::from_bytes(&[1; 32]));
        let mark = receipts.mark(Millis(5), "{}");
        assert_eq!(mark.len(), 12);
        assert!(receipts.knows(Millis(5), "{}", &mark));
        assert!(!receipts.knows(Millis(6), "{}", &mark));
        assert!(!receipts.knows(Millis(5), "{ }", &mark));
        assert!(!receipts.knows(Millis(5), "{}", &mark[..8]), "a part of a mark is none");
        assert!(!receipts.knows(Millis(5), "{}", ""));
        assert!(!Receipts::of(&SigningKey::from_bytes(&[2; 32])).knows(Millis(5), "{}", &mark));
    }
}
