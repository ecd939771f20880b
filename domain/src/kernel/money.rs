//! Money is integer pence and percentages are basis points (PRC-08).

/// An amount in whole pence. Negative amounts are representable; rules say where they are refused.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Default,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct Pence(pub i64);

/// Hundredths of one per cent: 2.5 % is 250.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Debug,
    Default,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct BasisPoints(pub i32);

impl std::fmt::Display for Pence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let pence = self.0.unsigned_abs();
        write!(f, "{sign}£{}.{:02}", pence / 100, pence % 100)
    }
}

/// Why a text is no amount.
pub const AMOUNT_UNIT: &str = "an amount is in whole pence (385000), or says its unit: £3850.00, 385000p";

impl Pence {
    /// An amount as people write it: whole pence without a sign, or with its unit, which is pounds (`£3,850.00`, `3850 GBP`) or pence
    /// (`385000p`). A number with a point is neither whole pence nor says that it is pounds.
    ///
    /// # Errors
    /// Why it is none, in words.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let (sign, rest) = match text.strip_prefix(['-', '−']) {
            Some(rest) => (-1, rest.trim_start()),
            None => (1, text),
        };
        let upper = rest.to_uppercase();
        let named = || upper.strip_prefix("GBP").or_else(|| upper.strip_suffix("GBP"));
        let pounds = rest.strip_prefix('£').or_else(named);
        let amount = match pounds {
            Some(pounds) => hundredths(pounds.trim()),
            None => whole(rest.strip_suffix(['p', 'P']).map_or(rest, str::trim_end)),
        };
        amount.and_then(|amount| amount.checked_mul(sign)).map(Self).ok_or(AMOUNT_UNIT)
    }
}

fn whole(text: &str) -> Option<i64> {
    Some(text).filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
}

/// Pounds with at most two digits behind the point, thousands apart by commas or not, in pence.
fn hundredths(text: &str) -> Option<i64> {
    let (pounds, pence) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = pounds.split(',');
    let first = groups.next().filter(|first| pounds.len() == first.len() || (1..=3).contains(&first.len()))?;
    let groups: Vec<&str> = groups.collect();
    if groups.iter().any(|group| group.len() != 3) || pence.len() > 2 || text.ends_with('.') {
        return None;
    }
    let pounds = whole(&[&[first], groups.as_slice()].concat().concat())?;
    let pence = if pence.is_empty() { 0 } else { whole(&format!("{pence:0<2}"))? };
    pounds.checked_mul(100)?.checked_add(pence)
}

#[cfg(test)]
mod tests {
    use super::Pence;

    #[test]
    fn an_amount_is_read_by_its_unit() {
        for (text, pence) in [
            ("385000", 385_000),
            (" 0 ", 0),
            ("£3850", 385_000),
            ("£3,850.00", 385_000),
            ("£ 1,234,567.8", 123_456_780),
            ("£3850.5", 385_050),
            ("3850 GBP", 385_000),
            ("GBP 3,850.05", 385_005),
            ("385000p", 385_000),
            ("50 p", 50),
            ("-£0.50", -50),
            ("-7", -7),
        ] {
            assert_eq!(Pence::read(text), Ok(Pence(pence)), "{text}");
        }
        for text in [
            "3850.00",
            "3,850",
            "£38,50",
            "£3850.123",
            "£",
            "p",
            "",
            "€3850",
            "25%",
            "£1.",
            "£1e3",
            "three",
            "£3 850",
            "1 000",
            "£92233720368547759",
            "£-5",
            "--5",
            "USD 5",
        ] {
            assert!(Pence::read(text).is_err(), "{text}");
        }
    }
}
