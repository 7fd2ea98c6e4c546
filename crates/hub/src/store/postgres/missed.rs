//! Why a server lets nobody in: each cause as what it is, with what to do.

use super::fault::{is_io, words};
use super::server::{REACHING, unsuitable};
use crate::store::StoreError;
use std::error::Error as _;
use std::io;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, Error};

/// What is told of an attempt to reach `host`.
///
/// Of a database that takes nobody in for now, of a server that starts or stops, and of a line that is cut it is told that
/// they are away.
pub(super) fn told(error: &Error, host: &Config) -> StoreError {
    let user = host.get_user().unwrap_or("nobody");
    let database = host.get_dbname().unwrap_or(user);
    if let Some(said) = error.as_db_error() {
        let (code, message) = (said.code(), said.message());
        return unsuitable(if *code == SqlState::INVALID_PASSWORD {
            format!(
                "its server does not take the password of {user}: correct the password, or the user, in its address"
            )
        } else if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
            format!(
                "its server does not let {user} in ({message}): make that user there, or let it in from this machine in \
                 pg_hba.conf"
            )
        } else if *code == SqlState::INVALID_CATALOG_NAME {
            format!("its server has no database {database}: make it, or correct the name in its address")
        } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
            format!("its server does not let {user} into {database} ({message}): grant it CONNECT there")
        } else {
            return away(error);
        });
    }
    if let Some(why) = in_tls(error) {
        return unsuitable(match why {
            rustls::Error::InvalidCertificate(_) => format!(
                "the certificate of its server is not to be trusted ({why}): name in its address the host that the \
                 certificate names, and with sslrootcert the file of whoever signed it"
            ),
            _ => format!("its server and this hub do not agree on how to speak TLS ({why})"),
        });
    }
    if error.is_closed() || is_io(error) {
        return away(error);
    }
    let why = words(error);
    unsuitable(if host.get_ssl_mode() == SslMode::Require {
        format!(
            "its address asks for TLS, and its server does not speak it like that ({why}): turn ssl on there, or take \
             sslmode out of the address where the server is on this machine"
        )
    } else if host.get_password().is_none() {
        format!(
            "its server asks how {user} proves who it is, and its address gives no password ({why}): add it there"
        )
    } else {
        format!("its server and this hub do not agree on how {user} proves who it is ({why})")
    })
}

fn away(error: &Error) -> StoreError {
    StoreError::Away { doing: REACHING, detail: words(error) }
}

/// What TLS says of it, however deep.
fn in_tls(error: &Error) -> Option<&rustls::Error> {
    let io = error.source()?.downcast_ref::<io::Error>()?;
    io.get_ref()?.downcast_ref()
}
