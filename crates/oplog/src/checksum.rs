//! The 64-bit additive checksum of a set of operations: both ends of a scope compare it after each pull.
//!
//! Each operation counts as the first eight bytes of the SHA-256 of its id, of when the hub received it, and of its body;
//! the sum wraps. Order does not matter, and adding or taking away one operation needs no look at the others. The time
//! counts because stamps of wrong clocks are clamped by it: replicas that differ in it show values in another order.

use sha2::{Digest, Sha256};
use standpipe_domain::ids::Millis;
use uuid::Uuid;

/// A sum over operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checksum(pub u64);

impl Checksum {
    /// What one operation counts.
    pub fn of(op_id: Uuid, at: Millis, body: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(op_id.as_bytes());
        hash.update(at.0.to_be_bytes());
        hash.update(body.as_bytes());
        Self(hash.finalize()[..8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }
}

impl std::ops::Add for Checksum {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
}

impl std::iter::Sum for Checksum {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), |sum, next| sum + next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_matter_and_every_byte_does() {
        let at = |n: u128, at, body| Checksum::of(Uuid::from_u128(n), Millis(at), body);
        let of = |n: u128, body| at(n, 5, body);
        let sum = |all: &[Checksum]| all.iter().copied().sum::<Checksum>();
        let (a, b) = (of(1, "a"), of(2, "b"));
        assert_eq!(sum(&[a, b]), sum(&[b, a]));
        assert_ne!(sum(&[a, b]), sum(&[a, of(2, "c")]));
        assert_ne!(sum(&[a, b]), sum(&[a]));
        assert_ne!(sum(&[a, b]), sum(&[a, at(2, 6, "b")]));
    }
}
