//! Photos and clips: uploads over tus 1.0.0, what became of them, and downloads.

use super::{Coming, HubClient, MAX_JSON, media_type};
use crate::sync::fault::Fault;
use crate::sync::file::Piece;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, LOCATION, RANGE};
use http::request::Builder;
use http::{Method, StatusCode};
use reqwest::Url;
use serde::Serialize;
use standpipe_domain::ids::Sha256;
use standpipe_domain::office::ApiProblem;
use standpipe_oplog::upload::BlobState;
use std::collections::HashMap;

/// The most bytes of a thumbnail.
const MAX_THUMBNAIL: usize = 4 * 1024 * 1024;
/// A piece arrived with other bytes than were sent (tus, checksum extension).
const CHECKSUM_MISMATCH: u16 = 460;

/// A blob that is to be uploaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewBlob {
    pub sha256: Sha256,
    pub bytes: u64,
    /// For a thumbnail, the original that it shows.
    pub thumbnail_of: Option<Sha256>,
}

/// What the hub made of a new blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// It is to be sent here. The hub holds so many bytes of it, if it said so; `verified` where it says that it holds all of
    /// them, and has re-read and hashed its own copy.
    At { url: String, offset: Option<u64>, verified: bool },
    /// The hub holds it already.
    Known,
}

/// What became of a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Patched {
    /// The hub now holds this many bytes.
    Arrived(u64),
    /// The hub holds all bytes, this many, and has re-read and hashed its own copy.
    Verified(u64),
    /// The hub does not hold what this piece follows, or the piece was spoilt on its way: ask how far it is.
    Astray,
    /// The hub hashed all bytes, and the hash is another.
    Mismatch,
    /// The hub does not know the upload.
    Gone,
}

/// What the hub has for a thumbnail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thumbnail {
    Here(Vec<u8>),
    /// It may still come.
    NotYet,
    /// The hub has the original, and nobody has made a thumbnail of it.
    NotMade,
    /// What the hub has is none that could be kept. Whether it has the original, that does not tell.
    Unfit,
}

impl HubClient {
    /// Asks the hub for a place for a blob, and sends its `first` bytes along. A hub need not take these: it says how many it
    /// holds.
    pub async fn create(&self, blob: &NewBlob, first: Option<Piece>) -> Result<Created, Fault> {
        const DOING: &str = "announcing a photo";
        let mut request = self
            .tus(Method::POST, &self.url("blobs")?)
            .header("Upload-Length", blob.bytes)
            .header("Upload-Metadata", metadata(blob));
        let mut body = Bytes::new();
        if let Some(first) = first {
            request = carrying(request, &first);
            body = first.bytes;
        }
        let answer = self.exchange(DOING, request, body, MAX_JSON).await?;
        let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        match (answer.status, location) {
            (StatusCode::OK, _) => Ok(Created::Known),
            (StatusCode::CREATED, Some(location)) => {
                let offset = upload_offset(DOING, &answer.headers).ok();
                Ok(Created::At { url: location.to_owned(), offset, verified: is_verified(&answer.headers) })
            }
            (status, _) => Err(Fault::NotAHub { doing: DOING, detail: format!("{status} without a place") }),
        }
    }

    /// How many bytes of an upload the hub holds; `None` when it does not know the upload.
    pub async fn offset(&self, upload: &str) -> Result<Option<u64>, Fault> {
        const DOING: &str = "asking how far a photo is";
        let Some(url) = self.upload(upload) else { return Ok(None) };
        let answer = self.ask(DOING, self.tus(Method::HEAD, &url), Bytes::new(), MAX_JSON).await?;
        // An answer to HEAD has no words: only a hub's own header tells it from any other web server.
        let of_a_hub = answer.headers.contains_key("Tus-Resumable");
        match answer.status {
            status if status.is_success() => upload_offset(DOING, &answer.headers).map(Some),
            // Not to be processed: what had arrived has another hash, and was thrown away.
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::UNPROCESSABLE_ENTITY if of_a_hub => {
                Ok(None)
            }
            StatusCode::UNAUTHORIZED if of_a_hub => Err(Fault::UnknownTablet),
            StatusCode::TOO_MANY_REQUESTS => {
                Err(Fault::HubBusy { doing: DOING, detail: answer.status.to_string() })
            }
            status if status.is_client_error() && of_a_hub => {
                Err(Fault::HubFault { doing: DOING, detail: status.to_string() })
            }
            _ => Err(self.refusal(DOING, &answer)),
        }
    }

    /// Sends the next piece of an upload.
    pub async fn patch(&self, upload: &str, piece: Piece) -> Result<Patched, Fault> {
        const DOING: &str = "sending a photo";
        let Some(url) = self.upload(upload) else { return Ok(Patched::Gone) };
        let request = self.tus(Method::PATCH, &url).header("Upload-Offset", piece.offset);
        let request = carrying(request, &piece);
        let answer = self.ask(DOING, request, piece.bytes, MAX_JSON).await?;
        let code = || serde_json::from_slice::<ApiProblem>(&answer.body).ok().map(|problem| problem.code);
        match answer.status {
            status if status.is_success() => {
                let patched = if is_verified(&answer.headers) { Patched::Verified } else { Patched::Arrived };
                upload_offset(DOING, &answer.headers).map(patched)
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(Patched::Gone),
            status if status.is_client_error() && code().as_deref() == Some("hash-mismatch") => {
                Ok(Patched::Mismatch)
            }
            status if status == StatusCode::CONFLICT || status.as_u16() == CHECKSUM_MISMATCH => {
                Ok(Patched::Astray)
            }
            _ => Err(self.refusal(DOING, &answer)),
        }
    }

    /// How much the hub holds of each of these blobs.
    pub async fn blob_states(&self, blobs: &[Sha256]) -> Result<HashMap<Sha256, BlobState>, Fault> {
        #[derive(Serialize)]
        struct Ask<'a> {
            sha256: &'a [Sha256],
        }
        self.json("asking what became of photos", "blobs/status", &Ask { sha256: blobs }).await
    }

    /// The thumbnail of an original.
    pub async fn thumbnail(&self, of: Sha256) -> Result<Thumbnail, Fault> {
        const DOING: &str = "fetching a thumbnail";
        let request = self.request(Method::GET, &format!("blobs/{of}/thumb"))?;
        let reply = self.send(DOING, request, Bytes::new()).await?;
        let length = reply.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        // One that somebody named wrongly is this photo's trouble only, and no sign of another server.
        if media_type(&reply.headers).starts_with("image/") && length > Some(MAX_THUMBNAIL) {
            return Ok(Thumbnail::Unfit);
        }
        let answer = self.read(DOING, reply, MAX_THUMBNAIL).await?;
        if answer.status == StatusCode::NOT_FOUND {
            let ApiProblem { code, .. } = answer.json(DOING)?;
            return Ok(if code == "no-thumbnail" { Thumbnail::NotMade } else { Thumbnail::NotYet });
        }
        let answer = self.good(DOING, answer)?;
        let kind = media_type(&answer.headers);
        if !kind.starts_with("image/") || answer.body.is_empty() {
            return Err(Fault::NotAHub { doing: DOING, detail: kind.to_owned() });
        }
        Ok(Thumbnail::Here(answer.body))
    }

    /// Begins to fetch an original behind its first `from` bytes; `None` while the hub has none.
    pub async fn original(&self, sha256: Sha256, from: u64) -> Result<Option<Download>, Fault> {
        const DOING: &str = "fetching a photo";
        let mut request = self.request(Method::GET, &format!("blobs/{sha256}/original"))?;
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        let response = self.send(DOING, request, Bytes::new()).await?;
        let status = response.status;
        // What is here already is longer than the photo, so it is not this photo.
        if status == StatusCode::RANGE_NOT_SATISFIABLE && from > 0 {
            return Box::pin(self.original(sha256, 0)).await;
        }
        if status == StatusCode::NOT_FOUND {
            let answer = self.read(DOING, response, MAX_JSON).await?;
            return answer.json::<ApiProblem>(DOING).map(|_| None);
        }
        if !status.is_success() {
            let answer = self.read(DOING, response, MAX_JSON).await?;
            return Err(self.refusal(DOING, &answer));
        }
        let from = if status == StatusCode::PARTIAL_CONTENT { from } else { 0 };
        let Some(total) = total(status, &response.headers, from) else {
            return Err(Fault::NotAHub { doing: DOING, detail: "another part than was asked for".into() });
        };
        let coming = self.coming(DOING, response, self.patience.stall);
        Ok(Some(Download { from, total, coming }))
    }

    fn url(&self, path: &str) -> Result<Url, Fault> {
        self.base.join(path).map_err(|_| Fault::BadAddress(path.to_owned()))
    }

    /// An upload's address, unless it is at another host than the hub: the key is for the hub alone.
    fn upload(&self, upload: &str) -> Option<Url> {
        self.base.join(upload).ok().filter(|url| url.origin() == self.base.origin())
    }

    fn tus(&self, method: Method, url: &Url) -> Builder {
        self.request_at(method, url).header("Tus-Resumable", "1.0.0")
    }
}

/// An original on its way down.
pub struct Download {
    /// The place in the original of the first byte that comes: what was asked for, or 0.
    pub from: u64,
    /// How many bytes the whole original has.
    pub total: u64,
    coming: Coming,
}

impl Download {
    /// The next bytes; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        self.coming.next().await
    }
}

/// A request with bytes of a blob.
fn carrying(request: Builder, piece: &Piece) -> Builder {
    request
        .header(CONTENT_TYPE, "application/offset+octet-stream")
        .header("Upload-Checksum", format!("sha256 {}", BASE64.encode(piece.sha256.0)))
}

fn is_verified(headers: &HeaderMap) -> bool {
    headers.get("Standpipe-Blob").is_some_and(|blob| blob == "verified")
}

fn metadata(blob: &NewBlob) -> String {
    let pair = |key: &str, value: &str| format!("{key} {}", BASE64.encode(value));
    let mut pairs = vec![pair("sha256", &blob.sha256.to_string())];
    match blob.thumbnail_of {
        Some(of) => pairs.extend([pair("role", "thumbnail"), pair("of", &of.to_string())]),
        None => pairs.push(pair("role", "original")),
    }
    pairs.join(",")
}

fn upload_offset(doing: &'static str, headers: &HeaderMap) -> Result<u64, Fault> {
    let offset = headers.get("Upload-Offset").and_then(|value| value.to_str().ok()?.parse().ok());
    offset.ok_or_else(|| Fault::NotAHub { doing, detail: "no Upload-Offset".into() })
}

/// The size of the whole, when an answer begins behind the first `from` bytes as it should.
fn total(status: StatusCode, headers: &HeaderMap, from: u64) -> Option<u64> {
    if status != StatusCode::PARTIAL_CONTENT {
        return headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
    }
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (part, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let begins = part.split_once('-')?.0;
    if begins.parse() == Ok(from) { total.parse().ok() } else { None }
}
