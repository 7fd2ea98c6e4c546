//! Pictures for tests and the demonstration, drawn here: no photograph of anybody's is needed.

#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)] // pixels are small numbers

use anyhow::Result;
use image::{Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder};
use std::path::{Path, PathBuf};

/// What a drawn photo shows.
#[derive(Clone, Copy, Debug)]
pub enum Scene {
    /// A hydrant cabinet whose door seal is torn.
    Cabinet,
    /// A pressure gauge; the needle stands at this part of the scale, 0 to 1.
    Gauge(f32),
    /// The same cabinet with a new seal.
    Mended,
}

/// How the camera was held: the EXIF orientation, 1 to 8.
pub type Orientation = u16;

const WALL: Rgb<u8> = Rgb([186, 184, 176]);
const RED: Rgb<u8> = Rgb([168, 36, 30]);
const GLASS: Rgb<u8> = Rgb([206, 216, 220]);
const DARK: Rgb<u8> = Rgb([42, 44, 48]);
const PAPER: Rgb<u8> = Rgb([236, 228, 190]);

/// Draws a scene as an upright picture of `width` by `height`.
pub fn draw(scene: Scene, width: u32, height: u32) -> RgbImage {
    let mut picture = RgbImage::from_fn(width, height, |x, y| {
        // Plaster under a lamp: lighter towards the upper left, with a little grain.
        let light = 34.0 * (1.0 - f32::midpoint(x as f32 / width as f32, y as f32 / height as f32));
        let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(97) >> 28;
        Rgb(WALL.0.map(|c| (f32::from(c) + light - 17.0 + grain as f32 - 8.0).clamp(0.0, 255.0) as u8))
    });
    match scene {
        Scene::Gauge(part) => gauge(&mut picture, part),
        Scene::Cabinet => cabinet(&mut picture, false),
        Scene::Mended => cabinet(&mut picture, true),
    }
    picture
}

fn cabinet(picture: &mut RgbImage, sealed: bool) {
    fill(picture, [0.26, 0.14, 0.74, 0.88], RED);
    fill(picture, [0.30, 0.19, 0.70, 0.62], GLASS);
    fill(picture, [0.34, 0.66, 0.66, 0.74], Rgb([240, 236, 230]));
    disc(picture, 0.5, 0.40, 0.15, RED);
    disc(picture, 0.5, 0.40, 0.11, PAPER);
    disc(picture, 0.5, 0.40, 0.04, DARK);
    fill(picture, [0.70, 0.42, 0.725, 0.54], DARK);
    if sealed {
        fill(picture, [0.62, 0.45, 0.78, 0.50], PAPER);
    } else {
        fill(picture, [0.62, 0.45, 0.672, 0.50], PAPER);
        fill(picture, [0.735, 0.49, 0.78, 0.55], PAPER);
    }
}

fn gauge(picture: &mut RgbImage, part: f32) {
    fill(picture, [0.46, 0.62, 0.54, 1.0], Rgb([150, 60, 52]));
    disc(picture, 0.5, 0.42, 0.30, DARK);
    disc(picture, 0.5, 0.42, 0.27, Rgb([244, 244, 240]));
    let angle = |part: f32| (225.0 - 270.0 * part).to_radians();
    for tick in 0..=10_u8 {
        let turn = angle(f32::from(tick) / 10.0);
        for step in 0..8_u8 {
            let radius = 0.22 + f32::from(step) * 0.005;
            polar(picture, turn, radius, 0.006, DARK);
        }
    }
    for step in 0..60_u8 {
        polar(picture, angle(part), f32::from(step) * 0.0035, 0.009, RED);
    }
    disc(picture, 0.5, 0.42, 0.03, DARK);
}

fn polar(picture: &mut RgbImage, turn: f32, radius: f32, size: f32, colour: Rgb<u8>) {
    let shape = picture.height() as f32 / picture.width() as f32;
    disc(picture, 0.5 + radius * turn.cos() * shape, 0.42 - radius * turn.sin(), size, colour);
}

/// Fills a rectangle given as parts of the picture: left, top, right, bottom.
fn fill(picture: &mut RgbImage, [left, top, right, bottom]: [f32; 4], colour: Rgb<u8>) {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    for y in (top * height) as u32..((bottom * height) as u32).min(picture.height()) {
        for x in (left * width) as u32..((right * width) as u32).min(picture.width()) {
            shade(picture, x, y, colour);
        }
    }
}

/// Fills a circle; its radius is a part of the height.
fn disc(picture: &mut RgbImage, x: f32, y: f32, radius: f32, colour: Rgb<u8>) {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let (middle_x, middle_y, radius) = (x * width, y * height, radius * height);
    let from = |middle: f32| (middle - radius).max(0.0) as u32;
    for py in from(middle_y)..((middle_y + radius) as u32 + 1).min(picture.height()) {
        for px in from(middle_x)..((middle_x + radius) as u32 + 1).min(picture.width()) {
            if (px as f32 - middle_x).hypot(py as f32 - middle_y) <= radius {
                shade(picture, px, py, colour);
            }
        }
    }
}

/// A colour with the grain of what lies under it.
fn shade(picture: &mut RgbImage, x: u32, y: u32, colour: Rgb<u8>) {
    let grain = (x.wrapping_mul(747_796_405) ^ y.wrapping_mul(2_891_336_453)) >> 29;
    let shaded = colour.0.map(|c| c.saturating_sub(4).saturating_add(u8::try_from(grain).unwrap_or(0)));
    picture.put_pixel(x, y, Rgb(shaded));
}

/// Writes a JPEG as a camera that was turned writes it: the pixels lie as the sensor saw them, and a tag says how to
/// turn them upright.
pub fn photo(folder: &Path, name: &str, upright: &RgbImage, orientation: Orientation) -> Result<PathBuf> {
    let stored = match orientation {
        3 => image::imageops::rotate180(upright),
        6 => image::imageops::rotate270(upright),
        8 => image::imageops::rotate90(upright),
        _ => upright.clone(),
    };
    let path = folder.join(name);
    let mut encoder = Encoder::new_file(&path, 88)?;
    encoder.add_app_segment(1, exif(orientation))?;
    encoder.encode(
        &stored,
        u16::try_from(stored.width())?,
        u16::try_from(stored.height())?,
        ColorType::Rgb,
    )?;
    Ok(path)
}

/// An EXIF segment: a TIFF header and one directory with one entry: 0x0112, orientation (Exif 2.32, section 4.6.4).
fn exif(orientation: Orientation) -> Vec<u8> {
    let mut tiff = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    tiff.extend(orientation.to_le_bytes());
    tiff.extend([0; 6]);
    tiff
}
