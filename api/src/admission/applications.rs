//! Applications.
use domain::arrangement::Round;
use domain::kernel::{LotId, RoundId};
use persistence::{Conn, Outcome, Tx};

pub(crate) fn was_evaluated(_: &mut Conn<'_>, _: LotId) -> Outcome<bool> {
    Ok(false)
}
pub(crate) fn begin_evaluation_of(_: &mut Tx<'_>, _: &Round) -> Outcome<()> {
    Ok(())
}
pub(crate) fn undecided_lines(_: &mut Conn<'_>, _: RoundId) -> Outcome<u64> {
    Ok(0)
}
pub(crate) fn reroute_from(_: &mut Tx<'_>, _: &Round) -> Outcome<()> {
    Ok(())
}
pub(crate) fn round_opened(_: &mut Tx<'_>, _: &Round) -> Outcome<()> {
    Ok(())
}
