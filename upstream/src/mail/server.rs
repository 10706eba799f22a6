//! A mail server as its URL describes it, and how a connection to it is made.

use std::{fmt, net::IpAddr, time::Duration};

use lettre::transport::smtp::{
    self,
    authentication::{Credentials, DEFAULT_MECHANISMS},
    client::{AsyncSmtpConnection, Certificate, Tls, TlsParameters},
    extension::ClientId,
};
use percent_encoding::percent_decode_str;
use url::Url;

use super::Unusable;

/// Where mail is handed to, and how.
pub(super) struct Server {
    scheme: &'static str,
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    hello: ClientId,
}

impl Server {
    /// Reads the forms that `Mailer::smtp` describes.
    pub(super) fn parse(url: &str, authorities: Option<&[u8]>) -> Result<Self, Unusable> {
        let wrong = |text: &str| Unusable(format!("the mail server's URL {text}"));
        let url = Url::parse(url).map_err(|_| wrong("is not of the form smtps://user:password@host:465"))?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("has no host"))?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let tls_wanted = match url.query_pairs().collect::<Vec<_>>().as_slice() {
            [] => None,
            [(name, value)] if name == "tls" => Some(value.to_string()),
            _ => return Err(wrong("may have the parameter tls alone")),
        };
        let tls = || parameters(&host, authorities);
        let (scheme, port, tls) = match (url.scheme(), tls_wanted.as_deref()) {
            ("smtps", None) => ("smtps", smtp::SUBMISSIONS_PORT, Tls::Wrapper(tls()?)),
            ("smtp", Some("required")) => ("smtp", smtp::SUBMISSION_PORT, Tls::Required(tls()?)),
            ("smtp", Some("opportunistic")) => ("smtp", smtp::SUBMISSION_PORT, Tls::Opportunistic(tls()?)),
            ("smtp", None) => ("smtp", smtp::SMTP_PORT, Tls::None),
            ("smtp", Some(_)) => return Err(wrong("may say tls=required or tls=opportunistic")),
            ("smtps", Some(_)) => return Err(wrong("needs no parameter tls: smtps is always encrypted")),
            _ => return Err(wrong("must begin with smtp:// or smtps://")),
        };
        let credentials = credentials(&url).map_err(wrong)?;
        let encrypted = matches!(tls, Tls::Wrapper(_) | Tls::Required(_));
        if credentials.is_some() && !encrypted && !is_loopback(&host) {
            return Err(wrong("would send a password in the clear: use smtps:// or ?tls=required"));
        }
        let hello = match url.path().trim_matches('/') {
            "" => ClientId::default(),
            name => ClientId::Domain(name.to_owned()),
        };
        Ok(Self { scheme, port: url.port().unwrap_or(port), host, tls, credentials, hello })
    }

    /// Connects, encrypts and logs in, as far as the URL says so. `timeout` is for each of the host's addresses alone.
    pub(super) async fn connect(&self, timeout: Duration) -> Result<AsyncSmtpConnection, smtp::Error> {
        let wrapper = if let Tls::Wrapper(tls) = &self.tls { Some(tls.clone()) } else { None };
        let address = (self.host.as_str(), self.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(address, Some(timeout), &self.hello, wrapper, None).await?;
        match &self.tls {
            Tls::Required(tls) => connection.starttls(tls.clone(), &self.hello).await?,
            Tls::Opportunistic(tls) if connection.can_starttls() => connection.starttls(tls.clone(), &self.hello).await?,
            _ => {}
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

/// Without credentials, for the log.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

fn parameters(host: &str, authorities: Option<&[u8]>) -> Result<TlsParameters, Unusable> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = authorities {
        let certificate = Certificate::from_pem(pem).map_err(|error| Unusable(format!("the authorities' certificates: {error}")))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|error| Unusable(format!("TLS cannot be set up: {error}")))
}

fn credentials(url: &Url) -> Result<Option<Credentials>, &'static str> {
    let decoded = |text| percent_decode_str(text).decode_utf8().map(String::from).map_err(|_| "has credentials that are not UTF-8");
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) => Err("has a password without a user"),
        (_, None) => Err("has a user without a password"),
        (user, Some(password)) => Ok(Some(Credentials::new(decoded(user)?, decoded(password)?))),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_how_to_connect() {
        for (url, shown, tls, login) in [
            ("smtps://u:p@mail.example.com", "smtps://mail.example.com:465", "Wrapper", true),
            ("smtps://mail.example.com:2465", "smtps://mail.example.com:2465", "Wrapper", false),
            ("smtp://u:p%40ss@mail.example.com?tls=required", "smtp://mail.example.com:587", "Required", true),
            ("smtp://mail.example.com?tls=opportunistic", "smtp://mail.example.com:587", "Opportunistic", false),
            ("smtp://mail.example.com", "smtp://mail.example.com:25", "None", false),
            ("smtp://u:p@127.0.0.1:1025", "smtp://127.0.0.1:1025", "None", true),
            ("smtp://u:p@LOCALHOST:1025/greeting.example", "smtp://LOCALHOST:1025", "None", true),
            ("smtp://[::1]:1025", "smtp://::1:1025", "None", false),
        ] {
            let server = Server::parse(url, None).expect(url);
            assert_eq!((server.to_string().as_str(), format!("{:?}", server.tls).as_str()), (shown, tls));
            assert_eq!(server.credentials.is_some(), login, "{url}");
        }
    }

    #[test]
    fn a_password_is_never_sent_in_the_clear_nor_repeated() {
        for url in [
            "smtp://u:hunter2@mail.example.com",
            "smtp://u:hunter2@mail.example.com?tls=opportunistic",
            "smtp://u:hunter2@127.0.0.1.example.com",
            "smtps://:hunter2@mail.example.com",
            "smtps://u:hunter2@",
            "smtps://u:hunter2@mail.example.com?tls=none",
            "smtps://u:hunter2@mail.example.com?verify=false",
            "http://u:hunter2@mail.example.com",
            "smtps://hunter2@mail.example.com",
            "mail.example.com:25",
        ] {
            let refused = Server::parse(url, None).err().expect(url).to_string();
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }
}
