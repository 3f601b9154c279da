//! Which addresses a webhook may reach: the public internet, and what an administrator opened.
//!
//! Whoever may write rules may choose a webhook's address, so without this the router would be a
//! way into its own network. Every address is checked in its plain form, after name resolution,
//! and the connection goes to the address that was checked.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses, as `10.1.0.0/16` or `fd00::/8`; a lone address is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

/// Why a text is no range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("network {0:?} is not an address with a prefix length; write for example 10.1.0.0/16")]
pub struct NetworkError(String);

/// An address that webhooks may not reach.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {kind}; if webhooks may reach it, add its range to allow_networks")]
pub struct Refused {
    pub address: IpAddr,
    pub kind: &'static str,
}

/// Permits public addresses and the ranges it was given.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allowed: Vec<Network>,
}

impl Guard {
    /// Permits these ranges beside the public ones.
    pub fn new(allowed: Vec<Network>) -> Self {
        Self { allowed }
    }

    /// Whether a webhook may reach this address.
    pub fn check(&self, address: IpAddr) -> Result<(), Refused> {
        let plain = plain(address);
        let is_allowed = |network: &Network| network.contains(address) || network.contains(plain);
        if self.allowed.iter().any(is_allowed) {
            return Ok(());
        }
        match special_kind(plain) {
            Some(kind) => Err(Refused { address, kind }),
            None => Ok(()),
        }
    }
}

impl Network {
    /// Whether the address lies in this range.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => same_prefix(
                base.to_bits().into(),
                address.to_bits().into(),
                32,
                self.prefix,
            ),
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                same_prefix(base.to_bits(), address.to_bits(), 128, self.prefix)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Self {
        Self {
            base: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            prefix,
        }
    }

    const fn v6(first: u16, second: u16, prefix: u8) -> Self {
        Self {
            base: IpAddr::V6(Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0)),
            prefix,
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let error = || NetworkError(text.to_owned());
        let (base, prefix) = match text.split_once('/') {
            Some((base, prefix)) => (base, Some(prefix)),
            None => (text, None),
        };
        let base: IpAddr = base.trim().parse().map_err(|_| error())?;
        let longest = if base.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.trim().parse().map_err(|_| error())?,
            None => longest,
        };
        if prefix > longest {
            return Err(error());
        }
        Ok(Self { base, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.base, self.prefix)
    }
}

fn same_prefix(base: u128, address: u128, width: u32, prefix: u8) -> bool {
    let free = width - u32::from(prefix);
    // A shift by the whole width is not defined; a prefix of 0 holds everything.
    free == 128 || (base ^ address) >> free == 0
}

/// The IPv4 address behind a mapped or NAT64 one, else the address itself.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let nat64 = Network::v6(0x64, 0xff9b, 96);
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    if nat64.contains(address) {
        let [.., a, b, c, d] = v6.octets();
        return IpAddr::V4(Ipv4Addr::new(a, b, c, d));
    }
    address
}

/// What makes an address other than public, after the registries of special-purpose addresses.
fn special_kind(address: IpAddr) -> Option<&'static str> {
    let special: &[(Network, &str)] = match address {
        IpAddr::V4(_) => &SPECIAL_V4,
        // Only 2000::/3 is public; parts of it are special nonetheless.
        IpAddr::V6(_) if !Network::v6(0x2000, 0, 3).contains(address) => {
            return Some(kind_outside_global(address));
        }
        IpAddr::V6(_) => &SPECIAL_V6,
    };
    special
        .iter()
        .find(|(network, _)| network.contains(address))
        .map(|(_, kind)| *kind)
}

fn kind_outside_global(address: IpAddr) -> &'static str {
    if address.is_loopback() {
        "a loopback address"
    } else if address.is_multicast() {
        "a multicast address"
    } else if Network::v6(0xfc00, 0, 7).contains(address) {
        "a private address"
    } else if Network::v6(0xfe80, 0, 10).contains(address) {
        "a link-local address"
    } else {
        "a reserved address"
    }
}

const SPECIAL_V4: [(Network, &str); 16] = [
    (Network::v4(0, 0, 0, 0, 8), "an unspecified address"),
    (Network::v4(10, 0, 0, 0, 8), "a private address"),
    (
        Network::v4(100, 64, 0, 0, 10),
        "a carrier-grade NAT address",
    ),
    (Network::v4(127, 0, 0, 0, 8), "a loopback address"),
    (
        Network::v4(168, 63, 129, 16, 32),
        "a cloud metadata address",
    ),
    (Network::v4(169, 254, 0, 0, 16), "a link-local address"),
    (Network::v4(172, 16, 0, 0, 12), "a private address"),
    (Network::v4(192, 0, 0, 0, 24), "a reserved address"),
    (Network::v4(192, 0, 2, 0, 24), "a reserved address"),
    (Network::v4(192, 88, 99, 0, 24), "a reserved address"),
    (Network::v4(192, 168, 0, 0, 16), "a private address"),
    (Network::v4(198, 18, 0, 0, 15), "a reserved address"),
    (Network::v4(198, 51, 100, 0, 24), "a reserved address"),
    (Network::v4(203, 0, 113, 0, 24), "a reserved address"),
    (Network::v4(224, 0, 0, 0, 4), "a multicast address"),
    (Network::v4(240, 0, 0, 0, 4), "a reserved address"),
];

const SPECIAL_V6: [(Network, &str); 4] = [
    (Network::v6(0x2001, 0, 23), "a reserved address"),
    (Network::v6(0x2001, 0xdb8, 32), "a reserved address"),
    (Network::v6(0x2002, 0, 16), "a 6to4 address"),
    (Network::v6(0x3fff, 0, 20), "a reserved address"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn only_public_addresses_are_permitted() {
        let refused = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.19.255.255",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for text in refused {
            let found = Guard::default().check(address(text));
            assert!(found.is_err(), "{text}");
        }
        let permitted = [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2606:4700:4700::1111",
            "2a00:1450::1",
        ];
        for text in permitted {
            assert_eq!(Guard::default().check(address(text)), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_range_is_opened_in_every_form_of_its_addresses() {
        let networks = ["10.1.0.0/16", "127.0.0.1", "fd00::/8"];
        let guard = Guard::new(
            networks
                .map(|text| text.parse().expect("a network"))
                .to_vec(),
        );
        for text in ["10.1.255.1", "127.0.0.1", "::ffff:10.1.0.1", "fd12::1"] {
            assert_eq!(guard.check(address(text)), Ok(()), "{text}");
        }
        for text in ["10.2.0.1", "127.0.0.2", "fc00::1", "::1"] {
            assert!(guard.check(address(text)).is_err(), "{text}");
        }
        let all = Guard::new(vec!["0.0.0.0/0".parse().expect("a network")]);
        assert_eq!(all.check(address("10.0.0.1")), Ok(()));
        assert!(all.check(address("::1")).is_err());
    }

    #[test]
    fn what_is_no_range_is_named_with_its_cure() {
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "10.0.0.0/",
            "localhost",
            "1/-1",
        ] {
            let error = text.parse::<Network>().expect_err("no network");
            assert!(error.to_string().contains("10.1.0.0/16"), "{text}");
        }
        let shown = "10.1.0.0/16"
            .parse::<Network>()
            .map(|network| network.to_string());
        assert_eq!(shown.as_deref(), Ok("10.1.0.0/16"));
    }
}
