//! A session with a server, driven by whoever waits for an answer of it, for no longer than they have patience.

use super::fault::fault;
use crate::store::sql::SqlError;
use futures::Stream;
use futures::stream::poll_fn;
use std::collections::VecDeque;
use std::future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Error, Socket};

/// How long a server may take to hear that one goes.
const GOODBYE: Duration = Duration::from_secs(1);

type Said = Pin<Box<dyn Stream<Item = Result<AsyncMessage, Error>> + Send>>;

/// An open connection. It speaks only while somebody waits.
pub(super) struct Session {
    runtime: Runtime,
    client: Client,
    said: Said,
    /// What other processes told, and nobody here has taken yet.
    heard: VecDeque<String>,
}

/// Why there is no session.
pub(super) enum Missed {
    /// Nobody answered for as long as one waited.
    Silent,
    Refused(Error),
    /// This machine has no more room for a connection.
    Here(std::io::Error),
}

impl Session {
    /// Reaches the one server that `config` names, and signs in.
    pub(super) fn open<T>(config: &Config, tls: T, patience: Duration) -> Result<Self, Missed>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Missed::Here)?;
        // The driver's own limit is only for the first packet: a server that is frozen lets its machine answer that.
        let met = runtime.block_on(async { timeout(patience, config.connect(tls)).await });
        match met {
            Ok(Ok((client, connection))) => {
                Ok(Self { runtime, client, said: said(connection), heard: VecDeque::new() })
            }
            other => {
                // Whoever still looks a name up is not waited for.
                runtime.shutdown_background();
                Err(other.map_or(Missed::Silent, |refused| match refused {
                    Err(error) => Missed::Refused(error),
                    Ok(_) => Missed::Silent,
                }))
            }
        }
    }

    /// Has `ask` ask something, and gives the answer.
    ///
    /// # Errors
    /// [`SqlError::Silent`] where none came within `patience`: nothing can be asked on this session any more.
    pub(super) fn wait<T>(
        &mut self,
        patience: Option<Duration>,
        ask: impl AsyncFnOnce(&Client) -> Result<T, Error>,
    ) -> Result<T, SqlError> {
        let Self { runtime, client, said, heard } = self;
        let mut asked = pin!(ask(client));
        let answer = drive(runtime, said, heard, patience, |cx, _| {
            asked.as_mut().poll(cx).map(|answer| answer.map_err(|error| fault(&error)))
        })?;
        answer.ok_or_else(|| {
            let waited = patience.unwrap_or_default().as_secs_f32();
            SqlError::Silent(format!("the server did not answer within {waited} s"))
        })
    }

    /// What another process tells: until `patience` is over, or the first of it.
    pub(super) fn hear(&mut self, patience: Duration) -> Result<Option<String>, SqlError> {
        let Self { runtime, said, heard, .. } = self;
        drive(runtime, said, heard, Some(patience), |_, heard| {
            heard.pop_front().map_or(Poll::Pending, |told| Poll::Ready(Ok(told)))
        })
    }

    /// Says goodbye, so that the server lets go at once of what this session held.
    pub(super) fn close(self) {
        let Self { runtime, client, mut said, mut heard } = self;
        drop(client);
        let gone = drive::<()>(&runtime, &mut said, &mut heard, Some(GOODBYE), |_, _| Poll::Pending);
        drop(gone);
        drop(said);
        runtime.shutdown_background();
    }
}

fn said<S, T>(mut connection: Connection<S, T>) -> Said
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Box::pin(poll_fn(move |cx| connection.poll_message(cx)))
}

/// Speaks with the server until `look` has what it looks for; `None` where `patience` was over before.
fn drive<T>(
    runtime: &Runtime,
    said: &mut Said,
    heard: &mut VecDeque<String>,
    patience: Option<Duration>,
    mut look: impl FnMut(&mut Context<'_>, &mut VecDeque<String>) -> Poll<Result<T, SqlError>>,
) -> Result<Option<T>, SqlError> {
    let speaking = future::poll_fn(|cx| {
        let has_ended = loop {
            match said.as_mut().poll_next(cx) {
                Poll::Ready(Some(Ok(AsyncMessage::Notification(told)))) => {
                    heard.push_back(told.payload().to_owned());
                }
                Poll::Ready(Some(Ok(AsyncMessage::Notice(notice)))) => {
                    tracing::warn!(message = notice.message(), "the database says something");
                }
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(fault(&error))),
                Poll::Ready(None) => break true,
                Poll::Pending => break false,
            }
        };
        match look(cx, heard) {
            Poll::Pending if has_ended => {
                Poll::Ready(Err(SqlError::Lost("the server has closed the connection".into())))
            }
            looked => looked,
        }
    });
    runtime.block_on(async {
        match patience {
            Some(patience) => timeout(patience, speaking).await.ok().transpose(),
            None => speaking.await.map(Some),
        }
    })
}
