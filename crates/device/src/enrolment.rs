//! How a tablet joins an office: a code that the office gave out, a key that never leaves the tablet.

use crate::engine::Engine;
use crate::error::Error;
use crate::identity::{Identity, Seed};
use crate::sync::{Fault, Outside, enrol};
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ed25519_dalek::SigningKey;
use standpipe_domain::tablet::Problem;
use std::sync::Arc;

/// Why a tablet was not enrolled. What it holds stands.
#[derive(Debug, thiserror::Error)]
pub enum NotEnrolled {
    #[error(transparent)]
    Hub(#[from] Fault),
    #[error(transparent)]
    Tablet(#[from] Error),
}

impl NotEnrolled {
    /// As the screen is told.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Tablet(error) => error.problem(),
            Self::Hub(fault) => Problem {
                code: fault.code().to_owned(),
                message: fault.to_string(),
                details: serde_json::Value::Null,
            },
        }
    }
}

impl Engine {
    /// Joins the office whose hub answers at `address`, with the code that it gave out. When this returns, the enrolment
    /// is durable.
    pub async fn join(&self, address: &str, code: &str) -> Result<(), NotEnrolled> {
        self.join_over(&Outside::network(Arc::clone(self.store().outside())), address, code).await
    }

    /// See [`Engine::join`].
    pub async fn join_over(&self, outside: &Outside, address: &str, code: &str) -> Result<(), NotEnrolled> {
        let identity = ask(outside, self.store().world(), address, code).await?;
        Ok(self.enrol(&identity)?)
    }
}

/// Has the hub at `address` take the tablet, with a key that was made for it. The code is used up by that: what this gives
/// must be written down.
pub(crate) async fn ask(
    outside: &Outside,
    world: &dyn World,
    address: &str,
    code: &str,
) -> Result<Identity, NotEnrolled> {
    let mut seed = [0; 32];
    world.random(&mut seed);
    let public_key = BASE64URL.encode(SigningKey::from_bytes(&seed).verifying_key().as_bytes());
    let address = address.trim();
    let enrolled = enrol(outside, address, code, public_key).await?;
    Ok(Identity {
        hub: address.to_owned(),
        token: enrolled.token,
        device: enrolled.device,
        key: Seed(seed),
        person: enrolled.person,
        person_name: enrolled.person_name,
        site: enrolled.site,
        site_name: enrolled.site_name,
        incarnation: enrolled.incarnation,
    })
}
