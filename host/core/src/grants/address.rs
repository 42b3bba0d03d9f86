//! Addresses that lead to this computer, its neighbours, or nowhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of address it is if it is none of the public internet: `a loopback address`.
///
/// Addresses that carry another (IPv4-mapped, 6to4, NAT64) are what they carry. Sources: the IANA
/// special-purpose address registries for IPv4 and IPv6.
pub fn is_private(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => v6(address),
    }
}

const PRIVATE: &str = "a private address";
const DOCUMENTATION: &str = "an address for documentation";
const MULTICAST: &str = "a multicast address";
const LINK_LOCAL: &str = "a link-local address";
const LOOPBACK: &str = "a loopback address";
const UNSPECIFIED: &str = "an unspecified address";
const BENCHMARKS: &str = "an address for benchmarks";
const RESERVED: &str = "a reserved address";

fn v4(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [0, ..] => Some(UNSPECIFIED),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some(PRIVATE),
        [100, 64..=127, ..] => Some("a shared address of a carrier"),
        [127, ..] => Some(LOOPBACK),
        [169, 254, ..] => Some(LINK_LOCAL),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some(DOCUMENTATION),
        [198, 18..=19, ..] => Some(BENCHMARKS),
        [224..=239, ..] => Some(MULTICAST),
        // Protocol assignments, 6to4 relays, and class E with the broadcast address.
        [192, 0, 0, _] | [192, 88, 99, _] | [240..=255, ..] => Some(RESERVED),
        _ => None,
    }
}

fn v6(address: Ipv6Addr) -> Option<&'static str> {
    let carried = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some(UNSPECIFIED),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(LOOPBACK),
        // No name has a reason to lead to one of these, whatever it carries.
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] => {
            Some(carried(high, low).unwrap_or("an IPv4 address in an IPv6 one"))
        }
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => carried(high, low),
        [0xfc00..=0xfdff, ..] => Some(PRIVATE),
        [0xfe80..=0xfebf, ..] => Some(LINK_LOCAL),
        [0xfec0..=0xfeff, ..] => Some("a site-local address"),
        [0xff00..=0xffff, ..] => Some(MULTICAST),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some(DOCUMENTATION),
        [0x2001, 2, 0, ..] => Some(BENCHMARKS),
        // Teredo, ORCHID and other protocols' own.
        [0x2001, 0..=0x1ff, ..] => Some(RESERVED),
        [0x2000..=0x3fff, ..] => None,
        // Only 2000::/3 is given out for the public internet.
        _ => Some(RESERVED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Option<&'static str> {
        is_private(text.parse().unwrap())
    }

    #[test]
    fn addresses_of_the_public_internet_are_not_private() {
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00::1",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ] {
            assert_eq!(kind(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_that_lead_to_this_computer_or_its_neighbours_are() {
        for (text, expected) in [
            ("0.0.0.0", UNSPECIFIED),
            ("0.1.2.3", UNSPECIFIED),
            ("::", UNSPECIFIED),
            ("127.0.0.1", LOOPBACK),
            ("127.255.255.255", LOOPBACK),
            ("::1", LOOPBACK),
            ("10.0.0.1", PRIVATE),
            ("172.16.0.1", PRIVATE),
            ("172.31.255.255", PRIVATE),
            ("192.168.1.5", PRIVATE),
            ("fd12::1", PRIVATE),
            ("100.64.0.1", "a shared address of a carrier"),
            ("169.254.169.254", LINK_LOCAL),
            ("fe80::1", LINK_LOCAL),
            ("fec0::1", "a site-local address"),
            ("224.0.0.1", MULTICAST),
            ("ff02::1", MULTICAST),
            ("192.0.0.1", RESERVED),
            ("192.88.99.1", RESERVED),
            ("240.0.0.1", RESERVED),
            ("255.255.255.255", RESERVED),
            ("198.18.0.1", BENCHMARKS),
            ("2001:2::1", BENCHMARKS),
            ("192.0.2.1", DOCUMENTATION),
            ("2001:db8::1", DOCUMENTATION),
            ("3fff::1", DOCUMENTATION),
            ("2001::1", RESERVED),
            ("100::1", RESERVED),
            ("5f00::1", RESERVED),
            ("64:ff9b:1::1", RESERVED),
        ] {
            assert_eq!(kind(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn an_address_that_carries_a_private_one_is_private() {
        for text in [
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::127.0.0.1",
            "2002:7f00:1::",
        ] {
            assert_eq!(kind(text), Some(LOOPBACK), "{text}");
        }
        assert_eq!(kind("::ffff:192.168.1.5"), Some(PRIVATE));
        assert!(kind("::ffff:1.1.1.1").is_some() && kind("::1.1.1.1").is_some());
    }
}
