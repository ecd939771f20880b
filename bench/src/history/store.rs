//! Writes of the generator: the store's own set-based ones, each with the instant and the actor of its command.

use domain::kernel::{Actor, Aggregate, Decided, Decision, Instant};
use persistence::{Conn, Db, Ids, Mode, Record, Settings, Stamp, Stored, Tx, migrate};

use crate::Outcome;

/// A store that is being filled. Its identifiers are counted, so the same plan makes the same history.
pub struct Store {
    db: Db,
    ids: Ids,
    runtime: tokio::runtime::Runtime,
    /// Events written so far.
    pub events: u64,
}

impl Store {
    /// Opens the database, bringing its schema up to date.
    pub fn open(url: &str) -> Outcome<Self> {
        migrate(url)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        Ok(Self { db: Db::open(&Settings::new(url))?, ids: Ids::counted(), runtime, events: 0 })
    }

    /// An identifier made at that instant.
    pub fn mint<T: From<uuid::Uuid>>(&self, now: Instant) -> T {
        self.stamp(now, &Actor::clock()).mint()
    }

    fn stamp(&self, now: Instant, actor: &Actor) -> Stamp {
        Stamp { now, actor: actor.clone(), request: None, ids: self.ids.clone() }
    }

    /// One transaction.
    pub fn write<T: Send + 'static>(
        &self,
        now: Instant,
        actor: &Actor,
        work: impl Fn(&mut Tx<'_>) -> persistence::Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        Ok(self.runtime.block_on(self.db.write(self.stamp(now, actor), Mode::Commit, work))?)
    }

    /// A read.
    pub fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Conn<'_>) -> persistence::Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        Ok(self.runtime.block_on(self.db.scan(work))?)
    }

    /// Stores one new aggregate.
    pub fn create<A>(&mut self, now: Instant, actor: &Actor, decision: Decision<A>) -> Outcome<Stored<A>>
    where
        A: Record + Clone + Send + 'static,
        A::Event: Clone + Send + 'static,
    {
        Ok(self.create_all(now, actor, vec![decided(decision)?])?.remove(0))
    }

    /// Stores the outcome of a command on one aggregate.
    pub fn save<A>(
        &mut self,
        now: Instant,
        actor: &Actor,
        before: Stored<A>,
        decision: Decision<A>,
    ) -> Outcome<Stored<A>>
    where
        A: Record + Clone + Send + 'static,
        A::Event: Clone + Send + 'static,
    {
        Ok(self.save_all(now, actor, vec![(before, decided(decision)?)])?.remove(0))
    }

    /// Stores many new aggregates.
    pub fn create_all<A>(&mut self, now: Instant, actor: &Actor, created: Vec<Decided<A>>) -> Outcome<Vec<Stored<A>>>
    where
        A: Record + Clone + Send + 'static,
        A::Event: Clone + Send + 'static,
    {
        self.count(created.iter().map(|(_, events)| events.len()));
        let stored = created.iter().map(|(value, _)| Stored { value: value.clone(), version: 1, updated_at: now });
        let stored = stored.collect();
        self.write(now, actor, move |tx| tx.create_all(&created))?;
        Ok(stored)
    }

    /// Stores the outcomes of commands on many aggregates.
    pub fn save_all<A>(
        &mut self,
        now: Instant,
        actor: &Actor,
        changed: Vec<(Stored<A>, Decided<A>)>,
    ) -> Outcome<Vec<Stored<A>>>
    where
        A: Record + Clone + Send + 'static,
        A::Event: Clone + Send + 'static,
    {
        self.count(changed.iter().map(|(_, (_, events))| events.len()));
        let after = |(before, (value, _)): &(Stored<A>, Decided<A>)| Stored {
            value: value.clone(),
            version: before.version + 1,
            updated_at: now,
        };
        let stored = changed.iter().map(after).collect();
        self.write(now, actor, move |tx| tx.save_all(&changed))?;
        Ok(stored)
    }

    fn count(&mut self, events: impl Iterator<Item = usize>) {
        self.events += events.map(|n| n as u64).sum::<u64>();
    }
}

/// A decision that the generator relies on; its refusal is a defect of the generator.
pub fn decided<A: Aggregate>(decision: Decision<A>) -> Outcome<Decided<A>> {
    decision.map_err(|refusal| format!("the generator was refused: {refusal:?}").into())
}
