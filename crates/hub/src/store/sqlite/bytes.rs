//! Where the bytes of photos and clips are.

use super::desk::Desk;
use crate::blobs::{Allowance, Blob, BlobState, Upload};
use crate::store::{BlobRow, StoreError};
use rusqlite::{Params, Row};
use standpipe_domain::ids::{DeviceId, Millis, PersonId, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

const BLOB: &str = "SELECT sha256, bytes, media_type, verified_at FROM blob";
const UPLOAD: &str = "SELECT id, sha256, bytes, arrived, device, opened, touched, metadata FROM upload";

impl Desk<'_> {
    pub(super) fn blob(&mut self, sha256: Sha256) -> Result<Option<Blob>, StoreError> {
        self.first("reading a blob's entry", &format!("{BLOB} WHERE sha256 = ?"), [sha256.0], blob)
    }

    pub(super) fn blobs(&mut self, after: Option<Sha256>, limit: usize) -> Result<Vec<Blob>, StoreError> {
        let sql = format!("{BLOB} WHERE sha256 > ? ORDER BY sha256 LIMIT ?");
        self.all(
            "reading the blobs' entries",
            &sql,
            (after.as_ref().map_or(&[][..], |after| &after.0), limit),
            blob,
        )
    }

    pub(super) fn put_blob(&mut self, blob: &Blob, upload: Option<Uuid>) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO blob (sha256, bytes, media_type, verified_at) VALUES (?, ?, ?, ?)";
        let row = (blob.sha256.0, blob.bytes, &blob.media_type, blob.verified_at.0);
        self.run("noting that a blob is here", sql, row)?;
        upload.map_or(Ok(()), |id| self.end_upload(id))
    }

    pub(super) fn lost_blob(&mut self, sha256: Sha256) -> Result<(), StoreError> {
        self.run("noting that a blob is lost", "DELETE FROM blob WHERE sha256 = ?", [sha256.0]).map(drop)
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
        let sql = "SELECT EXISTS (SELECT 1 FROM blob WHERE sha256 = ?1),
                          EXISTS (SELECT 1 FROM thumbnail t JOIN blob b ON b.sha256 = t.sha256
                                  WHERE t.of = ?1 AND b.media_type LIKE 'image/%'),
                          u.arrived, u.bytes
                   FROM (SELECT 1) LEFT JOIN
                        (SELECT arrived, bytes FROM upload WHERE sha256 = ?1 ORDER BY arrived DESC LIMIT 1) u";
        let row = self.first("reading where bytes are", sql, [sha256.0], |row| {
            let arrived: Option<u64> = row.get(2)?;
            let bytes: Option<u64> = row.get(3)?;
            Ok(BlobRow { verified: row.get(0)?, thumbnail: row.get(1)?, arrived: arrived.zip(bytes) })
        })?;
        Ok(row.unwrap_or_default())
    }

    pub(super) fn thumbnail(&mut self, of: Sha256) -> Result<Option<Blob>, StoreError> {
        let sql = format!(
            "{BLOB} WHERE sha256 = (SELECT sha256 FROM thumbnail WHERE of = ?) AND media_type LIKE 'image/%'"
        );
        self.first("reading a thumbnail's entry", &sql, [of.0], blob)
    }

    pub(super) fn link_thumbnail(
        &mut self,
        of: Sha256,
        thumbnail: Sha256,
        by: Option<PersonId>,
    ) -> Result<(), StoreError> {
        // Whoever recorded a photo says what it looks like. One that is here stays: another tablet's picture of the
        // same photo is as good.
        let sql = "INSERT INTO thumbnail (of, sha256)
                   SELECT ?1, ?2
                   WHERE ?3 IS NULL OR NOT EXISTS (SELECT 1 FROM member WHERE sha256 = ?1)
                      OR EXISTS (SELECT 1 FROM member WHERE sha256 = ?1 AND side ->> 'actor' = ?3)
                   ON CONFLICT (of) DO UPDATE SET sha256 = excluded.sha256
                   WHERE NOT EXISTS (SELECT 1 FROM blob WHERE blob.sha256 = thumbnail.sha256)";
        let by = by.map(|person| person.to_string());
        self.run("naming a thumbnail", sql, (of.0, thumbnail.0, by)).map(drop)
    }

    pub(super) fn begin_upload(
        &mut self,
        upload: &Upload,
        allowance: Allowance,
    ) -> Result<Option<Upload>, StoreError> {
        let doing = "beginning an upload";
        let sql = format!("{UPLOAD} WHERE sha256 = ? AND device = ?");
        let under_way = self.first(doing, &sql, (upload.sha256.0, upload.device.0), self::upload)?;
        if under_way.is_some() {
            return Ok(under_way);
        }
        let sql = "SELECT count(*), coalesce(sum(bytes), 0) FROM upload WHERE device = ?";
        let sum = self.first(doing, sql, [upload.device.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (uploads, bytes): (u64, u64) = sum.unwrap_or_default();
        if uploads >= allowance.uploads || bytes.saturating_add(upload.bytes) > allowance.bytes {
            return Ok(None);
        }
        let sql = "INSERT INTO upload (id, sha256, bytes, arrived, device, opened, touched, metadata)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        let Upload { id, sha256, bytes, arrived, device, opened, touched, metadata } = upload;
        let row = (id, sha256.0, bytes, arrived, device.0, opened.0, touched.0, metadata);
        self.run(doing, sql, row)?;
        Ok(Some(upload.clone()))
    }

    pub(super) fn upload(&mut self, id: Uuid) -> Result<Option<Upload>, StoreError> {
        self.first("reading an upload", &format!("{UPLOAD} WHERE id = ?"), [id], upload)
    }

    pub(super) fn uploads(&mut self, of: Option<Sha256>) -> Result<Vec<Upload>, StoreError> {
        let sql = format!("{UPLOAD} WHERE ?1 IS NULL OR sha256 = ?1 ORDER BY opened, id");
        self.every_upload(&sql, [of.map(|of| of.0)])
    }

    pub(super) fn uploads_untouched(
        &mut self,
        by: Millis,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Upload>, StoreError> {
        let sql = format!("{UPLOAD} WHERE touched <= ?1 AND (?2 IS NULL OR id > ?2) ORDER BY id LIMIT ?3");
        self.every_upload(&sql, (by.0, after, limit))
    }

    fn every_upload(&self, sql: &str, key: impl Params) -> Result<Vec<Upload>, StoreError> {
        self.all("reading the uploads", sql, key, upload)
    }

    pub(super) fn upload_at(&mut self, id: Uuid, arrived: u64, touched: Millis) -> Result<(), StoreError> {
        let sql = "UPDATE upload SET arrived = ?, touched = ? WHERE id = ?";
        self.run("noting how much of an upload arrived", sql, (arrived, touched.0, id)).map(drop)
    }

    pub(super) fn end_upload(&mut self, id: Uuid) -> Result<(), StoreError> {
        self.run("ending an upload", "DELETE FROM upload WHERE id = ?", [id]).map(drop)
    }
}

fn blob(row: &Row<'_>) -> rusqlite::Result<Blob> {
    Ok(Blob {
        sha256: Sha256(row.get(0)?),
        bytes: row.get(1)?,
        media_type: row.get(2)?,
        verified_at: Millis(row.get(3)?),
    })
}

fn upload(row: &Row<'_>) -> rusqlite::Result<Upload> {
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
