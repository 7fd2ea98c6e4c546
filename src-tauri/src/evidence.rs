//! Pictures and clips for the screens, at `evidence://localhost/<sha256>/thumb|preview|original`.

use crate::App;
use standpipe_device::engine::Picture;
use standpipe_domain::ids::Sha256;
use std::borrow::Cow;
use tauri::http::{Request, Response, StatusCode, header};

type Body = Cow<'static, [u8]>;

/// The bytes of a picture; 404 while, or because, they are not here.
pub fn answer(app: &App, request: &Request<Vec<u8>>) -> Response<Body> {
    let bytes = named(request.uri().path())
        .and_then(|(hash, picture)| app.engine().ok()?.picture(hash, picture))
        .and_then(|path| std::fs::read(path).ok());
    let mut response = Response::new(Body::default());
    let headers = response.headers_mut();
    // The screens are served from another origin than the pictures.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, header::HeaderValue::from_static("*"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    match bytes {
        Some(bytes) => {
            let kind = standpipe_device::media::sniff(&bytes).media_type();
            headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
            *response.body_mut() = bytes.into();
        }
        None => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    response
}

/// The hash and the size that a path names. The path came percent-encoded as one part, or as it is.
fn named(path: &str) -> Option<(Sha256, Picture)> {
    let path = path.trim_start_matches('/').replace("%2F", "/");
    let (hash, size) = path.split_once('/')?;
    let picture = match size {
        "thumb" => Picture::Thumb,
        "preview" => Picture::Preview,
        "original" => Picture::Original,
        _ => return None,
    };
    Some((hash.parse().ok()?, picture))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_hash_and_a_size_and_nothing_else() {
        let hash = "0f".repeat(32);
        let expected = Some((hash.parse().unwrap(), Picture::Thumb));
        assert_eq!(named(&format!("/{hash}/thumb")), expected);
        assert_eq!(named(&format!("/{hash}%2Fthumb")), expected);
        for wrong in ["/", "/../../etc/passwd", &format!("/{hash}/../x"), &format!("/{hash}")] {
            assert_eq!(named(wrong), None, "{wrong}");
        }
    }
}
