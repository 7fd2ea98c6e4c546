//! What cannot be shown says why, and nothing that is broken looks whole.

use image::ExtendedColorType;
use jpeg_encoder::ColorType;

use super::super::no_preview::guarded;
use super::super::picture::{MAX_PIXELS, check_size};
use super::super::{NoPreview, Size};
use super::paint::{CODINGS, Coding, jpeg, jpeg_with, png, quarters, webp};
use super::{Desk, outcome};

#[test]
fn what_is_no_photo_says_so() {
    let clip = b"\0\0\0\x14ftypisom\0\0\x02\0mp41 and so on";
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic and so on";
    let cases: [(&str, &[u8], &str); 4] = [
        ("an empty file", b"", "empty"),
        ("a text called photo.jpg", b"not a photo at all", "not-a-picture"),
        ("a clip", clip, "not-a-picture"),
        ("a heic", heic, "unsupported"),
    ];
    for (what, bytes, code) in cases {
        let desk = Desk::new();
        let error = desk.derive("photo.jpg", bytes).unwrap_err();
        assert_eq!(error.code(), code, "{what}");
        assert!(error.is_final(), "{what}");
        assert_eq!(desk.names(), ["photo.jpg"], "{what}");
    }
}

/// A decoder that shows them in wrong colours and reports success would be worse than none.
#[test]
fn jpegs_that_would_come_out_wrong_are_refused() {
    let rgb = quarters(64, 64);
    let scans = jpeg_with(64, 64, &rgb, ColorType::Rgb, |e| e.set_optimized_huffman_tables(true));
    assert_eq!(outcome(&scans), "unsupported");
    let inks = jpeg_with(64, 48, &rgb, ColorType::Cmyk, |_| {});
    assert_eq!(outcome(&inks), "unsupported");
}

#[test]
fn a_cut_png_or_webp_is_broken() {
    let rgb = quarters(120, 90);
    let files = [
        ("png", png(120, 90, &rgb, ExtendedColorType::Rgb8)),
        ("webp", webp(120, 90, &rgb, ExtendedColorType::Rgb8)),
    ];
    for (what, whole) in files {
        assert_eq!(outcome(&whole), "shown", "{what}");
        // From behind the signature to before the last chunk, which holds no pixels.
        for length in (12..whole.len() - 20).step_by(41) {
            assert_eq!(outcome(&whole[..length]), "broken", "{what} cut at {length} of {}", whole.len());
        }
    }
}

/// Whatever a byte is turned into, there is an answer, and never a panic that only the wall stopped.
#[test]
fn no_change_to_a_file_gets_past_the_answers() {
    let rgb = quarters(60, 40);
    let mut files: Vec<Vec<u8>> = CODINGS.iter().map(|&coding| jpeg(60, 40, coding)).collect();
    files.push(png(60, 40, &rgb, ExtendedColorType::Rgb8));
    files.push(webp(60, 40, &rgb, ExtendedColorType::Rgb8));
    let desk = Desk::new();
    let mut draw = 1_u32;
    for whole in files {
        for place in (2..whole.len()).step_by(37) {
            draw = draw.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let mut bytes = whole.clone();
            bytes[place] ^= u8::try_from(draw >> 24).unwrap() | 1;
            if let Err(error) = desk.derive("photo", &bytes) {
                assert_ne!(error.code(), "io", "byte {place}: {error}");
                assert!(!error.to_string().contains("gave up"), "byte {place}: {error}");
            }
        }
    }
}

#[test]
fn a_header_that_asks_for_too_much_is_refused_before_any_memory_is_taken() {
    let mut photo = jpeg(16, 16, Coding::Baseline);
    let frame = photo.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    photo[frame + 5..frame + 9].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF]);
    let error = Desk::new().derive("photo", &photo).unwrap_err();
    assert!(matches!(error, NoPreview::TooManyPixels { width: 65_535, height: 65_535 }), "{error:?}");

    let mut picture = png(1, 1, &[0], ExtendedColorType::L8);
    picture[16..24].copy_from_slice(&[0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF]);
    let sum = crc32(&picture[12..29]);
    picture[29..33].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(outcome(&picture), "too-many-pixels");
}

#[test]
fn seventy_two_megapixels_are_the_limit_and_half_a_gigabyte_decoded() {
    let limit = Size { width: 9000, height: 8000 };
    assert_eq!(u64::from(limit.width) * u64::from(limit.height), MAX_PIXELS);
    assert!(check_size(limit, 3).is_ok());
    let over = Size { width: 9000, height: 8001 };
    assert_eq!(check_size(over, 3).unwrap_err().code(), "too-many-pixels");
    assert_eq!(check_size(limit, 8).unwrap_err().code(), "too-many-pixels");
    assert_eq!(check_size(Size { width: 0, height: 9 }, 3).unwrap_err().code(), "broken");
}

#[test]
fn a_panicking_decoder_is_a_broken_photo() {
    let error = guarded::<()>(|| panic!("index out of bounds")).unwrap_err();
    assert_eq!(error.code(), "broken");
}

/// ISO 3309, as PNG uses it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ (0xEDB8_8320 & (sum & 1).wrapping_neg()))
    })
}
