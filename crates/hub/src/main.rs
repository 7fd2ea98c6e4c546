//! The office's server of Standpipe.

use clap::Parser;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use standpipe_hub::cli::Cli;
use std::env;
use std::io::Error;
use std::io::IsTerminal;
use std::os::unix::process::CommandExt;
use std::process::Command;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let unfit = with_few_arenas();
    let filter = EnvFilter::try_from_env("STANDPIPE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // Standard output is for what whoever started the hub must read.
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // A log that cannot be written, on a full disk say, must end no request.
        .log_internal_errors(false)
        .init();
    if let Err(error) = with_many_files() {
        tracing::warn!(%error, "the hub may not take many connections at once: {error}");
    }
    if let Some(error) = unfit {
        tracing::warn!(%error, "the hub may take twice the memory that it needs: {error}");
    }
    Ok(cli.run().await?)
}

/// As many files and connections as the system lets the program have: what it begins with is often 1,024, for the sake of
/// programs that are older than larger numbers.
fn with_many_files() -> Result<(), Errno> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
}

/// glibc gives each of many threads an arena of its own, and keeps there what they have freed: with eight tablets at once up
/// to 280 MB, where 75 are in use. How many arenas there may be it reads at its start only, so the program begins once more.
/// Gives why it could not.
fn with_few_arenas() -> Option<Error> {
    const ARENAS: &str = "MALLOC_ARENA_MAX";
    if env::var_os(ARENAS).is_some() {
        return None;
    }
    let mut arguments = env::args_os();
    let name = arguments.next().unwrap_or_default();
    let again = |program| Command::new(program).arg0(name).args(arguments).env(ARENAS, "2").exec();
    Some(env::current_exe().map_or_else(|error| error, again))
}
