//! How a tablet joins an office.

use super::{HubClient, Patience};
use crate::identity::Token;
use crate::sync::fault::Fault;
use serde::{Deserialize, Deserializer, Serialize};
use standpipe_domain::ids::{DeviceId, Millis, PersonId, SiteId};
use standpipe_domain::words::Words;
use standpipe_oplog::PROTOCOL;
use uuid::Uuid;

/// What a tablet sends to be enrolled.
#[derive(Serialize)]
pub struct Enrol {
    /// The code that the office gave out. It works once.
    pub code: String,
    /// The tablet's Ed25519 public key, in base64url without padding.
    pub public_key: String,
    pub app_version: &'static str,
    pub protocol: u32,
}

/// What an enrolled tablet is told.
#[derive(Clone, Debug, Deserialize)]
pub struct Enrolled {
    pub device: DeviceId,
    #[serde(deserialize_with = "token")]
    pub token: Token,
    pub incarnation: u32,
    pub person: PersonId,
    pub person_name: String,
    pub site: SiteId,
    pub site_name: Words,
    pub hub_epoch: Uuid,
    /// The hub's time.
    pub now: Millis,
}

impl Enrol {
    pub fn new(code: &str, public_key: String) -> Self {
        let code = code.trim().to_owned();
        Self { code, public_key, app_version: env!("CARGO_PKG_VERSION"), protocol: PROTOCOL }
    }
}

/// Enrols a tablet at the hub at `address`.
///
/// # Errors
/// [`Fault`]; its code is `wrong-code` when the hub does not know the code, or it was used, or it is too old.
pub async fn enrol(address: &str, enrol: &Enrol) -> Result<Enrolled, Fault> {
    HubClient::new(address, None, Patience::default())?.json("enrolling", "enrol", enrol).await
}

fn token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Token, D::Error> {
    String::deserialize(deserializer).map(Token)
}
