//! Gives photos and clips: to the console and to tablets, whole or in part.

use super::auth::{Reader, Tablet};
use super::problem::Problem;
use super::{App, Path};
use crate::blobs::kind;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use standpipe_domain::ids::Sha256;
use std::fmt::Write as _;
use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    Thumb,
    /// The hub keeps none of its own; the original is shown instead.
    Preview,
    Original,
}

pub async fn for_console(
    State(app): State<App>,
    _: Reader,
    headers: HeaderMap,
    Path((sha256, size)): Path<(Sha256, Size)>,
) -> Result<Response, Problem> {
    give(&app, sha256, size, &headers).await
}

pub async fn for_tablet(
    State(app): State<App>,
    Tablet(_): Tablet,
    headers: HeaderMap,
    Path((sha256, size)): Path<(Sha256, Size)>,
) -> Result<Response, Problem> {
    // The console shows a photo of the office's own as it is; a tablet makes a small picture of it, with care.
    if size == Size::Thumb && app.blobs.thumbnail(sha256).await?.is_some_and(|thumb| thumb.sha256 == sha256) {
        return Err(missing(&app, sha256).await?);
    }
    give(&app, sha256, size, &headers).await
}

async fn give(app: &App, sha256: Sha256, size: Size, headers: &HeaderMap) -> Result<Response, Problem> {
    // A file that is gone has not arrived, for whoever asks: a tablet that has it sends it again.
    let blob = match size {
        Size::Thumb => app.blobs.thumbnail(sha256).await?,
        Size::Preview | Size::Original => app.blobs.at_hand(sha256).await?,
    };
    let Some(blob) = blob else { return Err(missing(app, sha256).await?) };
    let range = match headers.get(RANGE).map(|range| part(range, blob.bytes)) {
        None | Some(Part::Whole) => None,
        Some(Part::Range(range)) => Some(range),
        Some(Part::Beyond) => return Ok(beyond(blob.bytes)),
    };
    let Some(bytes) = app.blobs.read(blob.sha256, range.clone()).await? else {
        // It was there a moment ago.
        return Err(Problem::fault("blob-missing", &format_args!("the bytes of {} are gone", blob.sha256)));
    };
    let mut answer = Body::from_stream(bytes).into_response();
    let own = answer.headers_mut();
    let is_shown = kind::is_shown(&blob.media_type);
    let media_type = if is_shown { &blob.media_type } else { kind::UNKNOWN };
    own.insert(CONTENT_TYPE, header(media_type));
    own.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // Under a hash there are never other bytes.
    own.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable"));
    if !is_shown {
        let name =
            app.store.evidence(sha256).await?.map_or_else(|| sha256.to_string(), |evidence| evidence.name);
        own.insert(CONTENT_DISPOSITION, header(&attachment(&name)));
    }
    let length = range.as_ref().map_or(blob.bytes, |range| range.end - range.start);
    own.insert(CONTENT_LENGTH, length.into());
    if let Some(Range { start, end }) = range {
        own.insert(CONTENT_RANGE, header(&format!("bytes {start}-{}/{}", end - 1, blob.bytes)));
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(answer)
}

async fn missing(app: &App, sha256: Sha256) -> Result<Problem, Problem> {
    if app.blobs.at_hand(sha256).await?.is_some() {
        let message = "the photo is here whole, but there is no small picture of it";
        return Ok(Problem::new(StatusCode::NOT_FOUND, "no-thumbnail", message));
    }
    if app.store.evidence(sha256).await?.is_none() {
        return Ok(Problem::unknown("photo"));
    }
    let message = "the photo is recorded, but has not arrived here yet";
    Ok(Problem::new(StatusCode::NOT_FOUND, "not-here-yet", message))
}

fn beyond(bytes: u64) -> Response {
    let message = "the part asked for lies beyond the end";
    let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "beyond-end", message)
        .with(json!({ "bytes": bytes }));
    ([(CONTENT_RANGE, format!("bytes */{bytes}"))], problem).into_response()
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Range(Range<u64>),
    Beyond,
}

/// Reads `Range` (RFC 9110, section 14.2). Several parts at once, or what is no range, give the whole.
fn part(header: &HeaderValue, bytes: u64) -> Part {
    let range = || {
        let (first, last) = header.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
        let number = |text: &str| text.parse::<u64>().ok();
        match (first, last) {
            ("", last) => Some((bytes.saturating_sub(number(last)?), bytes)),
            (first, "") => Some((number(first)?, bytes)),
            (first, last) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some((first, last.saturating_add(1).min(bytes)))
            }
        }
    };
    match range() {
        None => Part::Whole,
        Some((start, end)) if start < end => Part::Range(start..end),
        Some(_) => Part::Beyond,
    }
}

/// A header that saves under `name` (RFC 6266), whatever it consists of.
fn attachment(name: &str) -> String {
    let mut text = String::from("attachment; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(kind::UNKNOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_the_standard_says() {
        for (text, expected) in [
            ("bytes=0-9", Part::Range(0..10)),
            ("bytes=90-", Part::Range(90..100)),
            ("bytes=90-500", Part::Range(90..100)),
            ("bytes=-10", Part::Range(90..100)),
            ("bytes=-500", Part::Range(0..100)),
            ("bytes=100-", Part::Beyond),
            ("bytes=-0", Part::Beyond),
            ("bytes=9-3", Part::Whole),
            ("bytes=0-1,5-6", Part::Whole),
            ("lines=0-1", Part::Whole),
        ] {
            assert_eq!(part(&HeaderValue::from_static(text), 100), expected, "{text}");
        }
        assert_eq!(part(&HeaderValue::from_static("bytes=0-"), 0), Part::Beyond);
    }

    #[test]
    fn a_name_cannot_add_a_header_or_a_folder() {
        assert_eq!(attachment("../水\r\n\""), "attachment; filename*=UTF-8''..%2F%E6%B0%B4%0D%0A%22");
    }
}
