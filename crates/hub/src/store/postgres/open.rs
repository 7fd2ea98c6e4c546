//! Opening the database: whether it is fit, its migrations, and who this hub is.

use super::link::Link;
use super::server::unsuitable;
use crate::store::sql::{Row, Sql, SqlError, bind};
use crate::store::{Doing, Identity, PROJECTION, StoreError};
use crate::world::World;
use ed25519_dalek::SigningKey;
use standpipe_domain::ids::DeviceId;

/// The version that this program makes.
pub(super) const KNOWN: u32 = 6;
/// Numbered from 1, only ever added to. They are numbered apart from those of SQLite.
const MIGRATIONS: [&str; KNOWN as usize] = [
    include_str!("../../../../../migrations/hub/postgres/0001_hub.sql"),
    include_str!("../../../../../migrations/hub/postgres/0002_filing.sql"),
    include_str!("../../../../../migrations/hub/postgres/0003_seen.sql"),
    include_str!("../../../../../migrations/hub/postgres/0004_projection.sql"),
    include_str!("../../../../../migrations/hub/postgres/0005_losses.sql"),
    include_str!("../../../../../migrations/hub/postgres/0006_deleted.sql"),
];

const MIGRATING: &str = "migrating the database";

/// Makes the database one of this version, where it is older or empty. One of a newer version is left as it is.
pub(super) fn open(link: &Link, world: &dyn World) -> Result<Identity, StoreError> {
    is_fit(link)?;
    // A migration takes as long as it takes.
    link.take_time();
    // Several processes may start at once. Held until the transaction ends; the number is this program's own.
    link.batch("BEGIN; SELECT pg_advisory_xact_lock(6004271853)").doing(MIGRATING)?;
    let found = version(link)?;
    if found > KNOWN {
        return Err(StoreError::Newer { found, known: KNOWN });
    }
    if found < KNOWN {
        for sql in MIGRATIONS.iter().skip(found as usize) {
            link.batch(sql).doing(MIGRATING)?;
        }
        link.batch("CREATE TABLE IF NOT EXISTS standpipe (version BIGINT NOT NULL); DELETE FROM standpipe")
            .doing(MIGRATING)?;
        link.run("INSERT INTO standpipe (version) VALUES (?)", bind![KNOWN]).doing(MIGRATING)?;
    }
    let identity = identity(link, world)?;
    let over = "DELETE FROM session WHERE expires <= ?";
    link.run(over, bind![world.now().0]).doing("forgetting sessions that are over")?;
    link.batch("COMMIT").doing(MIGRATING)?;
    Ok(identity)
}

/// Which version the database is of; 0 for an empty one.
fn version(link: &Link) -> Result<u32, StoreError> {
    let doing = "reading the database's version";
    if !first(link, "SELECT to_regclass('standpipe') IS NOT NULL", |row| row.get(0)).doing(doing)? {
        return Ok(0);
    }
    first(link, "SELECT version FROM standpipe", |row| row.get(0)).doing(doing)
}

/// Whether the server can keep what a hub keeps.
fn is_fit(link: &Link) -> Result<(), StoreError> {
    let setting = |name: &str| {
        let sql = format!("SELECT current_setting('{name}')");
        first(link, &sql, |row| row.get::<String>(0)).doing("asking the database for its settings")
    };
    let version: u32 = setting("server_version_num")?.parse().unwrap_or(0);
    if version < 150_000 {
        let found = setting("server_version")?;
        return Err(unsuitable(format!("it is PostgreSQL {found}; 15 or later is needed")));
    }
    let encoding = setting("server_encoding")?;
    if encoding != "UTF8" {
        return Err(unsuitable(format!("its encoding is {encoding}; make it with ENCODING 'UTF8'")));
    }
    for name in ["fsync", "full_page_writes"] {
        if setting(name)? == "off" {
            tracing::warn!(
                "{name} is off on the database's server: what it keeps may not outlive a power cut"
            );
        }
    }
    Ok(())
}

/// Who this hub is; a fresh identity where the database has none.
fn identity(link: &Link, world: &dyn World) -> Result<Identity, StoreError> {
    let mut stored = None;
    let sql = "SELECT device, key, epoch FROM hub";
    link.rows(sql, &[], &mut |row| {
        let (device, key, epoch) = (DeviceId(row.get(0)?), SigningKey::from_bytes(&row.get(1)?), row.get(2)?);
        stored = Some(Identity { device, key, epoch });
        Ok(false)
    })
    .doing("reading who this hub is")?;
    if let Some(identity) = stored {
        return Ok(identity);
    }
    let mut key = [0; 32];
    world.random(&mut key);
    let identity =
        Identity { device: DeviceId(world.uuid()), key: SigningKey::from_bytes(&key), epoch: world.uuid() };
    let sql = "INSERT INTO hub (one, device, key, epoch, projection) VALUES (1, ?, ?, ?, ?)";
    let row = bind![identity.device.0, key, identity.epoch, PROJECTION];
    link.run(sql, row).doing("writing down who this hub is")?;
    Ok(identity)
}

/// What the first row says; there is one.
fn first<T>(
    link: &Link,
    sql: &str,
    mut read: impl FnMut(Row<'_>) -> Result<T, SqlError>,
) -> Result<T, SqlError> {
    let mut first = None;
    link.rows(sql, &[], &mut |row| {
        first = Some(read(row)?);
        Ok(false)
    })?;
    first.ok_or_else(|| SqlError::Refused("the database gives no answer".into()))
}
