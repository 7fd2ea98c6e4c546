//! Sizes, orientation, and what is on disk afterwards.

use std::fs;

use super::super::{NoPreview, Outputs, Size, derive};
use super::Desk;
use super::paint::{BLUE, Coding, GREEN, RED, YELLOW, alike, exif, jpeg, jpeg_with, quarters};
use jpeg_encoder::ColorType;

#[test]
fn sizes_are_within_bounds_and_never_enlarged() {
    let cases = [
        ("a wide photo", (2600, 90), (2048, 71), (320, 11)),
        ("a tall photo", (90, 2600), (71, 2048), (11, 320)),
        ("as large as a preview", (2048, 64), (2048, 64), (320, 10)),
        ("between preview and thumbnail", (640, 480), (640, 480), (320, 240)),
        ("smaller than a thumbnail", (90, 61), (90, 61), (90, 61)),
        ("a line", (5000, 1), (2048, 1), (320, 1)),
        ("one pixel", (1, 1), (1, 1), (1, 1)),
    ];
    let sized = |(width, height)| Size { width, height };
    for (what, original, preview, thumbnail) in cases {
        let desk = Desk::new();
        let bytes = jpeg(original.0, original.1, Coding::Baseline);
        let derived = desk.derive("photo.jpg", &bytes).unwrap();
        assert_eq!(derived.original, sized((original.0.into(), original.1.into())), "{what}");
        assert_eq!(derived.preview.size, sized(preview), "{what}");
        assert_eq!(derived.thumbnail.size, sized(thumbnail), "{what}");
        let (seen, small) = (desk.preview(), desk.thumbnail());
        assert_eq!((seen.width, seen.height), (preview.0 as usize, preview.1 as usize), "{what}");
        assert_eq!((small.width, small.height), (thumbnail.0 as usize, thumbnail.1 as usize), "{what}");
    }
}

/// Exif 2.32, 4.6.4: orientation names the sides on which the stored picture's first row and first
/// column belong. The stored quarters are red green above blue yellow.
#[test]
fn every_orientation_is_set_upright() {
    let upright = [
        (1, [RED, GREEN, BLUE, YELLOW], false),
        (2, [GREEN, RED, YELLOW, BLUE], false),
        (3, [YELLOW, BLUE, GREEN, RED], false),
        (4, [BLUE, YELLOW, RED, GREEN], false),
        (5, [RED, BLUE, GREEN, YELLOW], true),
        (6, [BLUE, RED, YELLOW, GREEN], true),
        (7, [YELLOW, GREEN, BLUE, RED], true),
        (8, [GREEN, YELLOW, RED, BLUE], true),
    ];
    for (orientation, wanted, on_its_side) in upright {
        let desk = Desk::new();
        let bytes = jpeg_with(400, 240, &quarters(400, 240), ColorType::Rgb, |encoder| {
            encoder.add_exif_metadata(&exif(orientation, "nobody")).unwrap();
        });
        let derived = desk.derive("photo.jpg", &bytes).unwrap();
        let (width, height) = if on_its_side { (240, 400) } else { (400, 240) };
        assert_eq!(derived.original, Size { width, height }, "orientation {orientation}");
        for seen in [desk.preview(), desk.thumbnail()] {
            assert_eq!(seen.width > seen.height, width > height, "orientation {orientation}");
            for (seen, wanted) in seen.quarters().into_iter().zip(wanted) {
                assert!(alike(seen, wanted), "orientation {orientation}: {seen:?} for {wanted:?}");
            }
        }
    }
}

#[test]
fn two_whole_files_are_left_and_nothing_else() {
    let desk = Desk::new();
    // As a power failure leaves it.
    fs::write(desk.path("preview.jpg.part"), b"torn").unwrap();
    let original = jpeg(900, 600, Coding::Baseline);
    let derived = desk.derive("photo.jpg", &original).unwrap();
    assert_eq!(desk.names(), ["photo.jpg", "preview.jpg", "thumbnail.jpg"]);
    assert_eq!(fs::read(desk.path("photo.jpg")).unwrap(), original);
    assert_eq!(fs::metadata(desk.path("preview.jpg")).unwrap().len(), derived.preview.bytes);
    assert_eq!(fs::metadata(desk.path("thumbnail.jpg")).unwrap().len(), derived.thumbnail.bytes);
}

#[test]
fn a_failed_write_leaves_no_half_and_may_be_tried_again() {
    let desk = Desk::new();
    let original = desk.path("photo.jpg");
    fs::write(&original, jpeg(90, 60, Coding::Baseline)).unwrap();
    let (preview, thumbnail) = (desk.path("preview.jpg"), desk.path("missing/thumbnail.jpg"));
    let error = derive(&original, Outputs { preview: &preview, thumbnail: &thumbnail }).unwrap_err();
    assert_eq!(error.code(), "io");
    assert!(!error.is_final());
    assert!(error.to_string().contains("missing"), "{error}");
    assert_eq!(desk.names(), ["photo.jpg"]);
}

#[test]
fn a_missing_original_is_an_io_error_with_its_path() {
    let desk = Desk::new();
    let missing = desk.path("gone.jpg");
    let error = derive(&missing, Outputs { preview: &missing, thumbnail: &missing }).unwrap_err();
    assert!(matches!(&error, NoPreview::Io { path, .. } if *path == missing), "{error:?}");
}
