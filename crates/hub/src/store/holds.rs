//! What a database holds, as a backup of it says.

use serde::{Deserialize, Serialize};
use standpipe_domain::ids::{DeviceId, Sha256, SiteId};
use uuid::Uuid;

/// What a hub's database holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holds {
    /// The hub's own device.
    pub hub: DeviceId,
    pub epoch: Uuid,
    pub sites: Vec<SiteHead>,
    pub chains: Vec<ChainEnd>,
    /// Photos and clips whose bytes the hub has verified, thumbnails among them, and how many bytes they have together.
    pub photos: u64,
    pub photo_bytes: u64,
}

impl Holds {
    /// How many operations the logs of all sites have together.
    pub fn operations(&self) -> u64 {
        self.sites.iter().map(|site| site.head).sum()
    }
}

/// A site's last number: its log holds every operation up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteHead {
    pub site: SiteId,
    pub head: u64,
}

/// The last link of a chain: every operation of the device and incarnation up to it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainEnd {
    pub device: DeviceId,
    pub incarnation: u32,
    pub dev_seq: u64,
    pub hash: Sha256,
}
