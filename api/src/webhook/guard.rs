//! Address guard: what a webhook may be sent to. Names are resolved once for each request, and the connection is made
//! to an address that was looked at: a name that changes between the two (DNS rebinding) gains nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use domain::kernel::Violation;
use domain::webhook::webhook::{ADDRESS_REFUSED, URL_UNUSABLE};
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Characters of an address at most.
const LONGEST: usize = 2_000;
/// How long a name is looked up when it is first given.
const LOOKUP: Duration = Duration::from_secs(5);

/// The address as it is given by a caller: absolute, `https` (or `http` where private receivers are allowed), without
/// credentials and fragment.
///
/// # Errors
/// What is wrong with it, at `/url`.
pub fn url(text: &str, private: bool) -> Result<Uri, Violation> {
    let unusable = |why: &str| Err(URL_UNUSABLE.broken_at("/url", why));
    if text.len() > LONGEST {
        return unusable("it is longer than 2000 characters");
    }
    if text.contains('#') {
        return unusable("it has a fragment");
    }
    let Ok(uri) = text.parse::<Uri>() else { return unusable("it is no address") };
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if private => {}
        _ => return unusable("it does not begin with https://"),
    }
    match uri.authority() {
        None => unusable("it has no host"),
        Some(authority) if authority.as_str().contains('@') => unusable("it has credentials"),
        Some(authority) if authority.host().is_empty() => unusable("it has no host"),
        Some(_) => Ok(uri),
    }
}

/// The networks that are no public receiver's (IANA's special-purpose registry), with the length of their prefix.
const SPECIAL_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::UNSPECIFIED, 8),           // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // carrier-grade translation
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, clouds' metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, broadcast
];

/// Of the public IPv6 space, `2000::/3`, what is special all the same. Outside of it lie loopback, link-local, unique
/// local and multicast addresses, and those that stand for an IPv4 address (`::ffff:0:0/96`, `64:ff9b::/96`).
const SPECIAL_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments: Teredo, benchmarks, ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// Whether an address is anybody's on the internet.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let within = |(network, prefix): &(Ipv4Addr, u32)| (ip.to_bits() ^ network.to_bits()) >> (32 - prefix) == 0;
            !SPECIAL_V4.iter().any(within)
        }
        IpAddr::V6(ip) => {
            let within =
                |(network, prefix): &(Ipv6Addr, u32)| (ip.to_bits() ^ network.to_bits()) >> (128 - prefix) == 0;
            ip.to_bits() >> 125 == 1 && !SPECIAL_V6.iter().any(within)
        }
    }
}

/// Every address of the host is refused.
#[derive(Debug, thiserror::Error)]
#[error("the host has no public address")]
pub struct Refused;

/// A resolver whose answers are only addresses that may be sent to.
#[derive(Debug)]
pub struct Guarded<R> {
    /// Who really looks names up.
    pub inner: R,
    /// Whether private addresses are allowed.
    pub private: bool,
}

impl<R: Resolver> Resolver for Guarded<R> {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout).map_err(|error| match error {
            ureq::Error::Io(_) => ureq::Error::HostNotFound,
            other => other,
        })?;
        let mut allowed = self.empty();
        for address in found.iter().filter(|address| self.private || is_public(address.ip())) {
            allowed.push(*address);
        }
        if allowed.is_empty() { Err(ureq::Error::Io(std::io::Error::other(Refused))) } else { Ok(allowed) }
    }
}

impl<R: Resolver> Guarded<R> {
    /// Refuses a host all of whose addresses are refused. A name that cannot be resolved now may be later.
    ///
    /// # Errors
    /// The violation, at `/url`.
    pub fn check(&self, uri: &Uri) -> Result<(), Violation> {
        let timeout = NextTimeout { after: LOOKUP.into(), ..NextTimeout::default() };
        match self.resolve(uri, &Config::default(), timeout) {
            Err(error) if is_refused(&error) => Err(ADDRESS_REFUSED.broken_at("/url", Refused.to_string())),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// Whether a request failed because of [`Refused`].
#[must_use]
pub fn is_refused(error: &ureq::Error) -> bool {
    let ureq::Error::Io(inner) = error else { return false };
    inner.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Refused>)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        let special = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:93.184.216.34",
            "64:ff9b::7f00:1",
            "64:ff9b::5db8:d822",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:5db8:d822::1",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for ip in special {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        let public = [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.1",
            "93.184.216.34",
            "100.63.255.255",
            "100.128.0.1",
            "126.0.0.1",
            "128.0.0.1",
            "169.253.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.167.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2000::1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2606:2800:220:1:248:1893:25c8:1946",
            "3ffe::1",
        ];
        for ip in public {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn an_address_is_absolute_and_has_no_secret_of_its_own() {
        for (text, private) in
            [("https://example.org", false), ("https://example.org:8443/a?b=c", false), ("http://a/", true)]
        {
            assert!(url(text, private).is_ok(), "{text}");
        }
        let long = format!("https://example.org/{}", "a".repeat(LONGEST));
        for text in [
            "",
            "example.org",
            "/a",
            "http://example.org",
            "ftp://example.org",
            "https://",
            "https://u:p@example.org/",
            "https://example.org/#a",
            "https://exa mple.org",
            "javascript:alert(1)",
            "file:///etc/passwd",
            &long,
        ] {
            assert_eq!(url(text, false).map_err(|v| v.rule.code), Err(URL_UNUSABLE.code), "{text}");
        }
    }
}
