//! The first projection in tables: registers, members, pins.

use super::fault::StoreError;
use super::log;
use super::sql::{Json, of_stamp, stamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use standpipe_domain::ids::{DeviceId, Millis, PersonId};
use standpipe_oplog::merge::{Register, Side};
use standpipe_oplog::op::{Kind, Op};
use standpipe_oplog::replica::{Replica, fields_of};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The tables, for the length of one operation.
pub struct Rows<'a> {
    conn: &'a Connection,
    office: Option<DeviceId>,
    // A seal folds many fields of one record: its operations are read once.
    memo: Option<(Uuid, Vec<Op>)>,
}

/// The name of the fact that tells the hub's own device.
pub const OFFICE: &str = "office";

impl<'a> Rows<'a> {
    pub fn new(conn: &'a Connection) -> Result<Self, StoreError> {
        let office: Option<String> = conn
            .prepare_cached("SELECT value FROM fact WHERE name = ?1")?
            .query_row([OFFICE], |row| row.get(0))
            .optional()?;
        let office = office.and_then(|text| text.parse().ok());
        Ok(Self { conn, office, memo: None })
    }
}

/// A side out of the columns rev, value, hlc, actor, device, at.
fn side(row: &Row<'_>) -> rusqlite::Result<Side> {
    Ok(Side {
        rev: row.get(0)?,
        value: row.get::<_, Json<serde_json::Value>>(1)?.0,
        hlc: of_stamp(row.get(2)?),
        actor: PersonId(row.get(3)?),
        device: DeviceId(row.get(4)?),
        at: Millis(row.get(5)?),
        awaits: false,
    })
}

/// The register of a field; empty when nothing wrote it.
pub fn register(conn: &Connection, id: Uuid, field: &str) -> Result<Register, StoreError> {
    let row = conn
        .prepare_cached(
            "SELECT rev, value, hlc, actor, device, at, sides FROM apart WHERE id = ?1 AND field = ?2",
        )?
        .query_row(params![id, field], |row| Ok((side(row)?, row.get::<_, Option<Json<Vec<Side>>>>(6)?)))
        .optional()?;
    let sides = match row {
        Some((only, None)) => vec![only],
        Some((_, Some(Json(sides)))) => sides,
        // Where several wrote it, it gets a register as soon as the second is applied.
        None => log::whole_ops_of(conn, id)?.iter().filter_map(|op| Side::written(op, field)).collect(),
    };
    Ok(Register { sides, pin: pin(conn, id, field)? })
}

/// Every register of a record, by its field.
pub fn registers(conn: &Connection, id: Uuid) -> Result<BTreeMap<String, Register>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT rev, value, hlc, actor, device, at, sides, field FROM apart WHERE id = ?1 ORDER BY field",
    )?;
    let mut rows = statement.query([id])?;
    let mut registers = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let sides = match row.get::<_, Option<Json<Vec<Side>>>>(6)? {
            Some(Json(sides)) => sides,
            None => vec![side(row)?],
        };
        registers.insert(row.get(7)?, Register { sides, pin: None });
    }
    for op in log::whole_ops_of(conn, id)? {
        for field in fields_of(&op) {
            if !registers.contains_key(field) {
                let sides = Side::written(&op, field).into_iter().collect();
                registers.insert(field.to_owned(), Register { sides, pin: None });
            }
        }
    }
    for (field, pin) in pins(conn, id)? {
        if let Some(register) = registers.get_mut(&field) {
            register.pin = Some(pin);
        }
    }
    Ok(registers)
}

/// The members of a field that holds several, oldest first.
pub fn members(conn: &Connection, id: Uuid, field: &str) -> Result<Vec<Side>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT rev, value, hlc, actor, device, at FROM member WHERE id = ?1 AND field = ?2 ORDER BY hlc, rev",
    )?;
    let members = statement.query_map(params![id, field], side)?.collect::<Result<_, _>>()?;
    Ok(members)
}

/// The sealed operations of a record, by field; none when it is not sealed.
pub fn pins(conn: &Connection, id: Uuid) -> Result<BTreeMap<String, Uuid>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT field, rev FROM pin WHERE id = ?1")?;
    let pins = statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(pins)
}

/// Whether a seal covers something of this record.
pub fn is_sealed(conn: &Connection, id: Uuid) -> Result<bool, StoreError> {
    Ok(conn.prepare_cached("SELECT 1 FROM pin WHERE id = ?1")?.exists([id])?)
}

fn pin(conn: &Connection, id: Uuid, field: &str) -> Result<Option<Uuid>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT rev FROM pin WHERE id = ?1 AND field = ?2")?
        .query_row(params![id, field], |row| row.get(0))
        .optional()?)
}

impl Replica for Rows<'_> {
    type Error = StoreError;

    fn ops_of(&mut self, id: Uuid) -> Result<Vec<Op>, StoreError> {
        match &self.memo {
            Some((known, ops)) if *known == id => Ok(ops.clone()),
            _ => {
                let ops = log::ops_of(self.conn, id)?;
                self.memo = Some((id, ops.clone()));
                Ok(ops)
            }
        }
    }

    /// Those that have a register, and those that another operation on the whole record wrote.
    fn apart<'o>(&mut self, op: &'o Op) -> Result<Vec<&'o str>, StoreError> {
        // What says that it replaces something is told in a register: see `Side::awaits`.
        if op.base_rev.is_some() {
            return Ok(fields_of(op).collect());
        }
        let conn = self.conn;
        let mut known: BTreeSet<String> = conn
            .prepare_cached("SELECT field FROM apart WHERE id = ?1")?
            .query_map([op.id], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let whole = log::whole_ops_of(conn, op.id)?;
        let others = whole.iter().filter(|other| other.op_id != op.op_id);
        known.extend(others.flat_map(fields_of).map(ToOwned::to_owned));
        Ok(fields_of(op).filter(|field| known.contains(*field)).collect())
    }

    fn register(&mut self, id: Uuid, field: &str) -> Result<Register, StoreError> {
        register(self.conn, id, field)
    }

    fn put_register(
        &mut self,
        _entity: &str,
        id: Uuid,
        field: &str,
        register: &Register,
    ) -> Result<(), StoreError> {
        let Some(shown) = register.shown() else {
            self.conn
                .prepare_cached("DELETE FROM apart WHERE id = ?1 AND field = ?2")?
                .execute(params![id, field])?;
            return Ok(());
        };
        // The columns beside it say less than a side that awaits something.
        let sides = (register.sides.len() > 1 || shown.awaits).then_some(Json(&register.sides));
        self.conn
            .prepare_cached(
                "INSERT INTO apart (id, field, rev, value, hlc, actor, device, at, sides)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (id, field) DO UPDATE SET rev = ?3, value = ?4, hlc = ?5, actor = ?6, device = ?7,
                     at = ?8, sides = ?9",
            )?
            .execute(params![
                id,
                field,
                shown.rev,
                Json(&shown.value),
                stamp(shown.hlc),
                shown.actor.0,
                shown.device.0,
                shown.at.0,
                sides
            ])?;
        Ok(())
    }

    fn put_members(
        &mut self,
        entity: &str,
        id: Uuid,
        field: &str,
        members: &[Side],
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("DELETE FROM member WHERE id = ?1 AND field = ?2")?
            .execute(params![id, field])?;
        members.iter().try_for_each(|member| self.add_member(entity, id, field, member))
    }

    fn add_member(&mut self, _entity: &str, id: Uuid, field: &str, member: &Side) -> Result<(), StoreError> {
        // Replacing: the stamp of a member may have been clamped since it was added.
        self.conn
            .prepare_cached(
                "INSERT OR REPLACE INTO member (id, field, rev, value, hlc, actor, device, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                id,
                field,
                member.rev,
                Json(&member.value),
                stamp(member.hlc),
                member.actor.0,
                member.device.0,
                member.at.0
            ])?;
        Ok(())
    }

    fn has_removals(&mut self, id: Uuid) -> Result<bool, StoreError> {
        log::has_rare(self.conn, id, Kind::Remove)
    }

    fn pin(&mut self, id: Uuid, field: &str) -> Result<Option<Uuid>, StoreError> {
        pin(self.conn, id, field)
    }

    fn put_pin(&mut self, id: Uuid, field: &str, rev: Uuid) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("INSERT OR REPLACE INTO pin (id, field, rev) VALUES (?1, ?2, ?3)")?
            .execute(params![id, field, rev])?;
        Ok(())
    }

    fn seals(&mut self) -> Result<Vec<Op>, StoreError> {
        log::seals(self.conn)
    }

    fn office(&self) -> Option<DeviceId> {
        self.office
    }
}
