//! What the tablet stands in, as its system tells: whether its network is metered, and how its battery stands.
//!
//! The network is told by a signal, so nothing is asked over and over; the battery is looked at each minute. On a system
//! that does not tell, nothing is known, and nothing waits.

mod battery;
#[cfg(target_os = "linux")]
mod network;

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

/// Begins to tell the driver, for as long as the app runs. To be called on the thread of the window.
pub fn follow(app: &AppHandle) {
    let (tell, told) = mpsc::channel();
    #[cfg(target_os = "linux")]
    network::listen(move |network| {
        // The thread below runs as long as the app.
        let _ = tell.send(network);
    });
    #[cfg(not(target_os = "linux"))]
    let _ = tell.send(Network::Unknown);
    let app = app.clone();
    // Away from the window's thread: the engine may just be opening.
    let looking = thread::Builder::new().name("surroundings".into()).spawn(move || {
        loop {
            let network = next(&told);
            app.state::<App>().surround(|now| {
                now.network = network.unwrap_or(now.network);
                now.battery = battery::read(Path::new(SUPPLIES));
            });
        }
    });
    if let Err(error) = looking {
        tracing::warn!(%error, "no thread to look at what the tablet stands in: what was chosen to wait waits");
    }
}

/// How the network is by now; nothing after a minute in which nothing was heard of it.
fn next(told: &mpsc::Receiver<Network>) -> Option<Network> {
    told.recv_timeout(MINUTE)
        .map_err(|ended| {
            // Nothing will ever be heard any more.
            if ended == RecvTimeoutError::Disconnected {
                thread::sleep(MINUTE);
            }
        })
        .ok()
}
