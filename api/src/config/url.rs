//! Passwords in database URLs: taken out before a URL is printed or handed to another program.

/// What stands in the place of a secret.
pub const HIDDEN: &str = "***";

/// Parameters of a PostgreSQL URL that are secrets.
const SECRETS: [&str; 2] = ["password", "sslpassword"];

/// The text with the password of a URL hidden; anything that is no URL as it is.
#[must_use]
pub fn shown(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (before, after) = user(rest);
    let before = before.map(|user| match user.split_once(':') {
        Some((name, _)) => format!("{name}:{HIDDEN}@"),
        None => format!("{user}@"),
    });
    let (address, parameters) = after.split_once('?').map_or((after, None), |(a, p)| (a, Some(p)));
    let parameters = parameters.map(|parameters| {
        let each = parameters.split('&').map(|parameter| match parameter.split_once('=') {
            Some((name, _)) if SECRETS.contains(&name) => format!("{name}={HIDDEN}"),
            _ => parameter.to_owned(),
        });
        format!("?{}", each.collect::<Vec<_>>().join("&"))
    });
    format!("{scheme}://{}{address}{}", before.unwrap_or_default(), parameters.unwrap_or_default())
}

/// A URL without its password, and the password.
#[must_use]
pub fn parted(url: &str) -> (String, Option<String>) {
    let Some((scheme, rest)) = url.split_once("://") else { return (url.to_owned(), None) };
    let (before, after) = user(rest);
    let (name, mut password) = match before.map(|user| user.split_once(':').unwrap_or((user, ""))) {
        None => (String::new(), None),
        Some((name, password)) => (format!("{name}@"), (!password.is_empty()).then(|| decoded(password))),
    };
    let (address, parameters) = after.split_once('?').unwrap_or((after, ""));
    let kept: Vec<&str> = parameters
        .split('&')
        .filter(|parameter| match parameter.split_once('=') {
            Some(("password", value)) => {
                password = Some(decoded(value));
                false
            }
            _ => !parameter.is_empty(),
        })
        .collect();
    let joint = if kept.is_empty() { "" } else { "?" };
    (format!("{scheme}://{name}{address}{joint}{}", kept.join("&")), password)
}

/// The user with its password, and what comes after it. A password that should have been encoded may have an `@` of
/// its own: all up to the last one is taken for it, so that no part of it is shown.
fn user(rest: &str) -> (Option<&str>, &str) {
    // An `@` among the parameters is none of the user's, unless the password itself has a `?`: then there is one more.
    let end = match rest.find('?') {
        Some(at) if rest.split_at(at).0.contains('@') => at,
        _ => rest.len(),
    };
    let (head, _) = rest.split_at(end);
    match head.rfind('@') {
        None => (None, rest),
        Some(at) => {
            let (user, after) = rest.split_at(at);
            (Some(user), after.trim_start_matches('@'))
        }
    }
}

/// Percent-decoded. What cannot be decoded stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        if let Some(byte) = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(b'%');
            rest = after;
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_never_shown() {
        for (url, expected) in [
            ("sqlite:data/dps.db", "sqlite:data/dps.db"),
            ("postgres://host/dps", "postgres://host/dps"),
            ("postgres://dps@host/dps", "postgres://dps@host/dps"),
            ("postgres://dps:s3cret@host/dps", "postgres://dps:***@host/dps"),
            ("postgres://dps:s3c@ret@host:5432/dps?a=b", "postgres://dps:***@host:5432/dps?a=b"),
            ("postgres://dps:s3c?ret@host/dps", "postgres://dps:***@host/dps"),
            ("postgres://dps:s3c/ret@host/dps", "postgres://dps:***@host/dps"),
            (
                "postgres://host/dps?user=x&password=s3cret&sslmode=require",
                "postgres://host/dps?user=x&password=***&sslmode=require",
            ),
            ("postgres://dps@host/dps?sslpassword=s3cret", "postgres://dps@host/dps?sslpassword=***"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }

    #[test]
    fn a_password_is_taken_out_and_decoded() {
        let of = |url| parted(url);
        assert_eq!(of("postgres://u:p%40ss@h/d"), ("postgres://u@h/d".to_owned(), Some("p@ss".to_owned())));
        assert_eq!(
            of("postgres://u@h/d?password=a%2fb&x=y"),
            ("postgres://u@h/d?x=y".to_owned(), Some("a/b".to_owned()))
        );
        assert_eq!(of("postgres://h/d"), ("postgres://h/d".to_owned(), None));
        assert_eq!(of("postgres://u:50%@h/d").1.as_deref(), Some("50%"));
    }
}
