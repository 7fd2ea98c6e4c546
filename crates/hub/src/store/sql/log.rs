//! Pages of the log.

use super::desk::Desk;
use super::value::bind;
use crate::store::{Page, PageOp, StoreError};
use standpipe_domain::ids::{Millis, SiteId};
use standpipe_oplog::checksum::Checksum;
use standpipe_oplog::greeting::Backups;
use standpipe_oplog::wire::{FRAME, MAX_BODY};
use uuid::Uuid;

/// How many rows are asked for at first, and at most: where a page ends is seen only in them, and PostgreSQL sends all of
/// them, each of up to 4 MiB.
const ROWS: (u32, u32) = (16, 512);

impl Desk<'_> {
    /// The operations behind `after`: at most `ops` of them and `bytes` of their text, and then the rest of the transaction
    /// that was begun, unless no tablet could take so much at once.
    pub(super) fn page(
        &mut self,
        site: SiteId,
        after: u64,
        ops: usize,
        bytes: usize,
    ) -> Result<Page, StoreError> {
        let doing = "reading a page of the log";
        let (head, sum) = self.log_head(site)?;
        if after >= head {
            return Ok(Page { ops: Vec::new(), next: head, more: false, checksum: sum });
        }
        let sql = "SELECT seq, received, body, tx, checksum FROM op WHERE scope = ? AND seq > ?
                   ORDER BY seq LIMIT ?";
        let mut page = Page { ops: Vec::new(), next: after, more: false, checksum: sum };
        let (mut size, mut last, mut is_full) = (FRAME, Uuid::nil(), false);
        let (mut rows, most) = ROWS;
        while !is_full && page.next < head {
            let behind = page.next;
            self.until(doing, sql, bind![site.0, behind, rows], &mut |row| {
                let (body, tx): (Box<str>, Uuid) = (row.get(2)?, row.get(3)?);
                let with = size + body.len() + FRAME;
                if !page.ops.is_empty() {
                    let full = page.ops.len() >= ops || with > bytes;
                    if full && last != tx || with > MAX_BODY {
                        is_full = true;
                        return Ok(false);
                    }
                }
                (size, last) = (with, tx);
                page.next = row.get(0)?;
                page.checksum = Checksum(row.get::<i64>(4)?.cast_unsigned());
                page.ops.push(PageOp { seq: page.next, at: Millis(row.get(1)?), body });
                Ok(true)
            })?;
            rows = (rows * 4).min(most);
        }
        page.more = page.next < head;
        Ok(page)
    }

    pub(super) fn beginning(&mut self, site: SiteId, after: u64) -> Result<u64, StoreError> {
        // The operations of one transaction lie together, unless something else was numbered between two pushes of it.
        let sql = "SELECT seq FROM op WHERE scope = ?1 AND seq <= ?2
                   AND tx <> (SELECT tx FROM op WHERE scope = ?1 AND seq = ?2 + 1) ORDER BY seq DESC LIMIT 1";
        let (head, _) = self.log_head(site)?;
        if after >= head {
            return Ok(after);
        }
        let key = bind![site.0, after];
        Ok(self.first("looking where a transaction begins", sql, key, |row| row.get(0))?.unwrap_or(0))
    }

    pub(super) fn sums(&mut self, site: SiteId, at: &[u64]) -> Result<(u64, Vec<Checksum>), StoreError> {
        let sql = "SELECT checksum FROM op WHERE scope = ? AND seq <= ? ORDER BY seq DESC LIMIT 1";
        let sum = |upto: &u64| -> Result<Checksum, StoreError> {
            // Beyond what a database can count there is nothing, as little as behind the head.
            let upto = (*upto).min(i64::MAX as u64);
            let sum = self.first("reading sums", sql, bind![site.0, upto], |row| {
                Ok(Checksum(row.get::<i64>(0)?.cast_unsigned()))
            })?;
            Ok(sum.unwrap_or_default())
        };
        Ok((self.log_head(site)?.0, at.iter().map(sum).collect::<Result<_, _>>()?))
    }

    /// Which backups were made.
    pub(super) fn backups(&self) -> Result<Backups, StoreError> {
        let sql = "SELECT backups_begun, backup_whole FROM hub";
        let backups = self.first("reading which backups were made", sql, &[], |row| {
            Ok(Backups { begun: row.get(0)?, whole: row.get(1)? })
        })?;
        Ok(backups.unwrap_or_default())
    }

    /// How often a photo that had been confirmed was found to be gone.
    pub(super) fn losses(&self) -> Result<u64, StoreError> {
        let losses = self.first("reading what was lost", "SELECT losses FROM hub", &[], |row| row.get(0))?;
        Ok(losses.unwrap_or_default())
    }

    /// The last operation of a site, with the sum up to it.
    pub(super) fn log_head(&self, site: SiteId) -> Result<(u64, Checksum), StoreError> {
        let sql = "SELECT seq, checksum FROM op WHERE scope = ? ORDER BY seq DESC LIMIT 1";
        let head = self.first("reading the log's head", sql, bind![site.0], |row| {
            Ok((row.get(0)?, Checksum(row.get::<i64>(1)?.cast_unsigned())))
        })?;
        Ok(head.unwrap_or_default())
    }
}
