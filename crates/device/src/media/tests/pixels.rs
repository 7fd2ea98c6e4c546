//! Colours come out as a person would see them, and metadata does not come out at all.

use std::fs;

use image::ExtendedColorType;
use jpeg_encoder::ColorType;
use moxcms::ColorProfile;

use super::paint::{Coding, alike, exif, jpeg_with, png, quarters, webp};
use super::{Desk, paint};

fn flat(pixel: &[u8]) -> Vec<u8> {
    pixel.repeat(64 * 64)
}

fn wide(samples: &[u16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_ne_bytes()).collect()
}

#[test]
fn every_kind_of_sample_becomes_the_colour_it_stands_for() {
    use ExtendedColorType::{L8, L16, La8, Rgb8, Rgb16, Rgba8, Rgba16};
    let cases = [
        ("grey", flat(&[90]), L8, [90; 3]),
        ("grey, half transparent black over white", flat(&[0, 128]), La8, [127; 3]),
        ("colour", flat(&[200, 60, 20]), Rgb8, [200, 60, 20]),
        ("nothing at all, over white", flat(&[0, 0, 0, 0]), Rgba8, [255; 3]),
        ("a fifth of red over white", flat(&[255, 0, 0, 51]), Rgba8, [255, 204, 204]),
        ("opaque", flat(&[10, 120, 240, 255]), Rgba8, [10, 120, 240]),
        ("sixteen-bit grey", flat(&wide(&[23_000])), L16, [89; 3]),
        ("sixteen-bit colour", flat(&wide(&[200 * 257, 60 * 257, 20 * 257])), Rgb16, [200, 60, 20]),
        ("sixteen-bit, a fifth of red", flat(&wide(&[65_535, 0, 0, 13_107])), Rgba16, [255, 204, 204]),
    ];
    for (what, samples, colour, wanted) in cases {
        let desk = Desk::new();
        desk.derive("photo.png", &png(64, 64, &samples, colour)).unwrap();
        let seen = desk.preview().at(32, 32);
        assert!(seen.iter().zip(wanted).all(|(&a, b)| a.abs_diff(b) <= 3), "{what}: {seen:?}");
    }
}

#[test]
fn grey_jpegs_and_webps_are_shown() {
    let desk = Desk::new();
    desk.derive("grey.jpg", &jpeg_with(64, 64, &flat(&[90]), ColorType::Luma, |_| {})).unwrap();
    assert!(alike(desk.thumbnail().at(32, 32), [90; 3]));
    desk.derive("clear.webp", &webp(64, 64, &flat(&[0, 0, 0, 0]), ExtendedColorType::Rgba8)).unwrap();
    assert_eq!(desk.thumbnail().at(32, 32), [255; 3]);
    desk.derive("colour.webp", &webp(640, 400, &quarters(640, 400), ExtendedColorType::Rgb8)).unwrap();
    assert!(alike(desk.thumbnail().quarters()[2], paint::BLUE));
}

#[test]
fn every_coding_of_a_jpeg_gives_the_same_picture() {
    for coding in paint::CODINGS {
        let desk = Desk::new();
        desk.derive("photo.jpg", &paint::jpeg(333, 251, coding)).unwrap();
        let wanted = [paint::RED, paint::GREEN, paint::BLUE, paint::YELLOW];
        for (seen, wanted) in desk.preview().quarters().into_iter().zip(wanted) {
            assert!(alike(seen, wanted), "{coding:?}: {seen:?} for {wanted:?}");
        }
    }
}

/// Display P3's (200, 60, 50) lies further out in sRGB: more red, less green.
#[test]
fn a_wide_gamut_camera_keeps_its_reds() {
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let samples = flat(&[200, 60, 50]);
    let with = |profile: &[u8]| {
        let desk = Desk::new();
        let photo = jpeg_with(64, 64, &samples, ColorType::Rgb, |e| e.add_icc_profile(profile).unwrap());
        desk.derive("photo.jpg", &photo).unwrap();
        desk.preview().at(32, 32)
    };
    let [red, green, _] = with(&profile);
    assert!(red > 212 && green < 50, "{red} {green}");
    // A damaged profile must not cost the preview.
    assert!(alike(with(&profile[..60]), [200, 60, 50]));
}

#[test]
fn nothing_of_the_originals_metadata_is_copied() {
    let desk = Desk::new();
    let photo = jpeg_with(640, 480, &quarters(640, 480), ColorType::Rgb, |encoder| {
        encoder.add_exif_metadata(&exif(1, "Wang Xiaoming, 31.2304 N 121.4737 E")).unwrap();
        encoder.add_icc_profile(&ColorProfile::new_srgb().encode().unwrap()).unwrap();
        encoder.add_app_segment(1, b"http://ns.adobe.com/xap/1.0/\0<owner/>".to_vec()).unwrap();
    });
    let holds = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    let words = ["Xiaoming", "Exif", "ns.adobe.com", "ICC_PROFILE"];
    assert!(words.iter().all(|word| holds(&photo, word)), "the original has them");
    desk.derive("photo.jpg", &photo).unwrap();
    for name in ["preview.jpg", "thumbnail.jpg"] {
        let bytes = fs::read(desk.path(name)).unwrap();
        for word in words {
            assert!(!holds(&bytes, word), "{word} in {name}");
        }
    }
}

#[test]
fn a_clip_behind_the_picture_does_no_harm() {
    let mut photo = paint::jpeg(300, 200, Coding::Baseline);
    photo.extend(b"\0\0\0\x18ftypmp42\xFF\xD8\xFF\xDA motion photo \xFF\xD9");
    assert_eq!(super::outcome(&photo), "shown");
}
