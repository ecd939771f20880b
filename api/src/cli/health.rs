//! `dps health`: asks a server of this machine whether it can do its work. For containers, which have no other client.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::exit::{Ended, Exit, Run};
use crate::config::Config;

/// How long the server may take.
const WAIT: Duration = Duration::from_secs(3);

/// Asks `/ready` where the configuration says that the server listens.
pub(super) fn run(config: &Config) -> Run {
    let address = format!("http://{}/ready", here(config.listen));
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(WAIT)).proxy(None).build().into();
    match agent.get(&address).call() {
        Ok(_) => Ok(()),
        Err(error) => Err(Ended::new(Exit::Unreachable, format!("{address}: {error}"))),
    }
}

/// A server that listens everywhere listens on this machine.
fn here(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everywhere_is_here_too() {
        let at = |listen: &str| here(listen.parse().unwrap()).to_string();
        assert_eq!([at("0.0.0.0:80"), at("[::]:81"), at("10.0.0.7:82")], ["127.0.0.1:80", "[::1]:81", "10.0.0.7:82"]);
    }
}
