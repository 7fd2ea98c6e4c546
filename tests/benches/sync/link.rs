//! A link between a tablet and the hub that counts bytes, and cuts connections if it is told to.

use anyhow::Result;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A link, until it is dropped.
pub struct Link {
    address: SocketAddr,
    pub counts: Arc<Counts>,
    listening: JoinHandle<()>,
}

/// What a link has carried.
#[derive(Debug, Default)]
pub struct Counts {
    /// Bytes from the tablet.
    pub up: AtomicU64,
    /// Bytes from the hub.
    pub down: AtomicU64,
    /// Connections that were cut.
    pub cuts: AtomicU64,
}

impl Link {
    /// A link to the hub. It cuts each connection once that has carried so many bytes up.
    pub async fn to(hub: SocketAddr, cut_after: Option<u64>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let counts = Arc::new(Counts::default());
        let all = Arc::clone(&counts);
        let listening = tokio::spawn(async move {
            while let Ok((tablet, _)) = listener.accept().await {
                let counts = Arc::clone(&all);
                tokio::spawn(async move {
                    // Whatever breaks a connection: both ends see that it is gone.
                    if carry(tablet, hub, &counts, cut_after.unwrap_or(u64::MAX)).await.unwrap_or(false) {
                        counts.cuts.fetch_add(1, Relaxed);
                    }
                });
            }
        });
        Ok(Self { address, counts, listening })
    }

    /// Where the tablet finds the hub.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Carries one connection. Gives whether it was cut.
async fn carry(mut tablet: TcpStream, hub: SocketAddr, counts: &Counts, most: u64) -> Result<bool> {
    let mut hub = TcpStream::connect(hub).await?;
    tablet.set_nodelay(true)?;
    hub.set_nodelay(true)?;
    let (from_tablet, to_tablet) = tablet.split();
    let (from_hub, to_hub) = hub.split();
    Ok(tokio::select! {
        cut = pass(from_tablet, to_hub, &counts.up, most) => cut?,
        ended = pass(from_hub, to_tablet, &counts.down, u64::MAX) => ended?,
    })
}

/// Passes bytes on until they end, or until it were more than `most`. Gives whether it was the latter.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    count: &AtomicU64,
    most: u64,
) -> Result<bool> {
    let mut buffer = vec![0; 64 * 1024];
    let mut left = most;
    while left > 0 {
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = from.read(&mut buffer[..room]).await?;
        if read == 0 {
            return Ok(false);
        }
        count.fetch_add(read as u64, Relaxed);
        left -= read as u64;
        to.write_all(&buffer[..read]).await?;
    }
    Ok(true)
}
