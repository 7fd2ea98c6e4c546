//! The tracker that an office had before, as the command line names it.

use super::Failed;
use crate::filing::{Network, Tracker};
use reqwest::Url;
use reqwest::header::HeaderValue;
use standpipe_bridge::redmine::{Language, Redmine};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
#[group(requires_all = ["redmine", "redmine_project", "redmine_field", "redmine_closed", "redmine_key_file"], multiple = true)]
pub struct Outside {
    /// The address of a Redmine, 5 or later, into which each issue is brought once.
    #[arg(long, env = "STANDPIPE_REDMINE", required = false)]
    redmine: Url,
    /// The identifier of its project.
    #[arg(long, env = "STANDPIPE_REDMINE_PROJECT", required = false)]
    redmine_project: String,
    /// The id of a field of its issues: a text, used as a filter. What is written there tells which issue it is.
    #[arg(long, env = "STANDPIPE_REDMINE_FIELD", required = false)]
    redmine_field: u32,
    /// The id of the status with which an issue is closed that is there twice.
    #[arg(long, env = "STANDPIPE_REDMINE_CLOSED", required = false)]
    redmine_closed: u32,
    /// The file that holds the key of the person in whose name issues are created.
    #[arg(long, env = "STANDPIPE_REDMINE_KEY_FILE", required = false)]
    redmine_key_file: PathBuf,
    /// The language of what is written there.
    #[arg(long, env = "STANDPIPE_REDMINE_LANGUAGE", default_value = "zh-CN", required = false)]
    redmine_language: Language,
}

/// The tracker, as it is asked over the network.
pub fn tracker(options: &Outside) -> Result<Tracker, Failed> {
    let address = &options.redmine;
    // People are shown it.
    let is_bare = address.username().is_empty() && address.password().is_none();
    if !["http", "https"].contains(&address.scheme()) || !is_bare {
        return Err(Failed::NoTracker);
    }
    let path = options.redmine_key_file.clone();
    let key = match std::fs::read_to_string(&path) {
        Ok(key) => key,
        Err(source) => return Err(Failed::NoKey { path, source }),
    };
    let key = HeaderValue::from_str(key.trim()).ok().filter(|key| !key.is_empty());
    let key = key.ok_or(Failed::WrongKey { path })?;
    let redmine = Redmine {
        project: options.redmine_project.clone(),
        field: options.redmine_field,
        closed: options.redmine_closed,
        language: options.redmine_language,
    };
    let address = address.as_str().trim_end_matches('/').to_owned();
    Ok(Tracker { redmine, address, carry: Arc::new(Network::new(&options.redmine, key)?) })
}
