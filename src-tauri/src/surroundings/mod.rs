//! What the tablet stands in, as its system tells: whether its network is metered, and how its battery stands; and that the
//! network has come back, or the tablet has woken.
//!
//! The network and the waking are told by signals, so nothing is asked over and over; the battery is looked at each minute. On
//! a system that does not tell, nothing is known, and nothing waits.

mod battery;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod bus;
#[cfg(target_os = "linux")]
mod network;
#[cfg(target_os = "linux")]
mod sleep;

use crate::App;
use standpipe_domain::hold::Network;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use tauri::{AppHandle, Manager};

/// Where Linux, and Android with it, tells of batteries and chargers.
const SUPPLIES: &str = "/sys/class/power_supply";
const MINUTE: Duration = Duration::from_secs(60);

/// What the tablet's system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Network(Network),
    /// The tablet has woken, or its network leads further than before.
    Back,
}

/// Begins to tell the driver, for as long as the app runs. To be called on the thread of the window.
pub fn follow(app: &AppHandle) {
    let (tell, told) = mpsc::channel();
    #[cfg(target_os = "linux")]
    {
        // The thread below runs as long as the app.
        let woken = tell.clone();
        sleep::listen(move || {
            let _ = woken.send(Told::Back);
        });
        network::listen(move |news| {
            let _ = tell.send(news);
        });
    }
    #[cfg(not(target_os = "linux"))]
    let _ = tell.send(Told::Network(Network::Unknown));
    let app = app.clone();
    // Away from the window's thread: the engine may just be opening.
    let looking = thread::Builder::new().name("surroundings".into()).spawn(move || {
        loop {
            let news = next(&told);
            let app = app.state::<App>();
            app.surround(|now| {
                if let Some(Told::Network(network)) = news {
                    now.network = network;
                }
                now.battery = battery::read(Path::new(SUPPLIES));
            });
            // Sites that cannot be opened ask nobody either way.
            if news == Some(Told::Back) {
                let _ = app.come_back();
            }
        }
    });
    if let Err(error) = looking {
        tracing::warn!(%error, "no thread to look at what the tablet stands in: what was chosen to wait waits");
    }
}

/// What is told next; nothing after a minute in which nothing was.
fn next(told: &mpsc::Receiver<Told>) -> Option<Told> {
    told.recv_timeout(MINUTE)
        .map_err(|ended| {
            // Nothing will ever be heard any more.
            if ended == RecvTimeoutError::Disconnected {
                thread::sleep(MINUTE);
            }
        })
        .ok()
}
