//! What of the bytes that came a browser may show.

/// What is served to a browser as anything but a download. None of these can carry a script.
const SHOWN: [&str; 8] = [
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/heic",
    "image/avif",
    "video/mp4",
    "video/quicktime",
    "video/webm",
];

/// What bytes are that nobody knows better.
pub const UNKNOWN: &str = "application/octet-stream";

/// Whether a browser may show bytes of this type rather than save them.
pub fn is_shown(media_type: &str) -> bool {
    SHOWN.contains(&media_type)
}

#[cfg(test)]
mod tests {
    use super::*;
    use standpipe_domain::media::sniff;

    #[test]
    fn what_may_carry_a_script_is_saved_and_not_shown() {
        for page in [&b"<svg onload=alert(1)>"[..], b"<!doctype html>", b"%PDF-1.7", b""] {
            assert_eq!(sniff(page).media_type(), UNKNOWN, "{page:?}");
        }
        assert!(!is_shown(UNKNOWN) && !is_shown("image/svg+xml"));
        assert!(is_shown(sniff(b"\xff\xd8\xff\xe0\0\x10JFIF").media_type()));
    }
}
