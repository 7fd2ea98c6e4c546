//! `make run`: the hub with the demonstration estate, and the tablet app enrolled to it.

use anyhow::{Context, Result};
use standpipe_tests::browser::{NAME, PASSWORD};
use standpipe_tests::display::Display;
use standpipe_tests::hub::Hub;
use standpipe_tests::process::{binary, free_port};
use standpipe_tests::story::{Stage, play};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

const USUAL_PORT: u16 = 4180;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (mut home, mut open) = (PathBuf::from("demonstration"), false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--home" => home = arguments.next().context("--home takes a folder")?.into(),
            "--open" => open = true,
            other => anyhow::bail!("unknown argument {other}"),
        }
    }
    std::fs::create_dir_all(&home)?;
    let home = home.canonicalize()?;
    let (app_data, playing) = (home.join("tablet"), home.join("playing"));
    if playing.exists() && !open {
        begin_anew(&home, &playing).await?;
    }
    let (address, hub) = hub_of(&home).await?;
    let is_enrolled = app_data.join("standpipe.db").exists();

    if open {
        tell(&home, address);
        return open_app(&app_data, address, hub, is_enrolled);
    }
    let pictures = home.join("pictures");
    if is_enrolled {
        println!("The inspection was played before; its pictures are in {}", pictures.display());
        if let Some(hub) = hub {
            leave(&home, hub)?;
        }
        tell(&home, address);
        return Ok(());
    }
    let Some(hub) = hub else {
        anyhow::bail!(
            "a hub of an earlier start runs on {address}, but no tablet was enrolled; stop it first"
        );
    };
    let display = Display::start(1400, 1000)?;
    let stage =
        Stage { home: home.clone(), pictures: Some(pictures.clone()), say: |line| println!("  {line}") };
    // Stands there while the play is under way: what it leaves when it breaks off is nobody's data.
    std::fs::write(&playing, "")?;
    let hub = play(&stage, &display, hub).await?;
    std::fs::remove_file(&playing)?;
    println!("Pictures of each screen: {}", pictures.display());
    leave(&home, hub)?;
    tell(&home, address);
    Ok(())
}

/// A play broke off. What it left is nobody's data, and is set aside; unless it is still under way.
async fn begin_anew(home: &Path, playing: &Path) -> Result<()> {
    if let Some(address) = running(home).await {
        anyhow::bail!(
            "a play is under way, or its hub was left behind at {address}: wait for it, or kill $(cat {}/hub.pid), and run again",
            home.display()
        );
    }
    println!("The last play did not come to its end: it begins anew. What it left is in *.broken");
    for half in ["tablet", "hub"] {
        let (half, aside) = (home.join(half), home.join(format!("{half}.broken")));
        if aside.exists() {
            std::fs::remove_dir_all(&aside)?;
        }
        if half.exists() {
            std::fs::rename(&half, &aside)?;
        }
    }
    std::fs::remove_file(playing)?;
    Ok(())
}

/// The address of the hub that an earlier start left running.
async fn running(home: &Path) -> Option<SocketAddr> {
    let address: SocketAddr = std::fs::read_to_string(home.join("hub.address")).ok()?.trim().parse().ok()?;
    let health = reqwest::get(format!("http://{address}/healthz")).await;
    health.is_ok_and(|answer| answer.status().is_success()).then_some(address)
}

/// The hub of this folder: the one that an earlier start left running, or a new one.
async fn hub_of(home: &Path) -> Result<(SocketAddr, Option<Hub>)> {
    if let Some(address) = running(home).await {
        return Ok((address, None));
    }
    let is_free = TcpListener::bind(("127.0.0.1", USUAL_PORT)).is_ok();
    let port = if is_free { USUAL_PORT } else { free_port()? };
    let hub = Hub::start(&home.join("hub"), port).await?;
    std::fs::write(home.join("hub.pid"), hub.id().to_string())?;
    std::fs::write(home.join("hub.address"), hub.address.to_string())?;
    Ok((hub.address, Some(hub)))
}

fn leave(home: &Path, hub: Hub) -> Result<()> {
    let id = hub.leave();
    std::fs::write(home.join("hub.pid"), id.to_string())?;
    Ok(())
}

fn tell(home: &Path, address: SocketAddr) {
    println!();
    println!("Console:  http://{address}");
    println!("Sign in:  {NAME}   {PASSWORD}");
    println!("Stop the hub:  kill $(cat {}/hub.pid)", home.display());
}

fn open_app(data: &Path, address: SocketAddr, hub: Option<Hub>, is_enrolled: bool) -> Result<()> {
    let mut command = Command::new(binary("standpipe")?);
    command.arg("--data").arg(data);
    if let (false, Some(hub)) = (is_enrolled, &hub) {
        command.args(["--enrol", &format!("http://{address}"), "--code", &hub.enrolment_code()?]);
    }
    if let Some(hub) = hub {
        leave(data.parent().context("the tablet's data lies in the demonstration's folder")?, hub)?;
    }
    println!("The hub keeps running when you close the app.");
    command.status()?;
    Ok(())
}
