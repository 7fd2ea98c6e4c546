//! Whether the network is metered, as NetworkManager says over the system's bus.

use gio::prelude::*;
use gio::{BusType, Cancellable, DBusConnection, DBusProxy, DBusProxyFlags};
use standpipe_domain::hold::Network;
use std::rc::Rc;

const MANAGER: &str = "org.freedesktop.NetworkManager";
const PATH: &str = "/org/freedesktop/NetworkManager";

/// Calls `hear` with how the network is, now and whenever that changes, on the thread that calls this: its main loop
/// brings the signals.
pub fn listen(hear: impl Fn(Network) + 'static) {
    gio::bus_get(BusType::System, Cancellable::NONE, move |bus| match bus {
        Ok(bus) => watch(&bus, hear),
        Err(error) => {
            tracing::info!(%error, "no system bus: whether the network is metered is not known");
            hear(Network::Unknown);
        }
    });
}

fn watch(bus: &DBusConnection, hear: impl Fn(Network) + 'static) {
    // Looking must not start it where it does not run.
    let flags = DBusProxyFlags::DO_NOT_AUTO_START;
    DBusProxy::new(
        bus,
        flags,
        None,
        Some(MANAGER),
        PATH,
        MANAGER,
        Cancellable::NONE,
        move |proxy| match proxy {
            Ok(proxy) => tell(&proxy, hear),
            Err(error) => {
                tracing::info!(%error, "whether the network is metered is not known");
                hear(Network::Unknown);
            }
        },
    );
}

fn tell(proxy: &DBusProxy, hear: impl Fn(Network) + 'static) {
    hear(network(proxy));
    let hear = Rc::new(hear);
    // The signals hold it for as long as the app runs.
    let (changed, told) = (proxy.clone(), Rc::clone(&hear));
    proxy.connect_local("g-properties-changed", false, move |_| {
        told(network(&changed));
        None
    });
    // NetworkManager ended, or has just begun.
    proxy.connect_notify_local(Some("g-name-owner"), move |proxy, _| hear(network(proxy)));
}

fn network(proxy: &DBusProxy) -> Network {
    named(proxy.cached_property("Metered").and_then(|metered| metered.get()))
}

/// `NMMetered`: 1 yes, 2 no, 3 and 4 what it guesses of both; otherwise it does not know.
fn named(metered: Option<u32>) -> Network {
    match metered {
        Some(1 | 3) => Network::Metered,
        Some(2 | 4) => Network::Unmetered,
        _ => Network::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gio::glib::{MainContext, Variant};
    use gio::{BusNameOwnerFlags, DBusConnectionFlags, DBusNodeInfo};
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    #[test]
    fn what_is_guessed_counts_and_what_is_not_known_is_not_guessed() {
        use Network::{Metered, Unknown, Unmetered};
        let said = [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(5)].map(named);
        assert_eq!(said, [Unknown, Unknown, Metered, Unmetered, Metered, Unmetered, Unknown]);
    }

    /// A bus of the test's own.
    struct Bus {
        daemon: Child,
        address: String,
    }

    impl Bus {
        fn start() -> Self {
            let mut daemon = Command::new("dbus-daemon")
                .args(["--session", "--nofork", "--nopidfile", "--print-address=1"])
                .stdout(Stdio::piped())
                .spawn()
                .expect("dbus-daemon, which comes with every desktop");
            let mut address = String::new();
            BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
            Self { daemon, address: address.trim().to_owned() }
        }

        fn connect(&self) -> DBusConnection {
            let flags =
                DBusConnectionFlags::AUTHENTICATION_CLIENT | DBusConnectionFlags::MESSAGE_BUS_CONNECTION;
            DBusConnection::for_address_sync(&self.address, flags, None, Cancellable::NONE).unwrap()
        }
    }

    impl Drop for Bus {
        fn drop(&mut self) {
            let _ = self.daemon.kill();
            let _ = self.daemon.wait();
        }
    }

    const SPEAKS: &str = r#"<node><interface name="org.freedesktop.NetworkManager">
        <property name="Metered" type="u" access="read"/></interface></node>"#;

    #[test]
    fn what_networkmanager_says_is_heard_when_it_says_it_and_when_it_comes_and_goes() {
        use Network::{Metered, Unknown, Unmetered};
        let bus = Bus::start();
        let context = MainContext::new();
        let heard = Rc::new(RefCell::new(Vec::new()));
        let until = |last: Network| {
            let begun = Instant::now();
            while heard.borrow().last() != Some(&last) {
                assert!(begun.elapsed() < Duration::from_secs(60), "{last:?} was never heard: {heard:?}");
                context.iteration(false);
            }
        };
        let story = || {
            let told = Rc::clone(&heard);
            watch(&bus.connect(), move |network| told.borrow_mut().push(network));
            until(Unknown);

            let manager = bus.connect();
            let interface = DBusNodeInfo::for_xml(SPEAKS).unwrap().lookup_interface(MANAGER).unwrap();
            manager
                .register_object(
                    PATH,
                    &interface,
                    |_, _, _, _, _, _, _| unreachable!("it has no methods"),
                    |_, _, _, _, _| 1_u32.to_variant(),
                    |_, _, _, _, _, _| false,
                )
                .unwrap();
            let owner = gio::bus_own_name_on_connection(
                &manager,
                MANAGER,
                BusNameOwnerFlags::NONE,
                |_, _| (),
                |_, _| (),
            );
            until(Metered);

            let news = HashMap::from([("Metered", 4_u32.to_variant())]);
            let changed: Variant = (MANAGER, news, Vec::<String>::new()).to_variant();
            let properties = "org.freedesktop.DBus.Properties";
            manager.emit_signal(None, PATH, properties, "PropertiesChanged", Some(&changed)).unwrap();
            until(Unmetered);

            gio::bus_unown_name(owner);
            until(Unknown);
        };
        context.with_thread_default(story).unwrap();
    }
}
