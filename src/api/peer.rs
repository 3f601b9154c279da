//! Whose request it is: the one place that tells the peer of a request or connection.
//!
//! Headers are believed only from the proxies that the settings name. A peer is counted by its
//! network, as one customer gets it: IPv6 by /64, IPv4 by address, also when written in IPv6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// Who is counted as one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    network: IpAddr,
    is_proxy: bool,
}

impl Peer {
    /// A client at this address.
    pub fn client(address: IpAddr) -> Self {
        let network = match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let host_bits = u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !host_bits))
            }
        };
        Self {
            network,
            is_proxy: false,
        }
    }

    /// A proxy of the settings itself.
    fn proxy(address: IpAddr) -> Self {
        Self {
            network: address.to_canonical(),
            is_proxy: true,
        }
    }

    /// Its network by the first address of it. `None` for a proxy, which stands for many clients.
    pub fn network_of_client(self) -> Option<IpAddr> {
        (!self.is_proxy).then_some(self.network)
    }

    /// Whether it stands for many clients, so that no share of one client is counted.
    pub fn is_proxy(self) -> bool {
        self.is_proxy
    }
}

impl Default for Peer {
    /// Nobody in particular: where no connection says more.
    fn default() -> Self {
        Self::client(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }
}

/// The proxies that are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
}

impl TrustedProxies {
    /// The proxies of these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self { networks }
    }

    fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let mut networks = self.networks.iter();
        networks.any(|network| network.contains(&address))
    }

    /// The peer of a connection.
    pub fn peer_of_connection(&self, address: IpAddr) -> Peer {
        if self.contain(address) {
            Peer::proxy(address)
        } else {
            Peer::client(address)
        }
    }

    /// The peer of a request: the rightmost address on its way that is no proxy of ours.
    pub fn peer_of_request(&self, connection: IpAddr, headers: &HeaderMap) -> Peer {
        if !self.contain(connection) {
            return Peer::client(connection);
        }
        let listed = joined(headers, "x-forwarded-for");
        let standard = joined(headers, "forwarded");
        let by_list = listed.map(|text| self.rightmost(connection, text.split(',').map(in_list)));
        let by_standard =
            standard.map(|text| self.rightmost(connection, text.split(',').map(in_standard)));
        match (by_list, by_standard) {
            (None, None) => Peer::proxy(connection),
            (Some(peer), None) | (None, Some(peer)) => peer,
            (Some(listed), Some(standard)) if listed == standard => listed,
            // One of them was made up by the client and passed on: whoever does so is one client.
            (Some(_), Some(_)) => Peer::client(connection),
        }
    }

    fn rightmost(
        &self,
        connection: IpAddr,
        hops: impl DoubleEndedIterator<Item = Option<IpAddr>>,
    ) -> Peer {
        let mut last = connection;
        for hop in hops.rev() {
            match hop {
                Some(address) if self.contain(address) => last = address,
                Some(address) => return Peer::client(address),
                // Whatever it hides is one client.
                None => return Peer::client(last),
            }
        }
        Peer::proxy(last)
    }
}

/// A header may come several times; its values are one list.
fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<&str> = headers
        .get_all(name)
        .iter()
        // What is no text is no address either.
        .map(|value| value.to_str().unwrap_or("?"))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// An entry of `X-Forwarded-For`, which some write with a port.
fn in_list(entry: &str) -> Option<IpAddr> {
    address(entry.trim())
}

/// An entry of `Forwarded`: `for=192.0.2.60;proto=https`, `For="[2001:db8::1]:4711"`.
fn in_standard(entry: &str) -> Option<IpAddr> {
    let mut pairs = entry.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(value.trim().trim_matches('"'))
}

fn address(text: &str) -> Option<IpAddr> {
    if let Some(rest) = text.strip_prefix('[') {
        let (inside, _) = rest.split_once(']')?;
        return inside.parse().ok();
    }
    text.parse().ok().or_else(|| {
        let (host, _) = text.split_once(':')?;
        host.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn proxies() -> TrustedProxies {
        TrustedProxies::new(
            ["10.0.0.0/8", "fd00::/8"]
                .map(|text| text.parse().unwrap())
                .to_vec(),
        )
    }

    fn peer(connection: &str, headers: &[(&'static str, &str)]) -> Peer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).unwrap();
            map.append(HeaderName::from_static(name), value);
        }
        proxies().peer_of_request(ip(connection), &map)
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_of_ours_is_the_peer() {
        const LIST: &str = "x-forwarded-for";
        const STANDARD: &str = "forwarded";
        let cases: [(&[(&'static str, &str)], &str); 11] = [
            (&[(LIST, "192.0.2.1")], "192.0.2.1"),
            (&[(LIST, "198.51.100.9, 192.0.2.1")], "192.0.2.1"),
            (&[(LIST, "192.0.2.1, 10.1.2.3")], "192.0.2.1"),
            (&[(LIST, "192.0.2.9"), (LIST, "192.0.2.1")], "192.0.2.1"),
            (&[(LIST, "192.0.2.1:4711")], "192.0.2.1"),
            (&[(LIST, "::ffff:192.0.2.1")], "192.0.2.1"),
            (&[(LIST, "[2001:db8::7]:80")], "2001:db8::"),
            (&[(STANDARD, "for=192.0.2.1;proto=https")], "192.0.2.1"),
            (&[(STANDARD, "For=\"[2001:db8::1]:4711\"")], "2001:db8::"),
            // Made up, or not to be understood: one client.
            (&[(LIST, "192.0.2.1, unknown")], "10.0.0.1"),
            (
                &[(LIST, "192.0.2.1"), (STANDARD, "for=192.0.2.9")],
                "10.0.0.1",
            ),
        ];
        for (headers, expected) in cases {
            let peer = peer("10.0.0.1", headers);
            assert_eq!(peer, Peer::client(ip(expected)), "{headers:?}");
        }
    }

    #[test]
    fn headers_are_believed_from_no_other_address_and_a_proxy_itself_is_no_client() {
        let told = [("x-forwarded-for", "192.0.2.1")];
        assert_eq!(peer("192.0.2.7", &told), Peer::client(ip("192.0.2.7")));
        assert!(peer("10.0.0.1", &[]).is_proxy());
        assert!(peer("::ffff:10.0.0.1", &[]).is_proxy());
        assert!(peer("fd00::1", &[("x-forwarded-for", "10.0.0.2")]).is_proxy());
        let nobody = TrustedProxies::default();
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.1"));
        let peer = nobody.peer_of_request(ip("10.0.0.1"), &headers);
        assert_eq!(peer, Peer::client(ip("10.0.0.1")));
    }

    #[test]
    fn one_customer_is_one_peer_whichever_address_of_its_network_it_uses() {
        let same = [
            ("2001:db8::1", "2001:db8::ffff:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
        ];
        for (one, other, expected) in same {
            let is_same = Peer::client(ip(one)) == Peer::client(ip(other));
            assert_eq!(is_same, expected, "{one} {other}");
        }
    }
}
