//! Statements that may do what others may not. The list only gets shorter: an entry that nothing needs fails.

use domain::admission::Application;
use domain::fee::Fee;
use domain::kernel::Instant;
use persistence::admission::{applications, memberships};
use persistence::fee::holding_at;
use persistence::provider::providers;
use persistence::record::event::{self, Cursor, Filter, Scope};
use persistence::{Conn, Filter as Rows, Moment, Outcome, Page};
use uuid::Uuid;

use super::explain::Fault;
use crate::database::Kind;

/// What some statements may do.
pub struct Allowed {
    pub on: &'static [Kind],
    pub fault: Fault,
    /// What such a statement has in it, quotation marks left out.
    pub like: &'static [&'static str],
    pub why: &'static str,
    /// Makes one.
    pub ask: fn(&mut Conn<'_>) -> Outcome<()>,
}

impl Allowed {
    pub fn covers(&self, on: Kind, statement: &str, fault: Fault) -> bool {
        self.on.contains(&on) && self.fault == fault && self.is(statement)
    }

    pub fn is(&self, statement: &str) -> bool {
        let plain = statement.replace(['`', '"'], "");
        self.like.iter().all(|part| plain.contains(part))
    }
}

const BOTH: &[Kind] = &[Kind::Sqlite, Kind::Postgres];

pub const ALLOWED: &[Allowed] = &[
    Allowed {
        on: BOTH,
        fault: Fault::Scans,
        like: &["SELECT COUNT(*) FROM events"],
        why: "who proves the whole record is told how long it is",
        ask: |c| persistence::record::verify::size(c).map(drop),
    },
    Allowed {
        on: BOTH,
        fault: Fault::Sorts,
        like: &["FROM events", "events.aggregate_id = "],
        why: "the events of one aggregate are few, and an index of their order alone would cost every write",
        ask: |c| audit(c, Filter { aggregate_id: Some(Uuid::nil()), ..all() }),
    },
    Allowed {
        on: &[Kind::Postgres],
        fault: Fault::Sorts,
        like: &["FROM events", "events.id = "],
        why: "it is one event",
        ask: |c| audit(c, Filter { id: Some(Uuid::nil()), ..all() }),
    },
    Allowed {
        on: BOTH,
        fault: Fault::Walks,
        like: &["FROM events", "audience NOT IN"],
        why: "what is sealed lies among the rest, and a page passes over it: as much in a young record as in an old one",
        ask: |c| audit(c, all()),
    },
    Allowed {
        on: BOTH,
        fault: Fault::Walks,
        like: &["FROM events", "(audience = 'everyone' AND provider_id IS NULL)"],
        why: "what is open to all is little: notices, lots and rounds, not what providers do",
        ask: |c| {
            let kinds = vec!["RoundOpened".to_owned()];
            audit(c, Filter { scope: Scope::Open, kinds, ..Filter::default() })
        },
    },
    Allowed {
        on: BOTH,
        fault: Fault::Walks,
        like: &["FROM events", "audience = 'administrators'"],
        why: "what administrators do is little",
        ask: |c| {
            let actor = Some("administrator".to_owned());
            audit(c, Filter { scope: Scope::Administration, actor, ..Filter::default() })
        },
    },
    Allowed {
        on: BOTH,
        fault: Fault::Walks,
        like: &["coalesce(", "updated_at"],
        why: "it looks through what was changed since, by whomever; each page goes on where the one before it ended",
        ask: |c| {
            let filter =
                Rows::all().is(memberships::arrangement_id, Uuid::nil()).since(Some(Moment(Instant::from_micros(0))));
            c.list(&filter, Page { changes: true, limit: 1, ..Page::ALL }).map(drop)
        },
    },
    Allowed {
        on: &[Kind::Postgres],
        fault: Fault::Sorts,
        like: &["FROM providers", "WHERE agency_urn = "],
        why: "it is one provider",
        ask: |c| c.list(&Rows::all().is(providers::agency_urn, "1"), ONE).map(drop),
    },
    Allowed {
        on: &[Kind::Postgres],
        fault: Fault::Sorts,
        like: &["FROM providers", "WHERE company_number = "],
        why: "it is one provider",
        ask: |c| c.list(&Rows::all().is(providers::company_number, "1"), ONE).map(drop),
    },
    Allowed {
        on: BOTH,
        fault: Fault::Scans,
        like: &["FROM applications WHERE received = "],
        why: "a script that reads everybody's: what was never submitted lies among the rest, and a page passes over it",
        ask: |c| c.list(&received(), ONE).map(drop),
    },
    Allowed {
        on: BOTH,
        fault: Fault::Walks,
        like: &["FROM applications WHERE received = "],
        why: "a script that reads everybody's: what was never submitted lies among the rest, and a page passes over it",
        ask: |c| c.list(&received(), Page { after: Some(Uuid::nil()), ..ONE }).map(drop),
    },
    Allowed {
        on: BOTH,
        fault: Fault::Scans,
        like: &["FROM fees", "fees.begins_at <= "],
        why: "which fees hold at an instant: those that ended are passed over, and a member has a few a year",
        ask: |c| holding(c, Rows::all(), ONE),
    },
    Allowed {
        on: BOTH,
        fault: Fault::Walks,
        like: &["FROM fees", "fees.begins_at <= "],
        why: "which fees hold at an instant: those that ended are passed over, and a member has a few a year",
        ask: |c| holding(c, Rows::all(), Page { after: Some(Uuid::nil()), ..ONE }),
    },
];

const ONE: Page = Page { limit: 1, ..Page::ALL };

fn received() -> Rows<Application> {
    Rows::all().is(applications::received, true)
}

fn holding(c: &mut Conn<'_>, filter: Rows<Fee>, page: Page) -> Outcome<()> {
    holding_at(c, &filter, Instant::from_micros(0), page).map(drop)
}

fn all() -> Filter {
    Filter { scope: Scope::Everything, ..Filter::default() }
}

fn audit(c: &mut Conn<'_>, filter: Filter) -> Outcome<()> {
    event::before(c, &filter, Cursor::END, 1).map(drop)
}
