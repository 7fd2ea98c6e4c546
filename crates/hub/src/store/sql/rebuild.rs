//! Drops what follows from the log, and makes it again.

use super::desk::{Desk, parse};
use super::rows::word;
use super::value::bind;
use crate::store::{PROJECTION, StoreError, project, replay};
use standpipe_domain::ids::{Millis, SiteId};
use standpipe_oplog::op::Op;
use uuid::Uuid;

const REBUILDING: &str = "making anew what follows from the log";

/// How many operations are read at a time: a log may be larger than memory, and each may have 4 MiB.
const TOGETHER: u64 = 100;
/// After so many it is told how far it has got.
const TOLD: u64 = 100_000;

/// Every table that can be made again out of the log.
pub(in crate::store) const PROJECTIONS: [&str; 13] = [
    "register", "member", "pin", "site", "place", "asset", "unit", "person", "round", "checks", "finding",
    "issue", "sign_off",
];

/// An operation as the log holds it.
struct Line {
    scope: Uuid,
    seq: u64,
    received: Millis,
    kind: String,
    body: String,
}

impl Desk<'_> {
    /// Whether the rows are others than this version makes of the same log.
    pub(super) fn has_other_rows(&self) -> Result<bool, StoreError> {
        let sql = "SELECT projection FROM hub";
        let made: Option<u32> = self.first("asking who made the rows", sql, &[], |row| row.get(0))?;
        Ok(made != Some(PROJECTION))
    }

    /// Drops every projection and makes it again. Gives how many operations the log has.
    pub(super) fn make_anew(&mut self) -> Result<u64, StoreError> {
        self.take_time();
        for table in PROJECTIONS {
            // No TRUNCATE: whoever reads meanwhile in PostgreSQL would find nothing.
            self.batch(REBUILDING, &format!("DELETE FROM {table}"))?;
        }
        let all: Option<u64> = self.first(REBUILDING, "SELECT count(*) FROM op", &[], |row| row.get(0))?;
        let all = all.unwrap_or(0);
        let (mut behind, mut count) = ((Uuid::nil(), 0), 0);
        loop {
            let lines = self.lines(behind)?;
            let Some(last) = lines.last() else { break };
            behind = (last.scope, last.seq);
            for of_site in lines.chunk_by(|one, next| one.scope == next.scope) {
                self.replay(of_site)?;
            }
            count += lines.len() as u64;
            if count.is_multiple_of(TOLD) {
                tracing::info!("{count} of {all} operations are read");
            }
        }
        self.run(REBUILDING, "UPDATE hub SET projection = ?", bind![PROJECTION])?;
        Ok(count)
    }

    fn lines(&self, (scope, seq): (Uuid, u64)) -> Result<Vec<Line>, StoreError> {
        let sql = "SELECT scope, seq, received, kind, body FROM op WHERE (scope, seq) > (?, ?)
                   ORDER BY scope, seq LIMIT ?";
        self.all(REBUILDING, sql, bind![scope, seq, TOGETHER], |row| {
            Ok(Line {
                scope: row.get(0)?,
                seq: row.get(1)?,
                received: Millis(row.get(2)?),
                kind: row.get(3)?,
                body: row.get(4)?,
            })
        })
    }

    /// Applies operations of one site again. What they changed becomes rows once for all of them.
    fn replay(&mut self, lines: &[Line]) -> Result<(), StoreError> {
        let mut touched = Vec::new();
        for Line { scope, seq, received, kind, body } in lines {
            let op: Op = parse(REBUILDING, body)?;
            let name = word(&op.kind)?;
            if *kind != name {
                // An earlier version did not know it; it is looked for by its name.
                let sql = "UPDATE op SET kind = ? WHERE scope = ? AND seq = ?";
                self.run(REBUILDING, sql, bind![name, scope, seq])?;
            }
            touched.extend(replay(self, &op, *received)?);
        }
        match lines.first() {
            Some(first) => project(self, SiteId(first.scope), touched),
            None => Ok(()),
        }
    }
}
