//! What was set aside and somebody has seen to. It is kept where it is, and asks for nobody any more.

use super::fault::{Fault, StoreError};
use super::{Store, query};
use rusqlite::{Connection, params};
use standpipe_domain::sync::AsideId;
use uuid::Uuid;

/// The names of what somebody has seen to.
pub const SEEN: &str = "(SELECT what FROM seen_to WHERE stands = 1)";

/// Whether an `upload` was set aside because its bytes are here no more. Whatever else was set aside is whole, and may go up
/// yet: nobody can put it away.
pub const IS_GONE: &str = "(upload.state = 'set-aside' AND upload.code IN ('file-missing', 'file-damaged'))";

/// Whether an original's bytes are here no more, and the office could not be asked yet whether it has them.
pub const IS_UNASKED: &str =
    "(upload.state = 'set-aside' AND upload.code IN ('file-missing-unasked', 'file-damaged-unasked'))";

/// The reason of what was set aside and lies at no office: see [`Store::offer_or_set_aside`].
pub const NOWHERE_ELSE: &str = "not-taken-back";

impl Store {
    /// The tablet's person has seen to these, or takes that back. What the office has taken meanwhile is passed over, and a
    /// photo that is whole. Durable when this returns.
    ///
    /// # Errors
    /// `not-enrolled` where the tablet is nobody's.
    pub fn see_to(&self, things: &[AsideId], seen: bool) -> Result<(), StoreError> {
        self.write("writing down what somebody has seen to", |writing| {
            let identity = query::identity(writing)?.ok_or(Fault::NotEnrolled)?;
            for thing in things {
                let what = match thing {
                    AsideId::Record(op_id) => &op_id.as_bytes()[..],
                    AsideId::Photo(sha256) => &sha256.0[..],
                };
                if !seen {
                    lapse(writing, what)?;
                } else if can_be_seen_to(writing, thing, what)? {
                    writing
                        .prepare_cached(
                            "INSERT OR REPLACE INTO seen_to (what, person, name, at, stands) VALUES (?1, ?2, ?3, ?4, 1)",
                        )?
                        .execute(params![what, identity.person.0, identity.person_name, writing.now().0])?;
                }
            }
            Ok(())
        })
    }

    /// Whether more of what somebody has seen to is here than anywhere else: a record that the office has not got, or what is
    /// left of a photo.
    pub fn holds_the_rest(&self) -> Result<bool, StoreError> {
        self.read("looking for what was seen to and is nowhere else", |conn| {
            let sql = format!(
                "SELECT 1 FROM set_aside WHERE code = '{NOWHERE_ELSE}' AND op_id IN {SEEN}
                 UNION ALL
                 SELECT 1 FROM upload WHERE state <> 'verified' AND {IS_GONE} AND code = 'file-damaged' AND role = 'original' AND of IN {SEEN}"
            );
            Ok(conn.prepare_cached(&sql)?.exists([])?)
        })
    }
}

fn can_be_seen_to(conn: &Connection, thing: &AsideId, what: &[u8]) -> Result<bool, StoreError> {
    let sql = match thing {
        AsideId::Record(_) => "SELECT 1 FROM set_aside WHERE op_id = ?1",
        AsideId::Photo(_) => {
            &format!("SELECT 1 FROM upload WHERE of = ?1 AND role = 'original' AND {IS_GONE}")
        }
    };
    Ok(conn.prepare_cached(sql)?.exists([what])?)
}

/// What was said of this does not stand any more. It stays written down.
pub fn lapse(conn: &Connection, what: &[u8]) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE seen_to SET stands = 0 WHERE what = ?1 AND stands = 1")?.execute([what])?;
    Ok(())
}

/// Writes down that the office took an operation. Whether it had been set aside: it counts again then.
pub fn took(conn: &Connection, op_id: Uuid) -> Result<bool, StoreError> {
    let was_aside = conn.prepare_cached("DELETE FROM set_aside WHERE op_id = ?1")?.execute([op_id])? > 0;
    if was_aside {
        lapse(conn, op_id.as_bytes())?;
    }
    Ok(was_aside)
}

/// How much of what somebody has seen to is not at the office.
pub fn not_there(conn: &Connection) -> Result<u32, StoreError> {
    let sql = format!(
        "SELECT (SELECT count(*) FROM set_aside WHERE code = '{NOWHERE_ELSE}' AND op_id IN {SEEN})
              + (SELECT count(*) FROM upload WHERE state <> 'verified' AND {IS_GONE} AND role = 'original'
                     AND of IN {SEEN})"
    );
    Ok(conn.prepare_cached(&sql)?.query_row([], |row| row.get(0))?)
}
