//! The first start: somebody must be able to sign in.

use crate::office::{Hand, write};
use crate::secret::{Password, PasswordHash, Unhashable};
use crate::store::{Ledger, Store, StoreError, User};
use crate::world::{World, aside};
use standpipe_domain::ids::{PersonId, PlaceId, SiteId, UnitId};
use standpipe_domain::people::{Person, ResponsibleUnit, Role, UnitLevel};
use standpipe_domain::place::{Place, PlaceKind};
use standpipe_domain::record::{Site, entity, fields};
use standpipe_domain::words::Words;
use standpipe_oplog::pen::Draft;
use std::sync::Arc;

/// The name that the first administrator signs in with.
pub const OFFICE: &str = "office";

/// Why the hub could not be set up, or a password not be set.
#[derive(Debug, thiserror::Error)]
pub enum NotSetUp {
    #[error("setting the hub up: {0}")]
    Store(#[from] StoreError),
    #[error("setting a password: {0}")]
    Unhashable(#[from] Unhashable),
    #[error("setting a password: nobody is called {0}; the console's directory lists who is there")]
    Nobody(String),
}

/// Where nobody can sign in yet: founds an empty estate if there is none, and makes an account for its administrator.
/// Gives the password, to be shown once; `None` when there was an account already.
pub async fn found(store: &dyn Store, world: Arc<dyn World>) -> Result<Option<Password>, NotSetUp> {
    if store.has_users().await? {
        return Ok(None);
    }
    let hand = world.clone();
    let person = store.transact(move |ledger| administrator(ledger, &*hand)).await?;
    let password = Password::generate(&*world);
    let hash = hash(world, password.clone()).await?;
    store.put_user(User { name: OFFICE.into(), password: hash, person }).await?;
    Ok(Some(password))
}

/// Sets the password of the account `name`. Where there is none, it becomes the account of the person of that name.
pub async fn set_password(
    store: &dyn Store,
    world: Arc<dyn World>,
    name: &str,
    password: &Password,
) -> Result<(), NotSetUp> {
    let person = if let Some(user) = store.user(name).await? {
        user.person
    } else {
        let people = store.view(|records| records.people()).await?;
        let called = people.into_iter().find(|person| person.name == name);
        called.ok_or_else(|| NotSetUp::Nobody(name.to_owned()))?.id
    };
    let password = hash(world, password.clone()).await?;
    store.put_user(User { name: name.to_owned(), password, person }).await?;
    Ok(())
}

/// Hashes a password where nobody waits for the thread.
pub(crate) async fn hash(world: Arc<dyn World>, password: Password) -> Result<PasswordHash, NotSetUp> {
    let hashed = {
        let outside = Arc::clone(&world);
        aside(&*world, move || password.hash(&*outside)).await
    };
    Ok(hashed.map_err(|_| StoreError::Stopped)??)
}

/// An administrator: one who is there, or a fresh one in an estate that is founded for them.
fn administrator(ledger: &mut dyn Ledger, world: &dyn World) -> Result<PersonId, StoreError> {
    let there = ledger.people()?.into_iter().find(|person| person.roles.contains(&Role::Administrator));
    if let Some(person) = there {
        return Ok(person.id);
    }
    let mut drafts = Vec::new();
    let scope = if let Some(site) = ledger.site()? { site.id } else { estate(world, &mut drafts) };
    let unit = ResponsibleUnit {
        id: UnitId(world.uuid()),
        level: UnitLevel::Community,
        name: Words::new("办公室", "Office"),
    };
    let person = Person {
        id: PersonId(world.uuid()),
        name: "管理员".into(),
        unit: unit.id,
        roles: vec![Role::Administrator],
    };
    drafts.push(Draft::record(entity::UNIT, unit.id.0, fields(&unit)));
    drafts.push(Draft::record(entity::PERSON, person.id.0, fields(&person)));
    write(ledger, world, Hand { scope, actor: person.id, now: world.now() }, drafts)?;
    Ok(person.id)
}

/// An estate without a name of its own yet. Gives its identifier.
fn estate(world: &dyn World, drafts: &mut Vec<Draft>) -> SiteId {
    let site =
        Site { id: SiteId(world.uuid()), name: Words::new("本小区", "This estate"), code: "S".into() };
    let id = PlaceId(world.uuid());
    let place = Place { id, kind: PlaceKind::Site, parent: None, name: site.name.clone(), level: None };
    drafts.push(Draft::record(entity::SITE, site.id.0, fields(&site)));
    drafts.push(Draft::record(entity::PLACE, id.0, fields(&place)));
    site.id
}
