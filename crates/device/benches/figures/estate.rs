//! Estates as large as the figures ask for, in a tablet's database.

use crate::Outcome;
use standpipe_device::store::Store;
use standpipe_device::testing::large::Large;
use standpipe_device::testing::{Office, estate, identity};
use standpipe_device::world::{RealWorld, World};
use std::path::Path;
use std::sync::Arc;

pub const ASSETS: u32 = 10_000;
pub const CHECKS: u32 = 100_000;
/// The checks of the last rounds are open; all before are answered.
pub const OPEN: u32 = 1_000;
/// So many transactions are delivered at once.
const AT_ONCE: usize = 10_000;

/// A database in `folder` with `assets` assets, and `checks` checks of them.
pub fn fill(folder: &Path, assets: u32, checks: u32) -> Outcome<()> {
    let store = Store::open(folder, Arc::new(RealWorld))?;
    store.enrol(&identity(1))?;
    let mut office = Office::default();
    office.write(estate());
    let large = Large { assets, checks, open: OPEN };
    for (written, transaction) in large.transactions(RealWorld.today()).enumerate() {
        office.write(transaction);
        if written % AT_ONCE == 0 {
            deliver(&mut office, &store)?;
        }
    }
    deliver(&mut office, &store)
}

// What was delivered is forgotten: the office's own copy of it would only fill the memory.
fn deliver(office: &mut Office, store: &Store) -> Outcome<()> {
    if !office.deliver_and_forget(store)? {
        return Err("the checksums differ".into());
    }
    Ok(())
}

/// The texts that people search for: two characters, or a tag.
pub fn queries(count: u32, assets: u32) -> Vec<String> {
    let pairs = ["消防", "立管", "灭火", "水泵", "水箱", "软管", "喷淋", "屋顶", "9栋", "3层"];
    (0..count)
        .map(|n| match n % 2 {
            0 => pairs[(n / 2) as usize % pairs.len()].to_owned(),
            _ => format!("ZJ-{:06}", u64::from(n) * 7919 % u64::from(assets)),
        })
        .collect()
}
