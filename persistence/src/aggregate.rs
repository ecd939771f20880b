//! Aggregates as documents: what is done with each, and one macro that makes its table and store functions.

use domain::kernel::{Aggregate, Instant};
use uuid::Uuid;

use crate::record::{event, timer};
use crate::{Conn, Outcome, Page, Tx};

#[macro_use]
mod table;

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

/// An aggregate with a table, made by the macro `aggregate!`.
pub trait Record: Aggregate {
    /// Its identifier.
    type Id: Into<Uuid> + Copy;

    /// By identifier.
    ///
    /// # Errors
    /// Where the store fails; `Ok(None)` where there is none.
    fn find(conn: &mut Conn<'_>, id: Self::Id) -> Outcome<Option<Stored<Self>>>;

    #[doc(hidden)]
    fn find_locked(tx: &mut Tx<'_>, id: Self::Id, strength: Strength) -> Outcome<Option<Stored<Self>>>;
    #[doc(hidden)]
    fn insert(&self, tx: &mut Tx<'_>) -> Outcome<()>;
    #[doc(hidden)]
    fn update(&self, tx: &mut Tx<'_>, version: i64) -> Outcome<bool>;
    #[doc(hidden)]
    fn hold_all(tx: &mut Tx<'_>, ids: &[Self::Id]) -> Outcome<Vec<Stored<Self>>>;
    #[doc(hidden)]
    fn insert_all(tx: &mut Tx<'_>, values: &[&Self]) -> Outcome<()>;
    #[doc(hidden)]
    fn update_all(tx: &mut Tx<'_>, values: &[(&Self, i64)]) -> Outcome<bool>;
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

/// A kind of aggregate that is listed page by page.
pub trait Listed: Record {
    /// Which of them.
    type Filter;

    /// Which rows a page has, in its order.
    ///
    /// # Errors
    /// Where the store fails.
    fn page(conn: &mut Conn<'_>, filter: &Self::Filter, page: Page) -> Outcome<Vec<Head>>;

    /// The aggregates with those identifiers, in whatever order; those that are not there are left out.
    ///
    /// # Errors
    /// Where the store fails.
    fn these(conn: &mut Conn<'_>, ids: &[Uuid]) -> Outcome<Vec<Stored<Self>>>;
}

/// A command's outcome: the aggregate with its events.
pub type Decided<A> = (A, Vec<<A as Aggregate>::Event>);

/// Rows of one statement at most: with the columns of any table that stays below the 32,766 values of SQLite and the
/// 65,535 of PostgreSQL.
pub(crate) const ROWS: usize = 1_000;

/// Values of one column that a page is put together from at most, a part for each: so many ranges of an index, each in
/// the order of the page. With more it would be as well to look through all rows.
pub(crate) const PARTS: usize = 32;

/// The columns by which a row is found whatever arrangements are asked for: what they name belongs to one.
pub(crate) const WITHIN_ONE: [&str; 4] = ["application_id", "lot_id", "membership_id", "round_id"];

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

impl Conn<'_> {
    /// The aggregate with that identifier.
    ///
    /// # Errors
    /// [`crate::Failure::NotFound`] where there is none.
    pub fn get<A: Record>(&mut self, id: A::Id) -> Outcome<Stored<A>> {
        A::find(self, id)?.ok_or(crate::Failure::NotFound(A::KIND))
    }
}

impl Tx<'_> {
    /// The aggregate to be changed, locked until the transaction ends.
    ///
    /// # Errors
    /// [`crate::Failure::NotFound`] where there is none.
    pub fn lock<A: Record>(&mut self, id: A::Id) -> Outcome<Stored<A>> {
        A::find_locked(self, id, Strength::Update)?.ok_or(crate::Failure::NotFound(A::KIND))
    }

    /// An aggregate that a decision rests on: it does not change until the transaction ends.
    ///
    /// # Errors
    /// [`crate::Failure::NotFound`] where there is none.
    pub fn hold<A: Record>(&mut self, id: A::Id) -> Outcome<Stored<A>> {
        A::find_locked(self, id, Strength::Share)?.ok_or(crate::Failure::NotFound(A::KIND))
    }

    /// Stores a new aggregate with its events.
    ///
    /// # Errors
    /// A refusal where a constraint that guards a rule is violated.
    pub fn create<A: Record>(&mut self, (value, events): (A, Vec<A::Event>)) -> Outcome<Stored<A>> {
        value.insert(self)?;
        self.mark_changed(value.id());
        timer::keep(self, &value)?;
        event::record(self, &value, 1, None, &events)?;
        Ok(Stored { value, version: 1, updated_at: self.now() })
    }

    /// Stores the outcome of a command with its events. A command without events changed nothing and stores nothing.
    ///
    /// # Errors
    /// [`crate::Failure::Again`] where another transaction changed it meanwhile; a refusal where a constraint that
    /// guards a rule is violated.
    pub fn save<A: Record>(&mut self, before: &Stored<A>, (value, events): (A, Vec<A::Event>)) -> Outcome<Stored<A>> {
        if events.is_empty() {
            return Ok(before.clone());
        }
        if !value.update(self, before.version)? {
            return Err(crate::Failure::Again("another transaction changed the same row".to_owned()));
        }
        self.mark_changed(value.id());
        if value.due() != before.value.due() {
            timer::keep(self, &value)?;
        }
        let version = before.version + 1;
        event::record(self, &value, version, Some(before.value.state()), &events)?;
        Ok(Stored { value, version, updated_at: self.now() })
    }

    /// As [`Tx::hold`], many at once; those that are not there are left out.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn hold_all<A: Record>(&mut self, ids: &[A::Id]) -> Outcome<Vec<Stored<A>>> {
        let mut held = Vec::with_capacity(ids.len());
        for ids in ids.chunks(ROWS) {
            held.extend(A::hold_all(self, ids)?);
        }
        Ok(held)
    }

    /// As [`Tx::create`], many at once: a statement for each thousand rows, and one for their events.
    ///
    /// # Errors
    /// As [`Tx::create`]; then none is stored.
    pub fn create_all<A: Record>(&mut self, created: &[Decided<A>]) -> Outcome<()> {
        for created in created.chunks(ROWS) {
            let values: Vec<&A> = created.iter().map(|(value, _)| value).collect();
            A::insert_all(self, &values)?;
            for value in &values {
                self.mark_changed(value.id());
            }
            for value in values.iter().filter(|value| value.due().is_some()) {
                timer::keep(self, *value)?;
            }
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
            let values: Vec<_> = changed.iter().map(|(before, (value, _))| (value, before.version)).collect();
            if !A::update_all(self, &values)? {
                return Err(crate::Failure::Again("another transaction changed one of the rows".to_owned()));
            }
            for (value, _) in &values {
                self.mark_changed(value.id());
            }
            for (_, (value, _)) in changed.iter().filter(|(before, (value, _))| value.due() != before.value.due()) {
                timer::keep(self, value)?;
            }
            let recorded: Vec<_> = changed
                .iter()
                .map(|(before, (value, events))| {
                    (value, before.version + 1, Some(before.value.state()), events.as_slice())
                })
                .collect();
            event::record_all(self, &recorded)?;
        }
        Ok(())
    }
}
