//! Colours of wide-gamut cameras, brought to sRGB.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Converts `rgb` from the colour space of an ICC profile to sRGB, in which a picture without a
/// profile is read. Derived pictures carry none, and without this the photos of a Display P3 camera
/// would look pale: rust less red, a warning lamp less bright.
///
/// A profile that is damaged or not for RGB is passed over, as browsers do.
pub(super) fn to_srgb(rgb: Vec<u8>, profile: Option<&[u8]>) -> Vec<u8> {
    let Some(profile) = profile.and_then(|bytes| ColorProfile::new_from_slice(bytes).ok()) else {
        return rgb;
    };
    if profile.color_space != DataColorSpace::Rgb {
        return rgb;
    }
    let options = TransformOptions::default();
    let srgb = ColorProfile::new_srgb();
    let Ok(transform) = profile.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, options) else {
        return rgb;
    };
    let mut converted = vec![0; rgb.len()];
    match transform.transform(&rgb, &mut converted) {
        Ok(()) => converted,
        Err(_) => rgb,
    }
}
