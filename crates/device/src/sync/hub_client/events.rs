//! The hub's stream of pokes (server-sent events): something changed, come and fetch.

use super::{Coming, HubClient, MAX_JSON, media_type};
use crate::sync::fault::Fault;
use bytes::Bytes;
use http::Method;
use http::header::ACCEPT;

const DOING: &str = "listening to the hub";
/// An event of the hub has a few dozen bytes.
const MAX_LINE: usize = 64 * 1024;

/// An open stream.
pub struct Events {
    coming: Coming,
    line: Vec<u8>,
    name: String,
    rest: Bytes,
}

impl HubClient {
    /// Opens the stream of events.
    pub async fn events(&self) -> Result<Events, Fault> {
        let request = self.request(Method::GET, "events")?.header(ACCEPT, "text/event-stream");
        let response = self.send(DOING, request, Bytes::new()).await?;
        if !response.status.is_success() {
            let answer = self.read(DOING, response, MAX_JSON).await?;
            return Err(self.refusal(DOING, &answer));
        }
        let kind = media_type(&response.headers);
        if !kind.starts_with("text/event-stream") {
            return Err(Fault::NotAHub { doing: DOING, detail: kind.to_owned() });
        }
        let coming = self.coming(DOING, response, self.patience.silence);
        Ok(Events { coming, line: Vec::new(), name: String::new(), rest: Bytes::new() })
    }
}

impl Events {
    /// Waits for the next event and gives its name; `None` when the hub closed the stream.
    ///
    /// # Errors
    /// [`Fault::NoAnswer`] when the connection broke or no sign of life came.
    pub async fn next(&mut self) -> Result<Option<String>, Fault> {
        loop {
            while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let part = self.rest.split_to(end + 1);
                self.line.extend_from_slice(&part[..end]);
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
                if let Some(event) = self.take(line.trim_end_matches('\r')) {
                    return Ok(Some(event));
                }
            }
            self.line.extend_from_slice(&self.rest);
            if self.line.len() > MAX_LINE {
                return Err(Fault::NotAHub { doing: DOING, detail: "an endless event".into() });
            }
            match self.coming.next().await? {
                Some(bytes) => self.rest = bytes,
                None => return Ok(None),
            }
        }
    }

    /// Reads one line; an empty one ends an event.
    fn take(&mut self, line: &str) -> Option<String> {
        if let Some(name) = line.strip_prefix("event:") {
            name.trim().clone_into(&mut self.name);
        }
        if line.is_empty() && !self.name.is_empty() { Some(std::mem::take(&mut self.name)) } else { None }
    }
}
