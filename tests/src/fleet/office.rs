//! Somebody in the office who moves issues on, over the interface of the console, while the hub is killed.

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, RequestBuilder};
use rusqlite::Connection;
use serde::de::DeserializeOwned;
use serde_json::json;
use standpipe_domain::issue::{IssueLine, IssueView, StepRequest};
use standpipe_domain::office::Directory;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use uuid::Uuid;

/// The demonstration's accounts that move issues on, each in its own way.
const ACCOUNTS: [&str; 4] = ["office", "property", "community", "branch"];

/// What the console has shown as done: the entries of each issue's timeline.
#[derive(Clone, Debug, Default)]
pub struct Answered(BTreeMap<Uuid, usize>);

/// A desk in the office.
pub struct Desk {
    client: Client,
    base: String,
    /// The sessions, by account.
    cookies: BTreeMap<&'static str, String>,
    dice: Rng,
    answered: Answered,
}

impl Desk {
    /// At the hub's console; the seed decides what is done.
    pub fn new(hub: SocketAddr, seed: u64) -> Result<Self> {
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let base = format!("http://{hub}/api/v1");
        Ok(Self {
            client,
            base,
            cookies: BTreeMap::new(),
            dice: Rng::with_seed(seed),
            answered: Answered::default(),
        })
    }

    /// Moves issues on until `end` is over. What fails because the hub was killed is left.
    pub async fn work(mut self, end: impl Future<Output = ()>) -> Answered {
        tokio::pin!(end);
        loop {
            let pause = Duration::from_millis(self.dice.u64(50..200));
            tokio::select! {
                biased;
                () = &mut end => return self.answered,
                // The hub is down half of the time: the next try comes.
                _ = self.step() => {}
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn step(&mut self) -> Result<()> {
        let account = self.dice.choice(ACCOUNTS).unwrap_or_default();
        let cookie = self.signed_in(account).await?;
        let issues: Vec<IssueLine> = self.get("issues", &cookie).await?;
        let issue = self.dice.choice(issues).context("an issue")?;
        let view: IssueView = self.get(&format!("issues/{}", issue.id), &cookie).await?;
        let step = self.dice.choice(&view.next_steps).copied().context("a step")?;
        let directory: Directory = self.get("directory", &cookie).await?;
        let request = StepRequest {
            unit: directory.units.first().map(|unit| unit.id),
            person: directory.people.first().map(|person| person.id),
            date: Some(jiff::civil::date(2033, 7, 1)),
            words: "soon".into(),
            seen: view.seen(),
            ..StepRequest::bare(step)
        };
        let url = format!("{}/issues/{}/steps", self.base, issue.id);
        let answer = as_console(self.client.post(url)).header(COOKIE, &cookie).json(&request).send().await?;
        let done: IssueView = answer.error_for_status()?.json().await?;
        self.answered.0.insert(issue.id.0, done.timeline.len());
        Ok(())
    }

    async fn signed_in(&mut self, account: &'static str) -> Result<String> {
        if let Some(cookie) = self.cookies.get(account) {
            return Ok(cookie.clone());
        }
        let sign_in = json!({"name": account, "password": "hydrant-2023"});
        let answer =
            as_console(self.client.post(format!("{}/session", self.base))).json(&sign_in).send().await?;
        let answer = answer.error_for_status()?;
        let cookie = answer.headers().get(SET_COOKIE).context("a session")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        self.cookies.insert(account, cookie.clone());
        Ok(cookie)
    }

    async fn get<A: DeserializeOwned>(&self, path: &str, cookie: &str) -> Result<A> {
        let answer = as_console(self.client.get(format!("{}/{path}", self.base)))
            .header(COOKIE, cookie)
            .send()
            .await?;
        Ok(answer.error_for_status()?.json().await?)
    }
}

/// As the console's own pages ask.
fn as_console(request: RequestBuilder) -> RequestBuilder {
    request.header("standpipe-client", "console")
}

impl Answered {
    /// How many issues the office has moved on.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the office has moved none on.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Demands of the hub's database what the console has shown.
    pub fn demand_of(&self, hub: &Connection) -> Result<()> {
        let mut entries = hub.prepare("SELECT count(*) FROM member WHERE id = ?1 AND field = 'timeline'")?;
        for (issue, shown) in &self.0 {
            let there: usize = entries.query_row([issue], |row| row.get(0))?;
            ensure!(
                there >= *shown,
                "LOST: the issue {issue} has {there} entries; the console had shown {shown}"
            );
        }
        Ok(())
    }
}
