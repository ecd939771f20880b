//! Aggregates as documents: what is done with each. The macro `declare_table!` declares its table, and all else is written once
//! (`docs/adr/0017-declared-tables.md`).

use domain::kernel::{Aggregate, Decided, Instant, Named as _};
use uuid::Uuid;

use crate::record::{event, timer};
use crate::{Conn, Outcome, Page, Tx, deadline, impediment};

mod cell;
mod filter;
mod statement;
mod store;
#[macro_use]
pub(crate) mod table;

pub use cell::{Cell, Sort, Typed};
pub use filter::{Filter, ValueOf};
pub use table::{Column, Table, Taken, Unique};

pub(crate) use cell::cell;
pub(crate) use filter::{Cut, in_parts};
pub(crate) use statement::Statement;
pub(crate) use store::versions;
pub(crate) use table::{marks, taken};

/// An aggregate as it was read: what it is, and which version.
#[derive(Clone, Debug)]
pub struct Stored<A> {
    /// The aggregate.
    pub value: A,
    /// Its version, from 1.
    pub version: i64,
    /// When it was last changed.
    pub updated_at: Instant,
}

/// One of several aggregates that are written at once: what it was, where it was there before, and what it is.
pub type Change<'a, A> = (Option<&'a A>, &'a A);

/// An aggregate with a table, which the macro `declare_table!` declares.
pub trait Record: Aggregate {
    /// Its table.
    const TABLE: &'static Table;

    /// What stands in the columns that are declared, in their order.
    fn cells(&self) -> Vec<Cell>;

    /// Keeps what stands beside the table in step with it: called whenever rows are written.
    ///
    /// # Errors
    /// Where the store fails; a refusal where a constraint that guards a rule is violated.
    fn keep_beside(_tx: &mut Tx<'_>, _rows: &[Change<'_, Self>]) -> Outcome<()> {
        Ok(())
    }
}

/// The rows of a table, as diesel calls them, and whose they are.
pub trait Rows {
    /// What each is.
    type Of: Record;
}

/// Which version of an aggregate is a row of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// The aggregate.
    pub id: Uuid,
    /// Its version.
    pub version: i64,
    /// When it was last changed.
    pub updated_at: Instant,
}

/// Rows of one statement at most: with the columns of any table that stays below the 32,766 values of SQLite and the
/// 65,535 of PostgreSQL.
pub(crate) const ROWS: usize = 1_000;

/// How a row is held until the transaction ends. SQLite has one writer and needs neither.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strength {
    /// Others may read and hold it, not change it.
    Share,
    /// Nobody else may hold or change it.
    Update,
}

/// Which rows of a table the verifier of the record asks for.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// Those with these identifiers.
    These(&'a [crate::Uid]),
    /// The next ones in the order of identifiers, and how many at most.
    After(Option<crate::Uid>, i64),
}

fn stored<A: Record>((_, version, updated_at, body): store::Document) -> Outcome<Stored<A>> {
    Ok(Stored { value: serde_json::from_str(&body.0)?, version, updated_at: updated_at.0 })
}

fn all_stored<A: Record>(rows: Vec<store::Document>) -> Outcome<Vec<Stored<A>>> {
    rows.into_iter().map(stored).collect()
}

impl Conn<'_> {
    /// The aggregate with that identifier, where there is one.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn find<A: Record>(&mut self, id: A::Id) -> Outcome<Option<Stored<A>>> {
        store::find(self, A::TABLE, id.into(), None)?.map(stored).transpose()
    }

    /// The aggregate with that identifier.
    ///
    /// # Errors
    /// [`crate::Failure::NotFound`] where there is none.
    pub fn get<A: Record>(&mut self, id: A::Id) -> Outcome<Stored<A>> {
        self.find(id)?.ok_or(crate::Failure::NotFound(A::KIND))
    }

    /// Those with these identifiers, in whatever order; those that are not there are left out.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn these<A: Record>(&mut self, ids: &[Uuid]) -> Outcome<Vec<Stored<A>>> {
        all_stored(store::these(self, A::TABLE, ids)?)
    }

    /// All whose column has that value, in the order of creation.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn all_of<A: Record, C>(&mut self, column: C, value: impl Into<ValueOf<C>>) -> Outcome<Vec<Stored<A>>>
    where
        C: diesel::Column<Table: Rows<Of = A>, SqlType: Typed>,
    {
        self.list(&Filter::all().is(column, value), Page::ALL)
    }

    /// A page of what the filter lets through, in the order of creation; in that of the last changes, where those since
    /// an instant are asked for.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn list<A: Record>(&mut self, filter: &Filter<A>, page: Page) -> Outcome<Vec<Stored<A>>> {
        all_stored(store::list(self, &filter.terms, page)?)
    }

    /// As [`Conn::list`], without the documents.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn heads<A: Record>(&mut self, filter: &Filter<A>, page: Page) -> Outcome<Vec<Head>> {
        store::heads(self, &filter.terms, page)
    }

    /// How many the filter lets through.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn count<A: Record>(&mut self, filter: &Filter<A>) -> Outcome<i64> {
        store::count(self, &filter.terms)
    }
}

impl Tx<'_> {
    /// The aggregate to be changed, locked until the transaction ends.
    ///
    /// # Errors
    /// [`crate::Failure::NotFound`] where there is none.
    pub fn lock<A: Record>(&mut self, id: A::Id) -> Outcome<Stored<A>> {
        self.locked(id, Strength::Update)
    }

    /// An aggregate that a decision rests on: it does not change until the transaction ends.
    ///
    /// # Errors
    /// [`crate::Failure::NotFound`] where there is none.
    pub fn hold<A: Record>(&mut self, id: A::Id) -> Outcome<Stored<A>> {
        self.locked(id, Strength::Share)
    }

    fn locked<A: Record>(&mut self, id: A::Id, strength: Strength) -> Outcome<Stored<A>> {
        let found = store::find(self, A::TABLE, id.into(), Some(strength))?;
        stored(found.ok_or(crate::Failure::NotFound(A::KIND))?)
    }

    /// As [`Tx::hold`], many at once; those that are not there are left out.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn hold_all<A: Record>(&mut self, ids: &[A::Id]) -> Outcome<Vec<Stored<A>>> {
        let ids: Vec<Uuid> = ids.iter().map(|id| (*id).into()).collect();
        let mut held = Vec::with_capacity(ids.len());
        for ids in ids.chunks(ROWS) {
            held.extend(all_stored(store::hold_these(self, A::TABLE, ids)?)?);
        }
        Ok(held)
    }

    /// Stores a new aggregate with its events.
    ///
    /// # Errors
    /// A refusal where a constraint that guards a rule is violated.
    pub fn create<A: Record>(&mut self, (value, events): Decided<A>) -> Outcome<Stored<A>> {
        self.insert(&[(None, &value)])?;
        event::record(self, &value, 1, None, &events)?;
        Ok(Stored { value, version: 1, updated_at: self.now() })
    }

    /// Stores the outcome of a command with its events. A command without events changed nothing and stores nothing.
    ///
    /// # Errors
    /// [`crate::Failure::Again`] where another transaction changed it meanwhile; a refusal where a constraint that
    /// guards a rule is violated.
    pub fn save<A: Record>(&mut self, before: &Stored<A>, (value, events): Decided<A>) -> Outcome<Stored<A>> {
        if events.is_empty() {
            return Ok(before.clone());
        }
        self.update(&[(before, &value)])?;
        let version = before.version + 1;
        event::record(self, &value, version, Some(before.value.state().name()), &events)?;
        Ok(Stored { value, version, updated_at: self.now() })
    }

    /// As [`Tx::create`], many at once: a statement for each thousand rows, and one for their events.
    ///
    /// # Errors
    /// As [`Tx::create`]; then none is stored.
    pub fn create_all<A: Record>(&mut self, created: &[Decided<A>]) -> Outcome<()> {
        for created in created.chunks(ROWS) {
            let values: Vec<Change<'_, A>> = created.iter().map(|(value, _)| (None, value)).collect();
            self.insert(&values)?;
            let recorded: Vec<_> = created.iter().map(|(value, events)| (value, 1, None, events.as_slice())).collect();
            event::record_all(self, &recorded)?;
        }
        Ok(())
    }

    /// As [`Tx::save`], many different ones at once.
    ///
    /// # Errors
    /// As [`Tx::save`]; then the transaction has to be rolled back.
    pub fn save_all<A: Record>(&mut self, changed: &[(Stored<A>, Decided<A>)]) -> Outcome<()> {
        let changed: Vec<_> = changed.iter().filter(|(_, (_, events))| !events.is_empty()).collect();
        for changed in changed.chunks(ROWS) {
            let values: Vec<_> = changed.iter().map(|(before, (value, _))| (before, value)).collect();
            self.update(&values)?;
            let recorded: Vec<_> = changed
                .iter()
                .map(|(before, (value, events))| {
                    (value, before.version + 1, Some(before.value.state().name()), events.as_slice())
                })
                .collect();
            event::record_all(self, &recorded)?;
        }
        Ok(())
    }

    fn insert<A: Record>(&mut self, values: &[Change<'_, A>]) -> Outcome<()> {
        let now = self.now();
        let rows: Vec<_> = values.iter().map(|(_, value)| store::row(*value, 1, now)).collect::<Outcome<_>>()?;
        store::insert(self, A::TABLE, &rows)?;
        self.keep_beside(values)
    }

    fn update<A: Record>(&mut self, values: &[(&Stored<A>, &A)]) -> Outcome<()> {
        let now = self.now();
        let row = |(before, value): &(&Stored<A>, &A)| store::row(*value, before.version + 1, now);
        let rows: Vec<_> = values.iter().map(row).collect::<Outcome<_>>()?;
        if !store::update(self, A::TABLE, &rows)? {
            return Err(crate::Failure::Again("another transaction changed the same row".to_owned()));
        }
        let changes: Vec<Change<'_, A>> = values.iter().map(|(before, value)| (Some(&before.value), *value)).collect();
        self.keep_beside(&changes)
    }

    /// Keeps whatever is derived from aggregates that were written: timers, impediments, deadlines, and what stands beside their table.
    fn keep_beside<A: Record>(&mut self, rows: &[Change<'_, A>]) -> Outcome<()> {
        for (before, value) in rows {
            self.mark_changed(value.id().into());
            if value.due() != before.and_then(Aggregate::due) {
                timer::keep(self, *value)?;
            }
        }
        impediment::keep(self, rows)?;
        deadline::keep(self, rows)?;
        A::keep_beside(self, rows)
    }
}
