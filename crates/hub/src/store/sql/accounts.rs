//! Who may come in: accounts and sessions, enrolment codes and tablets.

use super::desk::{Desk, parse};
use super::value::{Value, bind};
use super::{Row, SqlError};
use crate::secret::PasswordHash;
use crate::store::{Device, Enrolment, NewDevice, Records, Session, StoreError, User};
use standpipe_domain::ids::{DeviceId, Millis, PersonId, Sha256, SiteId};
use standpipe_domain::office::Tablet;
use standpipe_domain::people::Person;
use standpipe_oplog::seal::Jwk;

const DEVICE: &str = "SELECT id, name, person, site, key, revoked FROM device";

impl Desk<'_> {
    pub(super) fn user(&mut self, name: &str) -> Result<Option<User>, StoreError> {
        let sql = "SELECT name, password, person FROM account WHERE name = ?";
        self.first("reading an account", sql, bind![name], |row| {
            Ok(User {
                name: row.get(0)?,
                password: PasswordHash::from_phc(row.get(1)?),
                person: PersonId(row.get(2)?),
            })
        })
    }

    /// How many accounts there are.
    pub(super) fn accounts(&mut self) -> Result<u32, StoreError> {
        let count =
            self.first("counting the accounts", "SELECT count(*) FROM account", &[], |row| row.get(0));
        Ok(count?.unwrap_or(0))
    }

    pub(super) fn put_user(&mut self, user: &User) -> Result<(), StoreError> {
        let sql = "INSERT INTO account (name, password, person) VALUES (?, ?, ?)
                   ON CONFLICT (name) DO UPDATE SET password = excluded.password, person = excluded.person";
        self.run("keeping an account", sql, bind![user.name, user.password.phc(), user.person.0])?;
        // Whoever came in with the old password is out.
        self.run("ending sessions", "DELETE FROM session WHERE person = ?", bind![user.person.0]).map(drop)
    }

    pub(super) fn begin_session(&mut self, session: &Session) -> Result<(), StoreError> {
        let sql = "INSERT INTO session (token, person, expires) VALUES (?, ?, ?)";
        let row = bind![session.token.0, session.person.0, session.expires.0];
        self.run("beginning a session", sql, row).map(drop)
    }

    pub(super) fn session(&mut self, token: Sha256, now: Millis) -> Result<Option<PersonId>, StoreError> {
        let sql = "SELECT person FROM session WHERE token = ? AND expires > ?";
        self.first("reading a session", sql, bind![token.0, now.0], |row| row.get(0).map(PersonId))
    }

    pub(super) fn end_session(&mut self, token: Sha256) -> Result<(), StoreError> {
        self.run("ending a session", "DELETE FROM session WHERE token = ?", bind![token.0]).map(drop)
    }

    pub(super) fn offer(&mut self, enrolment: &Enrolment) -> Result<(), StoreError> {
        let sql = "INSERT INTO enrolment (code, name, person, expires) VALUES (?, ?, ?, ?)";
        let row = bind![enrolment.code.0, enrolment.name, enrolment.person.0, enrolment.expires.0];
        self.run("keeping an enrolment code", sql, row).map(drop)
    }

    pub(super) fn enrol(
        &mut self,
        code: Sha256,
        device: &NewDevice,
        now: Millis,
    ) -> Result<Option<Device>, StoreError> {
        let doing = "enrolling a tablet";
        let Some(site) = self.site()? else { return Ok(None) };
        self.run(doing, "DELETE FROM enrolment WHERE expires <= ?", bind![now.0])?;
        // Taken out in the same transaction: a code works once.
        let sql = "DELETE FROM enrolment WHERE code = ? RETURNING name, person";
        let offered = self.all(doing, sql, bind![code.0], |row| Ok((row.get(0)?, PersonId(row.get(1)?))))?;
        let Some((name, person)): Option<(String, PersonId)> = offered.into_iter().next() else {
            return Ok(None);
        };
        let sql = "INSERT INTO device (id, name, person, site, key, token, version, last_seen)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        let key = device.key.clone();
        let (id, token, version) = (device.id.0, device.token.0, &device.version);
        self.run(doing, sql, bind![id, name, person.0, site.id.0, key.x, token, version, now.0])?;
        Ok(Some(Device { id: device.id, name, person, site: site.id, key, revoked: false }))
    }

    pub(super) fn device_by_token(&mut self, token: Sha256) -> Result<Option<Device>, StoreError> {
        self.device_of("token = ?", bind![token.0])
    }

    pub(super) fn device_of(&self, which: &str, key: &[Value<'_>]) -> Result<Option<Device>, StoreError> {
        self.first("reading a tablet", &format!("{DEVICE} WHERE {which}"), key, |row| {
            Ok(Device {
                id: DeviceId(row.get(0)?),
                name: row.get(1)?,
                person: PersonId(row.get(2)?),
                site: SiteId(row.get(3)?),
                key: Jwk { kty: "OKP".into(), crv: "Ed25519".into(), x: row.get(4)? },
                revoked: row.get(5)?,
            })
        })
    }

    pub(super) fn seen(
        &mut self,
        device: DeviceId,
        version: &str,
        ahead: i64,
        now: Millis,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE device SET version = ?, ahead = ?, last_seen = ? WHERE id = ?";
        self.run("noting a handshake", sql, bind![version, ahead, now.0, device.0]).map(drop)
    }

    pub(super) fn revoke(&mut self, device: DeviceId) -> Result<Option<Tablet>, StoreError> {
        self.run("revoking a tablet", "UPDATE device SET revoked = 1 WHERE id = ?", bind![device.0])?;
        Ok(self.tablets(Some(device))?.pop())
    }

    /// Every tablet by name, or one of them.
    pub(super) fn tablets(&mut self, one: Option<DeviceId>) -> Result<Vec<Tablet>, StoreError> {
        let doing = "reading the tablets";
        let sql = "SELECT d.id, d.name, d.person, d.revoked, d.last_seen, d.version, p.record
                   FROM device d LEFT JOIN person p ON p.id = d.person
                   WHERE ?1 IS NULL OR d.id = ?1 ORDER BY d.name, d.id";
        let rows: Vec<(Tablet, Option<String>)> =
            self.all(doing, sql, bind![one.map(|id| id.0)], |row| Ok((tablet(row)?, row.get(6)?)))?;
        let named = |(tablet, person): (Tablet, Option<String>)| {
            let person: Option<Person> = person.map(|person| parse(doing, &person)).transpose()?;
            let person_name = person.map(|person| person.name).unwrap_or_default();
            Ok(Tablet { person_name, ..tablet })
        };
        rows.into_iter().map(named).collect()
    }
}

/// A tablet, but for the name of who holds it.
fn tablet(row: Row<'_>) -> Result<Tablet, SqlError> {
    Ok(Tablet {
        id: DeviceId(row.get(0)?),
        name: row.get(1)?,
        person: PersonId(row.get(2)?),
        person_name: String::new(),
        revoked: row.get(3)?,
        last_seen: Some(Millis(row.get(4)?)),
        version: Some(row.get(5)?),
    })
}
