//! Which addresses a webhook may reach: the public internet, and what an administrator opened.
//!
//! Whoever may write rules may choose a webhook's address, so without this the router would be a
//! way into its own network. Every address is checked in its plain form, after name resolution,
//! and the connection goes to the address that was checked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

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
    allowed: Vec<IpNet>,
}

impl Guard {
    /// Permits these ranges beside the public ones.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Whether a webhook may reach this address.
    pub fn check(&self, address: IpAddr) -> Result<(), Refused> {
        let plain = plain(address);
        let is_allowed = |network: &IpNet| network.contains(&address) || network.contains(&plain);
        if self.allowed.iter().any(is_allowed) {
            return Ok(());
        }
        match special_kind(plain) {
            Some(kind) => Err(Refused { address, kind }),
            None => Ok(()),
        }
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> IpNet {
    IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix)
}

const fn v6(first: u16, second: u16, prefix: u8) -> IpNet {
    let address = Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0);
    IpNet::new_assert(IpAddr::V6(address), prefix)
}

/// The IPv4 address behind a mapped or NAT64 one, else the address itself.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(long) = address else {
        return address;
    };
    let nat64 = v6(0x64, 0xff9b, 96);
    if let Some(short) = long.to_ipv4_mapped() {
        return IpAddr::V4(short);
    }
    if nat64.contains(&address) {
        let [.., a, b, c, d] = long.octets();
        return IpAddr::V4(Ipv4Addr::new(a, b, c, d));
    }
    address
}

/// What makes an address other than public, after the registries of special-purpose addresses.
fn special_kind(address: IpAddr) -> Option<&'static str> {
    let special: &[(IpNet, &str)] = match address {
        IpAddr::V4(_) => &SPECIAL_V4,
        // Only 2000::/3 is public; parts of it are special nonetheless.
        IpAddr::V6(_) if !v6(0x2000, 0, 3).contains(&address) => {
            return Some(kind_outside_global(address));
        }
        IpAddr::V6(_) => &SPECIAL_V6,
    };
    special
        .iter()
        .find(|(network, _)| network.contains(&address))
        .map(|(_, kind)| *kind)
}

fn kind_outside_global(address: IpAddr) -> &'static str {
    if address.is_loopback() {
        "a loopback address"
    } else if address.is_multicast() {
        "a multicast address"
    } else if v6(0xfc00, 0, 7).contains(&address) {
        "a private address"
    } else if v6(0xfe80, 0, 10).contains(&address) {
        "a link-local address"
    } else {
        "a reserved address"
    }
}

const SPECIAL_V4: [(IpNet, &str); 16] = [
    (v4(0, 0, 0, 0, 8), "an unspecified address"),
    (v4(10, 0, 0, 0, 8), "a private address"),
    (v4(100, 64, 0, 0, 10), "a carrier-grade NAT address"),
    (v4(127, 0, 0, 0, 8), "a loopback address"),
    (v4(168, 63, 129, 16, 32), "a cloud metadata address"),
    (v4(169, 254, 0, 0, 16), "a link-local address"),
    (v4(172, 16, 0, 0, 12), "a private address"),
    (v4(192, 0, 0, 0, 24), "a reserved address"),
    (v4(192, 0, 2, 0, 24), "a reserved address"),
    (v4(192, 88, 99, 0, 24), "a reserved address"),
    (v4(192, 168, 0, 0, 16), "a private address"),
    (v4(198, 18, 0, 0, 15), "a reserved address"),
    (v4(198, 51, 100, 0, 24), "a reserved address"),
    (v4(203, 0, 113, 0, 24), "a reserved address"),
    (v4(224, 0, 0, 0, 4), "a multicast address"),
    (v4(240, 0, 0, 0, 4), "a reserved address"),
];

const SPECIAL_V6: [(IpNet, &str); 4] = [
    (v6(0x2001, 0, 23), "a reserved address"),
    (v6(0x2001, 0xdb8, 32), "a reserved address"),
    (v6(0x2002, 0, 16), "a 6to4 address"),
    (v6(0x3fff, 0, 20), "a reserved address"),
];

/// The permitted ones; if there is none, why the last was refused.
pub fn permitted(
    guard: &Guard,
    found: impl Iterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>, Refused> {
    let mut refused = None;
    let permitted: Vec<SocketAddr> = found
        .filter(|address| match guard.check(address.ip()) {
            Ok(()) => true,
            Err(error) => {
                refused = Some(error);
                false
            }
        })
        .collect();
    match refused {
        Some(refused) if permitted.is_empty() => Err(refused),
        Some(_) | None => Ok(permitted),
    }
}

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
        let networks = ["10.1.0.0/16", "127.0.0.1/32", "fd00::/8"];
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
}
