use super::{ClipFormat, MediaKind, PhotoFormat, SNIFF_BYTES, sniff};
use MediaKind::{Clip, Other, Photo};

fn boxed(brands: &[&[u8; 4]]) -> Vec<u8> {
    let mut bytes = u32::try_from(12 + brands.len() * 4).unwrap().to_be_bytes().to_vec();
    bytes.extend(b"ftyp");
    for (place, brand) in brands.iter().enumerate() {
        bytes.extend(*brand);
        if place == 0 {
            bytes.extend([0, 0, 2, 0]);
        }
    }
    bytes.extend(b"\0\0\0\x08free\0\0\0\x08mdat");
    bytes
}

fn ebml(doctype: &str) -> Vec<u8> {
    let mut bytes = vec![0x1A, 0x45, 0xDF, 0xA3, 0x9F, 0x42, 0x86, 0x81, 1, 0x42, 0x82];
    bytes.push(0x80 | u8::try_from(doctype.len()).unwrap());
    bytes.extend(doctype.as_bytes());
    bytes.extend([0x42, 0x87, 0x81, 4]);
    bytes
}

#[test]
fn the_content_tells_the_kind() {
    let cases: [(&str, Vec<u8>, MediaKind); 24] = [
        ("jpeg", b"\xFF\xD8\xFF\xE1\0\x10Exif\0\0".to_vec(), Photo(PhotoFormat::Jpeg)),
        ("png", b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR".to_vec(), Photo(PhotoFormat::Png)),
        ("webp", b"RIFF\x10\0\0\0WEBPVP8L".to_vec(), Photo(PhotoFormat::WebP)),
        ("heic", boxed(&[b"heic", b"mif1", b"heic"]), Photo(PhotoFormat::Heic)),
        ("heif of a general brand", boxed(&[b"mif1", b"mif1", b"heic"]), Photo(PhotoFormat::Heic)),
        ("heif of general brands only", boxed(&[b"mif1", b"miaf"]), Photo(PhotoFormat::Heic)),
        ("avif", boxed(&[b"avif", b"mif1"]), Photo(PhotoFormat::Avif)),
        ("avif of a general brand", boxed(&[b"mif1", b"miaf", b"avif"]), Photo(PhotoFormat::Avif)),
        ("mp4", boxed(&[b"isom", b"iso2", b"avc1", b"mp41"]), Clip(ClipFormat::Mp4)),
        ("mp4 of android", boxed(&[b"mp42", b"isom", b"mp42"]), Clip(ClipFormat::Mp4)),
        ("mp4 of an unknown make", boxed(&[b"NDSC", b"mp42"]), Clip(ClipFormat::Mp4)),
        ("3gp", boxed(&[b"3gp5", b"isom"]), Clip(ClipFormat::ThreeGp)),
        ("quicktime", boxed(&[b"qt  "]), Clip(ClipFormat::QuickTime)),
        ("old quicktime", b"\0\0\0\x08wide\0\x10\0\0mdat".to_vec(), Clip(ClipFormat::QuickTime)),
        ("webm", ebml("webm"), Clip(ClipFormat::WebM)),
        ("matroska, which no webview plays", ebml("matroska"), Other),
        ("sound in an mp4", boxed(&[b"M4A ", b"M4A ", b"mp42", b"isom"]), Other),
        ("an unknown brand", boxed(&[b"zzzz", b"yyyy"]), Other),
        (
            "a brand behind the end of its box",
            {
                let mut bytes = boxed(&[b"zzzz", b"isom"]);
                bytes[3] = 16;
                bytes
            },
            Other,
        ),
        ("wave sound", b"RIFF\x10\0\0\0WAVEfmt ".to_vec(), Other),
        ("text", b"photo of hydrant 3, \xE4\xBA\x8C\xE6\xA0\x8B".to_vec(), Other),
        ("text with a box's name in it", b"the moov".to_vec(), Other),
        ("pdf", b"%PDF-1.7".to_vec(), Other),
        ("nothing", Vec::new(), Other),
    ];
    for (what, bytes, kind) in cases {
        assert_eq!(sniff(&bytes), kind, "{what}");
    }
}

#[test]
fn each_kind_has_its_media_type() {
    let types = [
        (Photo(PhotoFormat::Jpeg), "image/jpeg"),
        (Photo(PhotoFormat::Png), "image/png"),
        (Photo(PhotoFormat::WebP), "image/webp"),
        (Photo(PhotoFormat::Heic), "image/heic"),
        (Photo(PhotoFormat::Avif), "image/avif"),
        (Clip(ClipFormat::Mp4), "video/mp4"),
        (Clip(ClipFormat::ThreeGp), "video/3gpp"),
        (Clip(ClipFormat::QuickTime), "video/quicktime"),
        (Clip(ClipFormat::WebM), "video/webm"),
        (Other, "application/octet-stream"),
    ];
    for (kind, media_type) in types {
        assert_eq!(kind.media_type(), media_type);
    }
}

#[test]
fn lying_lengths_and_short_files_are_harmless() {
    let whole = [boxed(&[b"zzzz", b"isom"]), ebml("webm"), b"\0\0\0\x08moov".to_vec()];
    for bytes in &whole {
        for length in 0..bytes.len() {
            sniff(&bytes[..length]);
        }
    }
    let mut greedy = boxed(&[b"zzzz", b"isom"]);
    greedy[..4].fill(0xFF);
    assert_eq!(sniff(&greedy), Clip(ClipFormat::Mp4));
    greedy[..4].fill(0);
    assert_eq!(sniff(&greedy), Other);
    let mut long = ebml("webm");
    long[11] = 0xFF;
    long.resize(SNIFF_BYTES * 2, 0);
    assert_eq!(sniff(&long), Other);
}
