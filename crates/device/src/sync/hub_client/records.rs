//! The handshake, pushes and pulls.

use super::{HubClient, MAX_JSON, media_type};
use crate::sync::fault::Fault;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use standpipe_domain::ids::Millis;
use standpipe_oplog::PROTOCOL;
use standpipe_oplog::greeting::{Hello, HelloAnswer};
use standpipe_oplog::wire::{
    MAX_BODY, MAX_OPS, Malformed, Numbered, Offer, OfferAnswer, PullHead, PushAnswer, PushConflict,
    ReturnAnswer, Sums, SumsAnswer, decode_pull,
};
use uuid::Uuid;

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushed {
    Taken(PushAnswer),
    Conflict(PushConflict),
}

impl HubClient {
    /// Greets the hub with the tablet's time.
    pub async fn hello(&self, incarnation: u32, now: Millis) -> Result<HelloAnswer, Fault> {
        let hello =
            Hello { protocol: PROTOCOL, app_version: env!("CARGO_PKG_VERSION").into(), incarnation, now };
        self.json("greeting the hub", "sync/hello", &hello).await
    }

    /// Sends a batch, as [`standpipe_oplog::wire::encode_push`] made it.
    pub async fn push(&self, batch: Vec<u8>) -> Result<Pushed, Fault> {
        const DOING: &str = "sending records";
        let request = self.request(Method::POST, "sync/push")?.header(CONTENT_TYPE, "application/zstd");
        let answer = self.ask(DOING, request, batch.into(), MAX_JSON).await?;
        if answer.status == StatusCode::CONFLICT {
            return answer.json(DOING).map(Pushed::Conflict);
        }
        self.good(DOING, answer)?.json(DOING).map(Pushed::Taken)
    }

    /// Asks the hub to judge again what it set aside.
    pub async fn offer(&self, ops: Vec<Uuid>) -> Result<OfferAnswer, Fault> {
        self.json("offering again what was set aside", "sync/offer", &Offer { ops }).await
    }

    /// Asks for the hub's last number, and its sums up to each of these.
    pub async fn sums(&self, at: Vec<u64>) -> Result<SumsAnswer, Fault> {
        self.json("comparing records", "sync/sums", &Sums { at }).await
    }

    /// Gives back what the hub lost, as [`standpipe_oplog::wire::encode_return`] made it.
    pub async fn give_back(&self, ops: Vec<u8>) -> Result<ReturnAnswer, Fault> {
        const DOING: &str = "giving records back";
        let request = self.request(Method::POST, "sync/return")?.header(CONTENT_TYPE, "application/zstd");
        self.exchange(DOING, request, ops.into(), MAX_JSON).await?.json(DOING)
    }

    /// Fetches the page behind `after`, from the beginning of the transaction that stands there. Its head says which hub it is
    /// of, and where it begins.
    pub async fn pull(&self, after: u64) -> Result<(PullHead, Vec<Numbered>), Fault> {
        const DOING: &str = "fetching records";
        let path = format!("sync/pull?after={after}&limit={MAX_OPS}&whole=true");
        let request = self.request(Method::GET, &path)?;
        let answer = self.exchange(DOING, request, Bytes::new(), MAX_BODY).await?;
        decode_pull(&answer.body).map_err(|error| {
            let kind = media_type(&answer.headers);
            // A login page comes as what it is; a page of records that is broken is the hub's own doing.
            if kind.starts_with("text/") {
                return Fault::NotAHub { doing: DOING, detail: kind.to_owned() };
            }
            Fault::HubFault { doing: DOING, detail: unreadable(after, &error) }
        })
    }
}

/// What is said of a page that is broken.
pub fn unreadable(after: u64, error: &Malformed) -> String {
    format!("the page behind {after} cannot be read: {}: {error}", error.code())
}
