//! What the app is told when it starts.

use clap::Parser;
use jiff::civil::Date;
use standpipe_device::world::{RealWorld, World};
use standpipe_domain::ids::Millis;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tauri::{AppHandle, Manager};
use uuid::Uuid;

/// The tablet app of Standpipe.
#[derive(Parser)]
#[command(name = "standpipe", version)]
struct Arguments {
    /// The folder that holds the tablet's data.
    #[arg(long, env = "STANDPIPE_DATA")]
    data: Option<PathBuf>,
    /// The address of a hub to enrol at, with --code.
    #[arg(long, requires = "code")]
    enrol: Option<String>,
    /// The code that the office gave out.
    #[arg(long, requires = "enrol")]
    code: Option<String>,
    /// The day that Today is about, instead of the clock's: for demonstrations. Records keep the clock's time.
    #[arg(long, env = "STANDPIPE_TODAY")]
    today: Option<Date>,
}

/// What the app works with.
pub struct Options {
    pub data: PathBuf,
    pub enrol: Option<(String, String)>,
    today: Option<Date>,
}

impl Options {
    /// Reads the command line. On Android there is none, and the data lies in the app's own folder.
    pub fn read(app: &AppHandle) -> tauri::Result<Self> {
        let Arguments { data, enrol, code, today } = Arguments::parse();
        let data = data.map_or_else(|| app.path().app_data_dir(), Ok)?;
        Ok(Self { data, enrol: enrol.zip(code), today })
    }

    pub fn world(&self) -> Arc<dyn World> {
        match self.today {
            None => Arc::new(RealWorld),
            Some(day) => Arc::new(OnDay(day)),
        }
    }
}

/// The world as it is, but for the day that Today is about.
struct OnDay(Date);

impl World for OnDay {
    fn now(&self) -> Millis {
        RealWorld.now()
    }

    fn uuid(&self) -> Uuid {
        RealWorld.uuid()
    }

    fn random(&self, bytes: &mut [u8]) {
        RealWorld.random(bytes);
    }

    fn free(&self, folder: &Path) -> io::Result<u64> {
        RealWorld.free(folder)
    }

    fn today(&self) -> Date {
        self.0
    }
}
