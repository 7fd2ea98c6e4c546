//! A bad network between tablets and their hub. It cuts connections anywhere, delays, lets connections overtake one
//! another, and delivers requests long after whoever sent them has given up. TCP keeps the order within a connection.

use anyhow::Result;
use fastrand::Rng;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// A part of what is carried, in bytes.
const PART: usize = 8 * 1024;
/// Who has sent nothing for so long has sent the whole request.
const PAUSE: Duration = Duration::from_millis(40);
/// How long an answer is read that nobody waits for.
const UNWANTED: Duration = Duration::from_secs(2);

/// Listens for tablets until it is dropped.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    is_bad: Arc<AtomicBool>,
    count: Arc<Count>,
    task: JoinHandle<()>,
}

/// What was done to connections.
#[derive(Debug, Default)]
pub struct Count {
    /// That came about, whatever became of them.
    pub connections: AtomicU64,
    /// Cut in the middle of something, in either direction.
    pub cuts: AtomicU64,
    /// Requests that came to the hub when nobody waited for their answer any more.
    pub late: AtomicU64,
}

/// What becomes of one connection.
#[derive(Clone, Copy, Debug)]
struct Fate {
    /// Before it comes about: others overtake it.
    delay: Duration,
    /// Before each part.
    lag: Duration,
    /// So many bytes pass, both ways together.
    bytes: u64,
    /// What is sent then comes to the hub so much later, and its sender is cut at once.
    late: Option<Duration>,
}

impl Fate {
    const GOOD: Self = Self { delay: Duration::ZERO, lag: Duration::ZERO, bytes: u64::MAX, late: None };

    fn bad(dice: &mut Rng) -> Self {
        let delay = if dice.u8(..4) == 0 { dice.u64(50..600) } else { dice.u64(..30) };
        let lag = if dice.u8(..4) == 0 { dice.u64(1..40) } else { 0 };
        Self {
            delay: Duration::from_millis(delay),
            lag: Duration::from_millis(lag),
            // As many short lives as long ones, from a part of a request's head to some photos.
            bytes: dice.u64(100..400) << dice.u8(..9),
            late: dice.bool().then(|| Duration::from_millis(dice.u64(50..1_000))),
        }
    }
}

impl Proxy {
    /// Carries connections to the hub at `hub`: well, until [`Proxy::be_bad`] is called. The seed decides what becomes of
    /// the first connection, of the second, and so on.
    pub async fn start(hub: SocketAddr, seed: u64) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (is_bad, count) = (Arc::new(AtomicBool::new(false)), Arc::new(Count::default()));
        let (bad, counting, mut dice) = (Arc::clone(&is_bad), Arc::clone(&count), Rng::with_seed(seed));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                counting.connections.fetch_add(1, Relaxed);
                let fate = if bad.load(Relaxed) { Fate::bad(&mut dice) } else { Fate::GOOD };
                tokio::spawn(carry(client, hub, fate, Arc::clone(&counting)));
            }
        });
        Ok(Self { address, is_bad, count, task })
    }

    /// Whether connections that come from now on are treated badly.
    pub fn be_bad(&self, is_bad: bool) {
        self.is_bad.store(is_bad, Relaxed);
    }

    /// What was done so far.
    pub fn count(&self) -> &Count {
        &self.count
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How one direction of a connection ended.
enum End {
    /// One of the two closed it, or broke.
    Closed,
    /// So many bytes have passed; this part has not.
    Spent(Vec<u8>),
}

async fn carry(mut client: TcpStream, hub: SocketAddr, fate: Fate, count: Arc<Count>) {
    sleep(fate.delay).await;
    // A hub that is down: the client hears so.
    let Ok(mut hub) = TcpStream::connect(hub).await else { return };
    let left = AtomicU64::new(fate.bytes);
    let (mut from_client, mut to_client) = client.split();
    let (mut from_hub, mut to_hub) = hub.split();
    let held = tokio::select! {
        end = pass(&mut from_client, &mut to_hub, &left, fate) => match end {
            End::Closed => return,
            End::Spent(part) => Some(part),
        },
        end = pass(&mut from_hub, &mut to_client, &left, fate) => match end {
            End::Closed => return,
            End::Spent(_) => None,
        },
    };
    let (Some(delay), Some(mut held)) = (fate.late, held) else {
        count.cuts.fetch_add(1, Relaxed);
        return;
    };
    // The rest of the request is taken; then the client is cut, and tries again long before this arrives.
    let mut part = vec![0; PART];
    while let Ok(Ok(length @ 1..)) = timeout(PAUSE, client.read(&mut part)).await {
        held.extend_from_slice(&part[..length]);
    }
    drop(client);
    sleep(delay).await;
    if hub.write_all(&held).await.is_ok() {
        count.late.fetch_add(1, Relaxed);
        // Whatever the hub says goes nowhere.
        let _ = timeout(UNWANTED, tokio::io::copy(&mut hub, &mut tokio::io::sink())).await;
    }
}

/// Passes on what comes in, while bytes are left.
async fn pass(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    left: &AtomicU64,
    fate: Fate,
) -> End {
    let mut part = vec![0; PART];
    loop {
        let length = match from.read(&mut part).await {
            Ok(0) | Err(_) => return End::Closed,
            Ok(length) => length,
        };
        sleep(fate.lag).await;
        let may = usize::try_from(left.load(Relaxed)).unwrap_or(usize::MAX);
        if may < length && fate.late.is_some() {
            return End::Spent(part[..length].to_vec());
        }
        let passes = length.min(may);
        if to.write_all(&part[..passes]).await.is_err() {
            return End::Closed;
        }
        if passes < length {
            return End::Spent(part[passes..length].to_vec());
        }
        left.fetch_sub(passes as u64, Relaxed);
    }
}
