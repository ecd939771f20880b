//! Rules that span rows are constraints in the schema as well: here each is tied to the rule it guards.

use domain::admission::application;
use domain::arrangement::{interest, lot, requirement, round};
use domain::fee::fee;
use domain::kernel::Rule;
use domain::provider::{home, provider};
use domain::standing::{appeal, removal, sanction};

/// A unique index, as each database names it in an error, and its rule.
struct Guard {
    /// The index's name, which PostgreSQL reports.
    index: &'static str,
    /// Its columns, which SQLite reports.
    columns: &'static str,
    rule: &'static Rule,
}

static GUARDS: &[Guard] = &[
    Guard {
        index: "arrangements_reference",
        columns: "arrangements.lead, arrangements.reference",
        rule: &REFERENCE_TAKEN,
    },
    Guard { index: "lots_code", columns: "lots.arrangement_id, lots.code", rule: &lot::LOT_CODE_TAKEN },
    Guard {
        index: "requirements_code",
        columns: "requirements.owner, requirements.code",
        rule: &requirement::CODE_TAKEN,
    },
    Guard {
        index: "applications_one_open",
        columns: "applications.provider_id, applications.arrangement_id",
        rule: &application::APPLICATION_OPEN,
    },
    Guard {
        index: "memberships_one_live",
        columns: "memberships.provider_id, memberships.lot_id",
        rule: &application::LOT_HELD,
    },
    Guard {
        index: "interests_one_each",
        columns: "interests.provider_id, interests.arrangement_id",
        rule: &interest::INTEREST_REGISTERED,
    },
    Guard { index: "rounds_number", columns: "rounds.arrangement_id, rounds.number", rule: &round::ROUND_OVERLAPS },
    Guard { index: "providers_pkey", columns: "providers.id", rule: &provider::ALREADY_REGISTERED },
    Guard { index: "providers_agency_urn", columns: "providers.agency_urn", rule: &provider::AGENCY_URN_TAKEN },
    Guard {
        index: "providers_company_number",
        columns: "providers.company_number",
        rule: &provider::COMPANY_NUMBER_TAKEN,
    },
    Guard {
        index: "provider_refs_reference",
        columns: "provider_refs.portal, provider_refs.reference",
        rule: &provider::EXTERNAL_REF_IN_USE,
    },
    Guard { index: "homes_urn", columns: "homes.urn", rule: &home::URN_TAKEN },
    Guard {
        index: "sanctions_one_each",
        columns: "sanctions.membership_id, sanctions.kind",
        rule: &sanction::SANCTION_IN_FORCE,
    },
    Guard { index: "removals_one_pending", columns: "removals.membership_id", rule: &removal::REMOVAL_PENDING },
    Guard {
        index: "fees_one_each",
        columns: "fees.membership_id, fees.code, fees.begins_at",
        rule: &fee::FEE_NOT_LATER,
    },
    Guard { index: "appeals_one_lodged", columns: "appeals.target", rule: &appeal::APPEAL_PENDING },
];

domain::rules! {
    REFERENCE_TAKEN = "reference_taken", Conflict, "A1", "An arrangement's reference is unique to its lead.";
}

/// The rule that a violated unique index guards.
pub(crate) fn rule(index: Option<&str>, message: &str) -> Option<&'static Rule> {
    GUARDS.iter().find(|g| index == Some(g.index) || message.ends_with(g.columns)).map(|g| g.rule)
}
