//! The hub, as a process.

use crate::process::{Process, binary, eventually};
use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Backs up the hub on `data`, running or not, into the folder `to`.
pub fn back_up(data: &Path, to: &Path) -> Result<()> {
    done("backup", data, "--to", to)
}

/// Makes the folder `data`, which is not there, that of a hub out of a backup.
pub fn restore(from: &Path, data: &Path) -> Result<()> {
    done("restore", data, "--from", from)
}

fn done(command: &str, data: &Path, which: &str, folder: &Path) -> Result<()> {
    let hub = binary("standpipe-hub")?;
    let output = Command::new(hub).arg(command).arg("--data").arg(data).arg(which).arg(folder).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "standpipe-hub {command}: {said}");
    Ok(())
}

/// A running hub.
pub struct Hub {
    process: Process,
    pub address: SocketAddr,
    data: PathBuf,
}

impl Hub {
    /// Starts a hub on its data folder with the demonstration estate. `port` 0 takes a free one. What it says goes to
    /// `hub.log` beside the folder.
    pub async fn start(data: &Path, port: u16) -> Result<Self> {
        Self::start_with(data, port, &["--demo"]).await
    }

    /// As [`Hub::start`], with an estate of its own that has nothing but an administrator.
    pub async fn start_empty(data: &Path, port: u16) -> Result<Self> {
        Self::start_with(data, port, &[]).await
    }

    async fn start_with(data: &Path, port: u16, options: &[&str]) -> Result<Self> {
        let log = data.with_extension("log");
        let out = File::create(&log)?;
        let mut command = Command::new(binary("standpipe-hub")?);
        command.arg("serve").args(options).arg("--data").arg(data);
        command.args(["--listen", &format!("127.0.0.1:{port}")]);
        let process = Process::start(
            "standpipe-hub",
            command.stderr(out.try_clone()?).stdout(out).stdin(Stdio::null()),
        )?;
        let address = eventually("the hub listens", Duration::from_secs(60), || async {
            let said = std::fs::read_to_string(&log)?;
            let address = said.lines().find_map(|line| line.strip_prefix("listening on http://"));
            Ok(address.with_context(|| format!("it said: {said}"))?.trim().parse()?)
        })
        .await?;
        Ok(Self { process, address, data: data.to_owned() })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Stops it, and gives the port that a later one can take again.
    pub fn stop(self) -> Result<u16> {
        let port = self.address.port();
        ensure!(self.process.stop()?, "the hub did not shut down cleanly");
        Ok(port)
    }

    /// Leaves it running when this process ends; gives its process id.
    pub fn leave(self) -> u32 {
        let id = self.process.id();
        std::mem::forget(self.process);
        id
    }

    /// A code for a new tablet of the demonstration's inspector.
    pub fn enrolment_code(&self) -> Result<String> {
        self.code_for("检查员甲")
    }

    /// A code for a new tablet of the person of this name.
    pub fn code_for(&self, person: &str) -> Result<String> {
        let output = Command::new(binary("standpipe-hub")?)
            .args(["tablet", "enrol", "--name", "检查平板 1", "--person", person, "--data"])
            .arg(&self.data)
            .output()?;
        ensure!(output.status.success(), "no enrolment code: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout)?;
        text.lines().last().map(|line| line.trim().to_owned()).context("a code stands in the last line")
    }
}
