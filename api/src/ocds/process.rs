//! One contracting process: the public events of an arrangement, told as releases.

use domain::arrangement::{ArrangementEvent, LotEvent, LotScope, Notice, RoundEvent, Term};
use domain::kernel::{ArrangementId, Instant, Kind, LotId, RoundId};
use persistence::record::event::Entry;
use persistence::{Failure, Outcome};
use serde::de::DeserializeOwned;

use super::Publisher;
use super::release::{Amendment, DpsStatus, Lot, Milestone, Release, Status, Tag, date};

/// The releases of an arrangement by its events that are open to everyone, all of them in the order of the feed. What
/// one request did is one release. Its identifier is that of its first event that tells something, so that the same
/// events always make the same releases.
///
/// # Errors
/// Where what is stored cannot be read: a defect.
pub fn releases(publisher: &Publisher, arrangement: ArrangementId, events: &[Entry]) -> Outcome<Vec<Release>> {
    let ocid = publisher.ocid(arrangement);
    let mut told = Told::default();
    let mut releases: Vec<Release> = Vec::new();
    for one in events.chunk_by(|a, b| a.request.is_some() && a.request == b.request && a.at == b.at) {
        let before = releases.last();
        let mut first: Option<(String, Tag, Instant)> = None;
        for event in one {
            let id = first.as_ref().map_or_else(|| event.id.0.to_string(), |(id, ..)| id.clone());
            let place = Place { release: &id, before: before.map(|before| before.id.as_str()), at: event.at.0 };
            if let Some(tag) = told.tell(event, &place)? {
                first.get_or_insert((id, tag, event.at.0));
            }
        }
        let Some((id, tag, at)) = first else { continue };
        // Strictly later than the one before: consumers merge releases by their dates.
        let told_at = before.map_or(at, |before| at.max(Instant::from_micros(before.date.micros().saturating_add(1))));
        let (parties, buyer) = told.parties();
        releases.push(Release {
            ocid: ocid.clone(),
            id,
            date: told_at,
            tag: vec![tag],
            initiation_type: "tender",
            language: "en",
            parties,
            buyer,
            tender: told.tender(arrangement),
        });
    }
    Ok(releases)
}

/// All releases of a process in one, by the last of them: each tells the whole.
#[must_use]
pub fn compiled(last: &Release) -> Release {
    Release { id: format!("{}-{}", last.ocid, date(last.date)), tag: vec![Tag::Compiled], ..last.clone() }
}

/// Where an event stands.
struct Place<'a> {
    /// The release that tells it.
    release: &'a str,
    /// The release before that.
    before: Option<&'a str>,
    at: Instant,
}

/// What was told so far. Nothing, before the arrangement is published.
#[derive(Default)]
pub(super) struct Told {
    pub(super) notice: Option<Notice>,
    pub(super) term: Option<Term>,
    pub(super) established: bool,
    /// How it ended, if it did.
    pub(super) ended: Option<Status>,
    pub(super) lots: Vec<Lot>,
    pub(super) rounds: Vec<Milestone>,
    pub(super) amendments: Vec<Amendment>,
}

impl Told {
    /// Takes in an event. `None` where it changes nothing of what a release tells.
    fn tell(&mut self, event: &Entry, place: &Place<'_>) -> Outcome<Option<Tag>> {
        Ok(if event.aggregate == Kind::Arrangement.name() {
            self.arrangement(read(event)?, place)
        } else if self.term.is_none() {
            None
        } else if event.aggregate == Kind::Lot.name() {
            self.lot(LotId(event.aggregate_id.0), read(event)?)
        } else if event.aggregate == Kind::Round.name() {
            self.round(RoundId(event.aggregate_id.0), read(event)?)
        } else {
            None
        })
    }

    /// Whether it is in use, or how it ended.
    pub(super) fn dps_status(&self) -> DpsStatus {
        match (self.ended, self.established) {
            (Some(Status::Cancelled), _) => DpsStatus::Cancelled,
            (Some(_), _) => DpsStatus::Terminated,
            (None, true) => DpsStatus::Active,
            (None, false) => DpsStatus::Pending,
        }
    }

    fn arrangement(&mut self, event: ArrangementEvent, place: &Place<'_>) -> Option<Tag> {
        use ArrangementEvent as Event;
        match event {
            Event::ArrangementPublished { term, notice, .. } => {
                self.term = Some(term);
                self.notice = notice.map(|notice| *notice);
                Some(Tag::Tender)
            }
            Event::ArrangementModified { changed, reason, notice, .. } => {
                self.renew(notice);
                let what: Vec<String> = changed.into_iter().map(word).collect();
                Some(self.amend(place, reason, format!("Changed: {}", what.join(", "))))
            }
            Event::AuthorityAdded { authority, notice, .. } => {
                self.renew(notice);
                Some(self.amend(place, format!("{authority} joined"), "Changed: participants".to_owned()))
            }
            Event::ArrangementExtended { term, reason, .. } => {
                self.term = Some(term);
                Some(self.amend(place, reason, "Changed: term".to_owned()))
            }
            Event::ArrangementEstablished => {
                self.established = true;
                Some(Tag::TenderUpdate)
            }
            Event::ArrangementTerminated { .. } if !self.established => {
                self.ended = Some(Status::Cancelled);
                Some(Tag::TenderCancellation)
            }
            Event::ArrangementTerminated { .. } | Event::ArrangementExpired { .. } => {
                self.ended = Some(Status::Complete);
                Some(Tag::TenderUpdate)
            }
            Event::ArrangementCreated { .. }
            | Event::ArrangementReviewBegun
            | Event::ExtensionDeclined { .. }
            | Event::ArrangementAmended { .. }
            | Event::ArrangementLinked { .. }
            | Event::PoliciesSet { .. }
            | Event::ArrangementDiscarded => None,
        }
    }

    fn renew(&mut self, notice: Option<Box<Notice>>) {
        self.notice = notice.map(|notice| *notice).or(self.notice.take());
    }

    fn amend(&mut self, place: &Place<'_>, rationale: String, description: String) -> Tag {
        self.amendments.push(Amendment {
            id: place.release.to_owned(),
            date: place.at,
            rationale,
            description,
            amends: place.before.map(str::to_owned),
            release: place.release.to_owned(),
        });
        Tag::TenderAmendment
    }

    fn lot(&mut self, lot: LotId, event: LotEvent) -> Option<Tag> {
        use LotEvent as Event;
        match event {
            Event::LotOpened { particulars } => {
                if self.turn(lot, Status::Active).is_none() {
                    let title = Some(format!("{} - {}", particulars.code, particulars.title));
                    let description = Some(particulars.description).filter(|text| !text.trim().is_empty());
                    self.lots.push(Lot { id: lot.to_string(), title, description, status: Status::Active });
                }
                Some(Tag::TenderUpdate)
            }
            Event::LotPaused { .. } => self.turn(lot, Status::Planned),
            Event::LotClosed { .. } => self.turn(lot, self.ended.unwrap_or(Status::Complete)),
            Event::LotDefined { .. }
            | Event::LotAmended
            | Event::LotAliasesSet
            | Event::LotAccessSet
            | Event::ReservedRightExercised { .. }
            | Event::RequirementAdopted { .. }
            | Event::RequirementRepinned { .. }
            | Event::RequirementDropped { .. } => None,
        }
    }

    /// Gives a lot a status. A lot that was never opened is not told of.
    fn turn(&mut self, lot: LotId, status: Status) -> Option<Tag> {
        let id = lot.to_string();
        let known = self.lots.iter_mut().find(|known| known.id == id)?;
        known.status = status;
        Some(Tag::TenderUpdate)
    }

    fn round(&mut self, round: RoundId, event: RoundEvent) -> Option<Tag> {
        use RoundEvent as Event;
        match event {
            Event::RoundScheduled { number, opens_at, closes_at, lots, .. } => {
                let related_lots = match lots {
                    LotScope::Some { lots } => lots.iter().map(LotId::to_string).collect(),
                    LotScope::All => Vec::new(),
                };
                self.rounds.push(Milestone {
                    id: round.to_string(),
                    title: format!("Round {number}"),
                    description: received(opens_at, closes_at),
                    due_date: closes_at,
                    date_met: None,
                    status: "scheduled",
                    related_lots,
                });
                Some(Tag::TenderUpdate)
            }
            Event::RoundClosed { effective_at, .. } => self.conclude(round, "met", Some(effective_at)),
            Event::RoundCancelled { .. } => self.conclude(round, "notMet", None),
            Event::RoundEnded { .. } => {
                // Its close was met if it had closed before.
                let met = self.milestone(round).is_none_or(|known| known.status == "met");
                if met { None } else { self.conclude(round, "notMet", None) }
            }
            Event::RoundReinstated { .. } => self.conclude(round, "scheduled", None),
            Event::RoundLengthened { opens_at, closes_at, .. } => {
                let known = self.milestone(round)?;
                known.description = received(opens_at, closes_at);
                known.due_date = closes_at;
                Some(Tag::TenderUpdate)
            }
            Event::RoundOpened { .. } | Event::EvaluationStarted { .. } | Event::RoundCompleted { .. } => None,
        }
    }

    fn milestone(&mut self, round: RoundId) -> Option<&mut Milestone> {
        let id = round.to_string();
        self.rounds.iter_mut().find(|known| known.id == id)
    }

    fn conclude(&mut self, round: RoundId, status: &'static str, date_met: Option<Instant>) -> Option<Tag> {
        let known = self.milestone(round)?;
        (known.status, known.date_met) = (status, date_met);
        Some(Tag::TenderUpdate)
    }
}

fn received(opens_at: Instant, closes_at: Instant) -> String {
    format!("Applications received from {opens_at} until before {closes_at}")
}

/// An event as the domain wrote it.
fn read<E: DeserializeOwned>(event: &Entry) -> Outcome<E> {
    let mut data: serde_json::Value = serde_json::from_str(&event.data.0)?;
    let fields = data.as_object_mut().ok_or_else(|| Failure::Broken(format!("event {} has no fields", event.id.0)))?;
    fields.insert("type".to_owned(), event.kind.clone().into());
    Ok(serde_json::from_value(data)?)
}

/// A field that was changed, as JSON names it.
fn word(field: domain::arrangement::Modified) -> String {
    let named = serde_json::to_value(field).ok().and_then(|name| name.as_str().map(str::to_owned));
    named.unwrap_or_default().replace('_', " ")
}
