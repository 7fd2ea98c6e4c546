mod cuts;
mod damage;

mod paint;
mod pixels;
mod shapes;

use std::fs;
use std::path::PathBuf;

use super::{Derived, NoPreview, Outputs, derive};

/// A folder with one original, and where its derived pictures go.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn derive(&self, name: &str, bytes: &[u8]) -> Result<Derived, NoPreview> {
        let original = self.path(name);
        fs::write(&original, bytes).unwrap();
        derive(
            &original,
            Outputs { preview: &self.path("preview.jpg"), thumbnail: &self.path("thumbnail.jpg") },
        )
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn preview(&self) -> paint::Seen {
        paint::see(&fs::read(self.path("preview.jpg")).unwrap())
    }

    fn thumbnail(&self) -> paint::Seen {
        paint::see(&fs::read(self.path("thumbnail.jpg")).unwrap())
    }
}

/// The code of what became of a photo, `shown` if it has a preview.
fn outcome(bytes: &[u8]) -> &'static str {
    Desk::new().derive("photo", bytes).map_or_else(|reason| reason.code(), |_| "shown")
}
