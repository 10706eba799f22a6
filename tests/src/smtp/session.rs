//! One conversation with a client.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::{Encryption, ReceivedMail, Shared};

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

struct Session {
    wire: BufReader<Box<dyn Wire>>,
    shared: Arc<Shared>,
    encrypted: bool,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

/// Talks until the client leaves; what fails ends the connection.
pub(super) async fn serve(client: TcpStream, shared: Arc<Shared>) -> Option<()> {
    let encrypted = shared.encryption == Encryption::Always;
    let wire: Box<dyn Wire> = if encrypted { Box::new(shared.tls.accept(client).await.ok()?) } else { Box::new(client) };
    let mut session = Session { wire: BufReader::new(wire), shared, encrypted, user: None, from: None, to: Vec::new() };
    session.reply("CONNECT", "220 mail.test ESMTP").await?;
    loop {
        let line = session.line().await?;
        let line = String::from_utf8(line).ok()?;
        let (command, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match command.to_ascii_uppercase().as_str() {
            "EHLO" => {
                let offered = session.offered();
                session.reply("EHLO", &offered).await?;
            }
            "STARTTLS" if session.shared.encryption == Encryption::StartTls && !session.encrypted => session = session.encrypt().await?,
            "AUTH" => session.authenticate(rest).await?,
            "MAIL" if session.user.is_none() && session.shared.login.is_some() => session.reply("MAIL", "530 5.7.0 log in first").await?,
            "MAIL" => {
                session.from = address(rest);
                session.to.clear();
                session.reply("MAIL", "250 2.1.0 ok").await?;
            }
            "RCPT" if session.from.is_some() => {
                if !session.shared.refuses("RCPT") {
                    session.to.push(address(rest)?);
                }
                session.reply("RCPT", "250 2.1.5 ok").await?;
            }
            "DATA" if !session.to.is_empty() => session.data().await?,
            "NOOP" => session.reply("NOOP", "250 2.0.0 ok").await?,
            "RSET" => {
                (session.from, session.to) = (None, Vec::new());
                session.reply("RSET", "250 2.0.0 ok").await?;
            }
            "QUIT" => return session.reply("QUIT", "221 2.0.0 bye").await,
            _ => session.reply("", "503 5.5.1 not now").await?,
        }
    }
}

impl Session {
    /// One line without its end.
    async fn line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        self.wire.read_until(b'\n', &mut line).await.ok()?;
        // A bare LF ends no line: that is how mails are smuggled into others.
        line.strip_suffix(b"\r\n").map(<[u8]>::to_vec)
    }

    /// Answers, once there is no silence to be kept.
    async fn reply(&mut self, command: &'static str, usual: &str) -> Option<()> {
        let mut replies = self.shared.replies.subscribe();
        let reply = replies.wait_for(|replies| replies.get(command) != Some(&"")).await.ok()?.get(command).copied().unwrap_or(usual);
        self.wire.get_mut().write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
        self.wire.get_mut().flush().await.ok()
    }

    fn offered(&self) -> String {
        let mut offered = vec!["250-mail.test"];
        if self.shared.encryption == Encryption::StartTls && !self.encrypted {
            offered.push("250-STARTTLS");
        }
        if self.shared.login.is_some() {
            offered.push("250-AUTH PLAIN LOGIN");
        }
        offered.push("250 8BITMIME");
        offered.join("\r\n")
    }

    async fn encrypt(mut self) -> Option<Self> {
        self.reply("STARTTLS", "220 2.0.0 go on").await?;
        // Whatever was sent before is forgotten, as the standard has it.
        let wire = self.shared.tls.accept(self.wire.into_inner()).await.ok()?;
        Some(Self { wire: BufReader::new(Box::new(wire)), shared: self.shared, encrypted: true, user: None, from: None, to: Vec::new() })
    }

    async fn authenticate(&mut self, rest: &str) -> Option<()> {
        let (mechanism, first) = rest.split_once(' ').unwrap_or((rest, ""));
        let said = if mechanism.eq_ignore_ascii_case("PLAIN") {
            let said = decoded(first)?;
            let mut parts = said.split('\0').skip(1).map(ToOwned::to_owned);
            (parts.next()?, parts.next()?)
        } else {
            (self.ask("334 VXNlcm5hbWU6").await?, self.ask("334 UGFzc3dvcmQ6").await?)
        };
        if self.shared.login.as_ref() == Some(&said) {
            self.user = Some(said.0);
            self.reply("AUTH", "235 2.7.0 welcome").await
        } else {
            self.reply("AUTH", "535 5.7.8 wrong user or password").await
        }
    }

    async fn ask(&mut self, question: &str) -> Option<String> {
        self.reply("", question).await?;
        decoded(&String::from_utf8(self.line().await?).ok()?)
    }

    async fn data(&mut self) -> Option<()> {
        self.reply("DATA", "354 go on").await?;
        if self.shared.refuses("DATA") {
            return Some(());
        }
        let mut data = Vec::new();
        loop {
            let line = self.line().await?;
            if line == b"." {
                break;
            }
            data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            data.extend_from_slice(b"\r\n");
        }
        let (from, to) = (self.from.take()?, std::mem::take(&mut self.to));
        if !self.shared.refuses("END") {
            let mail = ReceivedMail { from, to, data, encrypted: self.encrypted, user: self.user.clone() };
            self.shared.mails.send_modify(|mails| mails.push(mail));
        }
        self.reply("END", "250 2.0.0 taken").await
    }
}

/// What stands between the angle brackets of `FROM:<…>`.
fn address(rest: &str) -> Option<String> {
    rest.split_once('<')?.1.split_once('>').map(|(address, _)| address.to_owned())
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(BASE64_STANDARD.decode(text).ok()?).ok()
}
