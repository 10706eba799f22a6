//! Addresses by their place, and names that change theirs.

use std::sync::Mutex;

use proptest::prelude::*;

use super::*;

fn of(text: &str) -> Place {
    place(text.parse().unwrap())
}

#[test]
fn public_addresses_are_public() {
    for address in [
        "8.8.8.8",
        "1.1.1.1",
        "93.184.215.14",
        "172.15.0.1",
        "172.32.0.1",
        "100.63.0.1",
        "100.128.0.1",
        "2606:4700::1111",
        "2a00:1450::1",
        "64:ff9b::808:808",
    ] {
        assert_eq!(of(address), Place::Public, "{address}");
    }
}

#[test]
fn private_addresses_are_private() {
    for address in
        ["127.0.0.1", "127.255.0.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "::1", "fc00::1", "fd12::7"]
    {
        assert_eq!(of(address), Place::Private, "{address}");
    }
}

#[test]
fn what_is_nobody_s_is_nowhere() {
    for address in [
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "169.254.170.2",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "100.100.100.200",
        "168.63.129.16",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:8.8.8.8",
        "::10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "3fff::1",
        "4000::1",
    ] {
        assert_eq!(of(address), Place::Nowhere, "{address}");
    }
}

proptest! {
    #[test]
    fn no_address_of_ours_is_public_in_whatever_disguise(bits in any::<u32>()) {
        let address = Ipv4Addr::from(bits);
        let within = address.is_private() || address.is_loopback() || address.is_link_local() || address.is_unspecified()
            || address.is_multicast() || address.is_broadcast() || address.is_documentation();
        prop_assert!(!within || place(address.into()) != Place::Public);
        let [a, b, c, d] = address.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        for disguise in [
            address.to_ipv6_mapped(),
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low),
        ] {
            let disguised = place(disguise.into());
            prop_assert!(disguised == Place::Nowhere || (disguised == Place::Public && place(address.into()) == Place::Public) || disguise == Ipv6Addr::LOCALHOST, "{disguise}");
        }
    }

    #[test]
    fn only_global_unicast_is_public(bits in any::<u128>()) {
        let address = Ipv6Addr::from(bits);
        if place(address.into()) == Place::Public {
            prop_assert!(address.segments()[0] >> 13 == 1 || address.segments()[0] == 0x64);
        }
    }
}

/// Gives one list of addresses after the other.
struct Changing(Mutex<Vec<Vec<IpAddr>>>);

impl Lookup for Changing {
    fn lookup(&self, _: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        let next = self.0.lock().unwrap().remove(0);
        Box::pin(async move { Ok(next) })
    }
}

pub(crate) fn changing(lists: &[&[&str]]) -> Arc<dyn Lookup> {
    let lists = lists.iter().map(|list| list.iter().map(|address| address.parse().unwrap()).collect());
    Arc::new(Changing(Mutex::new(lists.collect())))
}

async fn ask(guard: &Guard) -> Option<Vec<String>> {
    let name = "rebound.example".parse().unwrap();
    Some(guard.resolve(name).await.ok()?.map(|address| address.ip().to_string()).collect())
}

#[tokio::test]
async fn a_name_that_turns_private_is_not_followed() {
    let guard = Guard::new(Place::Public, changing(&[&["8.8.8.8"], &["127.0.0.1"], &["169.254.169.254", "10.0.0.1"], &["8.8.4.4"]]));
    assert_eq!(ask(&guard).await.unwrap(), ["8.8.8.8"]);
    assert_eq!(ask(&guard).await, None);
    assert_eq!(ask(&guard).await, None);
    assert_eq!(ask(&guard).await.unwrap(), ["8.8.4.4"]);
}

#[tokio::test]
async fn of_several_addresses_only_the_fitting_ones_are_called() {
    let all: &[&str] = &["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1", "169.254.169.254", "::ffff:10.0.0.1"];
    assert_eq!(ask(&Guard::new(Place::Public, changing(&[all]))).await.unwrap(), ["8.8.8.8", "2606:4700::1"]);
    assert_eq!(ask(&Guard::new(Place::Private, changing(&[all]))).await.unwrap(), ["10.0.0.1", "::1"]);
}

#[tokio::test]
async fn a_name_without_addresses_is_an_error() {
    assert_eq!(ask(&Guard::new(Place::Public, changing(&[&[]]))).await, None);
}
