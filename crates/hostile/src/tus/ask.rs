//! What somebody asks: mostly what fits, and now and then what does not.

use super::Hub;
use arbitrary::{Result, Unstructured};
use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures::stream;
use standpipe_domain::ids::Sha256;
use standpipe_hub::blobs::LASTS;
use standpipe_oplog::chain::sha256;
use std::convert::Infallible;
use std::io;
use std::sync::atomic::Ordering::SeqCst;

/// A request, and what it is for whoever reads of it.
pub struct Asked {
    pub method: &'static str,
    pub path: String,
    pub request: Request<Body>,
}

impl Hub {
    /// A request to one of the uploads at `places`, or elsewhere.
    pub fn ask(&self, from: &mut Unstructured<'_>, places: &[String]) -> Result<Asked> {
        if from.is_empty() {
            return Err(arbitrary::Error::NotEnoughData);
        }
        if from.ratio(1, 16)? {
            self.world.0.fetch_add(*from.choose(&[1, LASTS / 2, LASTS])?, SeqCst);
        }
        let (hash, bytes) = from.choose(&self.photos)?;
        let method = *from.choose(&[
            "POST", "HEAD", "PATCH", "PATCH", "PATCH", "DELETE", "POST", "OPTIONS", "GET", "PUT",
        ])?;
        let path = match from.int_in_range(0..=9)? {
            0 => format!("/api/v1/blobs/{hash}"),
            1 => format!("/api/v1/blobs/{}", name(from)?),
            2 => format!("/api/v1/blobs/{hash}/{}", from.choose(&["thumb", "original", "preview"])?),
            3 => "/api/v1/blobs/status".to_owned(),
            4.. if method != "POST" && !places.is_empty() => from.choose(places)?.clone(),
            _ => "/api/v1/blobs".to_owned(),
        };
        let mut request = Request::builder().method(method).uri(&path);
        let mut header = |name: &str, value: String| {
            let Some(headers) = request.headers_mut() else { return };
            let name: axum::http::HeaderName = name.parse().expect("a name");
            if let Ok(value) = value.parse() {
                headers.append(name, value);
            }
        };
        if from.ratio(31, 32)? {
            header("authorization", format!("Bearer {}", self.tokens[usize::from(from.ratio(1, 8)?)]));
        }
        if from.ratio(31, 32)? {
            header(
                "tus-resumable",
                (*from.choose(&["1.0.0", "1.0.0", "1.0.0", "1.0.0", "0.2.2", ""])?).to_owned(),
            );
        }
        let length = bytes.len() as u64;
        if method == "POST" {
            header("upload-length", number(from, length)?);
            header("upload-metadata", self.metadata(from, *hash)?);
            if from.ratio(1, 4)? {
                header(
                    "x-http-method-override",
                    (*from.choose(&["PATCH", "HEAD", "DELETE", "patch", "\u{7f}"])?).to_owned(),
                );
            }
        }
        let at = from.int_in_range(0..=length)?;
        let to = from.int_in_range(at..=length)?;
        header("upload-offset", number(from, at)?);
        if from.ratio(15, 16)? {
            header(
                "content-type",
                (*from.choose(&[
                    "application/offset+octet-stream",
                    "application/offset+octet-stream",
                    "application/json",
                ])?)
                .to_owned(),
            );
        }
        let range = usize::try_from(at).unwrap_or_default()..usize::try_from(to).unwrap_or_default();
        let mut piece = bytes[range].to_vec();
        if from.ratio(1, 8)? {
            piece.extend_from_slice(from.choose(&[&b"more"[..], b"{\"sha256\":[]}", b"\xff\xfe"])?);
        }
        if from.ratio(1, 4)? {
            let sum = if from.ratio(3, 4)? { sha256(&piece) } else { *hash };
            let algorithm = from.choose(&["sha256", "sha256", "sha1", "md5", ""])?;
            header("upload-checksum", format!("{algorithm} {}", BASE64.encode(sum.0)));
        }
        let body = match from.int_in_range(0..=3)? {
            0 => {
                header("content-length", number(from, piece.len() as u64)?);
                Body::from(piece)
            }
            1 => {
                let cut = stream::iter([Ok(Bytes::from(piece)), Err(io::Error::other("cut"))]);
                Body::from_stream(cut)
            }
            2 => Body::from_stream(stream::iter(
                piece.chunks(1_000).map(|some| Ok::<_, Infallible>(some.to_vec())).collect::<Vec<_>>(),
            )),
            _ => Body::from(piece),
        };
        let request = request.body(body).map_err(|_| arbitrary::Error::IncorrectFormat)?;
        Ok(Asked { method, path, request })
    }

    fn metadata(&self, from: &mut Unstructured<'_>, hash: Sha256) -> Result<String> {
        let mut said = format!("sha256 {}", BASE64.encode(hash.to_string()));
        for _ in 0..from.int_in_range(0..=2)? {
            let (of, _) = from.choose(&self.photos)?;
            let more = match from.int_in_range(0..=5)? {
                0 => format!(",role {},of {}", BASE64.encode("thumbnail"), BASE64.encode(of.to_string())),
                1 => format!(",role {}", BASE64.encode("original")),
                2 => ",empty".to_owned(),
                3 => format!(",filename {}", BASE64.encode(name(from)?)),
                4 => format!(",sha256 {}", BASE64.encode(of.to_string())),
                _ => format!(",{}", name(from)?),
            };
            said.push_str(&more);
        }
        Ok(if from.ratio(1, 16)? { said.split_off(from.int_in_range(0..=said.len())?) } else { said })
    }
}

/// Mostly the number that fits.
fn number(from: &mut Unstructured<'_>, right: u64) -> Result<String> {
    Ok(match from.int_in_range(0..=9)? {
        0 => from.arbitrary::<u64>()?.to_string(),
        1 => (*from.choose(&["-1", "", "1e3", "18446744073709551616", "9223372036854775808", "0", "007"])?)
            .to_owned(),
        _ => right.to_string(),
    })
}

/// What somebody may call an upload.
fn name(from: &mut Unstructured<'_>) -> Result<String> {
    let known = [
        "..",
        "%2e%2e%2fhub.db",
        "..%2f..%2fetc%2fpasswd",
        "%00",
        "hub.db",
        "0",
        "%ff",
        "00000000000000000000000000000000",
    ];
    if from.ratio(1, 2)? {
        return Ok((*from.choose(&known)?).to_owned());
    }
    let many = from.int_in_range(0..=40)?;
    let bytes = from.bytes(many)?;
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('0');
    Ok(bytes.iter().flat_map(|byte| ['%', digit(byte >> 4), digit(byte & 15)]).collect())
}
