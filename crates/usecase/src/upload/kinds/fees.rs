//! Fees of memberships in their simplest form: one row a fee, offered as by a request of its own (A15).

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use domain::admission::membership::Membership;
use domain::arrangement::Arrangement;
use domain::fee::{Fee, FeeUnit, OfferFee};
use domain::kernel::{BasisPoints, Decided, LotId, MembershipId, Pence, ProviderId, Role, Rule};
use domain::upload::{Note, Subject, UploadKind};
use persistence::admission::memberships;
use persistence::arrangement::arrangements;
use persistence::fee::{asked_by_others, fees};
use persistence::{Conn, Filter, Outcome, Page, Tx};

use super::{own, understood};
use crate::Caller;
use crate::upload::row::{Cells, Column, column};
use crate::upload::{Batch, Change, Decisions, Rows, Verdict, write_all};

domain::rules! {
    MEMBERSHIP_UNKNOWN = "row_membership_unknown", Input, "CRD-07",
        "A row is about a membership of a provider that the sender is or acts for.";
}

/// Fees.
pub struct Fees;

static COLUMNS: &[Column] = &[
    column("membership", true, "0190a000-0000-7000-8000-000000000001"),
    column("code", true, "SOLO"),
    column("description", true, "Solo placement in a children's home"),
    column("amountPence", true, "385000"),
    column("unit", true, "week"),
    column("validFrom", true, "2019-04-01"),
];

/// A provider uploads its own fees; a portal those of the providers that it acts for.
///
/// # Errors
/// None.
pub fn scope(_: &mut Conn<'_>, who: &Caller) -> Outcome<Subject> {
    let own = if who.actor.role == Role::Provider { who.actor.provider } else { None };
    Ok(Subject { provider: own, ..Subject::default() })
}

impl Rows for Fees {
    fn kind(&self) -> UploadKind {
        UploadKind::Fees
    }

    fn rules(&self) -> &'static [&'static Rule] {
        RULES
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn keys(&self, cells: &Cells<'_>) -> Vec<(&'static str, String)> {
        let about = cells.text("membership").zip(cells.text("code"));
        about.map(|(of, code)| ("code", format!("{} {code}", of.to_lowercase()))).into_iter().collect()
    }

    fn hold(&self, tx: &mut Tx<'_>, batch: &Batch<'_>) -> Outcome<()> {
        tx.hold_all::<Membership>(&named(batch)).map(drop)
    }

    fn decide(&self, conn: &mut Conn<'_>, batch: &Batch<'_>) -> Outcome<Decisions> {
        let known = Known::load(conn, batch)?;
        let (mut changes, mut verdicts, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for mut cells in batch.cells() {
            let offered = decide(&mut cells, batch, &known, &mut notes);
            verdicts.push(match offered {
                _ if !cells.is_good() => Verdict::Refused(cells.faults()),
                None => Verdict::Unchanged,
                Some(decided) => {
                    changes.push(Change::New(decided));
                    Verdict::Added
                }
            });
        }
        Ok(Decisions { verdicts, notes, write: Box::new(|tx| write_all(tx, changes)) })
    }
}

/// What the rows of a batch meet.
struct Known {
    memberships: HashMap<MembershipId, Membership>,
    fees: HashMap<MembershipId, Vec<Fee>>,
    over: HashMap<MembershipId, Option<BasisPoints>>,
    others: HashMap<(LotId, FeeUnit, ProviderId), Vec<Pence>>,
}

impl Known {
    fn load(conn: &mut Conn<'_>, batch: &Batch<'_>) -> Outcome<Self> {
        let ids = named(batch);
        let filter = Filter::all().any(memberships::id, ids.iter().copied());
        let found: Vec<Membership> = conn.list(&filter, Page::ALL)?.into_iter().map(|found| found.value).collect();
        let providers: HashSet<ProviderId> = found.iter().map(|member| member.provider).collect();
        let providers: Vec<ProviderId> = providers.into_iter().collect();
        let own: HashSet<ProviderId> = own(conn, batch, &providers)?.into_iter().map(|p| p.id).collect();
        let found: Vec<Membership> = found.into_iter().filter(|member| own.contains(&member.provider)).collect();

        let mut fees: HashMap<MembershipId, Vec<Fee>> = HashMap::new();
        for fee in conn.list(&Filter::all().any(fees::membership_id, ids), Page::ALL)? {
            fees.entry(fee.value.membership).or_default().push(fee.value);
        }
        let ids: HashSet<_> = found.iter().map(|member| member.arrangement).collect();
        let policies: HashMap<_, _> = conn
            .list(&Filter::all().any(arrangements::id, ids), Page::ALL)?
            .into_iter()
            .map(|found: persistence::Stored<Arrangement>| {
                (found.value.id, found.value.policies.abnormal_fee_over_median)
            })
            .collect();
        let mut others = HashMap::new();
        for mut cells in batch.cells() {
            let member = membership(&cells).and_then(|id| found.iter().find(|member| member.id == id));
            if let (Some(member), Some(unit)) = (member, unit(&mut cells)) {
                let about = (member.lot, unit, member.provider);
                if let Entry::Vacant(place) = others.entry(about) {
                    place.insert(asked_by_others(conn, about.0, about.1, about.2, batch.stamp.now)?);
                }
            }
        }
        let over = found.iter().map(|m| (m.id, policies.get(&m.arrangement).copied().flatten())).collect();
        Ok(Self { memberships: found.into_iter().map(|m| (m.id, m)).collect(), fees, over, others })
    }
}

fn membership(cells: &Cells<'_>) -> Option<MembershipId> {
    cells.text("membership")?.parse().ok().map(MembershipId)
}

fn unit(cells: &mut Cells<'_>) -> Option<FeeUnit> {
    cells.read("unit", "week, night, day, session or hour", |text| {
        serde_json::from_value(serde_json::Value::String(text.to_ascii_lowercase())).ok()
    })
}

fn named(batch: &Batch<'_>) -> Vec<MembershipId> {
    let named: HashSet<MembershipId> = batch.cells().filter_map(|cells| membership(&cells)).collect();
    let mut named: Vec<MembershipId> = named.into_iter().collect();
    named.sort_unstable();
    named
}

/// The fee that a row offers; `None` where it is offered already, or where the row is refused.
fn decide(cells: &mut Cells<'_>, batch: &Batch<'_>, known: &Known, notes: &mut Vec<Note>) -> Option<Decided<Fee>> {
    cells.needed("membership")?;
    let Some(member) = membership(cells).and_then(|id| known.memberships.get(&id)) else {
        cells.refuse(&MEMBERSHIP_UNKNOWN, "membership", "the identifier of a membership of the sender's");
        return None;
    };
    let (code, description) = (cells.needed("code"), cells.needed("description"));
    let amount = cells.needed("amountPence").and_then(|_| cells.amount("amountPence"));
    Note::add(notes, amount.map(|amount| understood(cells, amount)));
    let unit = cells.needed("unit").and_then(|_| unit(cells));
    let valid_from = cells.needed("validFrom").and_then(|_| cells.date("validFrom"));
    if !cells.is_good() {
        return None;
    }
    let order = OfferFee {
        code: code?,
        description: description?,
        amount_pence: amount?,
        unit: unit?,
        valid_from: valid_from?,
    };
    let before = known.fees.get(&member.id).map(Vec::as_slice).unwrap_or_default();
    let is_offered = before.iter().any(|fee| {
        fee.ended_at().is_none()
            && (fee.code.as_str(), fee.description.as_str()) == (order.code.as_str(), order.description.as_str())
            && (fee.amount_pence, fee.unit, fee.valid_from) == (order.amount_pence, order.unit, order.valid_from)
    });
    if is_offered {
        return None;
    }
    let others = known.others.get(&(member.lot, order.unit, member.provider)).cloned().unwrap_or_default();
    let over = known.over.get(&member.id).copied().flatten();
    let (actor, now) = (&batch.stamp.actor, batch.stamp.now);
    let offered = Fee::offer(batch.stamp.mint(), order, member, before, (others, over), actor, now);
    offered.map_err(|refusal| cells.refused(&refusal)).ok()
}
