//! A request without ceremony, for the command line.

use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Posts JSON and says the status of the answer.
///
/// # Errors
/// When nobody answers within ten seconds.
pub async fn post(url: &str, headers: &[(&'static str, String)], body: Vec<u8>) -> Result<u16, reqwest::Error> {
    crate::tls::install();
    let client = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build()?;
    let request = client.post(url).header("content-type", "application/json; charset=utf-8").body(body);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    Ok(request.send().await?.status().as_u16())
}
