//! The change feed, sent: subscriptions of webhooks and when a failed sending is tried again (CRD-09).

pub mod retry;
#[expect(clippy::module_inception, reason = "the aggregate's file is named after the aggregate")]
pub mod webhook;

pub use webhook::{Filters, Undelivered, Webhook, WebhookEvent, WebhookState};
