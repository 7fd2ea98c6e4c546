//! What a file holds, told from its first bytes.
//!
//! A name is what somebody called the file and proves nothing, so it is not even asked for.

/// How many bytes of the beginning of a file [`sniff`] wants. Fewer are fine if the file has no more.
pub const SNIFF_BYTES: usize = 512;

/// A photo's file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhotoFormat {
    Jpeg,
    Png,
    WebP,
    /// HEIC or HEIF, as phones of Apple and some others write it.
    Heic,
    Avif,
}

/// A clip's container format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClipFormat {
    Mp4,
    ThreeGp,
    QuickTime,
    WebM,
}

/// What a file is, as far as screens and the hub must tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    Photo(PhotoFormat),
    Clip(ClipFormat),
    /// Anything else, sound included. It is kept like the others, but not shown.
    Other,
}

impl MediaKind {
    /// The IANA media type, `application/octet-stream` for [`MediaKind::Other`].
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Photo(PhotoFormat::Jpeg) => "image/jpeg",
            Self::Photo(PhotoFormat::Png) => "image/png",
            Self::Photo(PhotoFormat::WebP) => "image/webp",
            Self::Photo(PhotoFormat::Heic) => "image/heic",
            Self::Photo(PhotoFormat::Avif) => "image/avif",
            Self::Clip(ClipFormat::Mp4) => "video/mp4",
            Self::Clip(ClipFormat::ThreeGp) => "video/3gpp",
            Self::Clip(ClipFormat::QuickTime) => "video/quicktime",
            Self::Clip(ClipFormat::WebM) => "video/webm",
            Self::Other => "application/octet-stream",
        }
    }
}

/// Tells what a file holds from its first bytes (up to [`SNIFF_BYTES`]).
pub fn sniff(first_bytes: &[u8]) -> MediaKind {
    use MediaKind::{Clip, Photo};
    let head = &first_bytes[..first_bytes.len().min(SNIFF_BYTES)];
    match head {
        [0xFF, 0xD8, 0xFF, ..] => Photo(PhotoFormat::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Photo(PhotoFormat::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Photo(PhotoFormat::WebP),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => of_brands(head),
        // QuickTime files older than the `ftyp` box begin with one of these. A text cannot: its
        // first byte would be a letter, and the box sixteen megabytes or more.
        [0, _, _, _, b'm', b'o', b'o', b'v', ..] | [0, _, _, _, b'w', b'i', b'd', b'e', ..] => {
            Clip(ClipFormat::QuickTime)
        }
        [0x1A, 0x45, 0xDF, 0xA3, ..] if doctype(head) == Some(b"webm") => Clip(ClipFormat::WebM),
        _ => MediaKind::Other,
    }
}

/// ISO/IEC 14496-12, 4.3: box size, `ftyp`, major brand, minor version, then compatible brands.
/// The major brand decides; general ones such as `mif1` leave it to the compatible brands.
fn of_brands(head: &[u8]) -> MediaKind {
    let stated = head.first_chunk().map_or(0, |size| u32::from_be_bytes(*size) as usize);
    let file_type = &head[..head.len().min(stated)];
    let major = file_type.get(8..12);
    let compatible = file_type.get(16..).unwrap_or_default().chunks_exact(4);
    let told = major.into_iter().chain(compatible).find_map(of_brand);
    told.unwrap_or(match major {
        Some(b"mif1" | b"msf1") => MediaKind::Photo(PhotoFormat::Heic),
        _ => MediaKind::Other,
    })
}

fn of_brand(brand: &[u8]) -> Option<MediaKind> {
    use MediaKind::{Clip, Photo};
    Some(match brand {
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => {
            Photo(PhotoFormat::Heic)
        }
        b"avif" | b"avis" => Photo(PhotoFormat::Avif),
        b"qt  " => Clip(ClipFormat::QuickTime),
        // Apple's sound files name mp42 as compatible, so they must be known before it.
        b"M4A " | b"M4B " | b"M4P " => MediaKind::Other,
        b"mp41" | b"mp42" | b"avc1" | b"hvc1" | b"M4V " | b"MSNV" | b"XAVC" | b"dash" | b"f4v " => {
            Clip(ClipFormat::Mp4)
        }
        [b'3', b'g', ..] => Clip(ClipFormat::ThreeGp),
        [b'i', b's', b'o', _] => Clip(ClipFormat::Mp4),
        _ => return None,
    })
}

/// RFC 8794: the value of element 0x4282 (DocType) of an EBML header; Matroska and WebM differ in it only.
fn doctype(head: &[u8]) -> Option<&[u8]> {
    let id = head.windows(2).position(|pair| pair == [0x42, 0x82])?;
    let (size, value) = head.get(id + 2..)?.split_first()?;
    // One length byte (top bit set) is enough for a value this short.
    (size & 0x80 != 0).then(|| value.get(..usize::from(size & 0x7F)))?
}

#[cfg(test)]
#[path = "media_tests.rs"]
mod tests;
