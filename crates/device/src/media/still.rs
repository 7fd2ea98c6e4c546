//! PNG and WebP.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{ImageDecoder, ImageError, Limits};

use super::NoPreview;
use super::picture::{Decoded, MAX_DECODED_BYTES, check_size};
use super::raster::{Raster, Size, to_rgb};

pub(super) fn decode_png(file: File, path: &Path) -> Result<Decoded, NoPreview> {
    let decoder = PngDecoder::with_limits(BufReader::new(file), limits()).map_err(|e| of_decoder(e, path))?;
    decode(decoder, path)
}

/// Of an animation, the first frame.
pub(super) fn decode_webp(file: File, path: &Path) -> Result<Decoded, NoPreview> {
    let decoder = WebPDecoder::new(BufReader::new(file)).map_err(|e| of_decoder(e, path))?;
    decode(decoder, path)
}

fn decode(mut decoder: impl ImageDecoder, path: &Path) -> Result<Decoded, NoPreview> {
    let (width, height) = decoder.dimensions();
    let size = Size { width, height };
    let colour = decoder.color_type();
    // Grey ones are widened into a second buffer of three bytes.
    let bytes = u64::from(colour.bytes_per_pixel());
    check_size(size, if bytes < 3 { bytes + 3 } else { bytes })?;
    decoder.set_limits(limits()).map_err(|e| of_decoder(e, path))?;
    let orientation = decoder.orientation().map_err(|e| of_decoder(e, path))?;
    let profile = decoder.icc_profile().map_err(|e| of_decoder(e, path))?;

    let length = usize::try_from(decoder.total_bytes()).map_err(NoPreview::broken)?;
    let mut samples = vec![0; length];
    decoder.read_image(&mut samples).map_err(|e| of_decoder(e, path))?;
    let rgb = to_rgb(samples, colour)
        .ok_or_else(|| NoPreview::Unsupported { detail: format!("samples of {colour:?}") })?;
    Ok(Decoded { raster: Raster { size, rgb }, orientation, profile })
}

fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    limits
}

fn of_decoder(error: ImageError, path: &Path) -> NoPreview {
    match error {
        // The file ends inside the picture: that is its damage, not the disk's.
        ImageError::IoError(e) if e.kind() == io::ErrorKind::UnexpectedEof => NoPreview::broken(e),
        ImageError::IoError(e) => NoPreview::io("reading the photo", path)(e),
        ImageError::Unsupported(e) => NoPreview::Unsupported { detail: e.to_string() },
        damage => NoPreview::broken(damage),
    }
}
