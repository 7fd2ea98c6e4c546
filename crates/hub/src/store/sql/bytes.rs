//! Where the bytes of photos and clips are.

use super::desk::Desk;
use super::value::{Value, bind};
use super::{Row, SqlError};
use crate::blobs::{Allowance, Blob, BlobState, MAX_THUMBNAIL, Upload};
use crate::store::{BlobRow, StoreError};
use standpipe_domain::ids::{DeviceId, Millis, PersonId, Sha256};
use standpipe_oplog::merge::Side;
use std::collections::BTreeMap;
use uuid::Uuid;

const BLOB: &str = "SELECT sha256, bytes, media_type, verified_at FROM blob";
const UPLOAD: &str = "SELECT id, sha256, bytes, arrived, device, opened, touched, metadata FROM upload";

/// Whether a blob, `b` of a statement, may stand for a photo as its thumbnail, `t` there. What somebody named as one may have
/// come later, and as something else. A photo of the office's own stands for itself.
fn may_stand() -> String {
    format!("b.media_type LIKE 'image/%' AND (b.bytes <= {MAX_THUMBNAIL} OR b.sha256 = t.of)")
}

impl Desk<'_> {
    pub(super) fn blob(&mut self, sha256: Sha256) -> Result<Option<Blob>, StoreError> {
        self.first("reading a blob's entry", &format!("{BLOB} WHERE sha256 = ?"), bind![sha256.0], blob)
    }

    pub(in crate::store) fn blobs(
        &mut self,
        after: Option<Sha256>,
        limit: usize,
    ) -> Result<Vec<Blob>, StoreError> {
        let sql = format!("{BLOB} WHERE sha256 > ? ORDER BY sha256 LIMIT ?");
        let after = after.as_ref().map_or(&[][..], |after| &after.0);
        self.all("reading the blobs' entries", &sql, bind![after, limit], blob)
    }

    pub(in crate::store) fn put_blob(&mut self, blob: &Blob, upload: Option<Uuid>) -> Result<(), StoreError> {
        let sql = "INSERT INTO blob (sha256, bytes, media_type, verified_at) VALUES (?, ?, ?, ?)
                   ON CONFLICT (sha256) DO UPDATE SET bytes = excluded.bytes,
                       media_type = excluded.media_type, verified_at = excluded.verified_at";
        let row = bind![blob.sha256.0, blob.bytes, blob.media_type, blob.verified_at.0];
        self.run("noting that a blob is here", sql, row)?;
        upload.map_or(Ok(()), |id| self.end_upload(id))
    }

    pub(super) fn lost_blob(&mut self, sha256: Sha256) -> Result<(), StoreError> {
        let doing = "noting that a blob is lost";
        if self.run(doing, "DELETE FROM blob WHERE sha256 = ?", bind![sha256.0])? > 0 {
            self.run(doing, "UPDATE hub SET losses = losses + 1", &[])?;
        }
        Ok(())
    }

    pub(super) fn blob_states(
        &mut self,
        hashes: &[Sha256],
    ) -> Result<BTreeMap<Sha256, BlobState>, StoreError> {
        let state = |row: BlobRow| match row {
            BlobRow { verified: true, .. } => BlobState::Verified,
            BlobRow { arrived: Some(_), .. } => BlobState::Partial,
            _ => BlobState::Absent,
        };
        hashes.iter().map(|hash| Ok((*hash, state(self.whereabouts(*hash)?)))).collect()
    }

    pub(super) fn whereabouts(&self, sha256: Sha256) -> Result<BlobRow, StoreError> {
        let may_stand = may_stand();
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM blob WHERE sha256 = ?1),
                    EXISTS (SELECT 1 FROM thumbnail t JOIN blob b ON b.sha256 = t.sha256
                            WHERE t.of = ?1 AND {may_stand}),
                    u.arrived, u.bytes
             FROM (SELECT 1) one LEFT JOIN
                  (SELECT arrived, bytes FROM upload WHERE sha256 = ?1 ORDER BY arrived DESC LIMIT 1) u
                  ON true"
        );
        let row = self.first("reading where bytes are", &sql, bind![sha256.0], |row| {
            let arrived: Option<u64> = row.get(2)?;
            let bytes: Option<u64> = row.get(3)?;
            Ok(BlobRow { verified: row.get(0)?, thumbnail: row.get(1)?, arrived: arrived.zip(bytes) })
        })?;
        Ok(row.unwrap_or_default())
    }

    pub(super) fn thumbnail(&mut self, of: Sha256) -> Result<Option<Blob>, StoreError> {
        let may_stand = may_stand();
        let sql = format!(
            "{BLOB} WHERE sha256 = (SELECT t.sha256 FROM thumbnail t JOIN blob b ON b.sha256 = t.sha256
                                    WHERE t.of = ? AND {may_stand})"
        );
        self.first("reading a thumbnail's entry", &sql, bind![of.0], blob)
    }

    pub(super) fn link_thumbnail(
        &mut self,
        of: Sha256,
        thumbnail: Sha256,
        by: Option<PersonId>,
    ) -> Result<(), StoreError> {
        let doing = "naming a thumbnail";
        // Whoever recorded a photo says what it looks like.
        if let Some(by) = by {
            let sql = "SELECT side FROM member WHERE sha256 = ?";
            let recorded: Vec<Side> = self.records(doing, sql, bind![of.0])?;
            if !recorded.is_empty() && recorded.iter().all(|side| side.actor != by) {
                return Ok(());
            }
        }
        // One that is here stays: another tablet's picture of the same photo is as good.
        let may_stand = may_stand();
        let sql = format!(
            "INSERT INTO thumbnail AS t (of, sha256) VALUES (?, ?)
             ON CONFLICT (of) DO UPDATE SET sha256 = excluded.sha256
             WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE b.sha256 = t.sha256 AND {may_stand})"
        );
        self.run(doing, &sql, bind![of.0, thumbnail.0]).map(drop)
    }

    pub(super) fn begin_upload(
        &mut self,
        upload: &Upload,
        allowance: Allowance,
    ) -> Result<Option<Upload>, StoreError> {
        let doing = "beginning an upload";
        let sql = format!("{UPLOAD} WHERE sha256 = ? AND device = ?");
        let under_way = self.first(doing, &sql, bind![upload.sha256.0, upload.device.0], self::upload)?;
        if under_way.is_some() {
            return Ok(under_way);
        }
        let sql = "SELECT count(*), CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM upload WHERE device = ?";
        let sum = self.first(doing, sql, bind![upload.device.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (uploads, bytes): (u64, u64) = sum.unwrap_or_default();
        if uploads >= allowance.uploads || bytes.saturating_add(upload.bytes) > allowance.bytes {
            return Ok(None);
        }
        let sql = "INSERT INTO upload (id, sha256, bytes, arrived, device, opened, touched, metadata)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        let Upload { id, sha256, bytes, arrived, device, opened, touched, metadata } = upload;
        let row = bind![id, sha256.0, bytes, arrived, device.0, opened.0, touched.0, metadata];
        self.run(doing, sql, row)?;
        Ok(Some(upload.clone()))
    }

    pub(super) fn upload(&mut self, id: Uuid) -> Result<Option<Upload>, StoreError> {
        self.first("reading an upload", &format!("{UPLOAD} WHERE id = ?"), bind![id], upload)
    }

    pub(super) fn uploads(&mut self, of: Option<Sha256>) -> Result<Vec<Upload>, StoreError> {
        let sql = format!("{UPLOAD} WHERE ?1 IS NULL OR sha256 = ?1 ORDER BY opened, id");
        self.every_upload(&sql, bind![of.map(|of| of.0)])
    }

    pub(super) fn uploads_untouched(
        &mut self,
        by: Millis,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Upload>, StoreError> {
        let sql = format!("{UPLOAD} WHERE touched <= ?1 AND (?2 IS NULL OR id > ?2) ORDER BY id LIMIT ?3");
        self.every_upload(&sql, bind![by.0, after, limit])
    }

    fn every_upload(&self, sql: &str, key: &[Value<'_>]) -> Result<Vec<Upload>, StoreError> {
        self.all("reading the uploads", sql, key, upload)
    }

    pub(super) fn upload_at(&mut self, id: Uuid, arrived: u64, touched: Millis) -> Result<(), StoreError> {
        let sql = "UPDATE upload SET arrived = ?, touched = ? WHERE id = ?";
        self.run("noting how much of an upload arrived", sql, bind![arrived, touched.0, id]).map(drop)
    }

    pub(super) fn end_upload(&mut self, id: Uuid) -> Result<(), StoreError> {
        self.run("ending an upload", "DELETE FROM upload WHERE id = ?", bind![id]).map(drop)
    }
}

fn blob(row: Row<'_>) -> Result<Blob, SqlError> {
    Ok(Blob {
        sha256: Sha256(row.get(0)?),
        bytes: row.get(1)?,
        media_type: row.get(2)?,
        verified_at: Millis(row.get(3)?),
    })
}

fn upload(row: Row<'_>) -> Result<Upload, SqlError> {
    Ok(Upload {
        id: row.get(0)?,
        sha256: Sha256(row.get(1)?),
        bytes: row.get(2)?,
        arrived: row.get(3)?,
        device: DeviceId(row.get(4)?),
        opened: Millis(row.get(5)?),
        touched: Millis(row.get(6)?),
        metadata: row.get(7)?,
    })
}
