//! Answers requests until it is told to stop.

use super::App;
use crate::world::aside;
use axum::serve::ListenerExt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long requests under way may take to end once the hub is to stop. What a cut upload had sent is kept.
const GRACE: Duration = Duration::from_secs(10);

/// Answers requests at `listener` until `stop`, then lets those under way end.
pub async fn serve(
    app: App,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let of = app.clone();
    let prepared = aside(&*app.world, move || of.of_nobody()).await;
    prepared.map_err(io::Error::other)?.map_err(io::Error::other)?;
    let closing = app.closing.clone();
    let mut closed = closing.subscribe();
    let stopped = async move {
        stop.await;
        // Lines that stay open for news end now; otherwise the hub would wait for them for ever.
        closing.send_replace(true);
    };
    // Answers are small and waited for.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
    });
    let (blobs, filer) = (app.blobs.clone(), app.filer());
    let service = app.router().into_make_service_with_connect_info::<SocketAddr>();
    let overdue = async move {
        let _ = closed.wait_for(|closing| *closing).await;
        tokio::time::sleep(GRACE).await;
    };
    let filing = async move {
        match filer {
            Some(filer) => filer.run().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = axum::serve(listener, service).with_graceful_shutdown(stopped) => ended,
        () = overdue => {
            tracing::warn!("some requests did not end in time and were cut");
            Ok(())
        }
        never = blobs.tidy() => match never {},
        never = filing => match never {},
    }
}
