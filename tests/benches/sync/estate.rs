//! What a hub holds: planted before it starts, looked at after it has stopped.

use anyhow::{Context, Result, ensure};
use standpipe_device::testing::a_place;
use standpipe_device::testing::large::Large;
use standpipe_device::world::{RealWorld, World};
use standpipe_domain::people::Role;
use standpipe_domain::place::PlaceKind;
use standpipe_domain::words::Words;
use standpipe_hub::demo;
use standpipe_hub::office::{Hand, write};
use standpipe_hub::store::Store;
use standpipe_hub::store::sqlite::SqliteStore;
use standpipe_oplog::pen::Draft;
use standpipe_tests::process::binary;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

/// So many of the estate's transactions share one of the database.
const AT_ONCE: usize = 5_000;

/// What a hub's folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holds {
    pub operations: u64,
    /// Operations in quarantine; at most 1,000 are counted.
    pub set_aside: u64,
    /// Photos whose bytes were read back, and are whole.
    pub photos: u64,
}

/// Plants the demonstration's estate and a large one beside it, as the office's own work. The hub must not run. Gives how
/// many operations it holds then.
pub async fn plant(data: &Path, large: Large) -> Result<u64> {
    std::fs::create_dir_all(data)?;
    let world: Arc<dyn World> = Arc::new(RealWorld);
    let sqlite = SqliteStore::open(&data.join("hub.db"), Arc::clone(&world)).await?;
    let store: &dyn Store = &sqlite;
    demo::load(store, world).await?;
    let people = store.view(|records| records.people()).await?;
    let office = people.iter().find(|person| person.roles.contains(&Role::Administrator));
    let actor = office.context("the demonstration has an administrator")?.id;
    let ground = a_place(0, PlaceKind::Phase, None, Words::new("大区", "Large estate"));
    let mut transactions = [vec![ground]].into_iter().chain(large.transactions(RealWorld.today()));
    loop {
        let some: Vec<Vec<Draft>> = transactions.by_ref().take(AT_ONCE).collect();
        if some.is_empty() {
            break;
        }
        let hand = Hand { scope: demo::site(), actor, now: RealWorld.now() };
        store
            .transact(move |ledger| some.into_iter().try_for_each(|one| write(ledger, &RealWorld, hand, one)))
            .await?;
    }
    let (operations, _) = store.sums(demo::site(), Vec::new()).await?;
    sqlite.close().await;
    Ok(operations)
}

/// Looks at what a hub holds that has stopped: its log, its quarantine, and each photo's bytes.
pub async fn look(data: &Path) -> Result<Holds> {
    let sqlite = SqliteStore::open(&data.join("hub.db"), Arc::new(RealWorld)).await?;
    let (operations, _) = sqlite.sums(demo::site(), Vec::new()).await?;
    let set_aside = (&sqlite as &dyn Store).set_aside().await?.total;
    sqlite.close().await;
    let verify = Command::new(binary("standpipe-hub")?).args(["verify", "--data"]).arg(data).output()?;
    let said = String::from_utf8_lossy(&verify.stdout);
    let said = said.trim_end();
    ensure!(verify.status.success(), "the hub's photos: {said} {}", String::from_utf8_lossy(&verify.stderr));
    let whole =
        said.lines().next().and_then(|line| line.strip_suffix(" photos are whole, 0 missing, 0 spoilt"));
    let photos = whole.with_context(|| format!("what verify said: {said}"))?.parse()?;
    Ok(Holds { operations, set_aside, photos })
}

/// Complains unless the stopped hub holds just this.
pub async fn must_hold(data: &Path, operations: u64, photos: u64) -> Result<()> {
    let (found, expected) = (look(data).await?, Holds { operations, set_aside: 0, photos });
    ensure!(found == expected, "the hub holds {found:?} instead of {expected:?}");
    Ok(())
}
