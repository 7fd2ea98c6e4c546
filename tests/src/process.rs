//! Child processes that end with whoever started them.

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A child in a process group of its own; dropping it ends the group, by its own id.
pub struct Process {
    name: String,
    child: Child,
    lines: Option<mpsc::Receiver<String>>,
}

impl Process {
    pub fn start(name: &str, command: &mut Command) -> Result<Self> {
        let child =
            command.process_group(0).spawn().with_context(|| format!("{name} did not start: {command:?}"))?;
        Ok(Self { name: name.to_owned(), child, lines: None })
    }

    /// Starts it and reads its standard output line by line.
    pub fn start_reading(name: &str, command: &mut Command) -> Result<Self> {
        let mut process = Self::start(name, command.stdout(Stdio::piped()))?;
        let stdout = process.child.stdout.take().context("standard output is piped")?;
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        process.lines = Some(lines);
        Ok(process)
    }

    /// The first line that `pick` makes something of.
    pub fn wait_for<T>(&self, limit: Duration, pick: impl Fn(&str) -> Option<T>) -> Result<T> {
        let end = Instant::now() + limit;
        let lines = self.lines.as_ref().context("its output is not read")?;
        let mut seen = Vec::new();
        while let Ok(line) = lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if let Some(found) = pick(&line) {
                return Ok(found);
            }
            seen.push(line);
        }
        bail!("{} did not say what was waited for; it said:\n{}", self.name, seen.join("\n"))
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    /// What it has said since it was asked last, line by line.
    pub fn said(&self) -> Vec<String> {
        self.lines.iter().flat_map(mpsc::Receiver::try_iter).collect()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Kills it as the system does when it wants memory: no handler runs. Returns once it is gone.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Closes its standard input, and waits until it has ended.
    pub fn finish(mut self) -> Result<ExitStatus> {
        self.close_input();
        Ok(self.child.wait()?)
    }

    /// Asks it to end, and waits until it has. Gives whether it ended well.
    pub fn stop(mut self) -> Result<bool> {
        if let Some(pid) = self.pid() {
            kill_process(pid, Signal::TERM)?;
        }
        Ok(self.child.wait()?.success())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(Some(_)) = self.child.try_wait() {
            return;
        }
        if let Some(pid) = self.pid() {
            // A driver that is killed hard leaves its app behind; one that is asked takes it along.
            let _ = kill_process_group(pid, Signal::TERM);
            let end = Instant::now() + Duration::from_secs(5);
            while Instant::now() < end {
                if let Ok(Some(_)) = self.child.try_wait() {
                    return;
                }
                std::thread::yield_now();
            }
            let _ = kill_process_group(pid, Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// A port on 127.0.0.1 that nobody listens on now.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// As [`free_port`], for who leaves it and comes back: the system gives it to nobody else meanwhile, since it lies below
/// those that it deals out itself.
pub fn own_port() -> Result<u16> {
    let begin = 20_000 + u16::try_from(std::process::id() % 8_000)?;
    let free = (begin..begin + 4_000).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.context("a free port")
}

/// A binary of this workspace, built before: `make` builds them.
pub fn binary(name: &str) -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let found = here.ancestors().map(|folder| folder.join(name)).find(|path| path.is_file());
    found.with_context(|| format!("{name} is not built: run `make build`"))
}

/// Tries until it works, or says why it did not within the limit.
pub async fn eventually<T, F>(what: &str, limit: Duration, mut attempt: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let end = Instant::now() + limit;
    let mut turn = tokio::time::interval(Duration::from_millis(50));
    loop {
        turn.tick().await;
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) if Instant::now() > end => return Err(error.context(format!("waited for: {what}"))),
            Err(_) => {}
        }
    }
}

/// Plays in a fresh folder, which is kept when it fails: it holds what every process wrote and said.
///
/// # Errors
/// What `play` gives, with the folder to look into.
pub async fn in_folder<T>(play: impl AsyncFnOnce(&Path) -> Result<T>) -> Result<T> {
    let mut home = tempfile::tempdir()?;
    home.disable_cleanup(true);
    let played = play(home.path()).await.with_context(|| format!("see {}", home.path().display()))?;
    home.disable_cleanup(false);
    Ok(played)
}
