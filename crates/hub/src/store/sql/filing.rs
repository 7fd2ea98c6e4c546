//! Which issues are in an outside tracker.

use super::desk::Desk;
use super::value::bind;
use super::{Row, SqlError};
use crate::store::StoreError;
use standpipe_bridge::Filing;
use standpipe_domain::ids::IssueId;

impl Desk<'_> {
    pub(super) fn not_filed(&mut self, limit: u32) -> Result<Vec<(IssueId, Filing)>, StoreError> {
        let sql = "SELECT f.state, f.number, f.said, i.id FROM issue i LEFT JOIN filing f ON f.issue = i.id
                   WHERE f.state IS NULL OR f.state NOT IN ('filed', 'gone')
                   ORDER BY CASE f.state WHEN 'sent' THEN 0 WHEN 'refused' THEN 2 ELSE 1 END, i.number, i.id LIMIT ?";
        self.all("reading what the outside tracker has not got", sql, bind![limit], |row| {
            Ok((IssueId(row.get(3)?), filing(row)?))
        })
    }

    pub(super) fn filing(&mut self, issue: IssueId) -> Result<Option<Filing>, StoreError> {
        let sql = "SELECT state, number, said FROM filing WHERE issue = ?";
        self.first("reading whether the outside tracker has an issue", sql, bind![issue.0], filing)
    }

    pub(super) fn filings(&self) -> Result<Vec<(IssueId, Filing)>, StoreError> {
        let sql = "SELECT state, number, said, issue FROM filing ORDER BY issue";
        self.all("reading what the outside tracker has", sql, bind![], |row| {
            Ok((IssueId(row.get(3)?), filing(row)?))
        })
    }

    pub(super) fn bring_again(&mut self, issue: IssueId) -> Result<bool, StoreError> {
        // Only where it is gone: what was sent meanwhile must not be taken for what was not.
        let sql = "UPDATE filing SET state = 'waits', number = NULL WHERE issue = ? AND state = 'gone'";
        Ok(self.run("having an issue brought into the outside tracker again", sql, bind![issue.0])? > 0)
    }

    pub(super) fn file(&mut self, issue: IssueId, filing: &Filing) -> Result<(), StoreError> {
        let (state, number, said) = match filing {
            Filing::Waits => ("waits", None, None),
            Filing::Sent => ("sent", None, None),
            Filing::Filed(number) => ("filed", Some(*number), None),
            Filing::Gone(number) => ("gone", Some(*number), None),
            Filing::Refused(said) => ("refused", None, Some(&**said)),
        };
        let sql = "INSERT INTO filing (issue, state, number, said) VALUES (?, ?, ?, ?)
                   ON CONFLICT (issue) DO UPDATE SET state = excluded.state, number = excluded.number, said = excluded.said";
        let row = bind![issue.0, state, number, said];
        self.run("keeping whether the outside tracker has an issue", sql, row).map(drop)
    }
}

fn filing(row: Row<'_>) -> Result<Filing, SqlError> {
    let state: Option<String> = row.get(0)?;
    Ok(match state.as_deref() {
        Some("sent") => Filing::Sent,
        Some("filed") => Filing::Filed(row.get(1)?),
        Some("gone") => Filing::Gone(row.get(1)?),
        Some("refused") => Filing::Refused(row.get::<Option<_>>(2)?.unwrap_or_default()),
        _ => Filing::Waits,
    })
}
