//! A receiver of webhooks that checks every signature and can be told to fail.

use std::{
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::{
    io::AsyncBufReadExt,
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use webhooks::{Envelope, Headers, Keys, Provider, Request};

/// What came so far, and how the next deliveries are answered.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    state: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    received: Vec<Envelope>,
    failures: usize,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let receiver = Self { url, state: Arc::default() };
        let kept = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(kept.clone().serve(stream));
            }
        });
        receiver
    }

    /// The next deliveries are answered with 500.
    pub(crate) fn fail(&self, times: usize) {
        self.state.lock().unwrap().failures = times;
    }

    pub(crate) fn received(&self) -> Vec<Envelope> {
        self.state.lock().unwrap().received.clone()
    }

    pub(crate) fn types(&self) -> Vec<String> {
        self.received().into_iter().filter_map(|event| event.event_type).collect()
    }

    async fn serve(self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        while let Some((headers, body)) = read(&mut stream).await {
            let status = self.take(&headers, &body);
            let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 2\r\n\r\nok");
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn take(&self, headers: &[(String, String)], body: &[u8]) -> u16 {
        let mut state = self.state.lock().unwrap();
        if state.failures > 0 {
            state.failures -= 1;
            return 500;
        }
        let pairs: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let request = Request { headers: Headers::new(&pairs), url: "", body };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap();
        let keys = Keys::parse(Provider::Stripe, super::SECRET).unwrap();
        match keys.verify(&request, now) {
            Ok(verified) => {
                state.received.push(verified.envelope());
                200
            }
            Err(_) => 400,
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<(Vec<(String, String)>, Vec<u8>)> {
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().ok()?;
            }
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((headers, body))
}
