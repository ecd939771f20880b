//! The failure path before a removal (C-02).

use super::Removal;
use crate::admission::membership::Membership;
use crate::arrangement::{FailurePath, Policies};
use crate::kernel::Instant;
use crate::standing::improvement_notice::ImprovementNotice;
use crate::standing::sanction::{Sanction, SanctionKind};
use crate::standing::suspension::Suspension;

/// What a removal depends on: the lists are of the provider, whichever memberships it held, and may hold other lots' too.
#[derive(Clone, Copy, Debug)]
pub struct RemovalFacts<'a> {
    /// The arrangement's.
    pub policies: &'a Policies,
    /// The membership.
    pub membership: &'a Membership,
    /// The provider's suspensions, past ones included.
    pub suspensions: &'a [Suspension],
    /// Its notices, past ones included.
    pub notices: &'a [ImprovementNotice],
    /// Its sanctions, past ones included.
    pub sanctions: &'a [Sanction],
    /// Its removals from the lot, past ones included.
    pub removals: &'a [Removal],
}

impl RemovalFacts<'_> {
    /// Why the failure path forbids a removal now, if it does. Steps count whichever membership they were taken against, up
    /// to the last removal that took effect.
    pub(super) fn path_refusal(&self, now: Instant) -> Option<&'static str> {
        let membership = self.membership;
        let since = Removal::last_effect(self.removals);
        let (followed, missing) = match self.policies.failure_path {
            FailurePath::Direct => (true, ""),
            FailurePath::SuspendFirst => (
                self.suspensions.iter().any(|s| s.precedes_removal(membership, since, now)),
                "the member has not been suspended before",
            ),
            FailurePath::NoticeFirst => (
                self.notices.iter().any(|n| n.precedes_removal(membership, since, now)),
                "no improvement notice has run out unrectified",
            ),
            FailurePath::Ladder => (
                self.sanctions.iter().any(|s| s.is_step(SanctionKind::Restrict, membership, since)),
                "the member has not been restricted before",
            ),
        };
        (!followed).then_some(missing)
    }
}
