//! Fees: what members ask for their services (PRC-01).

#[expect(clippy::module_inception, reason = "the subject and its one aggregate have the same name in the field")]
pub mod fee;

pub use fee::{Abnormal, Fee, FeeUnit, OfferFee};
