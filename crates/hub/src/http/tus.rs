//! Uploads on the wire of tus 1.0.0 (<https://tus.io/protocols/resumable-upload>): the core protocol with the extensions
//! creation, checksum and termination. Of checksums it takes SHA-256 only, which is what blobs are known by.

use super::auth::AnyTablet;
use super::problem::Problem;
use super::{App, Json, Path};
use crate::blobs::{BlobState, MAX_BLOB, NewUpload, Piece, Progress};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::json;
use standpipe_domain::ids::{PersonId, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

pub const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const VERSION: HeaderName = HeaderName::from_static("tus-version");
const EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const ALGORITHMS: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
/// Tells with the last piece what became of the blob.
const BLOB: HeaderName = HeaderName::from_static("standpipe-blob");

/// The version of tus that is spoken here.
pub const TUS: &str = "1.0.0";
/// The most hashes in one question for their state.
const MOST_ASKED: usize = 1_000;

pub async fn options() -> impl IntoResponse {
    let headers = AppendHeaders([
        (VERSION, TUS.to_owned()),
        (EXTENSION, "creation,checksum,termination".to_owned()),
        (MAX_SIZE, MAX_BLOB.to_string()),
        (ALGORITHMS, "sha256".to_owned()),
    ]);
    (StatusCode::NO_CONTENT, headers)
}

pub async fn create(
    State(app): State<App>,
    AnyTablet(device): AnyTablet,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    same_version(&headers)?;
    let new = new_upload(&headers, device.person)?;
    let (upload, progress) = app.blobs.begin(device.id, new, app.world.uuid(), app.world.now()).await?;
    if progress.state == BlobState::Verified {
        app.poke();
    }
    // A blob that is here already is its own place: nothing is to be sent there, and HEAD says so.
    let place = upload.map_or_else(|| new.sha256.to_string(), |id| id.simple().to_string());
    let headers =
        AppendHeaders([(LOCATION, format!("/api/v1/blobs/{place}")), (OFFSET, progress.arrived.to_string())]);
    Ok((StatusCode::CREATED, headers, Json(json!({ "state": progress.state }))).into_response())
}

pub async fn head(
    State(app): State<App>,
    AnyTablet(device): AnyTablet,
    headers: HeaderMap,
    Path(place): Path<String>,
) -> Result<Response, Problem> {
    same_version(&headers)?;
    let progress = match place.parse::<Sha256>() {
        Ok(sha256) => {
            let bytes = app.blobs.blob(sha256).await?.ok_or_else(unknown)?.bytes;
            Progress { arrived: bytes, bytes, state: BlobState::Verified }
        }
        Err(_) => app.blobs.progress(device.id, upload_id(&place)?, app.world.now()).await?,
    };
    let length =
        AppendHeaders([(LENGTH, progress.bytes.to_string()), (CACHE_CONTROL, "no-store".to_owned())]);
    Ok((StatusCode::OK, stands(progress), length).into_response())
}

pub async fn patch(
    State(app): State<App>,
    AnyTablet(device): AnyTablet,
    headers: HeaderMap,
    Path(place): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    same_version(&headers)?;
    let id = upload_id(&place)?;
    if headers.get(CONTENT_TYPE).is_none_or(|kind| kind != "application/offset+octet-stream") {
        let message = "the content type of a piece is application/offset+octet-stream";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-content-type", message));
    }
    let piece = Piece {
        offset: number(&headers, &OFFSET)?.ok_or_else(|| Problem::malformed("Upload-Offset is missing"))?,
        length: number(&headers, &CONTENT_LENGTH)?,
        checksum: checksum(&headers)?,
    };
    let progress = app.blobs.append(device.id, id, piece, body.into_data_stream(), app.world.now()).await?;
    if progress.state == BlobState::Verified {
        app.poke();
    }
    Ok((StatusCode::NO_CONTENT, stands(progress)).into_response())
}

pub async fn terminate(
    State(app): State<App>,
    AnyTablet(device): AnyTablet,
    headers: HeaderMap,
    Path(place): Path<String>,
) -> Result<StatusCode, Problem> {
    same_version(&headers)?;
    app.blobs.discard(device.id, upload_id(&place)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub struct Asked {
    sha256: Vec<Sha256>,
}

pub async fn status(
    State(app): State<App>,
    AnyTablet(_): AnyTablet,
    Json(asked): Json<Asked>,
) -> Result<Json<BTreeMap<String, BlobState>>, Problem> {
    if asked.sha256.len() > MOST_ASKED {
        let message = format!("at most {MOST_ASKED} hashes at once");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many", message));
    }
    let states = app.blobs.states(&asked.sha256, app.world.now()).await?;
    Ok(Json(states.into_iter().map(|(sha256, state)| (sha256.to_string(), state)).collect()))
}

fn stands(progress: Progress) -> AppendHeaders<Vec<(HeaderName, String)>> {
    let mut headers = vec![(OFFSET, progress.arrived.to_string())];
    if progress.state == BlobState::Verified {
        headers.push((BLOB, "verified".to_owned()));
    }
    AppendHeaders(headers)
}

fn same_version(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get(RESUMABLE).is_some_and(|version| version == TUS) {
        return Ok(());
    }
    let message = "the header Tus-Resumable must say 1.0.0";
    Err(Problem::new(StatusCode::PRECONDITION_FAILED, "wrong-tus", message))
}

fn unknown() -> Problem {
    crate::blobs::BlobError::UnknownUpload.into()
}

// Whatever else a path holds, it names no upload, and never a file.
fn upload_id(place: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(place).map_err(|_| unknown())
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let number = value.to_str().ok().filter(|text| text.bytes().all(|digit| digit.is_ascii_digit()));
    match number.and_then(|text| text.parse().ok()) {
        Some(number) => Ok(Some(number)),
        None => Err(Problem::malformed(format_args!("{name} is not a number"))),
    }
}

fn checksum(headers: &HeaderMap) -> Result<Option<Sha256>, Problem> {
    let Some(value) = headers.get(CHECKSUM) else { return Ok(None) };
    let digest = || {
        let (algorithm, digest) = value.to_str().ok()?.split_once(' ')?;
        let digest = (algorithm == "sha256").then(|| BASE64.decode(digest).ok())??;
        Some(Sha256(digest.try_into().ok()?))
    };
    digest().map(Some).ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "wrong-checksum",
            "Upload-Checksum is `sha256 ` and 32 bytes in base64",
        )
    })
}

fn new_upload(headers: &HeaderMap, by: PersonId) -> Result<NewUpload, Problem> {
    let bytes = number(headers, &LENGTH)?.ok_or_else(|| Problem::malformed("Upload-Length is missing"))?;
    let metadata = metadata(headers)
        .ok_or_else(|| Problem::malformed("Upload-Metadata is not pairs of a name and a value in base64"))?;
    let hash = |name: &str| {
        let hash = metadata.get(name).and_then(|hash| hash.parse().ok());
        hash.ok_or_else(|| Problem::malformed(format_args!("Upload-Metadata lacks a SHA-256 named {name}")))
    };
    let thumbnail_of = match metadata.get("role").map(String::as_str) {
        None | Some("original") => None,
        Some("thumbnail") => Some(hash("of")?),
        Some(_) => return Err(Problem::malformed("role is original or thumbnail")),
    };
    Ok(NewUpload { sha256: hash("sha256")?, bytes, thumbnail_of, by })
}

fn metadata(headers: &HeaderMap) -> Option<BTreeMap<String, String>> {
    let text = headers.get(METADATA)?.to_str().ok()?;
    let pair = |pair: &str| {
        let (name, value) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        Some((name.to_owned(), String::from_utf8(BASE64.decode(value.trim()).ok()?).ok()?))
    };
    text.split(',').map(pair).collect()
}
