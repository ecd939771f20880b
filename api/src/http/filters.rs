//! Words that lists are filtered by: only those that exist. A misspelt one would silently answer another question.

use std::borrow::Cow;
use std::marker::PhantomData;

use domain::aggregates::event_types;
use domain::kernel::{Aggregate, Instant, State as _};
use persistence::Outcome;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

domain::rules! {
    BOUNDS_REVERSED = "bounds_reversed", Input, "requirements §7", "What is asked for does not end before it begins.";
}

/// The name of a state of an aggregate.
#[derive(Debug)]
pub struct StateOf<A>(&'static str, PhantomData<fn() -> A>);

impl<A> Clone for StateOf<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for StateOf<A> {}

impl<A> StateOf<A> {
    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl<'de, A: Aggregate> Deserialize<'de> for StateOf<A> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        known(from, "state", A::State::names()).map(|name| Self(name, PhantomData))
    }
}

impl<A: Aggregate> PartialSchema for StateOf<A> {
    fn schema() -> RefOr<Schema> {
        one_of(A::State::names())
    }
}

impl<A: Aggregate> ToSchema for StateOf<A> {
    fn name() -> Cow<'static, str> {
        format!("StateOf_{}", A::KIND.name()).into()
    }
}

/// The name of a type of event.
#[derive(Clone, Copy, Debug)]
pub struct EventType(&'static str);

impl EventType {
    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        known(from, "type of event", event_types()).map(Self)
    }
}

impl PartialSchema for EventType {
    fn schema() -> RefOr<Schema> {
        one_of(event_types())
    }
}

impl ToSchema for EventType {}

/// The one of the names that is meant.
fn known<'de, D: Deserializer<'de>>(
    from: D,
    what: &str,
    names: &'static [&'static str],
) -> Result<&'static str, D::Error> {
    let asked = String::deserialize(from)?;
    let unknown = || D::Error::custom(format_args!("there is no such {what}; there are {}", names.join(", ")));
    names.iter().find(|name| **name == asked).copied().ok_or_else(unknown)
}

fn one_of(names: &'static [&'static str]) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names.iter().copied())).into()
}

/// Holds that what is asked for does not end before it begins.
///
/// # Errors
/// [`BOUNDS_REVERSED`], at the field of the end.
pub fn in_order(from: Option<Instant>, until: Option<Instant>, field: &str) -> Outcome<()> {
    match (from, until) {
        (Some(from), Some(until)) if until < from => {
            Err(BOUNDS_REVERSED.broken_at(field, format!("{until} is before {from}")).into())
        }
        (_, _) => Ok(()),
    }
}
