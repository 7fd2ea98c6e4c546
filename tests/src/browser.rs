//! The office's browser: Chromium without a screen, under WebDriver.

use crate::page::Page;
use crate::process::{Process, free_port};
use anyhow::Result;
use serde_json::json;
use std::ops::Deref;
use std::process::{Command, Stdio};
use tempfile::TempDir;

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
}
