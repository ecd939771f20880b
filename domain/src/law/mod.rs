//! Procurement law as versioned data: regimes, rule sets, deadlines and calendars.

use crate::arrangement::{AdmissionMode, Regime};
use crate::kernel::Violation;

crate::rules! {
    MODE_NOT_ALLOWED = "admission_mode_not_allowed", Input, "PCR34-16",
        "Under regulation 34 every request is evaluated within working days of its receipt, so admission is rolling.";
}

/// Why `regime` forbids `mode`, if it does. `field` is the JSON pointer of the mode.
#[must_use]
pub fn mode_refusal(regime: Regime, mode: AdmissionMode, field: &str) -> Option<Violation> {
    let batched = matches!(mode, AdmissionMode::ContinuousReceiptBatched | AdmissionMode::Windowed);
    (regime == Regime::Pcr34 && batched)
        .then(|| MODE_NOT_ALLOWED.broken_at(field, "the clock of ten working days runs from receipt: choose `rolling`"))
}
