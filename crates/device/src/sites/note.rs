//! What the tablet remembers of its sites as a whole: a small file, written whole each time.

use super::folder::Folder;
use crate::vault::{VaultError, write_whole};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

const FILE: &str = "sites.json";

/// Which site is shown, and which were left. Without it, the first one that there is is shown, and none was left: so a
/// file that is lost costs nobody anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) shown: Option<Folder>,
    #[serde(default)]
    pub(super) left: BTreeMap<Folder, Left>,
}

/// How it stood with a site when its person left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Left {
    /// So many texts that were typed and not recorded the person agreed to lose.
    pub(super) drafts: u32,
}

impl Note {
    pub(super) fn read(root: &Path) -> Self {
        let path = root.join(FILE);
        let note = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Self::default(),
            bytes => bytes.and_then(|bytes| Ok(serde_json::from_slice(&bytes)?)),
        };
        note.unwrap_or_else(|error| {
            tracing::error!(path = %path.display(), %error, "which site is shown cannot be read; the first is");
            Self::default()
        })
    }

    /// Writes it in place of what was there. When this returns it is durable.
    pub(super) fn write(&self, root: &Path) -> Result<(), VaultError> {
        let (path, part) = (root.join(FILE), root.join("sites.json.part"));
        // One that the power cut short.
        match fs::remove_file(&part) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(VaultError::io("removing", &part)(error));
            }
            _ => {}
        }
        let text = serde_json::json!(self).to_string();
        write_whole(&part, &path, text.as_bytes())
    }
}
