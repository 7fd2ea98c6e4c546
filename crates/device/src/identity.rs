//! To which office the tablet belongs, and as whom it records.

use standpipe_domain::ids::{DeviceId, PersonId, SiteId};
use standpipe_domain::words::Words;
pub use standpipe_oplog::greeting::Token;
use std::fmt;

/// What enrolment gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The hub's address.
    pub hub: String,
    pub token: Token,
    pub device: DeviceId,
    pub key: Seed,
    pub person: PersonId,
    pub person_name: String,
    pub site: SiteId,
    pub site_name: Words,
    /// The incarnation that the hub gave to this tablet's chain.
    pub incarnation: u32,
}

/// The seed of the Ed25519 key that seals. Never printed, never sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed(pub [u8; 32]);

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_reach_a_log() {
        let shown = format!("{:?} {:?}", Token("sesame".into()), Seed([7; 32]));
        assert!(!shown.contains("sesame") && !shown.contains('7'), "{shown}");
    }
}
