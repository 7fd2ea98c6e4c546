//! What carries requests to an outside tracker: HTTP over the network. Passed in, so that the simulation has a network of
//! its own.

use crate::world::Broken;
use bytes::Bytes;
use futures::future::BoxFuture;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Method, Url, redirect};
use standpipe_bridge::redmine::Call;
use std::time::Duration;

/// The largest answer that is read: a page of a hundred issues with long texts fits well.
const MOST: usize = 16 * 1024 * 1024;

/// Carries requests.
pub trait Carry: Send + Sync {
    /// Sends a request. Gives the answer's status and body.
    fn send(&self, call: Call) -> BoxFuture<'static, Result<(u16, Bytes), Broken>>;
}

/// The network.
pub struct Network {
    client: Client,
    address: String,
    key: HeaderValue,
}

impl Network {
    /// To the Redmine at `address`, in the name of whoever has this key.
    ///
    /// # Errors
    /// [`Broken`] where connections cannot be made at all.
    pub fn new(address: &Url, mut key: HeaderValue) -> Result<Self, Broken> {
        key.set_sensitive(true);
        let builder = Client::builder()
            .connect_timeout(Duration::from_secs(10))
            // One that was idle may be closed by now, and a create that meets that leaves nobody knowing.
            .pool_max_idle_per_host(0)
            // The key must not follow to somebody else, and a request that was moved was not done.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("standpipe-hub/", env!("CARGO_PKG_VERSION")));
        let client = builder.build().map_err(|error| Broken::by(&error))?;
        Ok(Self { client, address: address.as_str().trim_end_matches('/').to_owned(), key })
    }
}

impl Carry for Network {
    fn send(&self, call: Call) -> BoxFuture<'static, Result<(u16, Bytes), Broken>> {
        let Call { method, path, body } = call;
        let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::GET);
        let request = self.client.request(method, format!("{}{path}", self.address));
        let mut request = request.header("X-Redmine-API-Key", self.key.clone());
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        Box::pin(async move {
            let mut answer = request.send().await.map_err(|error| Broken::by(&error.without_url()))?;
            let status = answer.status().as_u16();
            let mut body = Vec::new();
            while let Some(part) = answer.chunk().await.map_err(|error| Broken::by(&error.without_url()))? {
                body.extend_from_slice(&part);
                if body.len() > MOST {
                    return Err(Broken(format!("its answer is larger than {MOST} bytes")));
                }
            }
            Ok((status, body.into()))
        })
    }
}
