//! A member's core cost fee for one service (PRC-01). Fees are offered and withdrawn, never changed: of the fees of one
//! service the one that began last holds, so that what was asked at any instant stays answerable.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;
use validator::Validate;

use crate::admission::membership::Membership;
use crate::kernel::{
    About, Actor, Aggregate, ArrangementId, Audience, BasisPoints, Decision, FeeId, Instant, Kind, LotId, MembershipId,
    Pence, ProviderId, State, Violations,
};
use crate::standing::MEMBERSHIP_NOT_LIVE;

crate::rules! {
    FEE_SERVICE_REQUIRED = "fee_service_required", Input, "PRC-01, PRC-07",
        "A fee names its service by a code of 1 to 40 characters and a description of 1 to 500.";
    FEE_OUT_OF_RANGE = "fee_out_of_range", Input, "PRC-08",
        "A fee is at least a penny and at most a million pounds.";
    FEE_NOT_LATER = "fee_not_later", Conflict, "PRC-01",
        "A fee begins after the one of the same service that it takes the place of.";
    FEE_BACKDATED = "fee_backdated", Input, "DPS-23",
        "Only the first fee of a service may begin in the past: no fee moves without a record of it.";
}

/// A million pounds.
const MOST: Pence = Pence(100_000_000);
/// Fees of other providers that make a median. With fewer, one provider's fee would be told by another's flag.
const COMPARED: usize = 3;

/// What a fee is charged for each of.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Serialize,
    Deserialize,
    ToSchema,
    IntoStaticStr,
    VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FeeUnit {
    /// A week: the unit of placements.
    Week,
    /// A night.
    Night,
    /// A day.
    Day,
    /// A session, such as one of tuition.
    Session,
    /// An hour.
    Hour,
}

impl FeeUnit {
    /// The name in the store and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A fee that is offered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfferFee {
    /// The member's code of the service or band; it names one service of the membership.
    pub code: String,
    /// What the service is.
    pub description: String,
    /// The fee in whole pence.
    pub amount_pence: Pence,
    /// For each of what.
    pub unit: FeeUnit,
    /// The first day on which it is asked, in London.
    #[schema(value_type = String, format = Date)]
    pub valid_from: NaiveDate,
}

/// How far a fee lies above those of others (PRC-04). It opens a discussion and refuses nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Abnormal {
    /// The median of the fees of other providers in the lot, for each of the same unit, when this one was offered.
    pub median_pence: Pence,
    /// How far above it a fee may lie before it is flagged, as the policies said, in hundredths of one per cent.
    pub over: BasisPoints,
}

impl Abnormal {
    /// Whether `amount` lies more than `over` above the median of the fees of `others`.
    #[must_use]
    pub fn of(amount: Pence, mut others: Vec<Pence>, over: Option<BasisPoints>) -> Option<Self> {
        let over = over?;
        if others.len() < COMPARED {
            return None;
        }
        others.sort_unstable();
        let (lower, upper) = (others.get((others.len() - 1) / 2)?, others.get(others.len() / 2)?);
        // Half-up to a penny; fees are positive.
        let median_pence = Pence((lower.0 + upper.0 + 1) / 2);
        let limit = i128::from(median_pence.0) * (10_000 + i128::from(over.0));
        (i128::from(amount.0) * 10_000 > limit).then_some(Self { median_pence, over })
    }
}

/// The state of a fee.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum FeeState {
    /// It is asked from its first day until that of the next fee of its service.
    Offered,
    /// It is no longer asked.
    Withdrawn {
        /// When.
        at: Instant,
        /// Why.
        reason: String,
        /// Subject of who withdrew it.
        by: String,
    },
    /// Its membership ended.
    Ended {
        /// When.
        at: Instant,
    },
}

impl State for FeeState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Offered => &["withdraw", "end"],
            Self::Withdrawn { .. } | Self::Ended { .. } => &[],
        }
    }
}

/// A core cost fee of one membership (PRC-01).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fee {
    /// Identifier.
    pub id: FeeId,
    /// The arrangement.
    pub arrangement: ArrangementId,
    /// The lot.
    pub lot: LotId,
    /// The provider.
    pub provider: ProviderId,
    /// The membership.
    pub membership: MembershipId,
    /// The member's code of the service or band.
    pub code: String,
    /// What the service is.
    pub description: String,
    /// The fee in whole pence.
    pub amount_pence: Pence,
    /// For each of what.
    pub unit: FeeUnit,
    /// The first day on which it is asked, in London.
    #[schema(value_type = String, format = Date)]
    pub valid_from: NaiveDate,
    /// The fee of the same service whose place it takes on that day, if any.
    pub supersedes: Option<FeeId>,
    /// Subject of who offered it.
    pub offered_by: String,
    /// Why it is to be discussed as abnormally high, if it is; shown to the buying side only (PRC-04).
    #[serde(default)]
    pub abnormal: Option<Abnormal>,
    /// State.
    #[serde(flatten)]
    pub state: FeeState,
}

/// What happened to a fee.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum FeeEvent {
    /// It was offered.
    FeeOffered {
        /// Of which membership.
        membership: MembershipId,
        /// For which service.
        code: String,
        /// In whole pence.
        amount_pence: Pence,
        /// For each of what.
        unit: FeeUnit,
        /// From which day.
        #[schema(value_type = String, format = Date)]
        valid_from: NaiveDate,
        /// Whose place it takes.
        supersedes: Option<FeeId>,
    },
    /// It is abnormally high: a discussion is due (PRC-04).
    AbnormalFeeFlagged {
        /// In whole pence.
        amount_pence: Pence,
        /// What it was compared with.
        abnormal: Abnormal,
    },
    /// It was withdrawn.
    FeeWithdrawn {
        /// Why.
        reason: String,
    },
    /// Its membership ended.
    FeeEnded {
        /// When, however late it was noticed.
        effective_at: Instant,
    },
}

impl Aggregate for Fee {
    type Id = FeeId;
    type State = FeeState;
    type Event = FeeEvent;
    const KIND: Kind = Kind::Fee;

    fn id(&self) -> FeeId {
        self.id
    }

    fn state(&self) -> &FeeState {
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

    fn audience(&self, event: &FeeEvent) -> Audience {
        match event {
            FeeEvent::FeeOffered { .. } | FeeEvent::FeeWithdrawn { .. } | FeeEvent::FeeEnded { .. } => {
                Audience::Parties
            }
            // It tells what competitors ask.
            FeeEvent::AbnormalFeeFlagged { .. } => Audience::Buyers,
        }
    }
}

impl Fee {
    /// Offers a fee for a service of `membership`. `before`: the fees of the membership, withdrawn ones included;
    /// `others`: what other providers ask in the lot for each of the same unit; `over`: the policy by which it is
    /// compared with them.
    pub fn offer(
        id: FeeId,
        order: OfferFee,
        membership: &Membership,
        before: &[Fee],
        (others, over): (Vec<Pence>, Option<BasisPoints>),
        actor: &Actor,
        now: Instant,
    ) -> Decision<Self> {
        let OfferFee { code, description, amount_pence, unit, valid_from } = order;
        let (code, description) = (code.trim().to_owned(), description.trim().to_owned());
        let mut broken = Violations::new();
        let mut named = |text: &str, most: usize, field: &str| {
            let detail = format!("give 1 to {most} characters");
            broken.require((1..=most).contains(&text.chars().count()), &FEE_SERVICE_REQUIRED, field, detail);
        };
        named(&code, 40, "/code");
        named(&description, 500, "/description");
        let asked = (Pence(1)..=MOST).contains(&amount_pence);
        broken.require(asked, &FEE_OUT_OF_RANGE, "/amountPence", format!("{amount_pence} is not such a fee"));
        if !membership.is_live() {
            broken.add(MEMBERSHIP_NOT_LIVE.broken("the membership has ended"));
        }
        let same = || before.iter().filter(|fee| fee.membership == membership.id && fee.code == code && fee.counts());
        let running = same().filter(|fee| fee.ended_at().is_none()).max_by_key(|fee| fee.valid_from);
        if let Some(last) = running {
            let detail = format!("fee {} begins on {}", last.id, last.valid_from);
            broken.require(valid_from > last.valid_from, &FEE_NOT_LATER, "/validFrom", detail);
        }
        let in_time = same().next().is_none() || valid_from >= now.date();
        broken.require(in_time, &FEE_BACKDATED, "/validFrom", format!("{valid_from} is before {}", now.date()));
        broken.refuse_any()?;
        let abnormal = Abnormal::of(amount_pence, others, over);
        let fee = Self {
            id,
            arrangement: membership.arrangement,
            lot: membership.lot,
            provider: membership.provider,
            membership: membership.id,
            code: code.clone(),
            description,
            amount_pence,
            unit,
            valid_from,
            supersedes: running.map(|fee| fee.id),
            offered_by: actor.subject.clone(),
            abnormal,
            state: FeeState::Offered,
        };
        let mut events = vec![FeeEvent::FeeOffered {
            membership: membership.id,
            code,
            amount_pence,
            unit,
            valid_from,
            supersedes: fee.supersedes,
        }];
        events.extend(abnormal.map(|abnormal| FeeEvent::AbnormalFeeFlagged { amount_pence, abnormal }));
        Ok((fee, events))
    }

    /// It is no longer asked. The one before it does not return, unless this one has not begun.
    pub fn withdraw(mut self, reason: String, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("withdraw")?;
        let mut broken = Violations::new();
        broken.require_reason(&reason, "/reason");
        broken.refuse_any()?;
        let event = FeeEvent::FeeWithdrawn { reason: reason.clone() };
        self.state = FeeState::Withdrawn { at: now, reason, by: actor.subject.clone() };
        Ok((self, vec![event]))
    }

    /// Ends it with its membership, which ended at `at`.
    pub fn end(mut self, at: Instant) -> Decision<Self> {
        self.permit("end")?;
        self.state = FeeState::Ended { at };
        Ok((self, vec![FeeEvent::FeeEnded { effective_at: at }]))
    }

    /// When it begins.
    #[must_use]
    pub fn begins_at(&self) -> Instant {
        Instant::start_of(self.valid_from)
    }

    /// When it was withdrawn or its membership ended, if it was so.
    #[must_use]
    pub fn ended_at(&self) -> Option<Instant> {
        match self.state {
            FeeState::Offered => None,
            FeeState::Withdrawn { at, .. } | FeeState::Ended { at } => Some(at),
        }
    }

    /// Whether it counts: a fee that was withdrawn before it began was never asked.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.ended_at().is_none_or(|ended| ended > self.begins_at())
    }

    /// As the providing side is shown it.
    #[must_use]
    pub fn as_offered(&self) -> Self {
        Self { abnormal: None, ..self.clone() }
    }
}

#[cfg(test)]
mod tests;
