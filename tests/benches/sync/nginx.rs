//! The peer for photos: nginx takes files with PUT (WebDAV), curl sends them.

use anyhow::{Context, Result, ensure};
use standpipe_tests::process::{Process, eventually, free_port};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// A running nginx, with a configuration and a folder of its own.
pub struct Nginx {
    _process: Process,
    port: u16,
    files: PathBuf,
}

impl Nginx {
    /// Starts it in `folder`, on a free port.
    pub async fn start(folder: &Path) -> Result<Self> {
        let files = folder.join("files");
        fs::create_dir_all(&files)?;
        let port = free_port()?;
        let is_root = rustix::process::geteuid().is_root();
        let configuration = format!(
            "{user}
daemon off;
worker_processes 1;
error_log stderr;
pid nginx.pid;
events {{}}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_temp_path temp-body;
  proxy_temp_path temp-proxy;
  fastcgi_temp_path temp-fastcgi;
  uwsgi_temp_path temp-uwsgi;
  scgi_temp_path temp-scgi;
  server {{
    listen 127.0.0.1:{port};
    root {files};
    location / {{ dav_methods PUT; }}
  }}
}}
",
            user = if is_root { "user root;" } else { "" },
            files = files.display(),
        );
        let path = folder.join("nginx.conf");
        fs::write(&path, configuration)?;
        let mut command = Command::new("nginx");
        command.arg("-e").arg("stderr").arg("-p").arg(folder).arg("-c").arg(&path).stdin(Stdio::null());
        let process = Process::start("nginx", &mut command)
            .context("is nginx installed? scripts/bench.sh gets it where it is missing")?;
        eventually("nginx listens", Duration::from_secs(20), || async {
            Ok(TcpStream::connect(("127.0.0.1", port)).await?)
        })
        .await?;
        Ok(Self { _process: process, port, files })
    }

    /// Sends the files with `curl -T`, one after the other over one connection. Gives how long that took.
    pub fn receive(&self, files: &[PathBuf]) -> Result<Duration> {
        let mut command = Command::new("curl");
        command.args(["--fail", "--silent", "--show-error", "--noproxy", "*"]);
        for file in files {
            command.arg("-T").arg(file).arg(format!("http://127.0.0.1:{}/", self.port));
        }
        let began = Instant::now();
        let output = command.output().context("is curl installed?")?;
        let took = began.elapsed();
        ensure!(output.status.success(), "curl: {}", String::from_utf8_lossy(&output.stderr));
        for file in files {
            let arrived = self.files.join(file.file_name().context("a file has a name")?);
            ensure!(
                fs::metadata(&arrived)?.len() == fs::metadata(file)?.len(),
                "{} is short",
                arrived.display()
            );
        }
        Ok(took)
    }
}
