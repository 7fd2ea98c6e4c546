//! `standpipe-hub serve`

use super::kept::{Kept, Place};
use super::outside::{self, Outside};
use super::{Failed, say};
use crate::demo;
use crate::founding;
use crate::http::{self, App};
use crate::secret::Password;
use crate::store::Store;
use crate::world::RealWorld;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, clap::Args)]
pub struct Options {
    /// Where to listen.
    #[arg(long, env = "STANDPIPE_LISTEN", default_value = "127.0.0.1:4180")]
    listen: SocketAddr,
    /// Browsers reach the hub through TLS, which something before it ends: cookies then go over TLS only.
    #[arg(long, env = "STANDPIPE_BEHIND_TLS")]
    behind_tls: bool,
    /// Load the first estate as a demonstration, if the data folder holds none yet.
    #[arg(long, env = "STANDPIPE_DEMO")]
    demo: bool,
    #[command(flatten)]
    outside: Option<Outside>,
}

pub async fn serve(place: &Place, options: Options) -> Result<(), Failed> {
    let (kept, _lock) = place.open_to_serve().await?;
    let served = run(place, &options, &kept).await;
    kept.close().await;
    tracing::info!("the hub has stopped");
    served
}

async fn run(place: &Place, options: &Options, kept: &Kept) -> Result<(), Failed> {
    let (world, store) = (Arc::new(RealWorld), kept.store());
    if options.demo && demo::load(store, world.clone()).await? {
        tracing::info!("the first estate was loaded as a demonstration");
    }
    let first = founding::found(store, world.clone()).await?;
    let known =
        if options.demo || !options.listen.ip().is_loopback() { known(store).await? } else { Vec::new() };
    if !known.is_empty() && !options.listen.ip().is_loopback() {
        let accounts: Vec<_> = known.into_iter().map(|(account, _)| account).collect();
        return Err(Failed::KnownPassword { accounts: accounts.join(", ") });
    }
    let mut app = match kept {
        Kept::File(store) => App::open(&place.data, Arc::clone(store), world, options.behind_tls).await?,
        Kept::Server(store) => App::open(&place.data, Arc::clone(store), world, options.behind_tls).await?,
    };
    if let Some(outside) = &options.outside {
        app = app.beside(outside::tracker(outside)?);
    }
    let failed = |source| Failed::Listen { address: options.listen, source };
    let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (stop, over) = (stop().map_err(Failed::Serving)?, kept.over());

    if let Some(password) = first {
        say(&format!("first start: sign in as {} with {}", founding::OFFICE, password.reveal()));
        say("this password is shown once; `standpipe-hub user set-password` sets another");
    }
    for (account, person) in known {
        say(&format!("demonstration: sign in as {account} ({person}) with {}", demo::PASSWORD));
    }
    say(&format!("listening on http://{address}"));
    let stop = async move {
        tokio::select! {
            () = stop => {}
            () = over => {}
        }
    };
    http::serve(app, listener, stop).await.map_err(Failed::Serving)?;
    kept.is_ours()
}

/// The accounts that have the demonstration's password, and whose they are.
async fn known(store: &dyn Store) -> Result<Vec<(&'static str, &'static str)>, Failed> {
    let mut known = Vec::new();
    for (account, person) in demo::ACCOUNTS {
        let Some(user) = store.user(account).await? else { continue };
        if Password::new(demo::PASSWORD).fits(&user.password).map_err(founding::NotSetUp::from)? {
            known.push((account, person));
        }
    }
    Ok(known)
}

/// Ends when somebody tells the hub to stop. Heard from now on, so that no signal is missed.
fn stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: requests under way may end");
    })
}
