//! Rules and refusals: the system can always answer "why".

use super::Kind;

/// What a broken rule means for the caller.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Nature {
    /// What was sent breaks a rule; sending something else can help.
    Input,
    /// What was sent may be right, but not now or not in this state of affairs.
    Conflict,
    /// The actor may not do this to that object, whatever it sends.
    Forbidden,
}

/// One rule, with a stable code. Declare rules with [`rules!`](crate::rules) in the module that enforces them.
#[derive(PartialEq, Eq, Debug)]
pub struct Rule {
    /// Stable machine-readable code, such as `round_not_open`.
    pub code: &'static str,
    /// What a violation means.
    pub nature: Nature,
    /// The requirement ids or statutes it rests on.
    pub rests_on: &'static str,
    /// The rule in one sentence.
    pub says: &'static str,
}

/// Declares a module's rules as statics, and the slice `RULES` that lists them for the error table and the docs. A rule
/// that other modules share is declared once, in the kernel, and listed by each with `use`.
///
/// ```
/// domain::rules! {
///     ROUND_NOT_OPEN = "round_not_open", Conflict, "C-01", "Applications are received only while a round is open.";
/// }
/// assert_eq!(RULES.len(), 1);
/// ```
#[macro_export]
macro_rules! rules {
    (use $($shared:ident),*; $($name:ident = $code:literal, $nature:ident, $rests_on:literal, $says:literal;)+) => {
        $(use $crate::kernel::rule::$shared;)*
        $(
            #[doc = $says]
            pub static $name: $crate::kernel::Rule = $crate::kernel::Rule {
                code: $code,
                nature: $crate::kernel::Nature::$nature,
                rests_on: $rests_on,
                says: $says,
            };
        )+
        /// The rules of this module.
        pub static RULES: &[&$crate::kernel::Rule] = &[$(&$shared,)* $(&$name),+];
    };
    ($($name:ident = $code:literal, $nature:ident, $rests_on:literal, $says:literal;)+) => {
        $crate::rules! { use; $($name = $code, $nature, $rests_on, $says;)+ }
    };
}

/// One broken rule, where, and in the words of the case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The rule that is broken.
    pub rule: &'static Rule,
    /// JSON pointer to the field of the command, such as `/lots/0/code`; `None` where no field is to blame.
    pub field: Option<String>,
    /// What is wrong in this case, for a person.
    pub detail: String,
}

impl Rule {
    /// A violation that no single field is to blame for.
    #[must_use]
    pub fn broken(&'static self, detail: impl Into<String>) -> Violation {
        Violation { rule: self, field: None, detail: detail.into() }
    }

    /// A violation by the field at JSON pointer `field`.
    #[must_use]
    pub fn broken_at(&'static self, field: impl Into<String>, detail: impl Into<String>) -> Violation {
        Violation { rule: self, field: Some(field.into()), detail: detail.into() }
    }
}

impl From<Violation> for Refusal {
    fn from(violation: Violation) -> Self {
        Refusal::Rules(vec![violation])
    }
}

/// Why a command was not carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The aggregate's state does not know this command.
    WrongState {
        /// The kind of aggregate.
        kind: Kind,
        /// The state it is in.
        from: &'static str,
        /// The command that was tried.
        attempted: &'static str,
        /// The commands that this state knows.
        allowed: &'static [&'static str],
    },
    /// One or more rules are broken; all of them are listed.
    Rules(Vec<Violation>),
}

/// Collects every violation before a command is refused, so that the caller learns all of them at once.
#[derive(Default, Debug)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// An empty collection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a violation.
    pub fn add(&mut self, violation: Violation) {
        self.0.push(violation);
    }

    /// Adds `rule` broken at `field` unless `holds`.
    pub fn require(&mut self, holds: bool, rule: &'static Rule, field: &str, detail: impl Into<String>) {
        if !holds {
            self.0.push(rule.broken_at(field, detail));
        }
    }

    /// Adds [`REASON_REQUIRED`] at `field` where `reason` is blank.
    pub fn require_reason(&mut self, reason: &str, field: &str) {
        self.require(!reason.trim().is_empty(), &REASON_REQUIRED, field, "a reason is required");
    }

    /// `Ok` when nothing was added.
    ///
    /// # Errors
    /// [`Refusal::Rules`] with everything that was added.
    pub fn refuse_any(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::Rules(self.0)) }
    }
}

crate::rules! {
    REASON_REQUIRED = "reason_required", Input, "PRO-25", "A decision that affects a provider carries a reason.";
}

/// Rules of several modules.
pub mod shared {
    crate::rules! {
        TEXT_REQUIRED = "text_required", Input, "A1, PA58", "A name, a title and what is put forward are not blank.";
        EVIDENCE_REQUIRED = "evidence_required", Input, "A5, A8",
            "A pass by an assessor, a removal for a failing or an exclusion and renewed evidence name the documents that show it.";
    }
}

pub use shared::{EVIDENCE_REQUIRED, TEXT_REQUIRED};
