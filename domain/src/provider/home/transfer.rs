//! A home is sold: its number and its ratings go with it from a day. The owner offers and the buyer accepts, or an officer records
//! what the parties agreed.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{
    DATES_REVERSED, Home, HomeEvent, HomeState, OFFICER_PUTS_RIGHT, Registration, StatedBy, TRANSFER_EMPTY,
    TRANSFER_NOT_OFFERED, not_future,
};
use crate::kernel::{Actor, Aggregate as _, Decision, Instant, ProviderId, Violations};
use crate::provider::provider::reasoned;

/// A home's sale, as it is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Transfer {
    /// To whom.
    pub to: ProviderId,
    /// From which day on it is the other's; today or earlier.
    #[schema(value_type = String, format = Date)]
    pub on: NaiveDate,
    /// Why.
    #[validate(length(max = 4000))]
    #[schema(max_length = 4000)]
    pub reason: String,
}

/// Whose a home was before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FormerOwner {
    /// Whose.
    pub provider: ProviderId,
    /// Until which day; that day it was the next one's.
    #[schema(value_type = String, format = Date)]
    pub until: NaiveDate,
}

/// What was wrong in a home's registration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HomeCorrection {
    /// The regulator's number; as it is where absent.
    #[serde(default)]
    pub urn: Option<String>,
    /// Since when it is registered; as it is where absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub registered_on: Option<NaiveDate>,
    /// Why.
    #[validate(length(max = 4000))]
    #[schema(max_length = 4000)]
    pub reason: String,
}

impl Home {
    /// Whose it was on a day, by what is known now.
    #[must_use]
    pub fn owner_on(&self, date: NaiveDate) -> ProviderId {
        let past = self.owners.iter().find(|former| date < former.until);
        past.map_or(self.provider, |former| former.provider)
    }

    /// Offers it to its buyer, who accepts or declines; a second offer takes the place of the first.
    pub fn offer_transfer(mut self, transfer: Transfer, now: Instant) -> Decision<Self> {
        self.permit("transfer")?;
        let transfer = self.checked(transfer, now)?;
        if self.transfer.as_ref() == Some(&transfer) {
            return Ok((self, vec![]));
        }
        let Transfer { to, on, reason } = transfer.clone();
        self.transfer = Some(transfer);
        let event = HomeEvent::HomeTransferOffered { provider: self.provider, to, on, reason };
        Ok((self, vec![event]))
    }

    /// Records that it is another's, as an officer who has seen that both agree.
    pub fn transfer(self, transfer: Transfer, now: Instant) -> Decision<Self> {
        self.permit("transfer")?;
        let transfer = self.checked(transfer, now)?;
        Ok(self.moved(transfer))
    }

    /// The buyer accepts what was offered.
    pub fn accept_transfer(self) -> Decision<Self> {
        self.permit("transfer")?;
        match self.transfer.clone() {
            Some(offered) => Ok(self.moved(offered)),
            None => Err(TRANSFER_NOT_OFFERED.broken("no transfer of it is offered").into()),
        }
    }

    /// The buyer declines what was offered, or the owner takes it back.
    pub fn end_transfer(mut self, reason: &str) -> Decision<Self> {
        self.permit("transfer")?;
        let reason = reasoned(reason)?;
        let Some(Transfer { to, .. }) = self.transfer.take() else {
            return Err(TRANSFER_NOT_OFFERED.broken("no transfer of it is offered").into());
        };
        let event = HomeEvent::HomeTransferEnded { provider: self.provider, to, reason };
        Ok((self, vec![event]))
    }

    /// A provider does not shed what the regulator said of its home.
    fn may_be_put_right_by(&self, actor: &Actor) -> Result<(), crate::kernel::Refusal> {
        let is_known = self.listed.is_some() || self.counting().any(|entry| entry.stated_by == StatedBy::Regulator);
        if is_known && StatedBy::of(actor) == StatedBy::Provider {
            return Err(OFFICER_PUTS_RIGHT.broken("the regulator judged or listed this home").into());
        }
        Ok(())
    }

    /// Puts its registration right. What is as it was changes nothing.
    pub fn correct(mut self, correction: HomeCorrection, actor: &Actor, now: Instant) -> Decision<Self> {
        self.permit("correct")?;
        self.may_be_put_right_by(actor)?;
        let Some(before) = self.registration().cloned() else { return Err(self.refused("correct")) };
        let mut broken = Violations::new();
        let after = Registration {
            urn: correction.urn.unwrap_or_else(|| before.urn.clone()),
            registered_on: correction.registered_on.unwrap_or(before.registered_on),
        };
        let after = after.checked(&mut broken, now);
        broken.require_reason(&correction.reason, "/reason");
        if let HomeState::Closed { closed_on, .. } = &self.state {
            let follows = after.registered_on <= *closed_on;
            broken.require(follows, &DATES_REVERSED, "/registeredOn", "it closed before it was registered");
        }
        broken.refuse_any()?;
        if before == after {
            return Ok((self, vec![]));
        }
        let reason = reasoned(&correction.reason)?;
        if before.urn != after.urn {
            // What was listed under the other number is of another home.
            self.listed = None;
            self.registration_suspended_at = None;
        }
        match &mut self.state {
            HomeState::Registered { registration } => *registration = after.clone(),
            HomeState::Closed { registration, .. } => *registration = Some(after.clone()),
            HomeState::Proposed { .. } => {}
        }
        let event = HomeEvent::HomeCorrected { provider: self.provider, before, after, reason };
        Ok((self, vec![event]))
    }

    /// Opens it again, as if it had not been closed.
    pub fn reopen(mut self, reason: &str, actor: &Actor) -> Decision<Self> {
        self.permit("reopen")?;
        self.may_be_put_right_by(actor)?;
        let HomeState::Closed { registration, closed_on, .. } = self.state.clone() else {
            return Err(self.refused("reopen"));
        };
        let reason = reasoned(reason)?;
        self.state = match registration {
            Some(registration) => HomeState::Registered { registration },
            None => HomeState::Proposed { expected_on: None },
        };
        let event = HomeEvent::HomeReopened { provider: self.provider, closed_on, reason };
        Ok((self, vec![event]))
    }

    fn checked(&self, transfer: Transfer, now: Instant) -> Result<Transfer, crate::kernel::Refusal> {
        let mut broken = Violations::new();
        let Transfer { to, on, reason } = transfer;
        broken.require(to != self.provider, &TRANSFER_EMPTY, "/to", "it is that provider's already");
        not_future(&mut broken, on, "/on", now);
        let since = self.registration().map(|registration| registration.registered_on);
        let since = since.max(self.owners.last().map(|former| former.until));
        let follows = since.is_none_or(|since| since <= on);
        broken.require(follows, &DATES_REVERSED, "/on", "it was not its owner's yet");
        broken.require_reason(&reason, "/reason");
        broken.refuse_any()?;
        Ok(Transfer { to, on, reason: reasoned(&reason)? })
    }

    fn moved(mut self, transfer: Transfer) -> (Self, Vec<HomeEvent>) {
        let Transfer { to, on, reason } = transfer;
        let from = std::mem::replace(&mut self.provider, to);
        self.owners.push(FormerOwner { provider: from, until: on });
        self.transfer = None;
        (self, vec![HomeEvent::HomeTransferred { from, to, on, reason }])
    }
}
