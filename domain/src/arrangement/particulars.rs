//! Particulars of an arrangement: texts, documents, categories, contact and planned dates.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{InterestWindow, require_text};
use crate::kernel::text::tidy;
use crate::kernel::{AuthorityCode, Instant, Pence, Violations};
use crate::provider::boundary::is_same_authority;

crate::rules! {
    CPV_MALFORMED = "cpv_malformed", Input, "PRO-05", "A CPV code is eight digits, with or without `-` and a check digit.";
    DOCUMENT_MALFORMED = "document_malformed", Input, "DPS-07",
        "A document is referred to by an http, https or urn address, and its SHA-256 is 64 lower-case hex digits.";
    WINDOW_BACKWARDS = "window_backwards", Input, "PRO-07", "A window ends after it begins.";
    VALUE_NEGATIVE = "value_negative", Input, "PRO-06", "An estimated value is absent or not below zero.";
}

/// A contracting authority that takes part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Participant {
    /// Its short code.
    pub code: AuthorityCode,
    /// Its name.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub name: String,
}

impl Participant {
    /// As it is kept: its name composed, with single blanks.
    #[must_use]
    pub fn tidied(self) -> Self {
        Self { name: tidy(&self.name), ..self }
    }

    /// Whether both are one authority: by the code, or by the name as people write it.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.code == other.code || is_same_authority(&self.name, &other.name)
    }
}

/// A published document; its bytes are kept elsewhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DocumentRef {
    /// What it is.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub title: String,
    /// Where it is read: `http:`, `https:` or `urn:`.
    #[validate(length(max = 2048))]
    #[schema(max_length = 2048)]
    pub uri: String,
    /// SHA-256 of its bytes, 64 lower-case hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// The terms and conditions that an applicant accepts before it submits (PRO-29).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Terms {
    /// The text.
    #[validate(nested)]
    pub document: DocumentRef,
    /// The version that an acceptance names, such as `2019-01`.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub version: String,
}

/// Who answers questions about the arrangement (PRO-09).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contact {
    /// Person or team.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub name: String,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(max = 320))]
    #[schema(max_length = 320)]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(max = 100))]
    #[schema(max_length = 100)]
    pub telephone: Option<String>,
    /// Postal address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(max = 1000))]
    #[schema(max_length = 1000)]
    pub address: Option<String>,
}

/// What a portal calls the arrangement (DPS-24).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalReference {
    /// Which system, such as `procontract`.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub system: String,
    /// Its reference, such as `DN119642`.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub reference: String,
}

/// The content of an arrangement that its lead writes while it is a draft.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Particulars {
    /// The lead's own reference, unique to it.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub reference: String,
    /// Title.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub title: String,
    /// What is purchased, and in what estimated quantity (PCR34-14).
    #[serde(default)]
    pub description: String,
    /// CPV codes, `NNNNNNNN` or `NNNNNNNN-N`, several (PRO-05).
    #[serde(default)]
    pub cpv: Vec<String>,
    /// Over the whole term; absent is not zero (PRO-06).
    #[serde(default)]
    pub estimated_value: Option<Pence>,
    /// The minimum service specification; publication needs it (DPS-07).
    #[serde(default)]
    #[validate(nested)]
    pub specification: Option<DocumentRef>,
    /// Other documents.
    #[serde(default)]
    #[validate(nested)]
    pub documents: Vec<DocumentRef>,
    /// Terms and conditions to accept (PRO-29).
    #[serde(default)]
    #[validate(nested)]
    pub terms: Option<Terms>,
    /// Who answers questions.
    #[serde(default)]
    #[validate(nested)]
    pub contact: Option<Contact>,
    /// When interest may be registered; at any time, where absent (PRO-07).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interest_window: Option<InterestWindow>,
    /// When it is planned to go live; the moment of publication, where absent (DPS-18).
    #[serde(default)]
    pub live_at: Option<Instant>,
    /// First day of the term; publication needs it (DPS-17).
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub contract_start: Option<NaiveDate>,
}

impl DocumentRef {
    /// Collects what is wrong with it, under the JSON pointer `at`.
    pub fn check(&self, broken: &mut Violations, at: &str) {
        require_text(broken, &self.title, &format!("{at}/title"));
        // An address is shown as a link: nothing that a browser would run.
        let linkable = ["https://", "http://", "urn:"].iter().any(|scheme| self.uri.starts_with(scheme));
        broken.require(linkable, &DOCUMENT_MALFORMED, &format!("{at}/uri"), "begin with https://, http:// or urn:");
        let hex = |digest: &String| {
            digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
        };
        let digest = self.sha256.as_ref().is_none_or(hex);
        broken.require(digest, &DOCUMENT_MALFORMED, &format!("{at}/sha256"), "write 64 lower-case hex digits");
    }
}

impl Terms {
    /// Collects what is wrong with them, under the JSON pointer `at`.
    pub fn check(&self, broken: &mut Violations, at: &str) {
        self.document.check(broken, &format!("{at}/document"));
        require_text(broken, &self.version, &format!("{at}/version"));
    }
}

impl Particulars {
    /// Collects what is wrong with them; pointers are relative to the particulars.
    pub fn check(&self, broken: &mut Violations) {
        require_text(broken, &self.reference, "/reference");
        require_text(broken, &self.title, "/title");
        for (i, code) in self.cpv.iter().enumerate() {
            broken.require(is_cpv(code), &CPV_MALFORMED, &format!("/cpv/{i}"), format!("`{code}` is no CPV code"));
        }
        check_value(broken, self.estimated_value, "/estimatedValue");
        if let Some(specification) = &self.specification {
            specification.check(broken, "/specification");
        }
        check_documents(broken, &self.documents);
        if let Some(terms) = &self.terms {
            terms.check(broken, "/terms");
        }
        if let Some(window) = self.interest_window {
            let detail = format!("it would end at {}", window.to);
            broken.require(window.from < window.to, &WINDOW_BACKWARDS, "/interestWindow/to", detail);
        }
        if let Some(contact) = &self.contact {
            require_text(broken, &contact.name, "/contact/name");
        }
    }
}

pub(super) fn check_documents(broken: &mut Violations, documents: &[DocumentRef]) {
    for (i, document) in documents.iter().enumerate() {
        document.check(broken, &format!("/documents/{i}"));
    }
}

pub(super) fn check_value(broken: &mut Violations, value: Option<Pence>, field: &str) {
    broken.require(value.is_none_or(|v| v >= Pence(0)), &VALUE_NEGATIVE, field, "leave it out where it is not known");
}

fn is_cpv(code: &str) -> bool {
    let (digits, check) = code.split_once('-').map_or((code, None), |(digits, check)| (digits, Some(check)));
    let all_digits = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    all_digits(digits, 8) && check.is_none_or(|c| all_digits(c, 1))
}
