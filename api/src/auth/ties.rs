//! What tenancy is decided by: whose an arrangement is, and through whom a provider was registered.

use std::sync::Arc;

use domain::kernel::{About, ArrangementId, ProviderId};
use persistence::arrangement::{self, Parties};
use persistence::{Conn, Outcome, provider};

/// Where the facts come from that tenancy is decided by.
pub(super) trait Facts {
    /// The parties of an arrangement.
    fn parties(&mut self, id: ArrangementId) -> Outcome<Arc<Parties>>;

    /// The account that registered a provider.
    fn registrar(&mut self, id: ProviderId) -> Outcome<Option<Arc<str>>>;
}

impl Facts for Conn<'_> {
    fn parties(&mut self, id: ArrangementId) -> Outcome<Arc<Parties>> {
        arrangement::parties(self, id).map(Arc::new)
    }

    fn registrar(&mut self, id: ProviderId) -> Outcome<Option<Arc<str>>> {
        Ok(provider::registered_by(self, id)?.map(Arc::from))
    }
}

/// All that tenancy is decided by for one thing, whoever asks.
#[derive(Clone, Debug)]
pub struct Ties {
    parties: Option<Arc<Parties>>,
    registrar: Option<Arc<str>>,
}

impl Ties {
    /// Of what is `about` that.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn load(conn: &mut Conn<'_>, about: About) -> Outcome<Self> {
        Ok(Self {
            parties: about.arrangement.map(|id| conn.parties(id)).transpose()?,
            registrar: about.provider.map(|id| conn.registrar(id)).transpose()?.flatten(),
        })
    }
}

impl Facts for &Ties {
    fn parties(&mut self, id: ArrangementId) -> Outcome<Arc<Parties>> {
        self.parties.clone().ok_or(persistence::Failure::Broken(format!("the ties are not those of {id}")))
    }

    fn registrar(&mut self, _: ProviderId) -> Outcome<Option<Arc<str>>> {
        Ok(self.registrar.clone())
    }
}
