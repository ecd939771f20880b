//! Tenancy facts: whose an arrangement is, and through whom a provider was registered.

use std::sync::Arc;

use domain::kernel::{About, ArrangementId, ProviderId};
use persistence::arrangement::{self, Parties};
use persistence::{Conn, Outcome, provider};
use uuid::Uuid;

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
        Ok(provider::registered_by(self, id)?.map(|(registrar, _)| Arc::from(registrar)))
    }
}

/// All that tenancy is decided by for one thing, whoever asks.
#[derive(Clone, Debug)]
pub struct TenancyFacts {
    parties: Option<Arc<Parties>>,
    registrar: Option<Arc<str>>,
    on: [Option<(Uuid, i64)>; 2],
}

impl TenancyFacts {
    /// Of what is `about` that. The store is asked the same whatever that is: how long it takes tells nothing.
    ///
    /// # Errors
    /// Where the store fails, or has no such arrangement.
    pub fn load(conn: &mut Conn<'_>, about: About) -> Outcome<Self> {
        let registrar = provider::registered_by(conn, about.provider.unwrap_or(Uuid::nil().into()))?;
        let parties = conn.parties(about.arrangement.unwrap_or(Uuid::nil().into()));
        let parties = about.arrangement.map(|_| parties).transpose()?;
        let arrangement = about.arrangement.map(Uuid::from).zip(parties.as_ref().map(|parties| parties.version));
        let provider = about.provider.map(Uuid::from).zip(registrar.as_ref().map(|(_, version)| *version));
        let registrar = registrar.map(|(registrar, _)| Arc::from(registrar));
        Ok(Self { parties, registrar, on: [arrangement, provider] })
    }

    /// Bytes that they take, about.
    #[must_use]
    pub fn size(&self) -> usize {
        let text = |text: &str| size_of::<String>() + text.len();
        let parties = self.parties.as_ref().map_or(0, |parties| {
            size_of::<Parties>()
                + text(&parties.lead)
                + parties.participants.iter().map(|code| text(code)).sum::<usize>()
        });
        parties + self.registrar.as_deref().map_or(0, text)
    }

    /// The aggregates that they were taken from, with their versions.
    pub fn on(&self) -> impl Iterator<Item = (Uuid, i64)> + use<> {
        self.on.into_iter().flatten()
    }
}

impl Facts for &TenancyFacts {
    fn parties(&mut self, id: ArrangementId) -> Outcome<Arc<Parties>> {
        self.parties.clone().ok_or(persistence::Failure::Broken(format!("the ties are not those of {id}")))
    }

    fn registrar(&mut self, _: ProviderId) -> Outcome<Option<Arc<str>>> {
        Ok(self.registrar.clone())
    }
}
