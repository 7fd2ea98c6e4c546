//! Where the database is, and how one comes to it.

use super::hosts;
use super::link::Link;
use super::missed::told;
use super::patience::Patience;
use super::session::{Missed, Session};
use super::tls;
use super::turn::Turn;
use crate::store::sql::{Source, Sql};
use crate::store::{Doing, StoreError};
use crate::world::World;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A line on which nothing was heard for so long is asked whether it is still there.
const SILENT: Duration = Duration::from_secs(30);

/// What holds on each connection whose address does not say otherwise: whoever was frozen in the middle of a transaction must
/// not hold up the others of this database for ever. And, whatever it says, and whatever is usual on that server: what was
/// acknowledged must outlive a power cut.
const SESSION: &str = "
    SELECT set_config(name, value, false) FROM pg_settings JOIN (VALUES
        ('client_min_messages', 'warning'),
        ('idle_in_transaction_session_timeout', '60s'),
        ('lock_timeout', '20s'),
        ('tcp_keepalives_idle', '30'),
        ('tcp_keepalives_interval', '10'),
        ('tcp_keepalives_count', '3')
    ) AS usual (name, value) USING (name) WHERE source <> 'client';
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

pub(super) const REACHING: &str = "reaching the database";

/// Where the database is.
#[derive(Clone)]
pub(in crate::store) struct Server {
    config: Config,
    /// Where the address asks for it.
    tls: Option<MakeRustlsConnect>,
    pub(super) patience: Patience,
    /// Whose turn it is to serve it.
    pub(super) turn: Arc<Turn>,
    /// Which of its hosts let one in last: the others are tried after it.
    last: Arc<AtomicUsize>,
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
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
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
        let mut patience = Patience::new(Arc::clone(&world));
        if let Some(asked) = config.get_connect_timeout() {
            patience.connect = *asked;
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENT);
        }
        // A standby that only reads may be behind.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.keepalives_idle(SILENT.min(config.get_keepalives_idle()));
        if config.get_keepalives_interval().is_none() {
            config.keepalives_interval(SILENT / 3);
        }
        if config.get_keepalives_retries().is_none() {
            config.keepalives_retries(3);
        }
        Ok(Self { config, tls, patience, turn: Arc::default(), last: Arc::default(), world })
    }

    /// A fresh connection, to the first of its hosts that can be written to.
    ///
    /// # Errors
    /// [`StoreError::Away`] where trying again may do, and [`StoreError::Unsuitable`] where somebody has to change something.
    pub(super) fn connect(&self) -> Result<Link, StoreError> {
        let away = |detail: String| StoreError::Away { doing: REACHING, detail };
        if self.patience.rests() {
            return Err(away("the server did not answer a moment ago".into()));
        }
        let (hosts, first) = (hosts::each(&self.config), self.last.load(Ordering::Relaxed));
        let (mut why, mut is_silent) = (None, false);
        for at in (0..hosts.len()).map(|at| (first + at) % hosts.len()) {
            let missed = match self.reach(&hosts[at]) {
                Ok(session) => {
                    self.last.store(at, Ordering::Relaxed);
                    let link = Link::new(session, self.patience.clone(), Arc::clone(&self.world));
                    link.batch(SESSION).doing(REACHING)?;
                    self.turn.is_of(&link)?;
                    return Ok(link);
                }
                Err(Missed::Silent) => {
                    is_silent = true;
                    away("the server did not answer".into())
                }
                Err(Missed::Refused(error)) => told(&error, &hosts[at]),
                Err(Missed::Here(error)) => away(error.to_string()),
            };
            // What can be mended is told rather than that another is away.
            if matches!(why, None | Some(StoreError::Away { .. })) {
                why = Some(missed);
            }
        }
        if is_silent {
            self.patience.is_out();
        }
        Err(why.unwrap_or_else(|| unsuitable("its address names no host".into())))
    }

    /// A fresh connection for one that worked before. Whatever stands in the way by now, it is worth trying again.
    pub(super) fn connect_again(&self) -> Result<Link, StoreError> {
        self.connect().map_err(|error| match error {
            StoreError::Unsuitable { detail } => StoreError::Away { doing: REACHING, detail },
            error => error,
        })
    }

    fn reach(&self, host: &Config) -> Result<Session, Missed> {
        match &self.tls {
            Some(tls) => Session::open(host, tls.clone(), self.patience.connect),
            None => Session::open(host, NoTls, self.patience.connect),
        }
    }
}

impl Source for Server {
    type Line = Link;
    const SNAPSHOT: &'static str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

    fn line(&self) -> Result<Link, StoreError> {
        self.connect_again()
    }
}

pub(super) fn unsuitable(detail: String) -> StoreError {
    StoreError::Unsuitable { detail }
}
