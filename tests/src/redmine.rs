//! A Redmine of its own, as a process: out of the system's package, in a folder that is thrown away.

use crate::process::{Process, eventually, free_port};
use anyhow::{Context, Result};
use reqwest::Client;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use uuid::Uuid;

/// Nothing of it takes this long: it ends a run that hangs.
const AT_MOST: Duration = Duration::from_mins(5);

/// A Redmine with a project for the hub's issues.
pub struct Redmine {
    process: Process,
    pub address: SocketAddr,
    folder: PathBuf,
    setup: Setup,
    client: Client,
}

/// What its administrator tells the hub's.
#[derive(Debug, Deserialize)]
struct Setup {
    key: String,
    /// Its administrator's own.
    admin: String,
    field: u32,
    closed: u32,
    project: String,
}

/// An issue that is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct There {
    pub number: u64,
    pub subject: String,
    pub is_closed: bool,
}

impl Redmine {
    /// Makes one in `folder`, which is not there, and starts it.
    pub async fn start(folder: &Path) -> Result<Self> {
        fs::create_dir(folder)?;
        let port = free_port()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/redmine/start.sh");
        let log = File::create(folder.join("log"))?;
        let mut command = Command::new(script);
        command.arg(folder).arg(port.to_string()).stdin(Stdio::null()).stderr(log);
        let process = Process::start_reading("Redmine", &mut command)?;
        let setup = process.wait_for(AT_MOST, |line| serde_json::from_str(line).ok());
        let setup = setup.with_context(|| fs::read_to_string(folder.join("log")).unwrap_or_default())?;
        let address = (Ipv4Addr::LOCALHOST, port).into();
        let client = Client::builder().no_proxy().build()?;
        let redmine = Self { process, address, folder: folder.to_owned(), setup, client };
        eventually("Redmine answers", AT_MOST, async || redmine.issues().await).await?;
        Ok(redmine)
    }

    /// What a hub is told of it that reaches it at `seen`.
    pub fn settings(&self, seen: SocketAddr) -> Result<Vec<(&'static str, String)>> {
        let Setup { key, field, closed, project, .. } = &self.setup;
        let file = self.folder.join("key");
        fs::write(&file, key)?;
        Ok(vec![
            ("STANDPIPE_REDMINE", format!("http://{seen}/")),
            ("STANDPIPE_REDMINE_PROJECT", project.clone()),
            ("STANDPIPE_REDMINE_FIELD", field.to_string()),
            ("STANDPIPE_REDMINE_CLOSED", closed.to_string()),
            ("STANDPIPE_REDMINE_KEY_FILE", file.display().to_string()),
        ])
    }

    /// Everything that is in it, by its mark.
    pub async fn issues(&self) -> Result<BTreeMap<Uuid, Vec<There>>> {
        #[derive(Deserialize)]
        struct Page {
            issues: Vec<One>,
            total_count: usize,
        }
        #[derive(Deserialize)]
        struct One {
            id: u64,
            subject: String,
            status: Status,
            custom_fields: Vec<Field>,
        }
        #[derive(Deserialize)]
        struct Status {
            is_closed: bool,
        }
        #[derive(Deserialize)]
        struct Field {
            value: Uuid,
        }
        let mut there: BTreeMap<Uuid, Vec<There>> = BTreeMap::new();
        let mut seen = 0;
        loop {
            let url =
                format!("http://{}/issues.json?status_id=*&sort=id&limit=100&offset={seen}", self.address);
            let answer = self.client.get(url).header("X-Redmine-API-Key", &self.setup.key).send().await?;
            let page: Page = answer.error_for_status()?.json().await?;
            seen += page.issues.len();
            for One { id, subject, status, custom_fields } in page.issues {
                let mark = custom_fields.first().context("an issue without a mark")?.value;
                let is_closed = status.is_closed;
                there.entry(mark).or_default().push(There { number: id, subject, is_closed });
            }
            if seen >= page.total_count {
                return Ok(there);
            }
        }
    }

    /// Creates once more what is there under this mark, in the hub's own name: as a request that arrives very late.
    pub async fn double(&self, mark: Uuid) -> Result<()> {
        let Setup { key, field, project, .. } = &self.setup;
        let fields = serde_json::json!([{ "id": field, "value": mark }]);
        let issue = serde_json::json!({ "project_id": project, "subject": "ZJ-0", "custom_fields": fields });
        let url = format!("http://{}/issues.json", self.address);
        let request = self.client.post(url).header("X-Redmine-API-Key", key);
        request.json(&serde_json::json!({ "issue": issue })).send().await?.error_for_status()?;
        Ok(())
    }

    /// Deletes what is there under this number, as its administrator.
    pub async fn delete(&self, number: u64) -> Result<()> {
        let url = format!("http://{}/issues/{number}.json", self.address);
        let request = self.client.delete(url).header("X-Redmine-API-Key", &self.setup.admin);
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// Stops it. How it says that it was asked to end is its own matter.
    pub fn stop(self) -> Result<()> {
        self.process.stop().map(drop)
    }
}
