//! What is here and what the hub has, where the two differ: the sums to find it by, pages that take the place of what is
//! here, and what the hub lost and is given back.

use super::fault::StoreError;
use super::log::{self, Origin};
use super::sql::bits;
use super::{Store, Writing, backup, blobs, outbox, project, pull, query, seen};
use rusqlite::params;
use standpipe_domain::ids::Millis;
use standpipe_oplog::checksum::Checksum;
use standpipe_oplog::wire::{MAX_OP, MAX_OPS, MAX_PUSH, Numbered, PullHead, Returned};
use uuid::Uuid;

/// The name of the fact that more of what the hub lost follows.
const OWES_END: &str = "owes-end";

/// The name of the fact that the database was rescued, and everything is pulled once more: what has no number here may be
/// at the hub all the same.
pub(crate) const PULLS_ANEW: &str = "pulls-anew";

/// The sums over everything that is numbered here, made from what is held and not from what was once received.
#[derive(Clone, Debug, Default)]
pub struct Held(Vec<(u64, Checksum)>);

impl Held {
    /// The sum up to this number.
    pub fn upto(&self, number: u64) -> Checksum {
        let at = self.0.partition_point(|(seq, _)| *seq <= number);
        at.checked_sub(1).map_or(Checksum::default(), |at| self.0[at].1)
    }
}

/// Operations that the hub lost, with their ids; and the place of the last of them, where more follow.
pub type Lacking = (Vec<(Uuid, Returned)>, Option<i64>);

impl Store {
    /// The sums over what is held.
    pub fn held_sums(&self) -> Result<Held, StoreError> {
        self.read("adding up what is held", |conn| {
            let mut sums = Vec::new();
            let mut sum = Checksum::default();
            let mut statement = conn.prepare(
                "SELECT hub_seq, op_id, body, hub_at FROM op WHERE hub_seq IS NOT NULL ORDER BY hub_seq",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let body = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
                sum = sum + Checksum::of(row.get(1)?, Millis(row.get(3)?), body);
                sums.push((row.get(0)?, sum));
            }
            Ok(Held(sums))
        })
    }

    /// Takes a page in place of what is numbered here from its beginning to its end. What the hub does not have there
    /// stays, without a number.
    pub fn replace_page(&self, head: &PullHead, page: &[Numbered]) -> Result<(), StoreError> {
        self.write("putting right what differs from the office", |writing| {
            writing
                .prepare_cached("UPDATE op SET hub_seq = NULL WHERE hub_seq > ?1 AND hub_seq <= ?2")?
                .execute(params![head.from, head.next])?;
            page.iter().try_for_each(|one| put(writing, one))?;
            pull::hear(writing, page)
        })
    }

    /// Nothing is numbered behind the hub's last number `head`.
    pub fn number_nothing_behind(&self, head: u64) -> Result<(), StoreError> {
        self.write_quietly("forgetting the numbers of a hub that was restored", |writing| {
            writing.execute("UPDATE op SET hub_seq = NULL WHERE hub_seq > ?1", [head])?;
            Ok(())
        })
    }

    /// Both ends hold the same up to `cursor`. With another epoch than before it is another hub, or one that was restored:
    /// photos are offered again too.
    pub fn repaired(&self, epoch: Uuid, cursor: u64) -> Result<(), StoreError> {
        let sum = self.held_sums()?.upto(cursor);
        self.write("writing down that both ends hold the same", |writing| {
            let known: Option<Uuid> = writing.query_row("SELECT epoch FROM pulled", [], |row| row.get(0))?;
            if known.is_some_and(|known| known != epoch) {
                blobs::offer_all_again(writing)?;
            }
            writing
                .prepare_cached("UPDATE pulled SET epoch = ?1, after = ?2, checksum = ?3")?
                .execute(params![epoch, cursor, bits(sum.0)])?;
            backup::forget(writing)
        })
    }

    /// What the hub took once and has no more, whoever wrote it: what stands here behind a place, as much of it as goes into
    /// one request, in whole transactions; and the place of the last of it where there is more. Empty when there is nothing.
    pub fn lacking(&self, behind: i64) -> Result<Lacking, StoreError> {
        self.read("looking for what the office lost", |conn| {
            let mut statement = conn.prepare_cached(&marked_unnumbered())?;
            let mut rows = statement.query([behind])?;
            let (mut ops, mut bytes, mut last) = (Vec::new(), 0, None);
            let mut place = behind;
            while let Some(row) = rows.next()? {
                let body: Box<str> = row.get(3)?;
                let tx: Uuid = row.get(4)?;
                bytes += body.len();
                let is_full = last != Some(tx) && (ops.len() >= MAX_OPS || bytes > MAX_PUSH);
                // A transaction that is larger than a request goes in parts.
                if !ops.is_empty() && (is_full || bytes > MAX_OP) {
                    return Ok((ops, Some(place)));
                }
                (last, place) = (Some(tx), row.get(5)?);
                let (at, receipt) = (Millis(row.get(1)?), row.get(2)?);
                ops.push((row.get(0)?, Returned { at, receipt, body }));
            }
            Ok((ops, None))
        })
    }

    /// Whether the database was rescued, and what the hub has was not pulled whole since.
    pub fn pulls_anew(&self) -> Result<bool, StoreError> {
        self.read("reading whether everything is pulled once more", |conn| {
            Ok(conn.prepare_cached("SELECT 1 FROM fact WHERE name = ?1")?.exists([PULLS_ANEW])?)
        })
    }

    /// Everything that the hub has was pulled. Gives whether it was pulled once more, after a rescue.
    pub fn end_pulling_anew(&self) -> Result<bool, StoreError> {
        if !self.pulls_anew()? {
            return Ok(false);
        }
        self.write_quietly("writing down that everything was pulled once more", |writing| {
            writing.execute("DELETE FROM fact WHERE name = ?1", [PULLS_ANEW])?;
            Ok(true)
        })
    }

    /// Whether something counts here that the hub has not numbered, though it neither waits nor was set aside. Asked when
    /// both hold the same of what has a number: then the hub does not have it.
    pub fn counts_unnumbered(&self) -> Result<bool, StoreError> {
        self.read("looking for what the office does not have", |conn| {
            Ok(conn.prepare_cached(&unnumbered("1"))?.exists([])?)
        })
    }

    /// Which of what [`Store::counts_unnumbered`] speaks of nothing brings to the hub from here: it stands in no chain, and no
    /// mark proves that the hub once had it. In the order of arrival.
    pub fn only_here(&self) -> Result<Vec<Uuid>, StoreError> {
        self.read("looking for what is nowhere but here", |conn| {
            // What bears a mark is given back, but where nobody knows when the hub took it; of what an earlier chain brought
            // there without one, the office is offered all anew.
            let sql = format!(
                "{} AND iif(op_id IN (SELECT op_id FROM receipt), hub_at IS NULL, dev_seq IS NULL) ORDER BY seq",
                unnumbered("op_id")
            );
            Ok(conn.prepare_cached(&sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })
    }

    /// Whether the hub was told that more of what it lost follows, and not that there is no more.
    pub fn owes_end(&self) -> Result<bool, StoreError> {
        self.read("reading whether the office waits for more", |conn| {
            Ok(conn.prepare_cached("SELECT 1 FROM fact WHERE name = ?1")?.exists([OWES_END])?)
        })
    }

    /// Writes that down.
    pub fn owe_end(&self, owes: bool) -> Result<(), StoreError> {
        let sql = if owes {
            "INSERT OR REPLACE INTO fact (name, value) VALUES (?1, '')"
        } else {
            "DELETE FROM fact WHERE name = ?1"
        };
        self.write_quietly("writing down whether the office waits for more", |writing| {
            writing.execute(sql, [OWES_END])?;
            Ok(())
        })
    }

    /// Something that only this tablet may have goes back to the hub: no backup that has begun by now holds it.
    pub fn forget_backup(&self) -> Result<(), StoreError> {
        self.write_quietly("writing down that something goes back to the office", |writing| {
            backup::forget(writing)
        })
    }

    /// The hub does not have these, and does not take them back. What this tablet's person recorded is offered anew; the rest
    /// is set aside, and shown.
    pub fn offer_or_set_aside(&self, refused: &[Uuid]) -> Result<(), StoreError> {
        self.write("writing down what the office did not take back", |writing| {
            let mut changed = std::collections::BTreeSet::new();
            for op_id in refused {
                let person = query::identity(writing)?.map(|identity| identity.person);
                if let Some(op) = outbox::offer_anew(writing, *op_id, |op, _| Some(op.actor) == person)? {
                    changed.extend(project::records_of(&op));
                    continue;
                }
                let sql =
                    "INSERT OR REPLACE INTO set_aside (op_id, code, detail, at) VALUES (?1, ?2, '', ?3)";
                writing.prepare_cached(sql)?.execute(params![op_id, seen::NOWHERE_ELSE, writing.now().0])?;
                changed.extend(log::op(writing, *op_id)?.iter().flat_map(project::records_of));
            }
            writing.again(&changed)
        })
    }
}

/// What bears a mark and has no number. What the hub never took is not given back, nor that of whose id it has another
/// operation; whatever else was set aside since the hub took it first is.
fn marked_unnumbered() -> String {
    let nowhere_else = seen::NOWHERE_ELSE;
    format!(
        "SELECT op.op_id, hub_at, mark, body, tx, seq FROM receipt JOIN op USING (op_id)
         WHERE seq > ?1 AND hub_seq IS NULL AND hub_at IS NOT NULL AND NOT EXISTS
             (SELECT 1 FROM set_aside WHERE set_aside.op_id = op.op_id AND code IN ('{nowhere_else}', 'op-id-taken'))
         ORDER BY seq"
    )
}

/// What counts and has no number, though it does not wait.
fn unnumbered(columns: &str) -> String {
    format!(
        "SELECT {columns} FROM op WHERE hub_seq IS NULL AND {} AND NOT EXISTS
             (SELECT 1 FROM chain WHERE chain.incarnation = op.incarnation AND op.dev_seq > chain.acknowledged)",
        log::COUNTS
    )
}

/// Takes one operation of a page in, whatever is here under its id.
fn put(writing: &mut Writing<'_>, one: &Numbered) -> Result<(), StoreError> {
    let mut op = one.op.clone();
    op.hlc = op.hlc.clamped(one.at);
    let counts_again = seen::took(writing, op.op_id)?;
    log::put_receipt(writing, one)?;
    let Some(held) = log::held(writing, op.op_id)? else {
        log::append(writing, &op, &one.body, Origin::Hub { seq: one.seq, at: one.at })?;
        return writing.apply(&op);
    };
    log::numbered(writing, held.seq, one.seq, one.at)?;
    if held.body != one.body {
        let changed = outbox::adopt(writing, &held, one)?;
        writing.again(&changed)?;
    }
    if counts_again || held.hub_at != Some(one.at) {
        writing.again(&project::records_of(&op))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::TestWorld;
    use rusqlite::params_from_iter;
    use std::sync::Arc;

    #[test]
    fn what_has_no_number_is_found_without_a_look_at_the_rest_of_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), Arc::new(TestWorld::new(1))).unwrap();
        for (sql, parameters) in [(marked_unnumbered(), 1), (unnumbered("1"), 0)] {
            let plan: Result<String, StoreError> = store.read("looking how it is found", |conn| {
                Ok(conn
                    .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?
                    .query_row(params_from_iter(std::iter::repeat_n(0, parameters)), |row| row.get(3))?)
            });
            assert!(
                plan.as_ref().is_ok_and(|plan| plan.contains("SEARCH op USING INDEX op_unnumbered")),
                "{plan:?}"
            );
        }
    }
}
