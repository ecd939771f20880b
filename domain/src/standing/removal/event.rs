//! Events of a removal, and what it is to the rest of the system.

use serde::{Deserialize, Serialize};
use strum::VariantNames;
use utoipa::ToSchema;

use super::{Ground, Party, Removal, RemovalState};
use crate::kernel::{
    About, Aggregate, DeadlineKind, Due, Effect, Impediment, Imposed, Instant, Kind, MembershipId, RemovalId,
    StatedDeadline, Whom,
};

/// What happened to a removal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum RemovalEvent {
    /// The provider is told.
    RemovalNotified {
        /// Of which membership.
        membership: MembershipId,
        /// The ground.
        ground: Ground,
        /// Who ends it.
        given_by: Party,
        /// In words.
        reason: String,
        /// Until when the provider is heard.
        representations_until: Instant,
    },
    /// The provider was heard, or declared that it says nothing.
    RepresentationsMade {
        /// Whether it makes none (more).
        waived: bool,
    },
    /// One person decided; another is to confirm it (ADD-24).
    RemovalProposed {
        /// Why.
        reasons: String,
    },
    /// A proposed decision was returned: the removal is to be decided again, or revoked.
    RemovalReturned {
        /// Why.
        reason: String,
    },
    /// The provider became a member of the lot again: the removal goes on against the new membership.
    RemovalFollowed {
        /// Which.
        membership: MembershipId,
    },
    /// Decided; the provider is told with the reasons (PA37).
    RemovalDecided {
        /// Why.
        reasons: String,
        /// When it takes effect.
        effective_at: Instant,
    },
    /// It took effect: the membership is to be removed.
    RemovalEffective {
        /// Of which membership.
        membership: MembershipId,
        /// The ground.
        ground: Ground,
        /// When, however late it was noticed.
        effective_at: Instant,
    },
    /// Found wrong after it took effect.
    RemovalAnnulled {
        /// Why.
        reason: String,
    },
    /// Not pursued.
    RemovalRevoked {
        /// Why.
        reason: String,
    },
}

impl Aggregate for Removal {
    type Id = RemovalId;
    type State = RemovalState;
    type Event = RemovalEvent;
    const KIND: Kind = Kind::Removal;
    const CLOCK: &'static [&'static str] = &["take_effect"];

    fn id(&self) -> RemovalId {
        self.id
    }

    fn state(&self) -> &RemovalState {
        &self.state
    }

    fn about(&self) -> About {
        About {
            arrangement: Some(self.arrangement),
            lot: Some(self.lot),
            provider: Some(self.provider),
            application: None,
        }
    }

    fn deadlines(&self) -> Vec<StatedDeadline> {
        match self.state {
            // Without time for representations there is no hearing.
            RemovalState::Notified | RemovalState::Proposed { .. }
                if self.representations_until <= self.notified_at =>
            {
                Vec::new()
            }
            RemovalState::Notified | RemovalState::Proposed { .. } => {
                vec![StatedDeadline::at(DeadlineKind::Hearing, self.representations_until)]
            }
            RemovalState::Decided { effective_at, .. } => {
                vec![StatedDeadline::at(DeadlineKind::RemovalEffect, effective_at)]
            }
            RemovalState::Effective { .. } | RemovalState::Annulled { .. } | RemovalState::Revoked { .. } => Vec::new(),
        }
    }

    fn due(&self) -> Option<Due> {
        match self.state {
            RemovalState::Decided { effective_at, .. } => Some(Due { at: effective_at, what: "take_effect" }),
            RemovalState::Notified
            | RemovalState::Proposed { .. }
            | RemovalState::Effective { .. }
            | RemovalState::Annulled { .. }
            | RemovalState::Revoked { .. } => None,
        }
    }

    /// The end of the membership, once that is decided.
    fn impediments(&self) -> Vec<Imposed> {
        let on = Whom {
            provider: self.provider,
            arrangement: Some(self.arrangement),
            lot: Some(self.lot),
            membership: Some(self.membership),
        };
        let source = (Kind::Removal, self.id.0);
        let removed = self.effective_at().map(|at| Impediment::new(Effect::Removed, source, at, None));
        removed.into_iter().map(|impediment| Imposed { on, impediment }).collect()
    }
}
