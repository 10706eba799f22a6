//! Addresses of APIs.

use std::net::IpAddr;

use url::{Host, Url};

/// Whether what is sent there stays on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

/// Whether it has nothing but http or https, host, port and path: all else would be lost when a path is added, or be printed.
pub(crate) fn is_plain(url: &Url) -> bool {
    let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    bare && matches!(url.scheme(), "http" | "https")
}
