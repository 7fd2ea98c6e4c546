//! Pictures for the tests, and a look at the ones that came out.

use image::{ExtendedColorType, ImageEncoder};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;

pub const RED: [u8; 3] = [220, 30, 30];
pub const GREEN: [u8; 3] = [30, 200, 40];
pub const BLUE: [u8; 3] = [30, 40, 220];
pub const YELLOW: [u8; 3] = [230, 220, 40];

/// Four quarters, red green above blue yellow, with a grain that keeps a coder busy.
pub fn quarters(width: u16, height: u16) -> Vec<u8> {
    let mut rgb = Vec::new();
    for y in 0..u32::from(height) {
        for x in 0..u32::from(width) {
            let right = x * 2 >= u32::from(width);
            let below = y * 2 >= u32::from(height);
            let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519)) >> 13 & 15;
            let colour = match (below, right) {
                (false, false) => RED,
                (false, true) => GREEN,
                (true, false) => BLUE,
                (true, true) => YELLOW,
            };
            rgb.extend(colour.map(|c| c.saturating_add(u8::try_from(grain).unwrap())));
        }
    }
    rgb
}

/// Nothing but detail: every coefficient of the coder counts.
pub fn grain(width: u16, height: u16) -> Vec<u8> {
    let mut state = 1_u32;
    let samples = usize::from(width) * usize::from(height) * 3;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u8::try_from(state >> 24).unwrap()
    };
    (0..samples).map(|_| draw()).collect()
}

/// The ways in which cameras and chat programs code a JPEG.
#[derive(Debug, Clone, Copy)]
pub enum Coding {
    Baseline,
    Restarts,
    Progressive,
}

pub const CODINGS: [Coding; 3] = [Coding::Baseline, Coding::Restarts, Coding::Progressive];

pub fn jpeg(width: u16, height: u16, coding: Coding) -> Vec<u8> {
    jpeg_with(width, height, &quarters(width, height), ColorType::Rgb, |encoder| match coding {
        Coding::Baseline => {}
        Coding::Restarts => encoder.set_restart_interval(7),
        Coding::Progressive => encoder.set_progressive(true),
    })
}

pub fn jpeg_with(
    width: u16,
    height: u16,
    samples: &[u8],
    colour: ColorType,
    set: impl FnOnce(&mut Encoder<&mut Vec<u8>>),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 90);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    set(&mut encoder);
    encoder.encode(samples, width, height, colour).unwrap();
    bytes
}

/// An Exif block with an orientation and the camera's owner.
pub fn exif(orientation: u8, owner: &str) -> Vec<u8> {
    let mut tiff = b"MM\0\x2A\0\0\0\x08\0\x02".to_vec();
    tiff.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    let length = u8::try_from(owner.len()).unwrap();
    tiff.extend([0x01, 0x3B, 0, 2, 0, 0, 0, length, 0, 0, 0, 38]);
    tiff.extend([0; 4]);
    tiff.extend(owner.as_bytes());
    tiff
}

pub fn png(width: u32, height: u32, samples: &[u8], colour: ExtendedColorType) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes).write_image(samples, width, height, colour).unwrap();
    bytes
}

pub fn webp(width: u32, height: u32, samples: &[u8], colour: ExtendedColorType) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::webp::WebPEncoder::new_lossless(&mut bytes)
        .encode(samples, width, height, colour)
        .unwrap();
    bytes
}

/// A decoded picture.
pub struct Seen {
    pub width: usize,
    pub height: usize,
    rgb: Vec<u8>,
}

pub fn see(jpeg: &[u8]) -> Seen {
    let mut decoder = JpegDecoder::new(ZCursor::new(jpeg));
    let rgb = decoder.decode().unwrap();
    let (width, height) = decoder.dimensions().unwrap();
    Seen { width, height, rgb }
}

impl Seen {
    pub fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let start = (y * self.width + x) * 3;
        [self.rgb[start], self.rgb[start + 1], self.rgb[start + 2]]
    }

    /// The middles of the quarters: top left, top right, bottom left, bottom right.
    pub fn quarters(&self) -> [[u8; 3]; 4] {
        let (left, right) = (self.width / 4, self.width * 3 / 4);
        let (top, bottom) = (self.height / 4, self.height * 3 / 4);
        [self.at(left, top), self.at(right, top), self.at(left, bottom), self.at(right, bottom)]
    }
}

/// Whether two colours look the same; grain and coding move them by less than this.
pub fn alike(seen: [u8; 3], wanted: [u8; 3]) -> bool {
    seen.iter().zip(wanted).all(|(&a, b)| a.abs_diff(b) <= 24)
}
