//! What bytes are, by their first few: never by what somebody says that they are.

/// What is served to a browser as anything but a download. None of these can carry a script.
const SHOWN: [&str; 8] = [
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "image/heic",
    "video/mp4",
    "video/quicktime",
    "video/webm",
];

/// What bytes are that nobody knows better.
pub const UNKNOWN: &str = "application/octet-stream";

/// How many of the first bytes [`media_type`] looks at.
pub const HEAD: usize = 16;

/// The media type of bytes that begin with `head`.
pub fn media_type(head: &[u8]) -> &'static str {
    match head {
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => "image/png",
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        [0x1a, 0x45, 0xdf, 0xa3, ..] => "video/webm",
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand {
            [b'h', b'e', b'i' | b'v', ..] | [b'm', b'i', b'f', b'1', ..] => "image/heic",
            [b'q', b't', b' ', b' ', ..] => "video/quicktime",
            _ => "video/mp4",
        },
        _ => UNKNOWN,
    }
}

/// Whether a browser may show bytes of this type rather than save them.
pub fn is_shown(media_type: &str) -> bool {
    SHOWN.contains(&media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_known_by_their_beginning() {
        for (head, media_type) in [
            (&b"\xff\xd8\xff\xe0\0\x10JFIF"[..], "image/jpeg"),
            (b"\x89PNG\r\n\x1a\n", "image/png"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
            (b"\0\0\0\x18ftypisom\0\0\0\0", "video/mp4"),
            (b"\0\0\0\x14ftypqt  ", "video/quicktime"),
            (b"\0\0\0\x18ftypheic", "image/heic"),
            (b"\x1a\x45\xdf\xa3\x01\0\0\0", "video/webm"),
            (b"<svg onload=alert(1)>", UNKNOWN),
            (b"<!doctype html>", UNKNOWN),
            (b"", UNKNOWN),
        ] {
            assert_eq!(super::media_type(head), media_type, "{head:?}");
        }
        assert!(
            !is_shown(UNKNOWN) && !is_shown("image/svg+xml"),
            "what may carry a script is saved, not shown"
        );
    }
}
