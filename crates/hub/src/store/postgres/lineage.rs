//! Which database it is, down to the life that its server is in. A standby that takes over begins another life of the server,
//! and so does a server that is put back to an earlier moment; one that is loaded out of a dump is another database.

use super::link::Link;
use crate::store::sql::{Sql, SqlError};

/// Of what system, which of its timelines, and which database there. A server's timeline goes up by one whenever it begins to
/// be written to where another's log ended.
const LINEAGE: &str = "
    SELECT (SELECT system_identifier::text FROM pg_control_system())
        || ' ' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
        || ' ' || (SELECT oid::text FROM pg_database WHERE datname = current_database())";

/// Which database it is, down to the life that its server is in. Where it is another than a hub had served, it may lack what
/// that had acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage(String);

impl Lineage {
    /// As it was written down.
    pub fn written(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// To be written down.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn of(link: &Link) -> Result<Self, SqlError> {
        let mut lineage = None;
        link.rows(LINEAGE, &[], &mut |row| {
            lineage = Some(Self(row.get(0)?));
            Ok(false)
        })?;
        lineage.ok_or_else(|| SqlError::Refused("the server does not tell".into()))
    }
}
