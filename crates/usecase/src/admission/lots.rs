//! The lots of an arrangement, as an applicant meets them.

use domain::admission::application::LotFacts;
use domain::admission::receipt::AskedByLot;
use domain::arrangement::{Lot, RequirementRef};
use domain::kernel::{ArrangementId, LotId, ProviderId};
use persistence::admission::lots_held;
use persistence::arrangement::lots_of;
use persistence::{Conn, Outcome};

/// Which lots there are, which are open, and which the applicant holds.
#[derive(Debug)]
pub struct Lots {
    defined: Vec<Lot>,
    all: Vec<LotId>,
    open: Vec<LotId>,
    held: Vec<LotId>,
}

impl Lots {
    /// Of an arrangement, as that provider meets them.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn load(conn: &mut Conn<'_>, provider: ProviderId, arrangement: ArrangementId) -> Outcome<Self> {
        let lots: Vec<Lot> = lots_of(conn, arrangement)?.into_iter().map(|lot| lot.value).collect();
        Ok(Self {
            all: lots.iter().map(|lot| lot.id).collect(),
            open: lots.iter().filter(|lot| lot.is_open()).map(|lot| lot.id).collect(),
            held: lots_held(conn, provider, arrangement)?,
            defined: lots,
        })
    }

    pub(super) fn facts(&self) -> LotFacts<'_> {
        LotFacts { all: &self.all, open: &self.open, held: &self.held }
    }

    /// What each of those lots asks for.
    pub(super) fn references(&self, lots: &[LotId]) -> Vec<AskedByLot> {
        let chosen = self.defined.iter().filter(|lot| lots.contains(&lot.id));
        let asked = |lot: &Lot| {
            lot.requirements.iter().map(|r| AskedByLot { lot: lot.id, requirement: *r }).collect::<Vec<_>>()
        };
        chosen.flat_map(asked).collect()
    }

    /// What those lots ask for, each requirement version once.
    #[must_use]
    pub fn asked_by(&self, lots: &[LotId]) -> Vec<RequirementRef> {
        let mut asked: Vec<_> =
            self.defined.iter().filter(|lot| lots.contains(&lot.id)).flat_map(|lot| lot.requirements.clone()).collect();
        asked.sort_unstable();
        asked.dedup();
        asked
    }
}
