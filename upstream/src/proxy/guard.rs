//! Which addresses may be connected to, decided when a connection is made: a name that pointed to a public address when it was looked
//! at may point to a private one now (DNS rebinding).
//!
//! Sources: the special-purpose registries of IANA (RFC 6890), <https://www.iana.org/assignments/iana-ipv4-special-registry> and its
//! IPv6 sibling; OWASP's Server-Side Request Forgery cheat sheet for the addresses where clouds tell secrets.

use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Anybody's, on the public network.
    Public,
    /// This machine's, or the private network's.
    Private,
    /// Nothing to call: unspecified, link-local, multicast, reserved, or where a cloud tells its machines secrets.
    Nowhere,
}

/// Where a cloud's machines are told secrets, beside the link-local addresses: Alibaba's, Azure's, AWS's and Google's.
const SECRETS_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16)];
const SECRETS_V6: [Ipv6Addr; 2] = [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];

/// Tells what an address is for.
#[must_use]
pub fn place(address: IpAddr) -> Place {
    match address {
        IpAddr::V4(address) => place_v4(address),
        IpAddr::V6(address) => place_v6(address),
    }
}

fn place_v4(address: Ipv4Addr) -> Place {
    if SECRETS_V4.contains(&address) {
        return Place::Nowhere;
    }
    match address.octets() {
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Place::Private,
        // This network, link-local, protocol assignments, documentation, 6to4 relays, benchmarks, multicast, reserved.
        [0 | 224..=255, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Place::Nowhere,
        _ => Place::Public,
    }
}

fn place_v6(address: Ipv6Addr) -> Place {
    if SECRETS_V6.contains(&address) {
        return Place::Nowhere;
    }
    if address == Ipv6Addr::LOCALHOST {
        return Place::Private;
    }
    match address.segments() {
        [0xfc00..=0xfdff, ..] => Place::Private,
        // Translated to IPv4 on the way (RFC 6052), as where there is no other: it is what that address is, but never one within.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            if place_v4(Ipv4Addr::new(a, b, c, d)) == Place::Public { Place::Public } else { Place::Nowhere }
        }
        // Protocol assignments (Teredo), documentation, 6to4: all of global unicast that is not just an address, or hides another one.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => Place::Nowhere,
        [0x2000..=0x3fff, ..] => Place::Public,
        // IPv4 addresses in disguise (`::ffff:0:0/96`, `::/96`), link-local, multicast, and what nobody was given yet.
        _ => Place::Nowhere,
    }
}

/// Looks names up.
pub(crate) trait Lookup: Send + Sync + 'static {
    /// The addresses of a name.
    fn lookup(&self, name: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
}

/// The machine's own way.
pub(crate) struct System;

impl Lookup for System {
    fn lookup(&self, name: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// A name with no address that may be called. Which ones it has is no caller's business, but the log's.
#[derive(Debug, thiserror::Error)]
#[error("none of the addresses of {name} is {wanted:?}: {found:?}")]
struct Refused {
    name: String,
    wanted: Place,
    found: Vec<IpAddr>,
}

/// A resolver that knows addresses of one place alone, whatever a name points to.
#[derive(Clone)]
pub(crate) struct Guard {
    place: Place,
    lookup: Arc<dyn Lookup>,
}

impl Guard {
    pub(crate) fn new(place: Place, lookup: Arc<dyn Lookup>) -> Self {
        Self { place, lookup }
    }

    /// The addresses that may be called now.
    async fn addresses(self, name: String) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let found = self.lookup.lookup(name.clone()).await?;
        let fit: Vec<SocketAddr> =
            found.iter().filter(|address| place(**address) == self.place).map(|address| SocketAddr::new(*address, 0)).collect();
        if fit.is_empty() { Err(Refused { name, wanted: self.place, found }.into()) } else { Ok(fit) }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, name) = (self.clone(), name.as_str().to_owned());
        Box::pin(async move {
            let addresses: Addrs = Box::new(guard.addresses(name).await?.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
pub(super) mod tests;
