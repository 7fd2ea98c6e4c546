//! Makes the two small pictures that stand for a photo: one to look at, one for lists.

use standpipe_domain::media::{MediaKind, PhotoFormat, SNIFF_BYTES, sniff};
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use image::metadata::Orientation;
use jpeg_encoder::{ColorType, Encoder};

use super::no_preview::{NoPreview, guarded};
use super::raster::{Raster, Size};
use super::{colour, jpeg, still, store};

/// Longest side of a preview, in pixels: a tablet's screen, with some room to zoom in.
pub const PREVIEW_SIDE: u32 = 2048;
/// Longest side of a thumbnail, in pixels.
pub const THUMBNAIL_SIDE: u32 = 320;
/// More pixels than this are refused: six times a usual photo, 216 MB decoded.
pub const MAX_PIXELS: u64 = 72_000_000;
/// More decoded bytes than this are refused too: a pixel of a progressive JPEG or of a sixteen-bit PNG takes up to nine,
/// and a tablet ends an app that takes what it does not have.
pub(super) const MAX_DECODED_BYTES: u64 = 288 << 20;
/// No more of a JPEG file is read. A picture of [`MAX_PIXELS`] ends before; a clip may follow it.
const MAX_JPEG_BYTES: u64 = 256 << 20;

const PREVIEW_QUALITY: u8 = 82;
const THUMBNAIL_QUALITY: u8 = 75;

/// Where the derived pictures go. Each is written as `<path>.part` first; their folders exist already.
#[derive(Debug, Clone, Copy)]
pub struct Outputs<'a> {
    pub preview: &'a Path,
    pub thumbnail: &'a Path,
}

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Derived {
    /// The original's size in pixels, upright.
    pub original: Size,
    pub preview: DerivedFile,
    pub thumbnail: DerivedFile,
}

/// A derived picture on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DerivedFile {
    pub size: Size,
    /// The file's length in bytes.
    pub bytes: u64,
}

/// A photo's pixels as its file holds them, and what its metadata says of them.
pub(super) struct Decoded {
    pub raster: Raster,
    pub orientation: Orientation,
    /// ICC profile.
    pub profile: Option<Vec<u8>>,
}

/// Makes preview and thumbnail of the photo `original`: JPEGs, upright, in sRGB, without any of its metadata
/// (where and by whom it was taken stays with the original). Both are on disk, synced, when this returns;
/// after an error there is no torn picture under either name, and the call may be made again.
///
/// Made for one photo at a time: 12 megapixels need about 70 MB while it runs, 72 megapixels 280 MB.
///
/// # Errors
/// Why there is no preview; see [`NoPreview::code`].
pub fn derive(original: &Path, out: Outputs<'_>) -> Result<Derived, NoPreview> {
    let (size, preview, thumbnail) = guarded(|| render(original))?;
    store::place(&[(out.preview, &preview.jpeg), (out.thumbnail, &thumbnail.jpeg)])?;
    Ok(Derived { original: size, preview: preview.file(), thumbnail: thumbnail.file() })
}

fn render(original: &Path) -> Result<(Size, Encoded, Encoded), NoPreview> {
    let Decoded { raster, orientation, profile } = decode(original)?;
    let size = raster.size.turned(orientation);
    let mut preview = raster.shrunk(PREVIEW_SIDE)?;
    drop(raster);
    // Colours and orientation after shrinking: four times fewer pixels to convert and to turn.
    preview.rgb = colour::to_srgb(preview.rgb, profile.as_deref());
    let preview = preview.upright(orientation)?;
    let thumbnail = preview.shrunk(THUMBNAIL_SIDE)?;
    Ok((size, encode(&preview, PREVIEW_QUALITY)?, encode(&thumbnail, THUMBNAIL_QUALITY)?))
}

fn decode(original: &Path) -> Result<Decoded, NoPreview> {
    let reading = || NoPreview::io("reading the photo", original);
    let mut file = File::open(original).map_err(reading())?;
    let mut head = Vec::with_capacity(SNIFF_BYTES);
    file.by_ref().take(SNIFF_BYTES as u64).read_to_end(&mut head).map_err(reading())?;
    if head.is_empty() {
        return Err(NoPreview::Empty);
    }
    file.rewind().map_err(reading())?;
    let kind = sniff(&head);
    match kind {
        MediaKind::Photo(PhotoFormat::Jpeg) => {
            let mut bytes = Vec::new();
            file.take(MAX_JPEG_BYTES).read_to_end(&mut bytes).map_err(reading())?;
            jpeg::decode(bytes)
        }
        MediaKind::Photo(PhotoFormat::Png) => still::decode_png(file, original),
        MediaKind::Photo(PhotoFormat::WebP) => still::decode_webp(file, original),
        MediaKind::Photo(PhotoFormat::Heic | PhotoFormat::Avif) => {
            Err(NoPreview::Unsupported { detail: kind.media_type().to_owned() })
        }
        MediaKind::Clip(_) | MediaKind::Other => Err(NoPreview::NotAPicture),
    }
}

/// Refuses, from the header alone, a picture that would not fit in memory.
pub(super) fn check_size(size: Size, bytes_a_pixel: u64) -> Result<(), NoPreview> {
    let Size { width, height } = size;
    if size.pixels() == 0 {
        return Err(NoPreview::broken("its header gives it no size"));
    }
    if size.pixels() > MAX_PIXELS || size.pixels() * bytes_a_pixel > MAX_DECODED_BYTES {
        return Err(NoPreview::TooManyPixels { width, height });
    }
    Ok(())
}

struct Encoded {
    size: Size,
    jpeg: Vec<u8>,
}

impl Encoded {
    fn file(&self) -> DerivedFile {
        DerivedFile { size: self.size, bytes: self.jpeg.len() as u64 }
    }
}

fn encode(picture: &Raster, quality: u8) -> Result<Encoded, NoPreview> {
    let size = picture.size;
    let width = u16::try_from(size.width).map_err(NoPreview::broken)?;
    let height = u16::try_from(size.height).map_err(NoPreview::broken)?;
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, quality)
        .encode(&picture.rgb, width, height, ColorType::Rgb)
        .map_err(NoPreview::broken)?;
    Ok(Encoded { size, jpeg })
}
