//! An HTTP client that holds every answer against the API description.

use std::net::SocketAddr;

use reqwest::{Method, header::HeaderMap};
use serde_json::Value;

use crate::contract;

/// A caller of one server.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// A request being put together.
pub struct Request {
    builder: reqwest::RequestBuilder,
    method: Method,
    path: String,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

/// An HTTP client for servers of this machine. It believes no authority, which spares every test the reading of the machine's.
pub fn http() -> reqwest::Client {
    upstream::tls::install();
    reqwest::Client::builder().tls_certs_only([]).no_proxy().build().expect("a client")
}

impl Client {
    pub fn new(address: SocketAddr, token: Option<String>) -> Self {
        Self { http: http(), base: format!("http://{address}"), token }
    }

    /// The same caller, of another server.
    pub fn at(&self, address: SocketAddr) -> Self {
        Self { base: format!("http://{address}"), ..self.clone() }
    }

    pub fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    pub fn put(&self, path: &str) -> Request {
        self.request(Method::PUT, path)
    }

    pub fn patch(&self, path: &str) -> Request {
        self.request(Method::PATCH, path)
    }

    pub fn delete(&self, path: &str) -> Request {
        self.request(Method::DELETE, path)
    }

    pub fn request(&self, method: Method, path: &str) -> Request {
        let builder = self.http.request(method.clone(), format!("{}{path}", self.base));
        let builder = match &self.token {
            Some(token) => builder.bearer_auth(token),
            None => builder,
        };
        Request { builder, method, path: path.to_owned() }
    }
}

impl Request {
    pub fn json(self, body: &Value) -> Self {
        Self { builder: self.builder.json(body), ..self }
    }

    pub fn body(self, content_type: &str, body: impl Into<reqwest::Body>) -> Self {
        Self { builder: self.builder.header("content-type", content_type).body(body), ..self }
    }

    pub fn form(self, form: reqwest::multipart::Form) -> Self {
        Self { builder: self.builder.multipart(form), ..self }
    }

    pub fn header(self, name: &str, value: &str) -> Self {
        Self { builder: self.builder.header(name, value), ..self }
    }

    /// Sends it and checks the answer against the API description.
    pub async fn send(self) -> Answer {
        self.send_or_fail().await.expect("a whole answer")
    }

    /// The same when the connection may fail.
    pub async fn send_or_fail(self) -> Result<Answer, reqwest::Error> {
        let answer = self.builder.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let answer = Answer { status, headers, text: answer.text().await? };
        contract::check(&self.method, &self.path, &answer);
        Ok(answer)
    }

    /// Sends it and says the status alone, when the connection may fail.
    pub async fn try_send(self) -> Result<u16, reqwest::Error> {
        self.builder.send().await.map(|answer| answer.status().as_u16())
    }
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// A field of the body, by JSON pointer.
    pub fn at(&self, pointer: &str) -> Value {
        self.json().pointer(pointer).cloned().unwrap_or_else(|| panic!("no {pointer} in {}", self.text))
    }

    /// A field of the body that is a string.
    pub fn text_at(&self, pointer: &str) -> String {
        self.at(pointer).as_str().map_or_else(|| panic!("{pointer} is no string in {}", self.text), str::to_owned)
    }

    /// A header, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Fails unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Fails unless it is this error; the body must carry the request's id.
    #[track_caller]
    pub fn expect_error(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.text_at("/code"), code);
        assert_eq!(Some(answer.text_at("/requestId").as_str()), answer.header("x-request-id"));
        answer
    }

    /// Fails unless exactly these fields were refused.
    #[track_caller]
    pub fn expect_refused(self, fields: &[&str]) -> Self {
        let answer = self.expect_error(400, "VALIDATION_ERROR");
        let refused = answer.at("/details/fieldErrors");
        let refused: Vec<&String> = refused.as_object().expect("fieldErrors").keys().collect();
        assert_eq!(refused, fields, "{}", answer.text);
        answer
    }
}
