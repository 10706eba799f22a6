//! The settings of the proxy: which services stand behind it, and for each what it may do and cost.

use url::{Host, Url};

use super::SECOND_MS;
use crate::{
    reader::Reader,
    types::{Proxy, Upstream},
    values::{List, link_base},
};

/// Stands for the name in the example file, where no service is set.
const PLACEHOLDER: &str = "<NAME>";
/// The longest name of a service.
const NAME_CHARS_MAX: usize = 32;

/// A service's name and address, as in `UPSTREAMS`.
#[derive(Clone)]
struct Named {
    name: String,
    url: String,
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.name, self.url)
    }
}

pub(super) fn read(r: &mut Reader<'_>) -> Proxy {
    r.section("Proxy: services reached as /api/proxy/{name}/…; <NAME> is a service's name in capitals, with _ in place of each dash");
    let named = r.optional(
        "UPSTREAMS",
        "services behind the proxy, name=url, comma separated, e.g. orders=https://orders.example.com/v1",
        |text| {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            let named = items.map(named).collect::<Result<Vec<_>, _>>()?;
            match named.iter().enumerate().find(|(place, one)| named.iter().take(*place).any(|other| other.name == one.name)) {
                Some((_, twice)) => Err(format!("must not name {} twice", twice.name)),
                None => Ok(List(named)),
            }
        },
    );
    let Some(List(named)) = named else {
        // Read for what the example file says of it.
        one(r, &Named { name: PLACEHOLDER.to_owned(), url: String::new() });
        return Proxy { upstreams: Vec::new() };
    };
    Proxy { upstreams: named.iter().map(|named| one(r, named)).collect() }
}

fn named(item: &str) -> Result<Named, String> {
    let wrong = || "must be of the form orders=https://orders.example.com".to_owned();
    let (name, url) = item.split_once('=').ok_or_else(wrong)?;
    let (name, url) = (name.trim(), url.trim());
    let fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(fit) || name.len() > NAME_CHARS_MAX {
        return Err("must have names of small letters, digits and -, beginning with a letter, of at most 32 characters".to_owned());
    }
    Ok(Named { name: name.to_owned(), url: link_base(url).map_err(|_| wrong())? })
}

/// No name of a setting may end with `_` and another one: that could be a setting of a service of a longer name.
fn one(r: &mut Reader<'_>, named: &Named) -> Upstream {
    let prefix = format!("UPSTREAM_{}_", named.name.to_ascii_uppercase().replace('-', "_"));
    let name = |setting: &str| format!("{prefix}{setting}");
    let upstream = Upstream {
        name: named.name.clone(),
        authorization: r.secret(
            &name("AUTHORIZATION"),
            "what it is told in the header Authorization, e.g. Bearer …; what callers send there never reaches it",
            header_value,
            |_| "***".to_owned(),
        ),
        credential_header: r.value(&name("CREDENTIAL_HEADER"), "authorization".to_owned(), "the header for that instead, e.g. x-api-key", header),
        user_header: r.optional(&name("USER_HEADER"), "header in which it is told the caller's id, e.g. x-user-id; not told when absent", header),
        private: r.flag(
            &name("PRIVATE"),
            is_here(&named.url),
            "whether it is in the private network: reached at private addresses only, else at public ones only (true for localhost and private literals)",
        ),
        connect_timeout: r.duration(&name("CONNECT_TIMEOUT_SECONDS"), 2, 1..=60, SECOND_MS, "longest time to connect"),
        head_timeout: r.duration(
            &name("HEAD_TIMEOUT_SECONDS"),
            15,
            1..=600,
            SECOND_MS,
            "longest time from the end of a request to the head of its answer, retries included",
        ),
        silence_timeout: r.duration(&name("SILENCE_TIMEOUT_SECONDS"), 30, 1..=3600, SECOND_MS, "longest time without a byte, both ways"),
        total_timeout: r.duration(&name("TOTAL_TIMEOUT_SECONDS"), 300, 1..=86_400, SECOND_MS, "longest time for all of a call"),
        request_bytes_max: r.number(&name("REQUEST_BYTES_MAX"), 10 << 20, 0..=1 << 40, "largest request body, in bytes"),
        answer_bytes_max: r.number(&name("ANSWER_BYTES_MAX"), 100 << 20, 0..=1 << 40, "largest answer body, in bytes"),
        answer_head_bytes_max: r.number(&name("ANSWER_HEAD_BYTES_MAX"), 32 << 10, 1024..=256 << 10, "largest head of an answer, in bytes"),
        calls_max: r.number(&name("CALLS_MAX"), 256, 1..=100_000, "calls at the same time; more are 503"),
        retries: r.number(&name("RETRIES"), 2, 0..=5, "how often GET and HEAD are tried again, before anything of an answer was passed on"),
        breaker_calls: r.number(
            &name("BREAKER_CALLS"),
            10,
            0..=100_000,
            "calls in 10 s of which half must fail for it to be left alone for a while; 0 is never",
        ),
        breaker_open: r.duration(&name("BREAKER_SECONDS"), 5, 1..=600, SECOND_MS, "how long it is left alone; doubled up to eightfold"),
        url: named.url.clone(),
    };
    if upstream.url.starts_with("http://") && !upstream.private {
        r.problem(format!("UPSTREAMS: {} must be https, or {} be true", named.name, name("PRIVATE")));
    }
    upstream
}

/// Whether the address itself says that it is private: by a literal, or `localhost`.
fn is_here(url: &str) -> bool {
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => {
            address.is_private() || address.is_loopback() || (address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64)
        }
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unique_local(),
        None => false,
    }
}

fn header(text: &str) -> Result<String, String> {
    let name = text.to_ascii_lowercase();
    let fit = !name.is_empty() && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let taken = [
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "cookie",
        "via",
        "upgrade",
        "te",
        "trailer",
        "expect",
    ];
    if fit && !taken.contains(&name.as_str()) { Ok(name) } else { Err("must be the name of a header that means nothing else".to_owned()) }
}

fn header_value(text: &str) -> Result<(), String> {
    let fit = text.len() <= 8192 && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    if fit { Ok(()) } else { Err("must be printable ASCII of at most 8192 characters".to_owned()) }
}
