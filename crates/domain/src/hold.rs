//! When originals wait though the office could be reached: what the tablet stands in, and what its person chose.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Whether what goes over the tablet's network is paid for by its amount, as far as the system tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// The system does not say, or there is no network.
    #[default]
    Unknown,
    Metered,
    Unmetered,
}

/// How the tablet's battery stands, as far as the system tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Battery {
    /// The system does not say, or there is none.
    #[default]
    Unknown,
    /// Little is left, and it is not being charged.
    Low,
    /// Enough is left, or it is being charged.
    Enough,
}

/// What the tablet stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Surroundings {
    pub network: Network,
    pub battery: Battery,
}

/// What the tablet's person chose. Records and thumbnails never wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Choices {
    /// Originals wait while the network is metered.
    pub wait_for_wifi: bool,
    /// Originals wait while the battery is low.
    pub wait_for_battery: bool,
}

/// Why originals wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// For a network that is not metered.
    Network,
    /// For the charger.
    Battery,
}

/// Originals that wait, or would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Held {
    pub why: Hold,
    /// Photos and clips.
    pub photos: u32,
    /// Bytes of them that have not arrived at the office.
    #[ts(type = "number")]
    pub bytes: u64,
    /// The person wants them sent all the same, this once: they go.
    pub released: bool,
}

impl Choices {
    /// Why originals wait in these surroundings. What the system does not say holds nothing back: photos that nobody would
    /// ever send are a worse loss than what a network costs, and the screen says beside the choice that it is not known.
    pub fn hold(self, Surroundings { network, battery }: Surroundings) -> Option<Hold> {
        if self.wait_for_wifi && network == Network::Metered {
            Some(Hold::Network)
        } else if self.wait_for_battery && battery == Battery::Low {
            Some(Hold::Battery)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn originals_wait_only_when_it_was_chosen_and_the_system_says_so() {
        let both = Choices { wait_for_wifi: true, wait_for_battery: true };
        let wifi = Choices { wait_for_battery: false, ..both };
        let battery = Choices { wait_for_wifi: false, ..both };
        for (choices, network, level, hold) in [
            (Choices::default(), Network::Metered, Battery::Low, None),
            (both, Network::Unknown, Battery::Unknown, None),
            (both, Network::Unmetered, Battery::Enough, None),
            (both, Network::Metered, Battery::Low, Some(Hold::Network)),
            (both, Network::Unmetered, Battery::Low, Some(Hold::Battery)),
            (wifi, Network::Metered, Battery::Low, Some(Hold::Network)),
            (wifi, Network::Unmetered, Battery::Low, None),
            (battery, Network::Metered, Battery::Enough, None),
            (battery, Network::Metered, Battery::Low, Some(Hold::Battery)),
        ] {
            let surroundings = Surroundings { network, battery: level };
            assert_eq!(choices.hold(surroundings), hold, "{choices:?} {surroundings:?}");
        }
    }
}
