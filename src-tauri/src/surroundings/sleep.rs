//! That the tablet has woken, as logind says over the system's bus.

use gio::{BusType, Cancellable, DBusConnection, DBusSignalFlags};

const LOGIN: &str = "org.freedesktop.login1";
const PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SIGNAL: &str = "PrepareForSleep";

/// Calls `hear` each time that the tablet has woken, on the thread that calls this: its main loop brings the signals.
pub fn listen(hear: impl Fn() + 'static) {
    gio::bus_get(BusType::System, Cancellable::NONE, move |bus| match bus {
        Ok(bus) => watch(&bus, hear),
        Err(error) => tracing::info!(%error, "no system bus: that the tablet has woken is not heard"),
    });
}

fn watch(bus: &DBusConnection, hear: impl Fn() + 'static) {
    // Held for as long as the app runs.
    let held = bus.clone();
    bus.signal_subscribe(
        Some(LOGIN),
        Some(MANAGER),
        Some(SIGNAL),
        Some(PATH),
        None,
        DBusSignalFlags::NONE,
        move |_, _, _, _, _, said| {
            let _ = &held;
            // `true` comes before it falls asleep, `false` once it has woken.
            if said.get() == Some((false,)) {
                hear();
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::super::bus::Bus;
    use super::*;
    use gio::glib::MainContext;
    use gio::prelude::*;
    use gio::{BusNameOwnerFlags, DBusCallFlags};
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::{Duration, Instant};

    /// All that was sent to this connection before has arrived.
    fn settle(connection: &DBusConnection) {
        let (name, path) = ("org.freedesktop.DBus", "/org/freedesktop/DBus");
        let flags = DBusCallFlags::NONE;
        connection
            .call_sync(Some(name), path, name, "GetId", None, None, flags, -1, Cancellable::NONE)
            .unwrap();
    }

    #[test]
    fn it_is_heard_when_the_tablet_has_woken_and_not_when_it_falls_asleep() {
        let bus = Bus::start();
        let context = MainContext::new();
        let heard = Rc::new(Cell::new(0));
        let story = || {
            let (login, tablet) = (bus.connect(), bus.connect());
            let flags = BusNameOwnerFlags::NONE;
            let owner = gio::bus_own_name_on_connection(&login, LOGIN, flags, |_, _| (), |_, _| ());
            let told = Rc::clone(&heard);
            watch(&tablet, move || told.set(told.get() + 1));
            let says = |sleeps: bool| {
                let said = (sleeps,).to_variant();
                login.emit_signal(None, PATH, MANAGER, SIGNAL, Some(&said)).unwrap();
                settle(&login);
                settle(&tablet);
                while context.iteration(false) {}
            };
            let begun = Instant::now();
            while heard.get() == 0 {
                assert!(begun.elapsed() < Duration::from_secs(60), "it was never heard");
                says(false);
            }
            let before = heard.get();
            says(true);
            assert_eq!(heard.get(), before);
            says(false);
            assert_eq!(heard.get(), before + 1);
            gio::bus_unown_name(owner);
        };
        context.with_thread_default(story).unwrap();
    }
}
