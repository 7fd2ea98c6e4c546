//! JPEG, decoded so that damage is an error.
//!
//! Decoders are kind by habit: where data is missing they fill with grey and report success. Evidence
//! needs the opposite. So the decoder is strict, it stumbles where data is missing (see [`fence`]), and it is
//! watched for data that it leaves over (see [`watch`]).

mod fence;
mod watch;

use std::cell::Cell;

use image::metadata::Orientation;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::NoPreview;
use super::picture::{Decoded, check_size};
use super::raster::{Raster, Size};
use watch::Watched;

/// Decodes a whole JPEG file, which is freed as soon as it is not needed any more.
pub(super) fn decode(file: Vec<u8>) -> Result<Decoded, NoPreview> {
    let fenced = fence::fence(&file).map_err(NoPreview::broken)?;
    drop(file);
    if fenced.scans > 1 && !fenced.progressive {
        // zune-jpeg 0.5.15 loses the colours of such a file without an error. No camera writes them.
        return Err(unsupported("with a scan for each colour"));
    }

    // Headers are read with patience: cameras write odd ones around sound pictures. 65,535 is the
    // format's own limit; the decoder's default is lower.
    let patient = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let skipped = Cell::new(0);
    let watched = Watched::new(&fenced.bytes, &fenced.coded, &skipped);
    let mut decoder = JpegDecoder::new_with_options(watched, patient);
    decoder.decode_headers().map_err(of_decoder)?;
    let info = decoder.info().ok_or_else(|| NoPreview::broken("it has no header"))?;
    if info.components != 1 && info.components != 3 {
        // Inks for print. Writers disagree whether they are inverted, so any choice is wrong for some.
        return Err(unsupported("in CMYK"));
    }
    let size = Size { width: info.width.into(), height: info.height.into() };
    // Until the last scan, the decoder keeps two bytes of coefficients for each sample.
    let coefficients = if fenced.progressive { 2 * u64::from(info.components) } else { 0 };
    check_size(size, 3 + coefficients)?;
    let orientation = info.exif_data.as_deref().and_then(Orientation::from_exif_chunk);
    let profile = decoder.icc_profile();

    decoder.set_options(patient.set_strict_mode(true));
    let rgb = decoder.decode().map_err(of_decoder)?;
    if skipped.get() >= watch::SUSPICIOUS {
        return Err(NoPreview::broken("the picture is full before its data is used up"));
    }
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    Ok(Decoded { raster: Raster { size, rgb }, orientation, profile })
}

fn of_decoder(error: DecodeErrors) -> NoPreview {
    match error {
        DecodeErrors::Unsupported(scheme) => unsupported(&format!("coded as {scheme:?}")),
        // The decoder prints some of its reasons in quotes.
        damage => NoPreview::broken(damage.to_string().trim_matches('"')),
    }
}

fn unsupported(which: &str) -> NoPreview {
    NoPreview::Unsupported { detail: format!("JPEG {which}") }
}
