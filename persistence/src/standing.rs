//! stub
use crate::*;
use domain::admission::membership::Membership;
use domain::kernel::*;
use domain::standing::Impediment;
use std::collections::HashMap;
pub fn impediments_of(_: &mut Conn<'_>, m: &Membership) -> Outcome<Vec<Impediment>> {
    Ok(m.impediments().collect())
}
pub fn impediments_of_lot(
    _: &mut Conn<'_>,
    _: ArrangementId,
    _: LotId,
    ms: &[Stored<Membership>],
) -> Outcome<HashMap<MembershipId, Vec<Impediment>>> {
    Ok(ms.iter().map(|m| (m.value.id, m.value.impediments().collect())).collect())
}
