//! The office's browser: Chromium without a screen, under WebDriver.

use crate::hub::Hub;
use crate::page::{Page, sha256};
use crate::process::{Process, free_port};
use anyhow::{Result, ensure};
use serde_json::json;
use std::ops::Deref;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The demonstration's sign-in. The hub prints it.
pub const NAME: &str = "office";
pub const PASSWORD: &str = "hydrant-2023";

/// A running browser with a profile of its own.
pub struct Browser {
    page: Page,
    _driver: Process,
    _profile: TempDir,
}

impl Deref for Browser {
    type Target = Page;
    fn deref(&self) -> &Page {
        &self.page
    }
}

impl Browser {
    pub async fn start(width: u32, height: u32) -> Result<Self> {
        let port = free_port()?;
        let profile = tempfile::tempdir()?;
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
        let driver = Process::start("chromedriver", &mut command)?;
        let capabilities = json!({"goog:chromeOptions": {"args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--lang=zh-CN", "--accept-lang=zh-CN",
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", profile.path().display()),
        ]}});
        let capabilities = capabilities.as_object().cloned().unwrap_or_default();
        Ok(Self { page: Page::open(port, capabilities).await?, _driver: driver, _profile: profile })
    }

    /// Opens the hub's console.
    pub async fn open(&self, hub: &Hub) -> Result<()> {
        self.client.goto(&hub.url()).await?;
        self.see("sign-in-name").await?;
        Ok(())
    }

    /// Signs in at the console, with the demonstration's account.
    pub async fn sign_in(&self) -> Result<()> {
        self.fill("sign-in-name", NAME).await?;
        self.fill("sign-in-password", PASSWORD).await?;
        self.tap("sign-in-submit").await
    }

    /// The office's bytes are the file's bytes: fetched as an original, and hashed in the browser.
    pub async fn has_the_bytes_of(&self, path: &Path) -> Result<()> {
        let script = "const [sha, done] = arguments;
            fetch(`/api/v1/evidence/${sha}/original`).then((r) => r.ok ? r.arrayBuffer() : Promise.reject(r.status))
                .then((bytes) => crypto.subtle.digest('SHA-256', bytes))
                .then((hash) => done([...new Uint8Array(hash)].map((b) => b.toString(16).padStart(2, '0')).join('')))
                .catch((error) => done(`${error}`));";
        let hash = sha256(path)?;
        let there = self.client.execute_async(script, vec![hash.clone().into()]).await?;
        ensure!(there == hash.as_str(), "{} at the office is {there}", path.display());
        Ok(())
    }
}
