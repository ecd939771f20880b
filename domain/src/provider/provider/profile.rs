//! What a provider says of itself, and what portals call it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{CONTACT_MALFORMED, LEGAL_NAME_REQUIRED, REGULATOR_ID_MALFORMED};
use crate::kernel::Violations;
use crate::kernel::text::{tidied, tidy};
use crate::provider::identifier::{
    COMPANY_FORMS, REGULATOR_FORMS, company_number, is_company_number, is_regulator_number, regulator_number,
};

/// What a provider says of itself; registration and amendment send all of it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProviderProfile {
    /// The registered name.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub legal_name: String,
    /// Names it trades under.
    #[serde(default)]
    pub trading_names: Vec<String>,
    /// The regulator's number of the agency, such as `SC009423` or `2590934`; unique among providers.
    #[serde(default)]
    pub agency_urn: Option<String>,
    /// The number at Companies House, 8 characters; unique among providers.
    #[serde(default)]
    pub company_number: Option<String>,
    /// The organisation's e-mail address.
    #[serde(default)]
    #[validate(length(max = 320))]
    #[schema(max_length = 320)]
    pub email: Option<String>,
    /// The organisation's telephone number.
    #[serde(default)]
    #[validate(length(max = 100))]
    #[schema(max_length = 100)]
    pub phone: Option<String>,
    /// Whether it says that it is an authority's own service (MSC-01): stated. What an officer confirms is in `inHouse` of the
    /// provider.
    #[serde(default)]
    pub in_house: bool,
}

impl ProviderProfile {
    /// Trimmed and in capitals where numbers are; what is wrong goes into `broken`.
    pub(super) fn checked(self, broken: &mut Violations) -> Self {
        let number = |text: Option<String>, read: fn(&str) -> String| {
            text.filter(|text| !tidy(text).is_empty()).map(|n| read(&n))
        };
        let profile = Self {
            legal_name: tidy(&self.legal_name),
            trading_names: self.trading_names.into_iter().filter_map(|n| tidied(Some(n))).collect(),
            agency_urn: number(self.agency_urn, regulator_number),
            company_number: number(self.company_number, company_number),
            email: tidied(self.email),
            phone: tidied(self.phone),
            in_house: self.in_house,
        };
        let all = |text: &Option<String>, ok: fn(&str) -> bool| text.as_deref().is_none_or(ok);
        let detail = "a legal name is required";
        broken.require(!profile.legal_name.is_empty(), &LEGAL_NAME_REQUIRED, "/legalName", detail);
        let agency = all(&profile.agency_urn, is_regulator_number);
        broken.require(agency, &REGULATOR_ID_MALFORMED, "/agencyUrn", REGULATOR_FORMS);
        let company = all(&profile.company_number, is_company_number);
        broken.require(company, &REGULATOR_ID_MALFORMED, "/companyNumber", COMPANY_FORMS);
        broken.require(all(&profile.email, is_email), &CONTACT_MALFORMED, "/email", "such as office@example.org");
        broken.require(all(&profile.phone, is_phone), &CONTACT_MALFORMED, "/phone", "such as +44 1223 000000");
        profile
    }
}

fn is_email(text: &str) -> bool {
    !text.contains(char::is_whitespace)
        && text.rsplit_once('@').is_some_and(|(local, host)| !local.is_empty() && host.contains('.'))
}

fn is_phone(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_digit).count() >= 7
        && text.chars().all(|c| c.is_ascii_digit() || "+() -".contains(c))
}

/// What a portal calls the provider; the pair is unique among providers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalRef {
    /// The portal, such as `procontract`.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub portal: String,
    /// Its reference.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub reference: String,
}

impl ExternalRef {
    /// As it is kept: composed, with single blanks.
    #[must_use]
    pub fn trimmed(self) -> Self {
        Self { portal: tidy(&self.portal), reference: tidy(&self.reference) }
    }
}
