//! The change feed, sent: subscriptions of webhooks and when a failed sending is tried again (CRD-09).

pub mod retry;
pub mod subscription;

pub use subscription::{Filters, Subscription, SubscriptionEvent, SubscriptionState, Undelivered};
