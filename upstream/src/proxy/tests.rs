//! Calls to names whose addresses change between them.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{guard::tests::changing, *};

/// Answers every connection once, and counts them.
fn service() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
        }
    });
    (port, seen)
}

fn settings(base: String, private: bool) -> Settings {
    let second = Duration::from_secs(1);
    Settings {
        name: "fake".to_owned(),
        base,
        mount: "/api/proxy/fake".to_owned(),
        private,
        credential: Some(Credential { header: "authorization".to_owned(), value: "Bearer hunter22".to_owned() }),
        user_header: None,
        connect: second,
        head: 5 * second,
        silence: 5 * second,
        total: 10 * second,
        request_bytes_max: 1000,
        answer_bytes_max: 1000,
        answer_head_bytes_max: 1000,
        calls_max: 2,
        retries: 2,
        breaker_calls: 0,
        breaker_open: second,
    }
}

async fn ask(proxy: &Proxy) -> Result<u16, Failure<()>> {
    let ask = Ask::new("GET", ("", None), std::iter::empty(), "1.1", Behalf { scheme: "http", ..Behalf::default() }).unwrap();
    let sending = std::pin::pin!(futures::future::Fuse::terminated());
    let sending: Pin<&mut futures::future::Fuse<std::future::Ready<Result<(), ()>>>> = sending;
    proxy.call(ask, None, sending).await.map(|answer| answer.status)
}

#[tokio::test]
async fn a_name_is_looked_at_again_with_every_connection() {
    let (port, seen) = service();
    let lists: &[&[&str]] = &[&["127.0.0.1"], &["203.0.113.1", "8.8.8.8"], &["169.254.169.254"], &["127.0.0.1"]];
    let proxy = Proxy::with(settings(format!("http://orders.internal:{port}"), true), changing(lists)).unwrap();
    assert_eq!(ask(&proxy).await.unwrap(), 204);
    for _ in 0..2 {
        let Err(Failure::Unreachable(causes)) = ask(&proxy).await else { panic!("it was called elsewhere") };
        assert!(causes.contains("none of the addresses") && !causes.contains("hunter22"), "{causes}");
    }
    assert_eq!(ask(&proxy).await.unwrap(), 204);
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_public_name_that_points_to_this_machine_is_not_connected_to() {
    let (port, seen) = service();
    let lists: &[&[&str]] = &[&["127.0.0.1"], &["::1", "::ffff:127.0.0.1", "10.0.0.1"]];
    let proxy = Proxy::with(settings(format!("https://orders.example:{port}"), false), changing(lists)).unwrap();
    for _ in 0..2 {
        assert!(matches!(ask(&proxy).await, Err(Failure::Unreachable(_))));
    }
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[test]
fn an_address_is_held_to_its_place_when_it_is_set() {
    crate::tls::install();
    let fits = |base: &str, private| Proxy::new(settings(base.to_owned(), private)).is_ok();
    for (base, private) in
        [("https://8.8.8.8", false), ("https://api.example.com/v1", false), ("http://127.0.0.1:1", true), ("http://[fd00::1]", true)]
    {
        assert!(fits(base, private), "{base}");
    }
    for (base, private) in [
        ("http://api.example.com", false),
        ("https://127.0.0.1", false),
        ("https://2130706433", false),
        ("https://0x7f.1", false),
        ("https://[::ffff:127.0.0.1]", false),
        ("https://8.8.8.8", true),
        ("http://169.254.169.254", true),
        ("http://[::ffff:10.0.0.1]", true),
        ("http://0.0.0.0", true),
        ("https://user:hunter22@api.example.com", false),
        ("https://api.example.com/?x=1", false),
        ("ftp://api.example.com", false),
        ("nonsense", true),
    ] {
        assert!(!fits(base, private), "{base}");
    }
}

#[test]
fn no_credential_is_printed() {
    let settings = settings("http://127.0.0.1:1".to_owned(), true);
    let debug = format!("{settings:?} {:?}", Proxy::new(settings.clone()).unwrap());
    assert!(!debug.contains("hunter22"), "{debug}");
}
