//! The program itself: how it starts, what it prints, how it stops.

use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use standpipe_hub::demo;
use std::path::Path;
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Only ends a test that has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn hub(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_standpipe-hub"));
    command.args(arguments).arg("--data").arg(data).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub async fn run(data: &Path, arguments: &[&str]) -> Output {
    let ended = tokio::time::timeout(PATIENCE, hub(data, arguments).output());
    ended.await.expect("the command ends").unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it printed before it was ready.
    pub said: Vec<String>,
    pub url: String,
}

impl Running {
    pub async fn start(data: &Path, more: &[&str]) -> Self {
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0"];
        arguments.extend(more);
        let mut child = hub(data, &arguments).stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        let url = loop {
            let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("a line").unwrap();
            let line = line.unwrap_or_else(|| panic!("the hub ended: {said:?}"));
            match line.strip_prefix("listening on ") {
                Some(url) => break url.to_owned(),
                None => said.push(line),
            }
        };
        Self { child, lines, said, url }
    }

    /// Waits until it has ended by itself.
    pub async fn ended(mut self) -> ExitStatus {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap()
    }

    /// Stops it as an administrator would; only this one, by its number.
    pub async fn terminate(mut self, signal: Signal) {
        let id = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it stops").unwrap();
        assert!(ended.success(), "{ended}");
        assert_eq!(self.lines.next_line().await.unwrap(), None);
    }
}

#[tokio::test]
async fn it_prints_a_password_once_and_stops_when_told_with_a_line_open() {
    let dir = TempDir::new().unwrap();
    let hub = Running::start(dir.path(), &[]).await;
    let first = &hub.said[0];
    let password = first.strip_prefix("first start: sign in as office with ").expect(first);
    let sign_in =
        Client::new().post(format!("{}/api/v1/session", hub.url)).header("Standpipe-Client", "console");
    let answer = sign_in.json(&json!({ "name": "office", "password": password })).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let cookie = answer.headers()["set-cookie"].clone();
    let events = Client::new().get(format!("{}/api/v1/events", hub.url)).header("Cookie", cookie);
    let mut line = events.send().await.unwrap();
    assert!(line.chunk().await.unwrap().is_some());

    hub.terminate(Signal::TERM).await;
    while let Some(rest) = line.chunk().await.expect("the line ended, and was not cut") {
        assert!(!rest.is_empty());
    }
    assert!(!dir.path().join("hub.db-wal").exists(), "the database was closed");
    let again = Running::start(dir.path(), &[]).await;
    assert_eq!(again.said, Vec::<String>::new(), "the password is shown once");
    again.terminate(Signal::INT).await;
}

#[tokio::test]
async fn two_hubs_do_not_share_a_folder() {
    let dir = TempDir::new().unwrap();
    let hub = Running::start(dir.path(), &[]).await;
    let second = run(dir.path(), &["serve", "--listen", "127.0.0.1:0"]).await;
    assert!(!second.status.success());
    assert!(text(&second.stderr).contains("another hub serves the data folder"), "{}", text(&second.stderr));
    hub.terminate(Signal::TERM).await;
}

#[tokio::test]
async fn the_demonstration_says_how_to_sign_in_each_time_and_stays_on_this_machine() {
    let dir = TempDir::new().unwrap();
    for _ in 0..2 {
        let hub = Running::start(dir.path(), &["--demo"]).await;
        let expected = format!("demonstration: sign in as office (administrator) with {}", demo::PASSWORD);
        assert!(hub.said.contains(&expected), "{:?}", hub.said);
        hub.terminate(Signal::TERM).await;
    }
    let open = run(dir.path(), &["serve", "--listen", "0.0.0.0:0"]).await;
    assert!(!open.status.success());
    assert!(text(&open.stderr).contains("the demonstration's password"), "{}", text(&open.stderr));
}

#[tokio::test]
async fn a_password_and_a_tablets_code_are_made_beside_a_running_hub() {
    let dir = TempDir::new().unwrap();
    let hub = Running::start(dir.path(), &["--demo"]).await;
    let mut child =
        self::hub(dir.path(), &["user", "set-password", "office"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all("新的密码\n".as_bytes()).await.unwrap();
    assert!(tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap().success());
    let http = Client::new();
    let form = json!({ "name": "office", "password": "新的密码" });
    let sign_in = http.post(format!("{}/api/v1/session", hub.url)).header("Standpipe-Client", "console");
    assert_eq!(sign_in.json(&form).send().await.unwrap().status(), 200);

    let nobody = run(dir.path(), &["tablet", "enrol", "--name", "x", "--person", "nobody"]).await;
    assert!(!nobody.status.success());
    let people = text(&nobody.stderr);
    let id = people.split_once("these: ").unwrap().1.split(' ').next().unwrap();
    let code = run(dir.path(), &["tablet", "enrol", "--name", "平板", "--person", id]).await;
    let code = text(&code.stdout);
    let enrol = crate::tablet::enrolment(code.trim(), 1);
    let answer = http.post(format!("{}/api/v1/enrol", hub.url)).json(&enrol).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{code}");
    hub.terminate(Signal::TERM).await;
}
