//! What a tablet asks for: to be enrolled, to push, to pull.

use super::auth::{AnyTablet, Tablet};
use super::problem::Problem;
use super::session::too_many;
use super::{App, Json, PROTOCOL_HEADER, Query};
use crate::ingest::{self, Pushed};
use crate::pull;
use crate::secret::{Code, Token};
use crate::store::NewDevice;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use bytes::Bytes;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use standpipe_domain::ids::DeviceId;
use standpipe_oplog::PROTOCOL;
use standpipe_oplog::greeting::{self, Enrol, Enrolled, Hello, HelloAnswer};
use standpipe_oplog::seal;
use standpipe_oplog::wire::{
    MAX_OPS, MAX_SUMS, Offer, OfferAnswer, PushConflict, ReturnAnswer, Sums, SumsAnswer,
};
use std::cmp::Ordering;
use std::net::SocketAddr;
use std::sync::Arc;
use uuid::Uuid;

/// The first incarnation of a tablet that has just been enrolled.
const FIRST: u32 = 1;

pub async fn enrol(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Json(enrol): Json<Enrol>,
) -> Result<Response, Problem> {
    let now = app.world.now();
    let guesser = format!("{} enrol", peer.ip());
    if let Err(wait) = app.tries.guess(&guesser, now) {
        return Ok(too_many(wait.wait_seconds));
    }
    same_protocol(enrol.protocol)?;
    let key = public_key(&enrol.public_key).ok_or_else(|| {
        Problem::malformed("public_key is not an Ed25519 public key of 32 bytes in base64url")
    })?;
    let token = Token::generate(&*app.world);
    let new = NewDevice {
        id: DeviceId(app.world.uuid()),
        key: seal::jwk(&key),
        token: token.hash(),
        version: short(&enrol.app_version),
    };
    let wrong = || {
        let message = "the code is wrong, was used already, or is older than fifteen minutes; ask the office for a new one";
        Problem::new(StatusCode::UNAUTHORIZED, "wrong-code", message)
    };
    let device = app.store.enrol(Code::typed(&enrol.code).hash(), new, now).await?.ok_or_else(wrong)?;
    app.tries.right(&guesser);
    let who = app.store.who(device.person).await?.ok_or_else(|| Problem::unknown("person"))?;
    tracing::info!(device = %device.id, "the tablet {} was enrolled", device.name);
    app.poke();
    let enrolled = Enrolled {
        device: device.id,
        token: greeting::Token(token.reveal().to_owned()),
        incarnation: FIRST,
        person: device.person,
        person_name: who.name,
        site: device.site,
        site_name: who.site,
        hub_epoch: app.store.identity().epoch,
        protocol: PROTOCOL,
        now,
    };
    Ok(Json(enrolled).into_response())
}

/// Never refused for a version: what a tablet is told here, it needs in order to push.
pub async fn hello(
    State(app): State<App>,
    AnyTablet(device): AnyTablet,
    Json(hello): Json<Hello>,
) -> Result<Json<HelloAnswer>, Problem> {
    let now = app.world.now();
    let ahead = hello.now.0.saturating_sub(now.0);
    app.store.seen(device.id, &short(&hello.app_version), ahead, now).await?;
    Ok(Json(HelloAnswer {
        protocol: PROTOCOL,
        hub_epoch: app.store.identity().epoch,
        now,
        acknowledged: app.store.held(device.id, hello.incarnation).await?.last_seq,
        durable_seq: app.store.durable_seq(device.id, hello.incarnation).await?,
        device: device.id,
        person: device.person,
        head: Some(app.store.sums(device.site, Vec::new()).await?.0),
        // Another one for each loss too: tablets of every version ask again for what they think is here.
        run: Some(Uuid::from_u128(app.run.as_u128().wrapping_add(app.store.losses().await?.into()))),
        revoked: device.revoked,
        backups: app.store.backups().await?,
    }))
}

pub async fn push(
    State(app): State<App>,
    AnyTablet(device): AnyTablet,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body?;
    match ingest::push(&*app.store, Arc::clone(&app.world), &device, &body, app.room).await? {
        Pushed::Taken(answer) => Ok(Json(answer).into_response()),
        Pushed::Conflict(conflict) => {
            Ok((StatusCode::CONFLICT, Json(Conflict::from(conflict))).into_response())
        }
    }
}

/// A conflict that also reads as any other problem.
#[derive(Serialize)]
struct Conflict {
    #[serde(flatten)]
    conflict: PushConflict,
    message: &'static str,
}

impl From<PushConflict> for Conflict {
    fn from(conflict: PushConflict) -> Self {
        let message = match conflict {
            PushConflict::Forked { .. } => {
                "another copy of this tablet has pushed: go on under the incarnation named here"
            }
            PushConflict::Expected { .. } => {
                "operations are missing before these: begin with the one expected"
            }
        };
        Self { conflict, message }
    }
}

/// Judges again what was set aside of this tablet.
pub async fn offer(
    State(app): State<App>,
    AnyTablet(device): AnyTablet,
    Json(Offer { ops }): Json<Offer>,
) -> Result<Json<OfferAnswer>, Problem> {
    if ops.len() > MAX_OPS {
        let message = format!("at most {MAX_OPS} operations at once");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many", message).limit(MAX_OPS));
    }
    let only = Some(ops.clone());
    let judged = ingest::judge_again(&*app.store, Arc::clone(&app.world), device.id, only).await?;
    let quarantined = judged.left;
    let lost = ingest::lost(&*app.store, ops, &quarantined).await?;
    Ok(Json(OfferAnswer { quarantined, lost }))
}

/// The sums over what the hub numbered, so that a tablet finds where the two differ. A tablet that was revoked may ask too:
/// it tells nothing of what is there, and what this hub has lost may be on that tablet alone.
pub async fn sums(
    State(app): State<App>,
    AnyTablet(device): AnyTablet,
    Json(Sums { at }): Json<Sums>,
) -> Result<Json<SumsAnswer>, Problem> {
    if at.len() > MAX_SUMS {
        let message = format!("at most {MAX_SUMS} sums at once");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many", message).limit(MAX_SUMS));
    }
    let (head, sums) = app.store.sums(device.site, at).await?;
    let sums = sums.into_iter().map(|sum| format!("{:016x}", sum.0)).collect();
    Ok(Json(SumsAnswer { hub_epoch: app.store.identity().epoch, head, sums }))
}

/// Takes back what this hub had taken before it was restored; from a tablet that was revoked too, for the mark proves it.
pub async fn take_back(
    State(app): State<App>,
    AnyTablet(device): AnyTablet,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<ReturnAnswer>, Problem> {
    Ok(Json(ingest::take_back(&*app.store, Arc::clone(&app.world), &device, &body?).await?))
}

#[derive(Deserialize)]
pub struct Pull {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
    /// From the beginning of the transaction that stands there.
    #[serde(default)]
    whole: bool,
}

pub async fn pull(
    State(app): State<App>,
    Tablet(device): Tablet,
    headers: HeaderMap,
    Query(pull): Query<Pull>,
) -> Result<Response, Problem> {
    same_protocol(spoken(&headers))?;
    let limit = pull.limit.unwrap_or(MAX_OPS);
    let page = pull::page(&*app.store, device.site, pull.after, limit, pull.whole, app.world.now()).await?;
    Ok(([(CONTENT_TYPE, "application/zstd")], page).into_response())
}

/// The version that a request is in.
pub fn spoken(headers: &HeaderMap) -> u32 {
    let protocol = headers.get(PROTOCOL_HEADER).and_then(|header| header.to_str().ok()?.parse().ok());
    protocol.unwrap_or(PROTOCOL)
}

pub fn same_protocol(theirs: u32) -> Result<(), Problem> {
    let (code, message) = match theirs.cmp(&PROTOCOL) {
        Ordering::Equal => return Ok(()),
        Ordering::Less => {
            ("hub-newer", "the hub is newer than the app: update the app; what it recorded is still taken")
        }
        Ordering::Greater => ("hub-older", "the hub is older than the app: the office must update its hub"),
    };
    Err(Problem::new(StatusCode::UPGRADE_REQUIRED, code, message)
        .with(serde_json::json!({ "protocol": PROTOCOL })))
}

fn public_key(text: &str) -> Option<VerifyingKey> {
    let bytes: [u8; 32] = BASE64URL.decode(text).ok()?.try_into().ok()?;
    VerifyingKey::from_bytes(&bytes).ok()
}

/// A version as somebody sent it, no longer than a version is.
fn short(version: &str) -> String {
    version.chars().take(64).collect()
}
