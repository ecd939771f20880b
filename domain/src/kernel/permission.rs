//! Permission matrix: requirements §6 as one table. The reviewed print of it is a golden file.

use strum::IntoStaticStr;

use super::Role;

/// How far a role reaches for one permission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Not at all.
    None,
    /// Own data only: a provider's own, a portal's providers, an authority's own arrangements and lots, an
    /// administrator's record of clients.
    Own,
    /// Everything in the arrangements the actor's authority leads; for scripts without an authority, everything.
    Full,
}

/// Declares the permissions with their row of the matrix, in the column order of [`Role::ALL`].
macro_rules! permissions {
    ($($(#[doc = $says:literal])+ $name:ident $row:literal),+ $(,)?) => {
        /// What an operation needs. Every operation of the API names exactly one.
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
            IntoStaticStr,
        )]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum Permission { $($(#[doc = $says])+ $name),+ }

        impl Permission {
            /// Every permission, in the order of the matrix.
            pub const ALL: &'static [Permission] = &[$(Permission::$name),+];

            /// The row of the matrix: one character per role, `#` full, `o` own, `.` none.
            #[must_use]
            pub fn row(self) -> &'static str {
                match self { $(Permission::$name => $row),+ }
            }

            /// What it allows, in one sentence.
            #[must_use]
            pub fn says(self) -> &'static str {
                match self { $(Permission::$name => concat!($($says),+).trim_ascii()),+ }
            }

            /// The permission's name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Permission::$name => stringify!($name)),+ }
            }
        }
    };
}

// Columns: PUblic PRovider ARt CoMmissioner LEad MOnitoring COnsortium SW POrtal SCript ADministrator
permissions! {
    /// Read published arrangements, lots, requirements and rounds.
    ReadMarket             "###########",
    /// Create and publish an arrangement, define its lots and requirements.
    ManageArrangement      "...o#.#....",
    /// Schedule, open, close, evaluate, complete and cancel rounds.
    ManageRounds           "....#.#..#.",
    /// Register a provider's profile and homes.
    ManageProfile          ".o......o..",
    /// State a fact of a provider or a home and put it right: of its own as its word, an officer as confirmed, with a reason.
    StateFacts             ".o.####.o#.",
    /// Record the regulator's ratings of any provider's homes.
    RecordRatings          "....#....#.",
    /// Read the uploads of the own side.
    ReadUploads            ".o..o...oo.",
    /// Read providers and homes.
    ReadProviders          ".o######o#.",
    /// Start, answer, submit, revise and withdraw an application.
    Apply                  ".o......o..",
    /// Read applications; the content is sealed until evaluation begins.
    ReadApplications       ".o.o#.o.o#.",
    /// Record the result of a compliance check.
    RecordCheck            "...o#.#....",
    /// Waive a check, admit or reject a line.
    DecideLine             "....#.#....",
    /// Read memberships, standing and the register of a lot.
    ReadMembers            ".o######o#.",
    /// Suspend a member, review or lift a suspension.
    Suspend                "...##.#....",
    /// Begin, decide or revoke a removal.
    Remove                 "...o#.#....",
    /// End a membership without cause, with notice.
    GiveNoFaultNotice      ".o.#.......",
    /// Issue, extend and judge an improvement notice.
    IssueNotice            "...##......",
    /// Conceal or restrict a member (WAL-13).
    ApplySanction          "...o..#....",
    /// Make representations or appeal, as the provider concerned.
    MakeRepresentations    ".o......o..",
    /// Decide an appeal.
    DecideAppeal           "....#.#....",
    /// Withdraw from a lot, as the member.
    LeaveLot               ".o......o..",
    /// Offer and withdraw a fee, as the member.
    OfferFee               ".o......o..",
    /// Run the clock-driven work on demand.
    RunClock               "....#....##",
    /// Read reports of the own authority's arrangements.
    ReadReports            "..oo#o#..#.",
    /// Read what a deadline is made of.
    ReadDeadlines          ".o######o#.",
    /// Read the change feed and the audit.
    ReadRecord             ".o.o#.o.o#o",
    /// Have the change feed sent as webhooks: whoever reads it.
    Subscribe              ".o.o#.o.o#.",
    /// Register, amend, rotate and revoke machine clients.
    ManageClients          "..........#",
}

impl Permission {
    /// The permission as a token's scope: its name in snake case.
    #[must_use]
    pub fn scope(self) -> &'static str {
        self.into()
    }

    /// The permission that a scope names.
    #[must_use]
    pub fn of_scope(scope: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|permission| permission.scope() == scope)
    }

    /// How far `role` reaches.
    #[must_use]
    pub fn reach(self, role: Role) -> Reach {
        let column = Role::ALL.iter().position(|r| *r == role);
        match column.and_then(|i| self.row().as_bytes().get(i)) {
            Some(b'#') => Reach::Full,
            Some(b'o') => Reach::Own,
            Some(_) | None => Reach::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_written_as_the_permission_is_stored() {
        for permission in Permission::ALL {
            assert_eq!(serde_json::to_value(permission).unwrap(), permission.scope());
            assert_eq!(Permission::of_scope(permission.scope()), Some(*permission));
        }
        assert_eq!(Permission::of_scope("openid"), None);
    }

    #[test]
    fn an_administrator_has_no_part_in_a_procurement() {
        let has = |p: &&Permission| p.reach(Role::Administrator) != Reach::None;
        let has: Vec<_> = Permission::ALL.iter().filter(has).map(|p| p.name()).collect();
        assert_eq!(has, ["ReadMarket", "RunClock", "ReadRecord", "ManageClients"]);
        let manage = |role: &&Role| Permission::ManageClients.reach(**role) != Reach::None;
        assert_eq!(Role::ALL.iter().filter(manage).count(), 1);
    }
}
