//! Tender: what was told of an arrangement, in the fields of the standard.

use domain::arrangement::{AdmissionMode, ArrangementKind, DocumentRef, Notice, Term};
use domain::kernel::{ArrangementId, Pence};

use super::process::Told;
use super::release::{
    Classification, Document, DynamicPurchasingSystem, Item, Party, PartyRef, Period, Status, Techniques, Tender, Value,
};

impl Told {
    /// The authorities with their roles, and the buyer where there is one alone.
    pub(super) fn parties(&self) -> (Vec<Party>, Option<PartyRef>) {
        let Some(notice) = &self.notice else { return (Vec::new(), None) };
        let buys = notice.participants.iter().any(|buyer| buyer.code == notice.lead.code);
        let lead_roles = ["procuringEntity"].into_iter().chain(buys.then_some("buyer")).collect();
        let lead = Party { id: notice.lead.code.to_string(), name: notice.lead.name.clone(), roles: lead_roles };
        let others = notice.participants.iter().filter(|buyer| buyer.code != notice.lead.code);
        let others = others.map(|b| Party { id: b.code.to_string(), name: b.name.clone(), roles: vec!["buyer"] });
        let alone = match notice.participants.as_slice() {
            [one] => Some(PartyRef { id: one.code.to_string(), name: one.name.clone() }),
            _ => None,
        };
        (std::iter::once(lead).chain(others).collect(), alone)
    }

    /// The market.
    pub(super) fn tender(&self, arrangement: ArrangementId) -> Tender {
        let notice = self.notice.as_ref();
        let said = notice.map(|notice| &notice.particulars);
        let receives = notice.is_none_or(|notice| notice.policies.admission_mode != AdmissionMode::Closed);
        Tender {
            id: said.map_or_else(|| arrangement.to_string(), |said| said.reference.clone()),
            title: said.map(|said| said.title.clone()),
            description: said.map(|said| said.description.clone()).filter(|text| !text.trim().is_empty()),
            status: self.ended.unwrap_or(Status::Active),
            procuring_entity: notice
                .map(|notice| PartyRef { id: notice.lead.code.to_string(), name: notice.lead.name.clone() }),
            procurement_method: "open",
            procurement_method_details: notice.map(|notice| sort(notice.kind)),
            main_procurement_category: "services",
            submission_method: vec!["electronicSubmission"],
            value: said.and_then(|said| said.estimated_value).and_then(pounds),
            items: said.map(|said| items(&said.cpv)).unwrap_or_default(),
            lots: self.lots.clone(),
            tender_period: self.term.as_ref().filter(|_| receives).map(receipt),
            contract_period: self.term.as_ref().map(contracts),
            milestones: self.rounds.clone(),
            documents: notice.map(documents).unwrap_or_default(),
            amendments: self.amendments.clone(),
            techniques: notice.map(|notice| self.techniques(notice)),
        }
    }

    fn techniques(&self, notice: &Notice) -> Techniques {
        let dynamic = matches!(notice.kind, ArrangementKind::Dps | ArrangementKind::DynamicMarket);
        let kind = if notice.policies.participants_closed { "closed" } else { "open" };
        Techniques {
            has_framework_agreement: notice.kind == ArrangementKind::Framework,
            has_dynamic_purchasing_system: dynamic,
            dynamic_purchasing_system: dynamic.then(|| DynamicPurchasingSystem { kind, status: self.dps_status() }),
        }
    }
}

fn sort(kind: ArrangementKind) -> &'static str {
    match kind {
        ArrangementKind::Dps => "Dynamic purchasing system",
        ArrangementKind::Framework => "Framework",
        ArrangementKind::FlexibleAgreement => "Flexible agreement",
        ArrangementKind::ApprovedList => "Approved provider list",
        ArrangementKind::DynamicMarket => "Dynamic market",
    }
}

/// Pence in pounds, as the standard writes them.
fn pounds(Pence(pence): Pence) -> Option<Value> {
    let text = format!("{}.{:02}", pence / 100, pence % 100);
    let amount = serde_json::Number::from_f64(text.parse().ok()?)?;
    Some(Value { amount, currency: "GBP" })
}

/// One item with all CPV codes, without their check digits.
fn items(cpv: &[String]) -> Vec<Item> {
    let mut codes = cpv.iter().map(|code| {
        let id = code.split('-').next().unwrap_or_default().to_owned();
        Classification { scheme: "CPV", id }
    });
    let first = codes.next();
    let item =
        |classification| Item { id: "1".to_owned(), classification, additional_classifications: codes.collect() };
    first.map(item).into_iter().collect()
}

/// Applications are received all through the term (DPS-10).
fn receipt(term: &Term) -> Period {
    Period { start_date: term.live_at, end_date: term.ends_at() }
}

/// To the last second of the last day, as the standard counts.
fn contracts(term: &Term) -> Period {
    let start_date = domain::kernel::Instant::start_of(term.contract_start);
    Period { start_date, end_date: term.ends_at().plus_seconds(-1) }
}

fn documents(notice: &Notice) -> Vec<Document> {
    let said = &notice.particulars;
    let document = |id: String, kind, of: &DocumentRef| Document {
        id,
        document_type: kind,
        title: of.title.clone(),
        url: of.uri.clone(),
    };
    let specification = said.specification.iter();
    let specification =
        specification.map(|of| document("specification".to_owned(), Some("technicalSpecifications"), of));
    let terms = said.terms.iter();
    let terms = terms.map(|terms| document("terms".to_owned(), Some("biddingDocuments"), &terms.document));
    let others = said.documents.iter().zip(1..);
    let others = others.map(|(of, n)| document(format!("document-{n}"), None, of));
    specification.chain(terms).chain(others).collect()
}
