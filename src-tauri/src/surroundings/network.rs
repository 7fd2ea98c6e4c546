//! Whether the network is metered, and that it has come back, as NetworkManager says over the system's bus.

use super::Told;
use gio::prelude::*;
use gio::{BusType, Cancellable, DBusConnection, DBusProxy, DBusProxyFlags};
use standpipe_domain::hold::Network;
use std::cell::Cell;
use std::rc::Rc;

const MANAGER: &str = "org.freedesktop.NetworkManager";
const PATH: &str = "/org/freedesktop/NetworkManager";
/// `NM_STATE_CONNECTED_LOCAL`: from here on something may be reached, first on the spot, then (60) in the house, and at last
/// (70) on the internet.
const CONNECTED: u32 = 50;

/// Calls `hear` with how the network is, now and whenever that changes, and whenever it leads further than before, on the
/// thread that calls this: its main loop brings the signals.
pub fn listen(hear: impl Fn(Told) + 'static) {
    gio::bus_get(BusType::System, Cancellable::NONE, move |bus| match bus {
        Ok(bus) => watch(&bus, hear),
        Err(error) => {
            tracing::info!(%error, "no system bus: whether the network is metered is not known");
            hear(Told::Network(Network::Unknown));
        }
    });
}

fn watch(bus: &DBusConnection, hear: impl Fn(Told) + 'static) {
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
                hear(Told::Network(Network::Unknown));
            }
        },
    );
}

fn tell(proxy: &DBusProxy, hear: impl Fn(Told) + 'static) {
    let state = Cell::new(state(proxy));
    let look = Rc::new(move |proxy: &DBusProxy| {
        hear(Told::Network(network(proxy)));
        if leads_further(state.replace(self::state(proxy)), state.get()) {
            hear(Told::Back);
        }
    });
    look(proxy);
    // The signals hold it for as long as the app runs.
    let (changed, again) = (proxy.clone(), Rc::clone(&look));
    proxy.connect_local("g-properties-changed", false, move |_| {
        again(&changed);
        None
    });
    // NetworkManager ended, or has just begun.
    proxy.connect_notify_local(Some("g-name-owner"), move |proxy, _| look(proxy));
}

fn network(proxy: &DBusProxy) -> Network {
    named(number(proxy, "Metered"))
}

/// `NMState`; 0 where it does not say.
fn state(proxy: &DBusProxy) -> u32 {
    number(proxy, "State").unwrap_or_default()
}

fn number(proxy: &DBusProxy, property: &str) -> Option<u32> {
    proxy.cached_property(property).and_then(|value| value.get())
}

fn leads_further(before: u32, now: u32) -> bool {
    now >= CONNECTED && now > before
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
    use super::super::bus::Bus;
    use super::*;
    use gio::glib::{MainContext, Variant};
    use gio::{BusNameOwnerFlags, DBusNodeInfo};
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::time::{Duration, Instant};

    #[test]
    fn what_is_guessed_counts_and_what_is_not_known_is_not_guessed() {
        use Network::{Metered, Unknown, Unmetered};
        let said = [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(5)].map(named);
        assert_eq!(said, [Unknown, Unknown, Metered, Unmetered, Metered, Unmetered, Unknown]);
    }

    #[test]
    fn a_network_leads_further_when_it_comes_and_when_it_opens_and_not_when_it_goes() {
        let further = |(before, now)| leads_further(before, now);
        assert_eq!([(20, 70), (40, 50), (50, 60), (60, 70)].map(further), [true; 4]);
        assert_eq!([(70, 70), (70, 60), (70, 20), (20, 40), (0, 0)].map(further), [false; 5]);
    }

    const SPEAKS: &str = r#"<node><interface name="org.freedesktop.NetworkManager">
        <property name="Metered" type="u" access="read"/>
        <property name="State" type="u" access="read"/></interface></node>"#;

    #[test]
    fn what_networkmanager_says_is_heard_when_it_says_it_and_when_it_comes_and_goes() {
        use Network::{Metered, Unknown, Unmetered};
        let bus = Bus::start();
        let context = MainContext::new();
        let heard = Rc::new(RefCell::new(Vec::new()));
        let until = |last: Told| {
            let begun = Instant::now();
            while heard.borrow().last() != Some(&last) {
                assert!(begun.elapsed() < Duration::from_secs(60), "{last:?} was never heard: {heard:?}");
                context.iteration(false);
            }
        };
        let story = || {
            let told = Rc::clone(&heard);
            watch(&bus.connect(), move |news| told.borrow_mut().push(news));
            until(Told::Network(Unknown));

            let manager = bus.connect();
            let interface = DBusNodeInfo::for_xml(SPEAKS).unwrap().lookup_interface(MANAGER).unwrap();
            manager
                .register_object(
                    PATH,
                    &interface,
                    |_, _, _, _, _, _, _| unreachable!("it has no methods"),
                    |_, _, _, _, property| if property == "State" { 20_u32 } else { 1 }.to_variant(),
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
            until(Told::Network(Metered));

            let says = |property: &str, now: u32| {
                let news = HashMap::from([(property, now.to_variant())]);
                let changed: Variant = (MANAGER, news, Vec::<String>::new()).to_variant();
                let properties = "org.freedesktop.DBus.Properties";
                manager.emit_signal(None, PATH, properties, "PropertiesChanged", Some(&changed)).unwrap();
            };
            says("State", 70);
            until(Told::Back);
            says("Metered", 4);
            until(Told::Network(Unmetered));

            gio::bus_unown_name(owner);
            until(Told::Network(Unknown));
            let back = heard.borrow().iter().filter(|news| **news == Told::Back).count();
            assert_eq!(back, 1, "once for each time that it comes back");
        };
        context.with_thread_default(story).unwrap();
    }
}
