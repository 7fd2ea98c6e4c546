//! The tablet app in its real window, under WebDriver.

use crate::display::Display;
use crate::hub::Hub;
use crate::page::Page;
use crate::process::{Process, binary, eventually, free_port};
use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::fs::File;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A running app.
pub struct App {
    page: Page,
    driver: Process,
}

impl Deref for App {
    type Target = Page;
    fn deref(&self) -> &Page {
        &self.page
    }
}

/// Where the app puts what a person saves.
pub fn downloads(data: &Path) -> PathBuf {
    data.with_extension("downloads")
}

/// A folder of settings by which a desktop's downloads lie beside the app's data.
fn downloads_beside(data: &Path) -> Result<PathBuf> {
    let (settings, downloads) = (data.with_extension("settings"), downloads(data));
    std::fs::create_dir_all(&settings)?;
    std::fs::create_dir_all(&downloads)?;
    let line = format!("XDG_DOWNLOAD_DIR=\"{}\"\n", downloads.display());
    std::fs::write(settings.join("user-dirs.dirs"), line)?;
    Ok(settings)
}

impl App {
    /// Starts the app on its data folder. `today` is the date that it takes for today. What it says goes to a `.log`
    /// beside the folder.
    pub async fn start(display: &Display, data: &Path, today: &str) -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new("WebKitWebDriver");
        command
            .arg(format!("--port={port}"))
            .env("DISPLAY", &display.name)
            // Without it a session waits for ever.
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            // Without it some sessions wait three seconds for a bus that is not there.
            .env("DBUS_SESSION_BUS_ADDRESS", "disabled:")
            .env("LANG", "C.UTF-8")
            .env("XDG_CONFIG_HOME", downloads_beside(data)?)
            .env("STANDPIPE_DATA", data)
            .env("STANDPIPE_TODAY", today)
            .stdout(Stdio::null())
            .stderr(File::options().create(true).append(true).open(data.with_extension("log"))?);
        let driver = Process::start("WebKitWebDriver", &mut command)?;
        let capabilities = json!({
            "webkitgtk:browserOptions": {"binary": binary("standpipe")?, "args": []}
        });
        let capabilities = capabilities.as_object().cloned().unwrap_or_default();
        let page = Page::open(port, capabilities).await?;
        Ok(Self { page, driver })
    }

    /// Joins the hub through the first screen, and waits for what the first pull brings.
    pub async fn join(&self, hub: &Hub) -> Result<()> {
        self.fill("enrol-address", &hub.url()).await?;
        self.fill("enrol-code", &hub.enrolment_code()?).await?;
        self.tap("enrol-submit").await?;
        self.find("[data-testid^=\"round-\"]").await.context("the round arrives with the first pull")?;
        self.attribute("sync-line", "data-state", |state| state == "safe").await?;
        Ok(())
    }

    /// Pulls the plug: no handler runs, nothing is flushed. Returns once it is gone, and its files with it.
    pub async fn kill(self) -> Result<()> {
        let app = self.process_id()?;
        kill_process(app, Signal::KILL)?;
        let stat = format!("/proc/{}/stat", app.as_raw_nonzero());
        eventually("the app is gone", Duration::from_secs(60), || async {
            let stat = std::fs::read_to_string(&stat).unwrap_or_default();
            // One that nobody has asked after yet holds nothing any more.
            let state = stat.rsplit_once(") ").and_then(|(_, after)| after.chars().next());
            ensure!(state.is_none_or(|state| state == 'Z'), "it is still there");
            Ok(())
        })
        .await
    }

    /// Closes the window, as a person does.
    pub async fn close(self) -> Result<()> {
        self.page.client.clone().close().await?;
        Ok(())
    }

    /// The app is the driver's child.
    fn process_id(&self) -> Result<Pid> {
        let parent = self.driver.id().to_string();
        for entry in std::fs::read_dir("/proc")?.flatten() {
            let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
            let (before, after) = stat.rsplit_once(')').context("a process has a name")?;
            let is_child = after.split_whitespace().nth(1) == Some(parent.as_str());
            if is_child && before.ends_with("(standpipe") {
                let id = entry.file_name().to_string_lossy().parse()?;
                return Pid::from_raw(id).context("a process has an id");
            }
        }
        anyhow::bail!("the app is not running")
    }
}
