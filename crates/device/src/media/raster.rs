//! Decoded pixels: to eight-bit RGB, to a smaller size, upright.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, RgbImage};

use super::NoPreview;

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: u32,
    pub height: u32,
}

impl Size {
    /// This size shrunk in proportion until its longest side is at most `longest`; never enlarged.
    fn within(self, longest: u32) -> Self {
        let side = self.width.max(self.height);
        if side <= longest {
            return self;
        }
        let shrink = |length: u32| {
            let (length, side, longest) = (u64::from(length), u64::from(side), u64::from(longest));
            // At most `longest`, so it fits; a line one pixel high stays one.
            u32::try_from((length * longest + side / 2) / side).unwrap_or(u32::MAX).max(1)
        };
        Self { width: shrink(self.width), height: shrink(self.height) }
    }

    /// The size that a picture of this size has once it stands upright.
    pub(super) fn turned(self, orientation: Orientation) -> Self {
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        match orientation {
            Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH => {
                Self { width: self.height, height: self.width }
            }
            _ => self,
        }
    }

    pub(super) fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// A picture as rows of R, G, B bytes.
pub(super) struct Raster {
    pub size: Size,
    pub rgb: Vec<u8>,
}

impl Raster {
    /// A copy whose longest side is at most `longest`.
    pub fn shrunk(&self, longest: u32) -> Result<Self, NoPreview> {
        let size = self.size.within(longest);
        if size == self.size {
            return Ok(Self { size, rgb: self.rgb.clone() });
        }
        let from = ImageRef::new(self.size.width, self.size.height, &self.rgb, PixelType::U8x3)
            .map_err(NoPreview::broken)?;
        let mut to = Image::new(size.width, size.height, PixelType::U8x3);
        // Lanczos over every source pixel: the small print of a gauge stays legible.
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
        Resizer::new().resize(&from, &mut to, &options).map_err(NoPreview::broken)?;
        Ok(Self { size, rgb: to.into_vec() })
    }

    /// The picture as the photographer held the camera.
    pub fn upright(self, orientation: Orientation) -> Result<Self, NoPreview> {
        if orientation == Orientation::NoTransforms {
            return Ok(self);
        }
        let pixels = RgbImage::from_raw(self.size.width, self.size.height, self.rgb)
            .ok_or_else(|| NoPreview::broken("fewer pixels than its header states"))?;
        let mut picture = DynamicImage::ImageRgb8(pixels);
        picture.apply_orientation(orientation);
        Ok(Self { size: self.size.turned(orientation), rgb: picture.into_bytes() })
    }
}

/// Decoded samples as eight-bit RGB, transparency over white as on paper; `None` for floating point,
/// which no format read here gives. Sixteen-bit samples are in native byte order.
pub(super) fn to_rgb(samples: Vec<u8>, colour: ColorType) -> Option<Vec<u8>> {
    let narrow =
        |pair: [u8; 2]| u8::try_from((u32::from(u16::from_ne_bytes(pair)) + 128) / 257).unwrap_or(255);
    let paper = |c: u8, alpha: u8| {
        let (c, alpha) = (u32::from(c), u32::from(alpha));
        u8::try_from((c * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(255)
    };
    Some(match colour {
        ColorType::Rgb8 => samples,
        ColorType::L8 => widen::<1>(&samples, |[l]| [l; 3]),
        ColorType::La8 => widen::<2>(&samples, |[l, a]| [paper(l, a); 3]),
        ColorType::L16 => widen::<2>(&samples, |l| [narrow(l); 3]),
        ColorType::La16 => pack::<4>(samples, |[l, m, a, b]| [paper(narrow([l, m]), narrow([a, b])); 3]),
        ColorType::Rgba8 => pack::<4>(samples, |[r, g, b, a]| [paper(r, a), paper(g, a), paper(b, a)]),
        ColorType::Rgb16 => {
            pack::<6>(samples, |[r, s, g, h, b, c]| [narrow([r, s]), narrow([g, h]), narrow([b, c])])
        }
        ColorType::Rgba16 => pack::<8>(samples, |[r, s, g, h, b, c, a, z]| {
            let a = narrow([a, z]);
            [paper(narrow([r, s]), a), paper(narrow([g, h]), a), paper(narrow([b, c]), a)]
        }),
        _ => return None,
    })
}

fn widen<const N: usize>(samples: &[u8], rgb: impl Fn([u8; N]) -> [u8; 3]) -> Vec<u8> {
    samples.as_chunks::<N>().0.iter().flat_map(|&pixel| rgb(pixel)).collect()
}

/// In place, because a second buffer of a large picture is what a small tablet has no room for.
fn pack<const N: usize>(mut samples: Vec<u8>, rgb: impl Fn([u8; N]) -> [u8; 3]) -> Vec<u8> {
    let pixels = samples.len() / N;
    for pixel in 0..pixels {
        let mut wide = [0; N];
        wide.copy_from_slice(&samples[pixel * N..][..N]);
        samples[pixel * 3..][..3].copy_from_slice(&rgb(wide));
    }
    samples.truncate(pixels * 3);
    samples
}
