//! Rules that span rows are constraints in the schema as well: here each is tied to the rule it guards.

use domain::kernel::Rule;

/// A unique index, as each database names it in an error, and its rule.
struct Guard {
    /// The index's name, which PostgreSQL reports.
    index: &'static str,
    /// Its columns, which SQLite reports.
    columns: &'static str,
    rule: &'static Rule,
}

static GUARDS: &[Guard] = &[];

/// The rule that a violated unique index guards.
pub(crate) fn rule(index: Option<&str>, message: &str) -> Option<&'static Rule> {
    GUARDS.iter().find(|g| index == Some(g.index) || message.ends_with(g.columns)).map(|g| g.rule)
}
