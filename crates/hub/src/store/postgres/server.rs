//! Where the database is, and how one comes to it.

use super::link::{Link, fault};
use super::tls;
use crate::store::sql::{Source, Sql};
use crate::store::{Doing, StoreError};
use crate::world::World;
use ::postgres::config::{SslMode, TargetSessionAttrs};
use ::postgres::{Config, NoTls};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres_rustls::MakeRustlsConnect;

/// A server that does not take a connection within this is away.
const CONNECT: Duration = Duration::from_secs(10);
/// A line on which nothing was heard for so long is asked whether it is still there.
const SILENT: Duration = Duration::from_secs(30);

/// What holds on each connection. Whoever was frozen in the middle of a transaction must not hold up the others of this
/// database for ever, and what was acknowledged must outlive a power cut, whatever is usual on that server.
const SESSION: &str = "
    SET client_min_messages = 'warning';
    SET idle_in_transaction_session_timeout = '60s';
    SET lock_timeout = '20s';
    SET tcp_keepalives_idle = 30;
    SET tcp_keepalives_interval = 10;
    SET tcp_keepalives_count = 3;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// Where the database is.
#[derive(Clone)]
pub(in crate::store) struct Server {
    config: Config,
    /// Where the address asks for it.
    tls: Option<MakeRustlsConnect>,
    world: Arc<dyn World>,
}

impl Server {
    /// The server that `url` names (`postgres://user:password@host:port/database`).
    pub(super) fn of(url: &str, world: Arc<dyn World>) -> Result<Self, StoreError> {
        let (url, roots) = tls::split(url);
        const FORM: &str = "its address does not read as postgres://user:password@host/database";
        // In another form, what is read as an option may be the password: nothing of that is told.
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(unsuitable(FORM.into()));
        }
        let mut config: Config = url.parse().map_err(|error: ::postgres::Error| {
            let why = std::error::Error::source(&error).map(ToString::to_string);
            let why = why.filter(|why| !why.contains('@')).map_or_else(String::new, |why| format!(": {why}"));
            unsuitable(format!("{FORM}{why}"))
        })?;
        let tls = match (config.get_ssl_mode(), &roots) {
            (SslMode::Require, roots) => Some(tls::connector(roots.as_deref())?),
            (_, Some(_)) => {
                return Err(unsuitable("its address names sslrootcert, which needs sslmode=require".into()));
            }
            // Whatever the server would do: without being asked for, TLS would prove nothing of who is there.
            (_, None) => None,
        };
        if config.get_application_name().is_none() {
            config.application_name("standpipe-hub");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENT);
        }
        // A standby that only reads may be behind.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.keepalives_idle(SILENT).keepalives_interval(SILENT / 3).keepalives_retries(3);
        config.notice_callback(|notice| {
            tracing::warn!(message = notice.message(), "the database says something");
        });
        Ok(Self { config, tls, world })
    }

    /// A fresh connection.
    pub(super) fn connect(&self) -> Result<Link, StoreError> {
        const DOING: &str = "reaching the database";
        // Whatever it says of a connection, it said nothing of what is to be done on it: that is worth trying again.
        let away = |error| StoreError::Away { doing: DOING, detail: fault(&error).to_string() };
        let connected = match &self.tls {
            Some(tls) => self.config.connect(tls.clone()),
            None => self.config.connect(NoTls),
        };
        let client = connected.map_err(away)?;
        let link = Link::new(client, Arc::clone(&self.world));
        link.batch(SESSION).doing(DOING)?;
        Ok(link)
    }
}

impl Source for Server {
    type Line = Link;
    const SNAPSHOT: &'static str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

    fn line(&self) -> Result<Link, StoreError> {
        self.connect()
    }
}

pub(super) fn unsuitable(detail: String) -> StoreError {
    StoreError::Unsuitable { detail }
}
