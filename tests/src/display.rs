//! A virtual display.

use crate::process::Process;
use anyhow::Result;
use std::process::Command;
use std::time::Duration;

/// An X server without a screen.
pub struct Display {
    _server: Process,
    pub name: String,
}

impl Display {
    /// Starts one of `width` by `height` pixels on a free display number.
    pub fn start(width: u32, height: u32) -> Result<Self> {
        let screen = format!("{width}x{height}x24");
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", &screen, "-nolisten", "tcp"]);
        let server = Process::start_reading("Xvfb", command.stderr(std::process::Stdio::null()))?;
        let number: u32 = server.wait_for(Duration::from_secs(20), |line| line.trim().parse().ok())?;
        Ok(Self { _server: server, name: format!(":{number}") })
    }
}
