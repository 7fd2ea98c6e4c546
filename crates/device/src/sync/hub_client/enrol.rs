//! How a tablet joins an office.

use super::{HubClient, Outside};
use crate::sync::fault::Fault;
use standpipe_oplog::PROTOCOL;
use standpipe_oplog::greeting::{Enrol, Enrolled};

/// Enrols a tablet at the hub at `address`: with the code that the office gave out, and the tablet's public key in
/// base64url.
///
/// # Errors
/// [`Fault`]; its code is `wrong-code` when the hub does not know the code, or it was used, or it is too old.
pub async fn enrol(
    outside: &Outside,
    address: &str,
    code: &str,
    public_key: String,
) -> Result<Enrolled, Fault> {
    let app_version = env!("CARGO_PKG_VERSION").to_owned();
    let enrol = Enrol { code: code.trim().to_owned(), public_key, app_version, protocol: PROTOCOL };
    HubClient::new(address, None, outside)?.json("enrolling", "enrol", &enrol).await
}
