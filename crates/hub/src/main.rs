//! The office's server of Standpipe.

use clap::Parser;
use standpipe_hub::cli::Cli;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("STANDPIPE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // Standard output is for what whoever started the hub must read.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // A log that cannot be written, on a full disk say, must end no request.
        .log_internal_errors(false)
        .init();
    Ok(cli.run().await?)
}
