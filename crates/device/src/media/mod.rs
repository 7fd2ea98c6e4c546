//! Photos and clips: what a file holds, and the small pictures that screens show in its place.
//!
//! The original is evidence and is only ever read here. What cannot be shown says so, with its reason
//! ([`NoPreview`]): a preview that looks whole is made from a picture that is whole.
//!
//! No database, no network and no clock: paths come in, files and sizes go out.

mod colour;
mod jpeg;
mod no_preview;
pub mod picture;
mod raster;
mod still;
mod store;

#[cfg(test)]
mod tests;

pub use no_preview::NoPreview;
pub use picture::{Derived, DerivedFile, Outputs, derive};
pub use raster::Size;
pub use standpipe_domain::media::{MediaKind, SNIFF_BYTES, sniff};
