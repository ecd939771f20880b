//! The caller: who it is, what its role reaches, and what is its own (tenancy).

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::kernel::{About, Actor, ArrangementId, Kind, Permission, ProviderId, Reach, Role};
use persistence::arrangement::{self, Parties};
use persistence::record::event::Scope;
use persistence::{Conn, Failure, Outcome, Record, Stored, Uid, provider};
use uuid::Uuid;

use crate::tenancy::{Facts, TenancyFacts};

/// Accepted values of a filter; `None` where all are.
pub type Accepted = Option<Vec<Uid>>;

/// An authenticated caller, with the permission that its operation needs.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The caller as it is written into events.
    pub actor: Arc<Actor>,
    /// What the operation needs; the gate has seen that the role reaches it at all.
    pub permission: Permission,
    /// What a machine client's token is narrowed to, and whom it acts for; `None` for everyone else.
    pub grant: Option<Arc<Grant>>,
}

/// The two sides of a procurement: what one may see of a thing, all on that side may who may see it at all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// Providers, and portals that act for them.
    Providing,
    /// The buying side, and everyone else.
    Buying,
}

/// What a machine client was granted, as it stands when it calls.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Grant {
    /// The permissions of its token that it still has.
    pub scopes: BTreeSet<Permission>,
    /// The providers that it acts for, beside those that it registered.
    pub providers: BTreeSet<ProviderId>,
    /// Requests a minute, where the server's own limit does not fit.
    pub rate_limit: Option<u32>,
}

impl Caller {
    /// Whether the caller may use the operation on what is `about` that. Whatever is not the caller's to see is not
    /// found; what it sees but may not change is forbidden.
    ///
    /// # Errors
    /// [`Failure::NotFound`] of `kind`, or [`Failure::Forbidden`].
    pub fn may(&self, conn: &mut Conn<'_>, about: About, kind: Kind) -> Outcome<()> {
        self.decide(conn, about, kind)
    }

    /// As [`Caller::may`], by facts that are known.
    ///
    /// # Errors
    /// As [`Caller::may`].
    pub fn may_by(&self, mut ties: &TenancyFacts, about: About, kind: Kind) -> Outcome<()> {
        self.decide(&mut ties, about, kind)
    }

    fn decide(&self, facts: &mut impl Facts, about: About, kind: Kind) -> Outcome<()> {
        let reach = self.permission.reach(self.actor.role);
        match (self.actor.role, reach) {
            (_, Reach::None) => Err(Failure::Forbidden),
            (Role::Public, _) => published(facts, about, kind),
            (Role::Provider | Role::Portal | Role::Administrator, _) if self.permission == Permission::ReadMarket => {
                published(facts, about, kind)
            }
            (Role::Provider | Role::Portal, _) => match about.provider {
                Some(provider) if self.owns(facts, provider)? => Ok(()),
                Some(_) | None => Err(Failure::NotFound(kind)),
            },
            (
                Role::ArtOfficer
                | Role::Commissioner
                | Role::LeadAgency
                | Role::MonitoringOfficer
                | Role::Consortium
                | Role::SocialWorker
                | Role::Script
                | Role::Administrator,
                _,
            ) => match about.arrangement {
                Some(id) => self.may_in(&*facts.parties(id)?, kind),
                None => Ok(()),
            },
        }
    }

    /// What `id` names, if it is the caller's to use: nothing else is found.
    ///
    /// # Errors
    /// As [`Caller::may`].
    pub fn get<A: Record>(&self, conn: &mut Conn<'_>, id: A::Id) -> Outcome<Stored<A>> {
        let found = conn.get::<A>(id);
        self.own(conn, found)
    }

    /// What was found with its ties, if it is the caller's to use. As with [`Caller::own`] the store is asked the same in any
    /// case.
    ///
    /// # Errors
    /// As [`Caller::may`], and that with which it was not found.
    pub fn tied<A: Record>(
        &self,
        conn: &mut Conn<'_>,
        found: Outcome<Stored<A>>,
    ) -> Outcome<(Stored<A>, TenancyFacts)> {
        let found = self.existing(found);
        let about = found.as_ref().map_or_else(|_| About::default(), |found| found.value.about());
        let ties = TenancyFacts::load(conn, about)?;
        let found = found?;
        self.may_by(&ties, about, A::KIND)?;
        Ok((found, ties))
    }

    /// What was found, if it is the caller's to use. For what is not there the store is asked what it is asked for what
    /// is another's, so that the time which that takes tells nothing either.
    ///
    /// # Errors
    /// As [`Caller::may`], and that with which it was not found.
    pub fn own<A: Record>(&self, conn: &mut Conn<'_>, found: Outcome<Stored<A>>) -> Outcome<Stored<A>> {
        match self.existing(found) {
            Ok(found) => self.may(conn, found.value.about(), A::KIND).map(|()| found),
            Err(Failure::NotFound(kind)) => {
                let (provider, arrangement) = (Some(Uuid::nil().into()), Some(Uuid::nil().into()));
                match self.may(conn, About { provider, arrangement, ..About::default() }, kind) {
                    Ok(()) | Err(Failure::NotFound(_)) => Err(Failure::NotFound(kind)),
                    Err(failure) => Err(failure),
                }
            }
            Err(failure) => Err(failure),
        }
    }

    /// What was found, if there is such a thing for the caller's side.
    fn existing<A: Record>(&self, found: Outcome<Stored<A>>) -> Outcome<Stored<A>> {
        match found {
            Ok(found) if self.is_providing() || found.value.exists_for_buyers() => Ok(found),
            Ok(_) => Err(Failure::NotFound(A::KIND)),
            Err(failure) => Err(failure),
        }
    }

    /// Whether the caller finds what is `about` that when it searches.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn sees(&self, conn: &mut Conn<'_>, about: About, kind: Kind) -> Outcome<bool> {
        match self.may(conn, about, kind) {
            Ok(()) => Ok(true),
            Err(Failure::NotFound(_) | Failure::Forbidden) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Whether the caller's authority stands so to an arrangement that the operation is its to use.
    ///
    /// # Errors
    /// [`Failure::NotFound`] of `kind`, or [`Failure::Forbidden`].
    pub fn may_in(&self, parties: &Parties, kind: Kind) -> Outcome<()> {
        let Some(own) = &self.actor.authority else {
            // An internal script that belongs to no authority serves all of them.
            return if self.actor.role == Role::Script { Ok(()) } else { Err(Failure::NotFound(kind)) };
        };
        let leads = parties.lead == own.as_str();
        let takes_part = leads || parties.participants.iter().any(|code| code == own.as_str());
        let reads = matches!(
            self.permission,
            Permission::ReadMarket
                | Permission::ReadMembers
                | Permission::ReadApplications
                | Permission::ReadDeadlines
                | Permission::ReadRecord
        );
        let runs = matches!(self.actor.role, Role::LeadAgency | Role::Consortium | Role::Script);
        match self.permission {
            Permission::ReadMarket if parties.published => Ok(()),
            // An arrangement is its lead's own; those that take part use it.
            Permission::ManageArrangement if takes_part && !leads => Err(Failure::Forbidden),
            _ if leads || (takes_part && (reads || !runs)) => Ok(()),
            _ if takes_part => Err(Failure::Forbidden),
            _ => Err(Failure::NotFound(kind)),
        }
    }

    /// Whether `provider` is the caller, or was registered by the portal that calls.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn is_own(&self, conn: &mut Conn<'_>, provider: ProviderId) -> Outcome<bool> {
        self.owns(conn, provider)
    }

    fn owns(&self, facts: &mut impl Facts, provider: ProviderId) -> Outcome<bool> {
        Ok(match self.actor.role {
            Role::Provider => self.actor.provider == Some(provider),
            Role::Portal if self.named().contains(&provider) => true,
            Role::Portal => facts.registrar(provider)?.as_deref() == Some(self.actor.subject.as_str()),
            _ => false,
        })
    }

    /// The providers that a portal was named to act for, beside those that it registered.
    #[must_use]
    pub fn named(&self) -> &BTreeSet<ProviderId> {
        static NONE: BTreeSet<ProviderId> = BTreeSet::new();
        self.grant.as_ref().map_or(&NONE, |grant| &grant.providers)
    }

    /// Whether the caller has `permission` at all: by its role and, for a machine client, by its token's scopes.
    #[must_use]
    pub fn has(&self, permission: Permission) -> bool {
        permission.reach(self.actor.role) != Reach::None
            && self.grant.as_ref().is_none_or(|grant| grant.scopes.contains(&permission))
    }

    /// On which side the caller stands.
    #[must_use]
    pub fn side(&self) -> Side {
        if self.is_providing() { Side::Providing } else { Side::Buying }
    }

    /// Whether the caller is on the providing side: a provider, or a portal that acts for providers.
    #[must_use]
    pub fn is_providing(&self) -> bool {
        matches!(self.actor.role, Role::Provider | Role::Portal)
    }

    /// The caller as a reader of published documents.
    #[must_use]
    pub fn in_market(&self) -> Self {
        Self { permission: Permission::ReadMarket, ..self.clone() }
    }

    /// The providers and arrangements that a list may show, narrowed to those asked for; `None` where all are.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn reach(
        &self,
        conn: &mut Conn<'_>,
        provider: Option<ProviderId>,
        arrangement: Option<ArrangementId>,
    ) -> Outcome<(Accepted, Accepted)> {
        if let Some(own) = self.own_providers(conn)? {
            return Ok((Some(narrow(own, provider)), arrangement.map(|id| vec![id.into()])));
        }
        let arrangements = match self.own_arrangements(conn)? {
            Some(own) => Some(narrow(own, arrangement)),
            None => arrangement.map(|id| vec![id.into()]),
        };
        Ok((provider.map(|id| vec![id.into()]), arrangements))
    }

    /// The providers that the caller is or acts for; `None` for the buying side, which sees every provider.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn own_providers(&self, conn: &mut Conn<'_>) -> Outcome<Option<Vec<ProviderId>>> {
        Ok(match self.actor.role {
            Role::Provider => Some(self.actor.provider.into_iter().collect()),
            Role::Portal => {
                let mut own: BTreeSet<ProviderId> = self.named().clone();
                own.extend(provider::registered_through(conn, &self.actor.subject)?);
                Some(own.into_iter().collect())
            }
            Role::Public | Role::Administrator => Some(Vec::new()),
            _ => None,
        })
    }

    /// The arrangements in which the caller's authority takes part; `None` for a script that serves all.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn own_arrangements(&self, conn: &mut Conn<'_>) -> Outcome<Option<Vec<ArrangementId>>> {
        match &self.actor.authority {
            Some(code) => Ok(Some(arrangement::of_authority(conn, code)?)),
            None if self.actor.role == Role::Script => Ok(None),
            None => Ok(Some(Vec::new())),
        }
    }

    /// What the caller may see of the record.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn record_scope(&self, conn: &mut Conn<'_>) -> Outcome<Scope> {
        if self.actor.role == Role::Administrator {
            return Ok(Scope::Administration);
        }
        if let Some(own) = self.own_providers(conn)? {
            return Ok(Scope::Providers(own.into_iter().map(Uuid::from).collect()));
        }
        Ok(match self.own_arrangements(conn)? {
            None => Scope::Everything,
            Some(own) => Scope::Arrangements(own.into_iter().map(Uuid::from).collect()),
        })
    }
}

/// Of `own`, those asked for.
fn narrow<T: Copy + PartialEq + Into<Uuid>>(own: Vec<T>, asked: Option<T>) -> Vec<Uid> {
    own.into_iter().filter(|id| asked.is_none_or(|asked| asked == *id)).map(Uid::from).collect()
}

/// Published procurement documents are open to all (PCR34-14).
fn published(facts: &mut impl Facts, about: About, kind: Kind) -> Outcome<()> {
    let open = match about.arrangement {
        Some(id) => facts.parties(id)?.published,
        None => true,
    };
    if open { Ok(()) } else { Err(Failure::NotFound(kind)) }
}
