//! A command: who gives it, and which version of its object the giver saw.

use domain::kernel::Decided;
use persistence::{Failure, Outcome, Record, Stored, Tx};

use crate::Caller;

/// What a caller says that it saw of what it means to change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// Whichever version is there.
    Anything,
    /// That version.
    Version(i64),
}

/// Who gives a command, and on which version.
#[derive(Clone, Debug)]
pub struct Command {
    /// Who calls.
    pub who: Caller,
    /// The version that the caller saw, where it said so.
    pub seen: Option<Seen>,
    /// Whether it must say so: a command that replaces a thing whole would undo what it has not seen.
    pub conditional: bool,
}

impl Command {
    /// Locks the aggregate that the caller means to change: it must be the caller's to change and, where the caller
    /// says which version it saw, still that version.
    ///
    /// # Errors
    /// Not found, forbidden, stale, or a missing precondition.
    pub fn lock<A: Record>(&self, tx: &mut Tx<'_>, id: A::Id) -> Outcome<Stored<A>> {
        let stored = self.lock_any(tx, id)?;
        self.conditioned(stored)
    }

    /// As [`Command::lock`], where the caller need not have seen any version: for what it sends whole, over and over.
    ///
    /// # Errors
    /// Not found, forbidden or stale.
    pub fn lock_any<A: Record>(&self, tx: &mut Tx<'_>, id: A::Id) -> Outcome<Stored<A>> {
        let found = tx.lock::<A>(id);
        let stored = self.who.own(tx, found)?;
        self.current(stored)
    }

    /// As [`Command::lock`], for what is one account's own: to any other it is not there.
    ///
    /// # Errors
    /// Not found, stale, or a missing precondition.
    pub fn lock_if<A: Record>(&self, tx: &mut Tx<'_>, id: A::Id, own: impl FnOnce(&A) -> bool) -> Outcome<Stored<A>> {
        let stored = tx.lock::<A>(id)?;
        if !own(&stored.value) {
            return Err(Failure::NotFound(A::KIND));
        }
        let stored = self.current(stored)?;
        self.conditioned(stored)
    }

    /// Holds an aggregate that a decision rests on, the caller's to use.
    ///
    /// # Errors
    /// Not found or forbidden.
    pub fn hold<A: Record>(&self, tx: &mut Tx<'_>, id: A::Id) -> Outcome<A> {
        let found = tx.hold::<A>(id);
        Ok(self.who.own(tx, found)?.value)
    }

    /// Refuses a caller that saw a version of what does not exist.
    ///
    /// # Errors
    /// [`Failure::Stale`].
    pub fn expects_none(&self) -> Outcome<()> {
        if self.seen.is_some() { Err(Failure::Stale) } else { Ok(()) }
    }

    /// The common command on one aggregate: load, authorise, decide, store, record.
    ///
    /// # Errors
    /// Whatever the decision refuses, and as [`Command::lock`].
    pub fn act<A: Record>(
        &self,
        tx: &mut Tx<'_>,
        id: A::Id,
        decide: impl FnOnce(A, &mut Tx<'_>) -> Outcome<Decided<A>>,
    ) -> Outcome<Stored<A>> {
        let before = self.lock::<A>(tx, id)?;
        let decision = decide(before.value.clone(), tx)?;
        tx.save(&before, decision)
    }

    fn current<A>(&self, stored: Stored<A>) -> Outcome<Stored<A>> {
        match self.seen {
            Some(Seen::Version(seen)) if seen != stored.version => Err(Failure::Stale),
            Some(_) | None => Ok(stored),
        }
    }

    fn conditioned<A>(&self, stored: Stored<A>) -> Outcome<Stored<A>> {
        if self.seen.is_none() && self.conditional { Err(Failure::Unconditional) } else { Ok(stored) }
    }
}

/// Locks what the clock means to change, if its time has come: another server may have been quicker.
///
/// # Errors
/// Not found, or where the store fails.
pub fn lock_due<A: Record>(tx: &mut Tx<'_>, id: A::Id) -> Outcome<Option<Stored<A>>> {
    let before = tx.lock::<A>(id)?;
    Ok(before.value.due().is_some_and(|due| due.at <= tx.now()).then_some(before))
}
