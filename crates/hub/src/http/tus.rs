//! Uploads on the wire of tus 1.0.0 (<https://tus.io/protocols/resumable-upload>): the core protocol with the extensions
//! creation, creation-with-upload, checksum, expiration and termination. A blob is known by its SHA-256, which its sender
//! has to name.

use super::auth::AnyTablet;
use super::problem::Problem;
use super::{App, Json, Path, no_such_method};
use crate::blobs::{BlobError, BlobState, Checksum, MAX_BLOB, NewUpload, Piece, Progress};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde::Deserialize;
use serde_json::json;
use standpipe_domain::ids::{Millis, PersonId, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Names the method that is meant where something between lets only POST through.
const OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");
pub const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
pub const VERSION: HeaderName = HeaderName::from_static("tus-version");
const EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const ALGORITHMS: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
/// Tells with the last piece what became of the blob.
const BLOB: HeaderName = HeaderName::from_static("standpipe-blob");

/// The version of tus that is spoken here.
pub const TUS: &str = "1.0.0";
/// The most hashes in one question for their state.
const MOST_ASKED: usize = 1_000;
/// The most bytes that a sender may say of an upload.
const MAX_METADATA: usize = 4 * 1024;

pub async fn options() -> impl IntoResponse {
    let headers = AppendHeaders([
        (VERSION, TUS.to_owned()),
        (EXTENSION, "creation,creation-with-upload,checksum,expiration,termination".to_owned()),
        (MAX_SIZE, MAX_BLOB.to_string()),
        (ALGORITHMS, "sha1,sha256".to_owned()),
    ]);
    (StatusCode::NO_CONTENT, headers)
}

pub async fn create(
    State(app): State<App>,
    AnyTablet(device): AnyTablet,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    same_version(&headers)?;
    let new = new_upload(&headers, device.person)?;
    let first = if is_piece(&headers) { Some(piece(&headers, 0)?) } else { None };
    let (sha256, now) = (new.sha256, app.world.now());
    let begin = || app.blobs.begin(device.id, new.clone(), app.world.uuid(), now);
    let (mut upload, mut progress) = begin().await?;
    if let Some(first) = first {
        let body = body.into_data_stream();
        match upload {
            Some(id) if progress.arrived == 0 => {
                match app.blobs.append(device.id, id, first, body, now).await {
                    Ok(now) => progress = now,
                    // The upload stands where it is; or another request of the tablet has just ended it.
                    Err(
                        BlobError::ChecksumMismatch
                        | BlobError::WrongOffset { .. }
                        | BlobError::Interrupted
                        | BlobError::UnknownUpload,
                    ) => (upload, progress) = begin().await?,
                    Err(error) => return Err(error.into()),
                }
                upload = upload.filter(|_| progress.state != BlobState::Verified);
            }
            _ => app.blobs.pass_over(device.id, body).await,
        }
    }
    // A blob that is here already is its own place: nothing is to be sent there, and HEAD says so.
    let place = upload.map_or_else(|| sha256.to_string(), |id| id.simple().to_string());
    let location = AppendHeaders([(LOCATION, format!("/api/v1/blobs/{place}"))]);
    Ok((StatusCode::CREATED, stands(&progress), location, Json(json!({ "state": progress.state })))
        .into_response())
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
            let bytes = app.blobs.at_hand(sha256).await?.ok_or_else(unknown)?.bytes;
            Progress::verified(bytes)
        }
        Err(_) => app.blobs.progress(device.id, upload_id(&place)?, app.world.now()).await?,
    };
    let length =
        AppendHeaders([(LENGTH, progress.bytes.to_string()), (CACHE_CONTROL, "no-store".to_owned())]);
    let metadata = progress.upload.as_ref().map(|upload| [(METADATA, upload.metadata.clone())]);
    let metadata = metadata.filter(|[(_, metadata)]| !metadata.is_empty()).map(AppendHeaders);
    Ok((StatusCode::OK, stands(&progress), length, metadata, ()).into_response())
}

pub async fn patch(
    State(app): State<App>,
    AnyTablet(device): AnyTablet,
    headers: HeaderMap,
    Path(place): Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    same_version(&headers)?;
    if !is_piece(&headers) {
        let message = "the content type of a piece is application/offset+octet-stream";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-content-type", message));
    }
    let offset = number(&headers, &OFFSET)?.ok_or_else(|| Problem::malformed("Upload-Offset is missing"))?;
    let piece = piece(&headers, offset)?;
    if let Ok(sha256) = place.parse::<Sha256>() {
        // A client that does not look at the offset of what it was given sends the bytes again.
        let at = app.blobs.at_hand(sha256).await?.ok_or_else(unknown)?.bytes;
        if piece.offset != at {
            return Err(BlobError::WrongOffset { at }.into());
        }
        return Ok((StatusCode::NO_CONTENT, stands(&Progress::verified(at))).into_response());
    }
    let id = upload_id(&place)?;
    let progress = app.blobs.append(device.id, id, piece, body.into_data_stream(), app.world.now()).await?;
    Ok((StatusCode::NO_CONTENT, stands(&progress)).into_response())
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

/// What comes to an upload's place as POST: the protocol lets it name another method.
pub async fn tunnelled(
    app: State<App>,
    tablet: AnyTablet,
    headers: HeaderMap,
    place: Path<String>,
    body: Body,
) -> Result<Response, Problem> {
    match headers.get(OVERRIDE).map(HeaderValue::as_bytes) {
        Some(b"PATCH") => patch(app, tablet, headers, place, body).await,
        Some(b"HEAD") => head(app, tablet, headers, place).await,
        Some(b"DELETE") => Ok(terminate(app, tablet, headers, place).await?.into_response()),
        _ => Err(no_such_method().await),
    }
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
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many", message).limit(MOST_ASKED));
    }
    let states = app.blobs.states(&asked.sha256, app.world.now()).await?;
    Ok(Json(states.into_iter().map(|(sha256, state)| (sha256.to_string(), state)).collect()))
}

fn stands(progress: &Progress) -> AppendHeaders<Vec<(HeaderName, String)>> {
    let mut headers = vec![(OFFSET, progress.arrived.to_string())];
    if let Some(expires) = progress.upload.as_ref().and_then(|upload| date(upload.expires())) {
        headers.push((EXPIRES, expires));
    }
    if progress.state == BlobState::Verified {
        headers.push((BLOB, "verified".to_owned()));
    }
    AppendHeaders(headers)
}

/// A time as HTTP writes it (RFC 9110, before that RFC 7231); none where the calendar has no such day.
fn date(time: Millis) -> Option<String> {
    let time = Timestamp::from_millisecond(time.0).ok()?;
    DateTimePrinter::new().timestamp_to_rfc9110_string(&time).ok()
}

fn same_version(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get(RESUMABLE).is_some_and(|version| version == TUS) {
        return Ok(());
    }
    let message = "the header Tus-Resumable must say 1.0.0";
    Err(Problem::new(StatusCode::PRECONDITION_FAILED, "wrong-tus", message))
}

/// Whether bytes of a blob come with a request.
fn is_piece(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/offset+octet-stream")
}

fn piece(headers: &HeaderMap, offset: u64) -> Result<Piece, Problem> {
    Ok(Piece { offset, length: number(headers, &CONTENT_LENGTH)?, checksum: checksum(headers)? })
}

fn unknown() -> Problem {
    BlobError::UnknownUpload.into()
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

fn checksum(headers: &HeaderMap) -> Result<Option<Checksum>, Problem> {
    let Some(value) = headers.get(CHECKSUM) else { return Ok(None) };
    let digest = || {
        let (algorithm, digest) = value.to_str().ok()?.split_once(' ')?;
        let digest = BASE64.decode(digest).ok()?;
        match algorithm {
            "sha256" => Some(Checksum::Sha256(Sha256(digest.try_into().ok()?))),
            "sha1" => Some(Checksum::Sha1(digest.try_into().ok()?)),
            _ => None,
        }
    };
    digest().map(Some).ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "wrong-checksum",
            "Upload-Checksum is `sha256 ` or `sha1 ` and the hash in base64",
        )
    })
}

fn new_upload(headers: &HeaderMap, by: PersonId) -> Result<NewUpload, Problem> {
    let bytes = number(headers, &LENGTH)?.ok_or_else(|| Problem::malformed("Upload-Length is missing"))?;
    let said = headers.get(METADATA).and_then(|said| said.to_str().ok()).unwrap_or_default();
    if said.len() > MAX_METADATA {
        let message = format!("Upload-Metadata has at most {MAX_METADATA} bytes");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", message).limit(MAX_METADATA));
    }
    let metadata = metadata(said)
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
    Ok(NewUpload { sha256: hash("sha256")?, bytes, thumbnail_of, by, metadata: said.to_owned() })
}

fn metadata(text: &str) -> Option<BTreeMap<String, String>> {
    let mut pairs = BTreeMap::new();
    for pair in text.split(',') {
        let (name, value) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        let value = String::from_utf8(BASE64.decode(value.trim()).ok()?).ok()?;
        // The protocol wants each name once, and not empty.
        if name.is_empty() || pairs.insert(name.to_owned(), value).is_some() {
            return None;
        }
    }
    Some(pairs)
}
