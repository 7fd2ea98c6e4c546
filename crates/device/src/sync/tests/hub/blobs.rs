//! Photos at the small hub.

use super::{Hub, Upload, cut_body, hang_up, problem};
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures::StreamExt;
use serde_json::{Value, json};
use standpipe_domain::ids::Sha256;
use standpipe_oplog::chain::sha256;
use std::collections::HashMap;

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
}

pub(super) async fn create(State(hub): State<Hub>, headers: HeaderMap, body: Bytes) -> Response {
    assert_eq!(text(&headers, "tus-resumable"), "1.0.0");
    let pair = |pair: &str| {
        let (key, value) = pair.split_once(' ').unwrap();
        (key.to_owned(), String::from_utf8(BASE64.decode(value).unwrap()).unwrap())
    };
    let metadata: HashMap<_, _> = text(&headers, "upload-metadata").split(',').map(pair).collect();
    let sha256: Sha256 = metadata["sha256"].parse().unwrap();
    let mut kept = hub.kept();
    if kept.takes_along {
        kept.log.push(format!("along {}", body.len()));
    }
    if kept.verified.contains_key(&sha256) {
        return StatusCode::OK.into_response();
    }
    let total = text(&headers, "upload-length").parse().unwrap();
    let role = metadata["role"].clone();
    assert_eq!(role == "thumbnail", metadata.contains_key("of"));
    kept.log.push(format!("created {role}"));
    let bytes = if kept.takes_along { body.to_vec() } else { vec![] };
    let is_whole = standpipe_oplog::chain::sha256(&bytes) == sha256;
    if is_whole {
        kept.verified.insert(sha256, bytes.clone());
    }
    let arrived = bytes.len();
    kept.uploads.push(Upload { sha256, role, total, bytes });
    let location = format!("/api/v1/blobs/{}", kept.uploads.len() - 1);
    let mut response = (StatusCode::CREATED, [(header::LOCATION, location)]).into_response();
    if kept.tells || kept.takes_along {
        response.headers_mut().insert("upload-offset", arrived.into());
    }
    if is_whole {
        response.headers_mut().insert("standpipe-blob", HeaderValue::from_static("verified"));
    }
    response
}

pub(super) async fn offset(State(hub): State<Hub>, Path(upload): Path<usize>) -> Response {
    match hub.kept().uploads.get(upload) {
        Some(upload) => [("upload-offset", upload.bytes.len().to_string())].into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

pub(super) async fn append(
    State(hub): State<Hub>,
    Path(upload): Path<usize>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let from: usize = text(&headers, "upload-offset").parse().unwrap();
    let length: usize = text(&headers, "content-length").parse().unwrap();
    let held = hub.kept().uploads.get(upload).map(|upload| upload.bytes.len());
    match held {
        None => return problem(404, "unknown"),
        Some(held) if held != from => return problem(409, "offset"),
        Some(_) => {}
    }
    let cut = hub.kept().cut.take();
    let mut body = body.into_data_stream();
    let mut piece = vec![];
    while let Some(part) = body.next().await {
        piece.extend_from_slice(&part.unwrap());
        if let Some(cut) = cut
            && piece.len() >= cut
        {
            hub.kept().uploads[upload].bytes.extend_from_slice(&piece[..cut]);
            hang_up();
        }
    }
    assert_eq!(piece.len(), length);
    assert_eq!(text(&headers, "upload-checksum"), format!("sha256 {}", BASE64.encode(sha256(&piece).0)));
    let mut kept = hub.kept();
    let upload = &mut kept.uploads[upload];
    upload.bytes.extend_from_slice(&piece);
    let (held, name, bytes) = (upload.bytes.len(), upload.sha256, upload.bytes.clone());
    if held as u64 == upload.total {
        if sha256(&bytes) != name {
            upload.bytes.clear();
            return problem(422, "hash-mismatch");
        }
        kept.verified.insert(name, bytes);
    }
    let mut response = (StatusCode::NO_CONTENT, [("upload-offset", held.to_string())]).into_response();
    if kept.tells && kept.verified.contains_key(&name) {
        response.headers_mut().insert("standpipe-blob", HeaderValue::from_static("verified"));
    }
    response
}

pub(super) async fn status(State(hub): State<Hub>, axum::Json(body): axum::Json<Value>) -> axum::Json<Value> {
    let kept = hub.kept();
    let state = |sha256: &Value| {
        let sha256: Sha256 = sha256.as_str().unwrap().parse().unwrap();
        let partial = kept.uploads.iter().any(|upload| upload.sha256 == sha256 && !upload.bytes.is_empty());
        let state = match kept.verified.contains_key(&sha256) {
            true => "verified",
            false if partial => "partial",
            false => "absent",
        };
        (sha256.to_string(), json!(state))
    };
    axum::Json(body["sha256"].as_array().unwrap().iter().map(state).collect())
}

pub(super) async fn thumbnail(State(hub): State<Hub>, Path(of): Path<Sha256>) -> Response {
    let kept = hub.kept();
    match kept.thumbnails.get(&of) {
        Some(bytes) => ([(header::CONTENT_TYPE, "image/jpeg")], bytes.clone()).into_response(),
        None if kept.verified.contains_key(&of) => problem(404, "no-thumbnail"),
        None => problem(404, "not-here-yet"),
    }
}

pub(super) async fn original(
    State(hub): State<Hub>,
    Path(sha256): Path<Sha256>,
    headers: HeaderMap,
) -> Response {
    let mut kept = hub.kept();
    let Some(bytes) = kept.verified.get(&sha256).cloned() else { return problem(404, "not-here-yet") };
    let range = headers.get(header::RANGE).map(|range| range.to_str().unwrap().to_owned());
    kept.log.push(format!("range {}", range.as_deref().unwrap_or("none")));
    let from: usize =
        range.map_or(0, |range| range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap());
    let rest = Bytes::copy_from_slice(&bytes[from..]);
    let length = rest.len();
    let body = cut_body(kept.cut.take(), rest);
    let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
    let headers = [(header::CONTENT_LENGTH, length.to_string()), (header::CONTENT_RANGE, range)];
    let status = if from > 0 { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    (status, headers, body).into_response()
}
