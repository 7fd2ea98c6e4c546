//! What carries requests to a hub and its answers back: HTTP over the network. Passed in, so that the simulation has a
//! network of its own.

use super::fault::Fault;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use http::{HeaderMap, Request, StatusCode};
use reqwest::{Body, Url, redirect};
pub use standpipe_world::Broken;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A body goes out in parts of so many bytes, so that a link that still moves is told from one that does not.
const PART: usize = 16 * 1024;

/// Carries requests.
pub trait Wire: Send + Sync {
    /// Sends a request. What goes out of its body is added to `moved` as it goes.
    fn send(
        &self,
        request: Request<Bytes>,
        moved: Arc<AtomicU64>,
    ) -> BoxFuture<'static, Result<Reply, Broken>>;
}

/// Gives what carries requests to the hub at an address.
pub type Connect = Arc<dyn Fn(&Url) -> Result<Arc<dyn Wire>, Fault> + Send + Sync>;

/// The beginning of an answer; its body still comes in.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: BoxStream<'static, Result<Bytes, Broken>>,
}

/// The network. `patience` is how long a connection may take to come about, and how long one may be silent before the
/// system looks whether it still stands.
pub fn network(connect: Duration, silence: Duration) -> Connect {
    Arc::new(move |base| {
        let builder = || {
            let builder = reqwest::Client::builder()
                .connect_timeout(connect)
                .tcp_keepalive(silence)
                // A key must not follow a redirection to somebody else, and a hub sends none.
                .redirect(redirect::Policy::none())
                .user_agent(concat!("standpipe/", env!("CARGO_PKG_VERSION")));
            let loopback =
                base.host_str().is_some_and(|host| host == "localhost" || host.starts_with("127."));
            if loopback { builder.no_proxy() } else { builder }
        };
        // A system without certificate authorities can still reach a hub over http.
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
        let client = client.map_err(|error| Fault::no_answer("preparing connections", Broken::by(&error)))?;
        Ok(Arc::new(Network(client)) as Arc<dyn Wire>)
    })
}

struct Network(reqwest::Client);

impl Wire for Network {
    fn send(
        &self,
        request: Request<Bytes>,
        moved: Arc<AtomicU64>,
    ) -> BoxFuture<'static, Result<Reply, Broken>> {
        let client = self.0.clone();
        Box::pin(async move {
            let request =
                request.map(|body| if body.is_empty() { Body::from(body) } else { parts(body, moved) });
            let request = request.try_into().map_err(|error: reqwest::Error| Broken::by(&error))?;
            let mut response = client.execute(request).await.map_err(|error| Broken::by(&error))?;
            let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
            let body = response.bytes_stream().map(|part| part.map_err(|error| Broken::by(&error))).boxed();
            Ok(Reply { status, headers, body })
        })
    }
}

/// A body that counts what was taken of it.
fn parts(body: Bytes, moved: Arc<AtomicU64>) -> Body {
    Body::wrap_stream(stream::unfold(body, move |mut rest| {
        let part = rest.split_to(PART.min(rest.len()));
        moved.fetch_add(part.len() as u64, Ordering::Relaxed);
        let next = if part.is_empty() { None } else { Some((Ok::<_, Infallible>(part), rest)) };
        std::future::ready(next)
    }))
}
