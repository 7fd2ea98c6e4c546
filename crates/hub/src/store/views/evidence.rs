//! Photos and clips in a view: what they are, and where their bytes are.

use crate::store::{BlobRow, Records, StoreError};
use standpipe_domain::evidence::{Evidence, EvidenceView, Preview, Whereabouts};
use standpipe_domain::record::set;
use uuid::Uuid;

/// The photos of a record, oldest first.
pub(super) fn photos(records: &mut dyn Records, id: Uuid) -> Result<Vec<EvidenceView>, StoreError> {
    of(records, id, set::PHOTOS)
}

/// The evidence in a field of a record, oldest first.
pub(super) fn of(records: &mut dyn Records, id: Uuid, field: &str) -> Result<Vec<EvidenceView>, StoreError> {
    // What a later version wrote there is kept in the log, and shown once this one knows it.
    let known = |value| serde_json::from_value::<Evidence>(value).ok();
    let all: Vec<Evidence> =
        records.members(id, field)?.into_iter().filter_map(|side| known(side.value)).collect();
    all.into_iter().map(|evidence| Ok(view(records.blob_row(evidence.sha256)?, evidence))).collect()
}

fn view(row: BlobRow, evidence: Evidence) -> EvidenceView {
    let whereabouts = match row {
        BlobRow { verified: true, .. } => Whereabouts::SafeAtOffice,
        BlobRow { arrived: Some((arrived, bytes)), .. } => {
            // Not a hundred before it is verified.
            let percent = arrived.saturating_mul(100) / bytes.max(1);
            Whereabouts::Sending { percent: u8::try_from(percent).unwrap_or(99).min(99) }
        }
        _ => Whereabouts::Elsewhere { at_office: Some(false), by: None },
    };
    let preview = if evidence.media_type.starts_with("video/") {
        Preview::Clip
    } else if row.thumbnail {
        Preview::Ready
    } else if row.verified {
        // Thumbnails travel first: whoever has sent the original has none.
        Preview::None { code: "no-preview".into() }
    } else {
        Preview::Pending
    };
    EvidenceView { evidence, preview, whereabouts }
}
