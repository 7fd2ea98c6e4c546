//! The hash chain of a device's operations.
//!
//! `hash(n) = SHA-256(hash(n-1) ‖ body(n))`, where `body` is the operation's canonical JSON and `hash(0)` is 32 zeros.
//! Bodies are kept and sent as they were written: a version that does not know a field hashes it all the same.

use crate::canonical;
use crate::op::Op;
use sha2::{Digest, Sha256 as Hasher};
use standpipe_domain::ids::Sha256;

/// What stands before the first operation.
pub const START: Sha256 = Sha256([0; 32]);

/// An operation with the bytes that it is known by.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    pub op: Op,
    /// The canonical JSON of the operation, as its author wrote it.
    pub body: Box<str>,
    /// The hash of the operation before it and of this body.
    pub hash: Sha256,
}

/// Bytes that are no operation.
#[derive(Debug, thiserror::Error)]
pub enum NotAnOp {
    #[error("not an operation: {0}")]
    Json(#[from] serde_json::Error),
    /// Within other JSON such a body would be another: not everybody would hold the same bytes.
    #[error("not an operation: it does not begin with {{ and end with }}")]
    Edges,
}

impl Written {
    /// Writes an operation behind `prev`. Its author goes on with what everybody reads of it: a reading of 2.0 is written
    /// as 2, and the two are not the same value.
    pub fn new(op: &Op, prev: Sha256) -> Result<Self, serde_json::Error> {
        let bytes = canonical::bytes(op)?;
        let body: Box<str> = String::from_utf8_lossy(&bytes).into();
        let hash = link(prev, &body);
        Ok(Self { op: serde_json::from_str(&body)?, body, hash })
    }

    /// Reads an operation that stands behind `prev`. The body is kept as it came.
    pub fn read(body: &str, prev: Sha256) -> Result<Self, NotAnOp> {
        let op = serde_json::from_str(body)?;
        if !(body.starts_with('{') && body.ends_with('}')) {
            return Err(NotAnOp::Edges);
        }
        Ok(Self { op, body: body.into(), hash: link(prev, body) })
    }
}

/// The hash of a body behind `prev`.
pub fn link(prev: Sha256, body: &str) -> Sha256 {
    let mut hasher = Hasher::new();
    hasher.update(prev.0);
    hasher.update(body.as_bytes());
    Sha256(hasher.finalize().into())
}

/// The SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> Sha256 {
    Sha256(Hasher::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_or_moved_body_changes_every_hash_behind_it() {
        let chain = |bodies: &[&str]| bodies.iter().fold(START, |prev, body| link(prev, body));
        let honest = chain(&["a", "b", "c"]);
        assert_ne!(honest, chain(&["a", "B", "c"]));
        assert_ne!(honest, chain(&["b", "a", "c"]));
        assert_ne!(honest, chain(&["a", "c"]));
    }
}
