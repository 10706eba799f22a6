//! Where a request comes from, as far as that can be believed.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::HttpRequest;
use ipnet::IpNet;

/// The address of the client: the peer's, or what trusted proxies say of it.
///
/// Each proxy adds the address it was called from at the end of `X-Forwarded-For`, so the list is read from there, and only as long as
/// trusted proxies speak: what a client wrote into it itself lies further to the left and buys nothing.
pub(crate) fn of_client(request: &HttpRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut address = request.peer_addr()?.ip().to_canonical();
    if !is_trusted(&address) {
        return Some(address);
    }
    let headers: Vec<&str> = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok()).collect();
    for said in headers.iter().rev().flat_map(|header| header.rsplit(',')) {
        if !is_trusted(&address) {
            break;
        }
        let Ok(next) = said.trim().parse::<IpAddr>() else { break };
        address = next.to_canonical();
    }
    Some(address)
}

/// What one customer of a provider has: an IPv4 address, or the /64 that an IPv6 address lies in.
pub(crate) fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn client(peer: &str, forwarded: &[&str], trusted: &str) -> String {
        let peer = std::net::SocketAddr::new(peer.parse().unwrap(), 1);
        let request =
            forwarded.iter().fold(TestRequest::get().peer_addr(peer), |request, value| request.append_header(("x-forwarded-for", *value)));
        let trusted: Vec<IpNet> = trusted.split(' ').filter_map(|network| network.parse().ok()).collect();
        of_client(&request.to_http_request(), &trusted).unwrap().to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(client("203.0.113.9", &["198.51.100.1"], ""), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["198.51.100.1"], "10.0.0.0/8"), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 198.51.100.1"], "10.0.0.0/8"), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.2.0.1"], "10.0.0.0/8"), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "198.51.100.1"], "10.0.0.0/8"), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["nonsense"], "10.0.0.0/8"), "10.0.0.1");
        assert_eq!(client("::ffff:10.0.0.1", &["2001:db8::1"], "10.0.0.0/8"), "2001:db8::1");
    }

    #[test]
    fn an_ipv6_household_is_a_64() {
        assert_eq!(household("2001:db8:1:2:3:4:5:6".parse().unwrap()).to_string(), "2001:db8:1:2::");
        assert_eq!(household("192.0.2.7".parse().unwrap()).to_string(), "192.0.2.7");
    }
}
