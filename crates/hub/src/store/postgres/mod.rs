//! The store in PostgreSQL 15 or later. Several processes may work with one database: what they write comes one after the
//! other, and each hears of what the others wrote.

mod fault;
mod hosts;
mod line;
mod lineage;
mod link;
mod listen;
mod missed;
mod moving;
mod number;
mod open;
mod patience;
mod server;
mod session;
mod tls;
mod turn;

use super::StoreError;
use super::sql::{AtWork, Desk, Desks, bind};
use crate::world::{World, aside};
use line::Post;
pub use lineage::Lineage;
use listen::{Ear, Place};
pub use moving::{Moved, move_in, move_out};
use server::Server;
use std::sync::Arc;
pub use turn::Over;
use uuid::Uuid;

/// A hub's store in a database of PostgreSQL.
pub struct PostgresStore {
    world: Arc<dyn World>,
    server: Server,
    /// Names this process to the others.
    own: Uuid,
    at_work: AtWork<Post, Server>,
    ear: Ear,
}

impl PostgresStore {
    /// Opens the store in the database that `url` names, or makes it where the database is empty.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a database that a newer version made, and [`StoreError::Unsuitable`] for one that cannot be
    /// used; both are left untouched. [`StoreError::Away`] where nobody answers.
    pub async fn open(url: &str, world: Arc<dyn World>) -> Result<Self, StoreError> {
        Self::at(Server::of(url, Arc::clone(&world))?, world).await
    }

    async fn at(server: Server, world: Arc<dyn World>) -> Result<Self, StoreError> {
        let (at, outside) = (server.clone(), Arc::clone(&world));
        let opened = aside(&*world, move || {
            let link = at.connect()?;
            let identity = open::open(&link, &*outside)?;
            Ok::<_, StoreError>((link, identity))
        });
        let (link, identity) = opened.await.map_err(|_| StoreError::Stopped)??;
        let own = world.uuid();
        let at_work = AtWork::new(Post::new(server.clone(), link, own), server.clone(), identity, &world);
        Ok(Self { world, server, own, at_work, ear: Ear::default() })
    }

    /// Hears from now on of what other processes write, and tells of it as of one's own: where several work, and none serves.
    pub async fn listen(&self) -> Result<(), StoreError> {
        self.hear(false).await
    }

    /// Serves the database from now on, and hears what other processes write.
    ///
    /// # Errors
    /// [`StoreError::Unsuitable`] where another process serves it: the photos that the database speaks of lie in that one's
    /// folder, and this one has not got them.
    pub async fn serve(&self) -> Result<(), StoreError> {
        self.hear(true).await?;
        let stored = self.look(|desk| {
            let sql = "SELECT device, epoch FROM hub";
            desk.first("reading who this hub is", sql, &[], |row| {
                Ok((row.get::<Uuid>(0)?, row.get::<Uuid>(1)?))
            })
        });
        // An office may have been moved in since this one looked.
        if stored.await? != Some((self.at_work.identity.device.0, self.at_work.identity.epoch)) {
            return Err(server::unsuitable(
                "it has become another hub's meanwhile; start the hub again".into(),
            ));
        }
        // Whoever backs the server up does not tell the hub: tablets wait for no backup, as where none was ever made.
        const DOING: &str = "forgetting the backups of before";
        self.change(|desk| {
            desk.run(
                DOING,
                "UPDATE hub SET backups_begun = 0, backup_whole = 0 WHERE backups_begun > 0",
                &[],
            )?;
            desk.run(DOING, "DELETE FROM backed_up", &[]).map(drop)
        })
        .await
    }

    /// Which database this process serves, where the server tells.
    pub fn lineage(&self) -> Option<&Lineage> {
        self.server.turn.lineage()
    }

    /// Why this process must not serve any more, once it must not: until then there is no answer. Everything is refused from
    /// then on.
    pub fn over(&self) -> impl Future<Output = Over> + Send + 'static {
        let turn = Arc::clone(&self.server.turn);
        async move { turn.over().await }
    }

    /// Why this process must not serve any more, if it must not.
    pub fn is_over(&self) -> Option<Over> {
        self.server.turn.is_over()
    }

    async fn hear(&self, serves: bool) -> Result<(), StoreError> {
        let place = Place { server: self.server.clone(), own: self.own, serves };
        self.ear.open(place, &*self.world, self.at_work.writer.teller()).await
    }

    /// Makes the database that of a hub which was restored: with an epoch of its own, which counts from the next start. Gives
    /// the epoch. Of uploads under way what has come lies in the data folder still, which was not put back.
    pub async fn revive(&self) -> Result<Uuid, StoreError> {
        let epoch = self.world.uuid();
        self.change(move |desk| {
            const DOING: &str = "making the database that of a restored hub";
            desk.run(DOING, "UPDATE hub SET epoch = ?", bind![epoch]).map(|_| epoch)
        })
        .await
    }

    /// Does what was asked for so far, and lets the connections go. Whoever asks later is told that the hub is stopping.
    pub async fn close(&self) {
        self.ear.close().await;
        self.at_work.close().await;
    }
}

impl Desks for PostgresStore {
    type Line = Post;
    type Source = Server;

    fn at_work(&self) -> &AtWork<Post, Server> {
        &self.at_work
    }

    async fn look<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Desk<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.server.turn.may_read()?;
        self.at_work.readers.run(task).await
    }
}

#[cfg(test)]
mod tests;
