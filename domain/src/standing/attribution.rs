//! Attribution: which authority of a joint arrangement took a measure, which ones it binds, and which lifted it for
//! themselves (DPS-27).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::arrangement::ScopeAuthority;
use crate::kernel::{
    Actor, AuthorityCode, Binds, Effect, Impediment, Imposed, Instant, Kind, Refusal, Violations, Whom,
};

crate::rules! {
    NOT_ITS_MEASURE = "not_its_measure", Forbidden, "DPS-27",
        "The authority that took a measure extends and lifts it; another one lifts it for itself.";
    NOT_BOUND_BY_IT = "not_bound_by_it", Conflict, "DPS-27",
        "An authority lifts for itself what another took and what binds it, once.";
}

/// An authority's word that a measure of another no longer binds it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LiftedFor {
    /// Which authority.
    pub authority: AuthorityCode,
    /// Since when.
    pub at: Instant,
    /// Subject of who lifted it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Who took a measure, and whom of a joint arrangement it binds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attribution {
    /// The authority that took it.
    pub authority: Option<AuthorityCode>,
    /// Whether it binds that authority alone or all of the arrangement.
    pub binds: ScopeAuthority,
    /// The authorities that lifted it for themselves, in the order in which they did.
    pub lifted_for: Vec<LiftedFor>,
}

impl Attribution {
    /// To the actor's authority.
    pub(super) fn of(actor: &Actor, binds: ScopeAuthority) -> Self {
        Self { authority: actor.authority.clone(), binds, lifted_for: Vec::new() }
    }

    /// Refuses an actor of another authority than the one that took the measure.
    pub(super) fn require_own(&self, actor: &Actor, broken: &mut Violations) {
        if let (Some(taken_by), Some(own)) = (&self.authority, &actor.authority)
            && taken_by != own
        {
            broken.add(NOT_ITS_MEASURE.broken(format!("{taken_by} took it; {own} may lift it for itself")));
        }
    }

    /// Lifts the measure for the actor's authority; the authority.
    pub(super) fn lift_for(&mut self, reason: &str, actor: &Actor, now: Instant) -> Result<AuthorityCode, Refusal> {
        let mut broken = Violations::new();
        broken.require_reason(reason, "/reason");
        let own = actor.authority.clone().filter(|own| {
            let others = self.authority.as_ref() != Some(own) && self.binds == ScopeAuthority::All;
            others && self.lifted_for.iter().all(|lifted| lifted.authority != *own)
        });
        if own.is_none() {
            broken.add(NOT_BOUND_BY_IT.broken("no measure of another binds your authority here"));
        }
        broken.refuse_any()?;
        let Some(authority) = own else { return Err(NOT_BOUND_BY_IT.broken("no authority").into()) };
        let (by, reason) = (actor.subject.clone(), reason.to_owned());
        self.lifted_for.push(LiftedFor { authority: authority.clone(), at: now, by, reason });
        Ok(authority)
    }

    /// Whether there is an authority that both bind. Who lifted one for itself may take its own beside it.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let lifted = |one: &Self, by: &Self| {
            one.lifted_for.iter().any(|lifted| Some(&lifted.authority) == by.authority.as_ref())
        };
        if lifted(self, other) || lifted(other, self) {
            return false;
        }
        let alone = |one: &Self| one.authority.clone().filter(|_| one.binds == ScopeAuthority::Own);
        match (alone(self), alone(other)) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        }
    }

    /// One effect over `[from, until)`, cut where an authority lifted it for itself.
    pub(super) fn impose(
        &self,
        on: Whom,
        effect: Effect,
        source: (Kind, uuid::Uuid),
        from: Instant,
        until: Option<Instant>,
    ) -> Vec<Imposed> {
        let only = self.authority.clone().filter(|_| self.binds == ScopeAuthority::Own);
        let mut parts = vec![(from, Vec::new())];
        for lifted in &self.lifted_for {
            let (begun, except) = parts.last().cloned().unwrap_or((from, Vec::new()));
            let (at, mut except): (Instant, Vec<AuthorityCode>) = (lifted.at.max(begun), except);
            except.push(lifted.authority.clone());
            if at == begun {
                parts.pop();
            }
            parts.push((at, except));
        }
        let ends = parts.iter().skip(1).map(|(at, _)| Some(*at)).chain([until]).collect::<Vec<_>>();
        let mut imposed = Vec::new();
        for ((from, except), end) in parts.into_iter().zip(ends) {
            let end = match (end, until) {
                (Some(end), Some(until)) => Some(end.min(until)),
                (end, until) => end.or(until),
            };
            // What was lifted after the measure had ended cuts nothing.
            if imposed.is_empty() || end.is_none_or(|end| from < end) {
                let binds = Binds { only: only.clone(), except };
                let impediment = Impediment { binds, ..Impediment::new(effect, source, from, end) };
                imposed.push(Imposed { on, impediment });
            }
        }
        imposed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{ProviderId, Role};
    use crate::standing::tests::{facts, t0};
    use crate::standing::{StandingFacts, Status, standing};
    use uuid::Uuid;

    fn at(day: u32) -> Instant {
        format!("2019-05-{day:02}T00:00:00Z").parse().unwrap()
    }

    fn officer(authority: &str) -> Actor {
        let authority = AuthorityCode::try_from(authority.to_owned()).ok();
        Actor { subject: "officer".to_owned(), role: Role::Commissioner, authority, provider: None }
    }

    fn periods(attribution: &Attribution, until: Option<Instant>) -> Vec<(Instant, Option<Instant>, usize)> {
        let on = Whom { provider: ProviderId(uuid::Uuid::nil()), arrangement: None, lot: None, membership: None };
        let source = (Kind::Suspension, uuid::Uuid::nil());
        let imposed = attribution.impose(on, Effect::Suspended, source, at(1), until);
        imposed.iter().map(|i| (i.impediment.from, i.impediment.until, i.impediment.binds.except.len())).collect()
    }

    #[test]
    fn a_measure_is_cut_where_an_authority_lifts_it_for_itself() {
        let mut taken = Attribution::of(&officer("LGSS"), ScopeAuthority::All);
        assert_eq!(periods(&taken, None), [(at(1), None, 0)]);
        assert!(taken.lift_for("ours", &officer("LGSS"), at(2)).is_err(), "its own");
        taken.lift_for("seen", &officer("PCC"), at(3)).unwrap();
        assert!(taken.lift_for("again", &officer("PCC"), at(4)).is_err(), "once");
        taken.lift_for("seen", &officer("CCC"), at(5)).unwrap();
        let cut = [(at(1), Some(at(3)), 0), (at(3), Some(at(5)), 1), (at(5), Some(at(9)), 2)];
        assert_eq!(periods(&taken, Some(at(9))), cut);
        assert_eq!(periods(&taken, Some(at(3))), [(at(1), Some(at(3)), 0)], "it ended before");
        let mut ahead = Attribution::of(&officer("LGSS"), ScopeAuthority::All);
        ahead.lift_for("seen", &officer("PCC"), at(1)).unwrap();
        assert_eq!(periods(&ahead, None), [(at(1), None, 1)], "before it began");
    }

    #[test]
    fn one_that_binds_its_own_authority_alone_meets_none_of_another() {
        let own = |code| Attribution::of(&officer(code), ScopeAuthority::Own);
        assert!(!own("LGSS").meets(&own("PCC")) && own("PCC").meets(&own("PCC")));
        assert!(own("PCC").meets(&Attribution::of(&officer("LGSS"), ScopeAuthority::All)));
        let mut lifted = Attribution::of(&officer("LGSS"), ScopeAuthority::All);
        lifted.lift_for("seen", &officer("PCC"), at(2)).unwrap();
        assert!(!Attribution::of(&officer("PCC"), ScopeAuthority::All).meets(&lifted), "PCC may take its own again");
        assert!(Attribution::of(&officer("CCC"), ScopeAuthority::All).meets(&lifted));
        let mut alone = own("LGSS");
        assert!(alone.lift_for("not bound", &officer("PCC"), at(2)).is_err());
    }

    #[test]
    fn an_authority_is_bound_by_what_binds_it() {
        let code = |code: &str| AuthorityCode::try_from(code.to_owned()).unwrap();
        let (lead, other) = (code("LGSS"), code("PCC"));
        let suspended = Impediment::new(Effect::Suspended, (Kind::Suspension, Uuid::nil()), t0(), None);
        let own = Impediment { binds: Binds { only: Some(lead.clone()), except: vec![] }, ..suspended.clone() };
        let lifted = Impediment { binds: Binds { only: None, except: vec![other.clone()] }, ..suspended };
        for one in [own, lifted] {
            let all = [one];
            let seen = |by| standing(&StandingFacts { seen_by: by, ..facts(&all) }, t0()).status;
            assert_eq!(
                [seen(Some(&lead)), seen(Some(&other)), seen(None)],
                [Status::Suspended, Status::Active, Status::Suspended]
            );
        }
    }
}
