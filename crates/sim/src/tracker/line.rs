//! The way from the hub to the tracker outside, which looks at what the hub sends there.

use super::Outside;
use crate::net::{Net, Target};
use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use serde_json::Value;
use standpipe_bridge::redmine::Call;
use standpipe_domain::ids::IssueId;
use standpipe_hub::filing::Carry;
use standpipe_world::Broken;
use std::sync::atomic::AtomicU64;

pub(super) struct Line {
    outside: Outside,
    net: Net,
}

impl Line {
    pub(super) fn new(outside: &Outside, net: &Net) -> Self {
        Self { outside: outside.clone(), net: net.clone() }
    }
}

impl Carry for Line {
    fn send(&self, call: Call) -> BoxFuture<'static, Result<(u16, Bytes), Broken>> {
        let mark = call.body.as_ref().map(|body| &body["issue"]["custom_fields"][0]["value"]);
        let mark: Option<IssueId> = mark.and_then(Value::as_str).and_then(|mark| mark.parse().ok());
        if let Some(mark) = mark {
            self.outside.state().is_sent(mark);
        }
        let (outside, net) = (self.outside.clone(), self.net.clone());
        Box::pin(async move {
            let body = call.body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
            let request = http::Request::builder().method(call.method).uri(call.path).body(body);
            let request = request.map_err(|error| Broken(error.to_string()))?;
            let reply = net.carry(Target::Tracker, request, &AtomicU64::new(0)).await?;
            let (status, mut parts, mut body) = (reply.status.as_u16(), reply.body, Vec::new());
            while let Some(part) = parts.next().await {
                body.extend_from_slice(&part?);
            }
            if let Some(mark) = mark.filter(|_| is_no(status, &body)) {
                outside.state().sent.remove(&mark);
            }
            Ok((status, body.into()))
        })
    }
}

/// Whether the hub hears that nothing was created: by the key, or in words.
fn is_no(status: u16, body: &[u8]) -> bool {
    let said: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    status == 401 || status == 422 && said["errors"].as_array().is_some_and(|errors| !errors.is_empty())
}
