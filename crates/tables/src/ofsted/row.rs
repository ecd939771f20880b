//! One row of the list: its cells turned into an [`Entry`], or refused with the column named.

use super::headings::{Column, Headings, fold};
use super::{Entry, Fault, Inspection, Owner, ProvisionType, Rating, Sector};
use crate::{Row, shorten, tidy};
use chrono::{Datelike, NaiveDate};
use std::collections::{BTreeSet, HashMap};

/// A longer reference number is something else.
const LONGEST_URN: usize = 20;

/// The warnings given once for a text, not once for a row.
#[derive(Default, Debug)]
pub(super) struct Reported(BTreeSet<(&'static str, String)>);

/// Reads the cells of one row and collects what is wrong with them.
pub(super) struct Reader<'a> {
    row: &'a Row,
    headings: &'a Headings,
    warnings: &'a mut Vec<Fault>,
    errors: &'a mut Vec<Fault>,
    reported: &'a mut Reported,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        row: &'a Row,
        headings: &'a Headings,
        warnings: &'a mut Vec<Fault>,
        errors: &'a mut Vec<Fault>,
        reported: &'a mut Reported,
    ) -> Self {
        Self { row, headings, warnings, errors, reported }
    }

    /// The row's entry; none when it lacks what every row has. Other errors leave a field empty.
    pub(super) fn entry(&mut self) -> Option<Entry> {
        let urn = self.urn();
        let provision_text = self.text(Column::ProvisionType).unwrap_or_default();
        let provision_type = provision_type(&provision_text);
        if provision_type == ProvisionType::Other {
            self.warn_once(Column::ProvisionType, "unknown_provision_type", "a kind of provision not known here");
        }
        let sector_text = self.text(Column::Sector);
        let sector = sector_text.as_deref().map(sector);
        if sector == Some(Sector::Other) {
            self.warn_once(Column::Sector, "unknown_sector", "a sector not known here");
        }
        let (name, name_redacted) = self.open(Column::Name);
        let (postcode, postcode_redacted) = self.open(Column::Postcode);
        let owner = self.open(Column::Owner).0;
        let owner_urn = self.open(Column::OwnerUrn).0;
        let latest = self.inspection(Column::InspectionDate, Column::PublicationDate, Column::Overall);
        let previous =
            self.inspection(Column::PreviousInspectionDate, Column::PreviousPublicationDate, Column::PreviousOverall);
        Some(Entry {
            row: self.row.number,
            urn: urn?,
            linked_education_urn: self.text(Column::LinkedEducationUrn),
            provision_type,
            provision_text,
            registration_status: self.text(Column::RegistrationStatus),
            registration_date: self.registration_date(),
            sector,
            sector_text,
            owner: owner.map(|name| Owner { key: owner_key(&name), name, urn: owner_urn }),
            name,
            postcode: postcode.map(|p| p.to_uppercase()),
            redacted: name_redacted || postcode_redacted,
            local_authority: self.text(Column::LocalAuthority),
            region: self.text(Column::GovernmentRegion).or_else(|| self.text(Column::OfstedRegion)),
            places: self.places(),
            short_breaks_only: self.flag(Column::ShortBreaksOnly),
            multi_building: self.flag(Column::MultiBuilding),
            latest,
            previous,
            event_type: self.text(Column::EventType),
            event_number: self.text(Column::EventNumber),
            supported_accommodation_outcome: self.text(Column::SupportedAccommodation),
        })
    }

    /// Refuses a reference number an earlier row has; `REDACTED` is never a duplicate.
    pub(super) fn unique(&mut self, urn: &str, first_with: &mut HashMap<String, u64>) {
        if is_redacted(urn) {
            return self.warn_once(Column::Urn, "redacted_urn", "a redacted reference number tells no rows apart");
        }
        if let Some(first) = first_with.insert(urn.to_uppercase(), self.row.number) {
            self.error(Column::Urn, "duplicate_urn", format!("row {first} has this reference number already"));
            first_with.insert(urn.to_uppercase(), first);
        }
    }

    /// A cell's text; none when the column is not there, or the cell is blank, which means "not applicable".
    fn text(&self, column: Column) -> Option<String> {
        let (at, _) = self.headings.get(column)?;
        let text = tidy(self.row.cells.get(at)?);
        (!text.is_empty() && !text.eq_ignore_ascii_case("null")).then_some(text)
    }

    /// A cell's text, and whether it is redacted (then there is no text).
    fn open(&self, column: Column) -> (Option<String>, bool) {
        let text = self.text(column);
        let redacted = text.as_deref().is_some_and(is_redacted);
        (text.filter(|_| !redacted), redacted)
    }

    fn urn(&mut self) -> Option<String> {
        let Some(urn) = self.text(Column::Urn) else {
            self.error(Column::Urn, "missing_value", "every row must have this".to_owned());
            return None;
        };
        if urn.len() <= LONGEST_URN && urn.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Some(urn);
        }
        let message = format!("a reference number is at most {LONGEST_URN} letters and digits");
        self.error(Column::Urn, "bad_urn", message);
        None
    }

    fn date(&mut self, column: Column) -> Option<NaiveDate> {
        let text = self.text(column)?;
        let date = parse_date(&text);
        if date.is_none() {
            self.error(column, "bad_date", "not a date written DD/MM/YYYY, of the years 1900 to 2100".to_owned());
        }
        date
    }

    fn registration_date(&mut self) -> Option<NaiveDate> {
        let date = parse_date(&self.text(Column::RegistrationDate)?);
        if date.is_none() {
            self.warn_once(Column::RegistrationDate, "unknown_registration_date", "not a date: taken as not said");
        }
        date
    }

    fn places(&mut self) -> Option<u16> {
        let text = self.text(Column::Places)?;
        let digits = text.chars().all(|c| c.is_ascii_digit());
        let places = text.parse().ok().filter(|_| digits);
        if places.is_none() {
            self.warn_once(Column::Places, "unknown_places", "not a whole number of places: taken as not said");
        }
        places
    }

    fn inspection(&mut self, date: Column, published: Column, overall: Column) -> Inspection {
        let rating_text = self.text(overall);
        let judgement = rating_text.as_deref().map(judgement);
        let rating = match judgement {
            Some(Judgement::Rated(rating)) => Some(rating),
            Some(Judgement::None) | None => None,
            Some(Judgement::Superseded) => {
                let message = "a judgement of a scale no longer used: kept as text, without a rating";
                self.warn(overall, "superseded_rating", message);
                None
            }
            Some(Judgement::Unknown) => {
                let known = "Outstanding, Good, Requires improvement to be good, Inadequate, or blank for none yet";
                self.error(overall, "unknown_rating", format!("not a rating; the ratings are {known}"));
                None
            }
        };
        let (date, published_on) = (self.date(date), self.date(published));
        if let (Some(date), Some(published_on)) = (date, published_on)
            && published_on < date
        {
            let message = format!("the report was published before the inspection of {}", date.format("%d/%m/%Y"));
            self.error(published, "dates_reversed", message);
        }
        Inspection { date, published: published_on, rating, rating_text }
    }

    fn flag(&mut self, column: Column) -> Option<bool> {
        let text = self.text(column)?;
        match fold(&text).as_str() {
            "y" | "yes" | "true" | "short breaks only" | "short break only" | "short break only childrens home" => {
                Some(true)
            }
            "n" | "no" | "false" | "long term care only" | "short breaks and long term care" => Some(false),
            _ => {
                self.warn_once(column, "unknown_flag", "neither a yes nor a no: taken as not said");
                None
            }
        }
    }

    fn error(&mut self, column: Column, code: &'static str, message: String) {
        let error = self.finding(column, code, message);
        self.errors.push(error);
    }

    fn warn(&mut self, column: Column, code: &'static str, message: &str) {
        let warning = self.finding(column, code, message.to_owned());
        self.warnings.push(warning);
    }

    fn warn_once(&mut self, column: Column, code: &'static str, message: &str) {
        let warning = self.finding(column, code, format!("{message} (said once for all rows)"));
        if self.reported.0.insert((code, warning.value.clone())) {
            self.warnings.push(warning);
        }
    }

    fn finding(&self, column: Column, code: &'static str, message: String) -> Fault {
        let (at, printed) = self.headings.get(column).unwrap_or((usize::MAX, ""));
        let value = self.row.cells.get(at).map(|cell| shorten(cell)).unwrap_or_default();
        Fault { row: self.row.number, column: printed.to_owned(), value, code, message }
    }
}

fn is_redacted(text: &str) -> bool {
    text.eq_ignore_ascii_case("redacted")
}

/// `DD/MM/YYYY`, or `YYYY-MM-DD` as a spreadsheet may have saved it.
fn parse_date(text: &str) -> Option<NaiveDate> {
    let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'/' || b == b'-');
    let date =
        NaiveDate::parse_from_str(text, "%d/%m/%Y").or_else(|_| NaiveDate::parse_from_str(text, "%Y-%m-%d")).ok()?;
    (plain && (1900..=2100).contains(&date.year())).then_some(date)
}

/// What a judgement as printed is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Judgement {
    /// One on the scale of today.
    Rated(Rating),
    /// None was made.
    None,
    /// One on a scale of before, which has no equal in that of today.
    Superseded,
    /// A word that is not known here.
    Unknown,
}

/// A judgement as printed: of the scale of today; `Adequate` and `Satisfactory` are of the scales before it.
#[must_use]
pub fn judgement(text: &str) -> Judgement {
    match fold(text).as_str() {
        "outstanding" => Judgement::Rated(Rating::Outstanding),
        "good" => Judgement::Rated(Rating::Good),
        "requires improvement" | "requires improvement to be good" => Judgement::Rated(Rating::RequiresImprovement),
        "inadequate" => Judgement::Rated(Rating::Inadequate),
        "not judged" | "not yet inspected" | "not applicable" | "n a" => Judgement::None,
        "adequate" | "satisfactory" => Judgement::Superseded,
        _ => Judgement::Unknown,
    }
}

/// A kind of provision as printed.
#[must_use]
pub fn provision_type(text: &str) -> ProvisionType {
    let folded = fold(text);
    match folded.as_str() {
        "childrens home" => ProvisionType::ChildrensHome,
        "secure childrens home" => ProvisionType::SecureChildrensHome,
        "residential special school" => ProvisionType::ResidentialSpecialSchool,
        "independent fostering agency" => ProvisionType::FosteringAgency,
        "residential family centre" => ProvisionType::FamilyCentre,
        "supported accommodation" => ProvisionType::SupportedAccommodation,
        "boarding school" => ProvisionType::BoardingSchool,
        "further education college with residential accommodation" => ProvisionType::FurtherEducationCollege,
        "voluntary adoption agency" => ProvisionType::VoluntaryAdoptionAgency,
        "adoption support agency" => ProvisionType::AdoptionSupportAgency,
        "residential holiday scheme for disabled children" => ProvisionType::HolidayScheme,
        "secure training centre" => ProvisionType::SecureTrainingCentre,
        // "(registered as a children's home)", "(>295 days/year)": open so long that it is a home as well.
        _ if folded.starts_with("residential special school ") => ProvisionType::SpecialSchoolChildrensHome,
        _ => ProvisionType::Other,
    }
}

fn sector(text: &str) -> Sector {
    match fold(text).as_str() {
        "local authority" => Sector::LocalAuthority,
        "private" => Sector::Private,
        "voluntary" => Sector::Voluntary,
        "academy" => Sector::Academy,
        "health authority" => Sector::HealthAuthority,
        _ => Sector::Other,
    }
}

/// An owner's name so folded that its spellings come out alike: without case, accents of Western Europe, apostrophes,
/// punctuation and spaces, `Ltd` as `limited`, `&` and `+` as `and`.
///
/// A name with `Limited` and one without stay apart: they may be two bodies.
#[must_use]
pub fn owner_key(name: &str) -> String {
    let mut spaced = String::with_capacity(name.len());
    for c in name.chars().flat_map(char::to_lowercase) {
        match c {
            '&' | '+' => spaced.push_str(" and "),
            '\'' | '’' | '‘' | '`' | '.' => {}
            'à'..='å' => spaced.push('a'),
            'ç' => spaced.push('c'),
            'è'..='ë' => spaced.push('e'),
            'ì'..='ï' => spaced.push('i'),
            'ñ' => spaced.push('n'),
            'ò'..='ö' => spaced.push('o'),
            'ù'..='ü' => spaced.push('u'),
            _ if c.is_alphanumeric() => spaced.push(c),
            _ => spaced.push(' '),
        }
    }
    spaced.split_whitespace().map(|word| if word == "ltd" { "limited" } else { word }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_owner_have_one_key() {
        let key = owner_key("Fen & Willow Children's Homes Ltd");
        for spelling in [
            "Fen and Willow Childrens Homes Limited",
            "FEN AND WILLOW CHILDREN’S HOMES LTD.",
            "  Fen & Willow  Children's Homes (Ltd)",
            "Fen+Willow Children's Homes, L.T.D.",
            "Fen-and-Willow Children\u{a0}s Homes Ltd",
        ] {
            assert_eq!(owner_key(spelling), key, "{spelling}");
        }
        assert_eq!(key, "fenandwillowchildrenshomeslimited");
        assert_eq!(owner_key("Renée Care"), owner_key("RENEE CARE"));
    }

    #[test]
    fn different_owners_keep_different_keys() {
        assert_ne!(owner_key("Fen Homes Ltd"), owner_key("Fen Homes"));
        assert_ne!(owner_key("Fen Homes Ltd"), owner_key("Fen Homes LLP"));
        assert_ne!(owner_key("Fen Homes (North) Ltd"), owner_key("Fen Homes (South) Ltd"));
        assert_eq!(owner_key(" .-' "), "");
    }

    #[test]
    fn a_date_is_day_month_year_and_real() {
        let date = NaiveDate::from_ymd_opt(2002, 2, 14);
        assert_eq!(parse_date("14/02/2002"), date);
        assert_eq!(parse_date("2002-02-14"), date);
        for bad in ["02/14/2002", "14/02/02", "30/02/2020", "14.02.2002", "14/2/2002", "37301", "14/02/0202", "soon"] {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }
}
