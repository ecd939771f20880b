//! A webhook subscription: whose events go where (CRD-09).
//!
//! What it has been sent so far, its attempts and its secrets are no part of it: they change with every delivery, and
//! a delivery that were an event would have to be delivered.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantNames};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::aggregates::event_types;
use crate::kernel::{
    About, Actor, Aggregate, ArrangementId, Audience, Decision, Instant, Kind, LotId, ProviderId, State, Violations,
    WebhookId,
};

/// Event types that a filter names at most.
const KINDS: usize = 100;
/// Subscriptions that one account has at most.
const PER_OWNER: usize = 20;

crate::rules! {
    URL_UNUSABLE = "webhook_url_unusable", Input, "CRD-09",
        "A webhook is sent to an absolute https address without credentials or fragment.";
    ADDRESS_REFUSED = "webhook_address_refused", Input, "CRD-09",
        "A webhook is never sent to a private, loopback, link-local or otherwise special address.";
    BAD_FILTER = "webhook_filter_unusable", Input, "CRD-09", "A filter names up to 100 types of event that there are.";
    TOO_MANY_WEBHOOKS = "too_many_webhooks", Conflict, "CRD-09", "An account has at most 20 webhook subscriptions.";
}

/// Which of the owner's events are sent; all of them where nothing is said.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = WebhookFilters)]
pub struct Filters {
    /// Only events of these types; of every type where empty.
    #[serde(default)]
    #[schema(example = json!(["Suspended", "SuspensionLapsed"]))]
    pub kinds: Vec<String>,
    /// Only what is about this arrangement.
    pub arrangement: Option<ArrangementId>,
    /// Only what is about this lot.
    pub lot: Option<LotId>,
    /// Only what is about this provider.
    pub provider: Option<ProviderId>,
}

/// Why an event could not be delivered for good.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Undelivered {
    /// Every attempt failed.
    Exhausted,
    /// The receiver answered 410 Gone.
    Gone,
}

/// Where a subscription stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, IntoStaticStr, VariantNames)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[strum(serialize_all = "snake_case")]
pub enum WebhookState {
    /// Events are sent.
    Active,
    /// Its owner stopped it; nothing is lost meanwhile.
    Paused {
        /// Since when.
        since: Instant,
    },
    /// The dead letter: sending stopped at an event that could not be delivered. It waits for a `resume`, with that
    /// event or without it; nothing is lost meanwhile.
    Failing {
        /// Since when.
        since: Instant,
        /// The event that could not be delivered.
        event: Uuid,
        /// Why not.
        reason: Undelivered,
    },
    /// It ended.
    Deleted {
        /// When.
        at: Instant,
    },
}

impl State for WebhookState {
    fn knows(&self) -> &'static [&'static str] {
        match self {
            Self::Active => &["change", "rotate", "replay", "pause", "delete", "fail"],
            Self::Paused { .. } => &["change", "rotate", "replay", "resume", "delete"],
            Self::Failing { .. } => &["change", "rotate", "replay", "pause", "resume", "delete"],
            Self::Deleted { .. } => &[],
        }
    }
}

/// A webhook subscription.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookSubscription)]
pub struct Webhook {
    /// Identifier.
    pub id: WebhookId,
    /// The account that made it: it is sent what this account may see of the feed at the time of sending.
    pub owner: Actor,
    /// Where events are sent; empty once it is deleted.
    pub url: String,
    /// What it is for, in its owner's words.
    pub description: Option<String>,
    /// Which events.
    pub filters: Filters,
    /// Since when.
    pub created_at: Instant,
    /// State.
    #[serde(flatten)]
    pub state: WebhookState,
}

/// What happened to a subscription. The address is not told: it may itself be a secret.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema, VariantNames)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum WebhookEvent {
    /// It was made.
    WebhookSubscribed {
        /// Which events are sent.
        filters: Filters,
    },
    /// It was changed.
    WebhookChanged {
        /// Whether events are sent to another address since.
        address_changed: bool,
        /// Which events are sent since.
        filters: Filters,
    },
    /// It has another secret.
    WebhookSecretRotated {
        /// Until when the old one signs too.
        old_until: Instant,
    },
    /// Events are sent again from an earlier one on.
    WebhookReplayed,
    /// Its owner stopped it.
    WebhookPaused,
    /// It goes on.
    WebhookResumed {
        /// The event that is not sent, where it goes on without the one that failed.
        skipped: Option<Uuid>,
    },
    /// Sending stopped at an event that could not be delivered.
    WebhookFailing {
        /// Which.
        event: Uuid,
        /// Why not.
        reason: Undelivered,
    },
    /// It ended.
    WebhookDeleted,
}

impl Aggregate for Webhook {
    type Id = WebhookId;
    type State = WebhookState;
    type Event = WebhookEvent;
    const KIND: Kind = Kind::Webhook;

    fn id(&self) -> WebhookId {
        self.id
    }

    fn state(&self) -> &WebhookState {
        &self.state
    }

    fn about(&self) -> About {
        About::default()
    }

    fn audience(&self, _event: &WebhookEvent) -> Audience {
        Audience::Owner
    }
}

impl Webhook {
    /// Subscribes `owner`, who has `others` subscriptions.
    pub fn subscribe(
        id: WebhookId,
        owner: &Actor,
        url: String,
        description: Option<String>,
        filters: Filters,
        others: usize,
        now: Instant,
    ) -> Decision<Self> {
        let mut broken = Violations::new();
        if others >= PER_OWNER {
            broken.add(TOO_MANY_WEBHOOKS.broken(format!("there are {others} already")));
        }
        check(&mut broken, &filters);
        broken.refuse_any()?;
        let event = WebhookEvent::WebhookSubscribed { filters: filters.clone() };
        let owner = owner.clone();
        Ok((Self { id, owner, url, description, filters, created_at: now, state: WebhookState::Active }, vec![event]))
    }

    /// Sends to another address, other events, or describes it anew; what is `None` stays.
    pub fn change(
        mut self,
        url: Option<String>,
        description: Option<String>,
        filters: Option<Filters>,
    ) -> Decision<Self> {
        self.permit("change")?;
        let before = self.clone();
        self.url = url.unwrap_or(self.url);
        self.description = description.or(self.description);
        self.filters = filters.unwrap_or(self.filters);
        let mut broken = Violations::new();
        check(&mut broken, &self.filters);
        broken.refuse_any()?;
        if self == before {
            return Ok((self, Vec::new()));
        }
        let address_changed = self.url != before.url;
        let event = WebhookEvent::WebhookChanged { address_changed, filters: self.filters.clone() };
        Ok((self, vec![event]))
    }

    /// Signs with a new secret; the one before it signs too until `old_until`.
    pub fn rotate(self, old_until: Instant) -> Decision<Self> {
        self.permit("rotate")?;
        let event = WebhookEvent::WebhookSecretRotated { old_until };
        Ok((self, vec![event]))
    }

    /// Goes to another place of the feed and sends on from there.
    pub fn replay(self) -> Decision<Self> {
        self.permit("replay")?;
        let event = WebhookEvent::WebhookReplayed;
        Ok((self, vec![event]))
    }

    /// Stops sending.
    pub fn pause(mut self, now: Instant) -> Decision<Self> {
        self.permit("pause")?;
        self.state = WebhookState::Paused { since: now };
        let event = WebhookEvent::WebhookPaused;
        Ok((self, vec![event]))
    }

    /// Sends again, from where it stopped; `skip`: without the event that could not be delivered.
    pub fn resume(mut self, skip: bool) -> Decision<Self> {
        self.permit("resume")?;
        let skipped = self.undeliverable().filter(|_| skip);
        self.state = WebhookState::Active;
        let event = WebhookEvent::WebhookResumed { skipped };
        Ok((self, vec![event]))
    }

    /// Stops at `event`, which could not be delivered.
    pub fn fail(mut self, event: Uuid, reason: Undelivered, now: Instant) -> Decision<Self> {
        self.permit("fail")?;
        self.state = WebhookState::Failing { since: now, event, reason };
        let event = WebhookEvent::WebhookFailing { event, reason };
        Ok((self, vec![event]))
    }

    /// Ends it for good, and forgets where it was sent.
    pub fn delete(mut self, now: Instant) -> Decision<Self> {
        self.permit("delete")?;
        self.state = WebhookState::Deleted { at: now };
        self.url.clear();
        self.description = None;
        let event = WebhookEvent::WebhookDeleted;
        Ok((self, vec![event]))
    }

    /// The event at which sending stopped, where it did.
    #[must_use]
    pub fn undeliverable(&self) -> Option<Uuid> {
        match self.state {
            WebhookState::Failing { event, .. } => Some(event),
            WebhookState::Active | WebhookState::Paused { .. } | WebhookState::Deleted { .. } => None,
        }
    }

    /// Whether it is `actor`'s and there still. The same subject in another role, or for another authority or
    /// provider, is another account.
    #[must_use]
    pub fn is_of(&self, actor: &Actor) -> bool {
        self.owner == *actor && !matches!(self.state, WebhookState::Deleted { .. })
    }
}

fn check(broken: &mut Violations, filters: &Filters) {
    let (kinds, known) = (&filters.kinds, event_types());
    broken.require(kinds.len() <= KINDS, &BAD_FILTER, "/filters/kinds", format!("there are {} types", kinds.len()));
    for (i, kind) in kinds.iter().enumerate().filter(|(_, kind)| !known.contains(&kind.as_str())).take(1) {
        let detail = format!("there is no type of event `{kind}`; there are {}", known.join(", "));
        broken.add(BAD_FILTER.broken_at(format!("/filters/kinds/{i}"), detail));
    }
}

#[cfg(test)]
mod tests;
