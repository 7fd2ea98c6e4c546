//! Why a photo has no preview.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Why no preview was made. The original is kept and sent all the same.
#[derive(Debug, thiserror::Error)]
pub enum NoPreview {
    #[error("the photo's file is empty: take the photo again")]
    Empty,
    #[error("the file holds no picture, whatever its name says: it is kept as it is")]
    NotAPicture,
    /// More pixels than a tablet's memory can be asked for.
    #[error(
        "the photo has {width} x {height} pixels, too many to shrink on this device: it is kept as it is"
    )]
    TooManyPixels { width: u32, height: u32 },
    /// Damaged or cut off. What can still be read of it is not shown, because it would look like the photo.
    #[error("the photo's data is damaged or breaks off ({detail}): if you still can, take it again")]
    Broken { detail: String },
    /// A picture in a format that is not decoded here.
    #[error("pictures of this format cannot be shown on this device ({detail}): it is kept as it is")]
    Unsupported { detail: String },
    /// Reading the original or writing a derived picture failed. This alone is worth another try.
    #[error("{doing} {path} failed: {source}", path = path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl NoPreview {
    /// The stable word for this reason, for screens and records.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotAPicture => "not-a-picture",
            Self::TooManyPixels { .. } => "too-many-pixels",
            Self::Broken { .. } => "broken",
            Self::Unsupported { .. } => "unsupported",
            Self::Io { .. } => "io",
        }
    }

    /// Whether the same file would give the same answer again.
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::Io { .. })
    }

    // By value, so that `map_err` can call it by name.
    #[allow(clippy::needless_pass_by_value)]
    pub(super) fn broken(detail: impl ToString) -> Self {
        Self::Broken { detail: detail.to_string() }
    }

    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}

/// Runs decoders behind a wall: one strange file must not take the app down with the record being typed.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, NoPreview>) -> Result<T, NoPreview> {
    // Nothing that the work touched is used after a panic, so nothing half-done can be seen.
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(NoPreview::broken("the decoder gave up on it")))
}
