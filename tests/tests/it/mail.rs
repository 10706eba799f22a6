//! Mail, as it leaves the server: over SMTP to a real listener, and into a folder.

use std::{
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use mailparse::{MailHeaderMap, ParsedMail, parse_mail};
use tests::{Encryption, Smtp};
use tokio::net::TcpListener;
use upstream::mail::{Error, Mail, Mailer, Sent};

const FROM: &str = "Händrail, Inc. <no-reply@example.com>";
const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(400);

fn mailer(smtp: &Smtp, timeout: Duration) -> Mailer {
    Mailer::smtp_trusting(&smtp.url(), FROM, timeout, Some(smtp.authority.as_bytes())).expect("a mailer")
}

fn mail(subject: &str, text: &str) -> Mail {
    Mail { to: "ada@example.org".to_owned(), subject: subject.to_owned(), text: text.to_owned(), html: None }
}

fn header(mail: &ParsedMail<'_>, name: &str) -> String {
    mail.headers.get_first_value(name).expect(name)
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let smtp = Smtp::start().await;
    let long = "word ".repeat(400);
    let written = format!("Grüße, 世界 🚀\n.\n..two dots\n.dot at the start\n\nQUIT\n{long}\nend");
    let sent = mailer(&smtp, LONG).send(&mail("Bestätige deine Adresse — 世界", &written)).await.expect("sent");

    let mails = smtp.wait_for(1).await;
    let [received] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!((received.from.as_str(), received.to.as_slice()), ("no-reply@example.com", ["ada@example.org".to_owned()].as_slice()));
    assert!(received.data.is_ascii() && !received.encrypted && received.user.is_none());
    let parsed = parse_mail(&received.data).expect("a mail");
    assert_eq!(header(&parsed, "Subject"), "Bestätige deine Adresse — 世界");
    assert_eq!(header(&parsed, "From"), FROM);
    assert_eq!(header(&parsed, "To"), "ada@example.org");
    assert_eq!(header(&parsed, "Auto-Submitted"), "auto-generated");
    let written_at = u64::try_from(mailparse::dateparse(&header(&parsed, "Date")).expect("a date")).expect("a date after 1970");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs();
    assert!(now.abs_diff(written_at) < 60, "{now} {written_at}");
    let Sent::Server { message_id } = sent else { panic!("{sent:?}") };
    assert_eq!(header(&parsed, "Message-ID"), format!("<{message_id}>"));
    assert!(message_id.ends_with("@example.com"), "{message_id}");
    assert_eq!(parsed.get_body().expect("a text").trim_end().replace("\r\n", "\n"), written);
}

#[tokio::test]
async fn no_text_ends_its_mail_or_breaks_its_lines() {
    let smtp = Smtp::start().await;
    let mailer = mailer(&smtp, LONG);
    let odd = "a\r.\rb\n.\r\nc\r\n.\nd\r\n.\r\nMAIL FROM:<eve@example.com>\r\n";
    for body in [odd.to_owned(), format!("ä{odd}"), "x".repeat(5000), ".".repeat(2000), "\r\n.".to_owned(), "\0\u{7f}".to_owned()] {
        let both = Mail { html: Some(body.clone()), ..mail("x", &body) };
        mailer.send(&both).await.expect("sent");
        mailer.send(&mail("x", &body)).await.expect("sent");
    }
    let mails = smtp.wait_for(12).await;
    assert_eq!((mails.len(), smtp.connections()), (12, 1));
    for received in mails {
        for line in String::from_utf8(received.data).expect("ASCII").split_terminator("\r\n") {
            assert!(line.len() < 999 && !line.contains(['\r', '\n', '\0']), "{line:?}");
        }
    }
}

#[tokio::test]
async fn html_comes_beside_the_text() {
    let smtp = Smtp::start().await;
    let both = Mail { html: Some("<p>Hällo</p>\n.\n".to_owned()), ..mail("Both", "Hällo") };
    mailer(&smtp, LONG).send(&both).await.expect("sent");
    let mails = smtp.wait_for(1).await;
    let parsed = parse_mail(&mails.first().expect("a mail").data).expect("a mail");
    assert_eq!(parsed.ctype.mimetype, "multipart/alternative");
    let parts: Vec<_> = parsed.subparts.iter().map(|part| (part.ctype.mimetype.as_str(), part.get_body().expect("a body"))).collect();
    assert_eq!(parts.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), ["text/plain", "text/html"]);
    assert_eq!(parts.iter().map(|(_, body)| body.trim()).collect::<Vec<_>>(), ["Hällo", "<p>Hällo</p>\r\n."]);
}

#[tokio::test]
async fn refusals_are_permanent_and_postponements_temporary_at_every_step() {
    for (reply, permanent) in [("550 5.1.1 <ada@example.org> is nobody", true), ("451 4.7.1 ada@example.org: later", false)] {
        for step in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "END"] {
            let smtp = Smtp::start().await;
            smtp.answer(step, reply);
            let mailer = mailer(&smtp, LONG);
            let error = mailer.send(&mail("x", "x")).await.expect_err(step);
            assert_eq!(error.is_permanent(), permanent, "{step}: {error}");
            let (Error::Refused(said) | Error::Deferred(said)) = &error else { panic!("{step}: {error:?}") };
            assert_eq!(said.code, if permanent { 550 } else { 451 });
            assert!(!format!("{error} {error:?}").contains("ada@"), "{error:?}");
            assert!(smtp.mails().is_empty());
            smtp.mend();
            mailer.send(&mail("x", "x")).await.expect("the next mail is not hurt by the last");
        }
    }
}

#[tokio::test]
async fn a_silent_server_is_given_up_in_time_at_every_step() {
    for step in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "END"] {
        let smtp = Smtp::start().await;
        smtp.answer(step, "");
        let mailer = mailer(&smtp, SHORT);
        let started = Instant::now();
        let error = mailer.send(&mail("x", "x")).await.expect_err(step);
        assert!(matches!(error, Error::TimedOut(_)) && !error.is_permanent(), "{step}: {error:?}");
        assert!(started.elapsed() < SHORT * 10, "{step}: {:?}", started.elapsed());
        smtp.mend();
        mailer.send(&mail("x", "x")).await.expect("the next mail is not hurt by the last");
    }
}

#[tokio::test]
async fn a_connection_gone_silent_between_two_mails_is_replaced() {
    let smtp = Smtp::start().await;
    let mailer = mailer(&smtp, LONG);
    mailer.send(&mail("1", "x")).await.expect("sent");
    smtp.answer("NOOP", "");
    mailer.send(&mail("2", "x")).await.expect("sent over another connection");
    assert_eq!((smtp.wait_for(2).await.len(), smtp.connections()), (2, 2));
}

#[tokio::test]
async fn a_mail_given_up_by_its_sender_leaves_no_trace_for_the_next() {
    let smtp = Smtp::start().await;
    let mailer = mailer(&smtp, LONG);
    smtp.answer("END", "");
    let first = mail("first", "first");
    tokio::select! {
        sent = mailer.send(&first) => panic!("{sent:?} without a reply"),
        _ = smtp.wait_for(1) => {}
    }
    smtp.mend();
    smtp.answer("RCPT", "550 5.1.1 nobody");
    // On the first one's connection, each reply would be taken for the one to the next command.
    let error = mailer.send(&mail("second", "second")).await.expect_err("refused");
    assert!(matches!(&error, Error::Refused(reply) if reply.code == 550), "{error:?}");
    assert_eq!((smtp.mails().len(), smtp.connections()), (1, 2));
}

#[tokio::test]
async fn nobody_listening_is_temporary() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("smtp://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let error = Mailer::smtp(&url, FROM, LONG).expect("a mailer").send(&mail("x", "x")).await.expect_err("nobody");
    assert!(matches!(error, Error::Unreachable(_)) && !error.is_permanent(), "{error:?}");
}

#[tokio::test]
async fn a_password_goes_through_tls_and_a_wrong_one_is_permanent() {
    for encryption in [Encryption::StartTls, Encryption::Always, Encryption::None] {
        let smtp = Smtp::with(encryption, Some(("robot", "hunter22"))).await;
        mailer(&smtp, LONG).send(&mail("x", "x")).await.expect("sent");
        let mails = smtp.wait_for(1).await;
        let received = mails.first().expect("a mail");
        assert_eq!((received.encrypted, received.user.as_deref()), (encryption != Encryption::None, Some("robot")));

        let url = smtp.url().replace("hunter22", "hunter23");
        let wrong = Mailer::smtp_trusting(&url, FROM, LONG, Some(smtp.authority.as_bytes())).expect("a mailer");
        let error = wrong.send(&mail("x", "x")).await.expect_err("a wrong password");
        assert!(matches!(&error, Error::Refused(reply) if reply.code == 535) && error.is_permanent(), "{error:?}");
        assert!(!format!("{wrong:?} {wrong} {error:?}").contains("hunter"), "{wrong:?} {error:?}");
    }
}

#[tokio::test]
async fn the_older_way_to_log_in_is_known_too() {
    let smtp = Smtp::with(Encryption::None, Some(("robot", "hunter22"))).await;
    smtp.answer("EHLO", "250-mail.test\r\n250 AUTH LOGIN");
    mailer(&smtp, LONG).send(&mail("x", "x")).await.expect("sent");
    assert_eq!(smtp.wait_for(1).await.first().and_then(|mail| mail.user.clone()).as_deref(), Some("robot"));
}

#[tokio::test]
async fn what_tls_does_not_prove_gets_no_mail() {
    let smtp = Smtp::with(Encryption::StartTls, None).await;
    // Nobody vouches for the certificate; and then it is for another name.
    let strangers = Mailer::smtp(&smtp.url(), FROM, LONG).expect("a mailer");
    let elsewhere = smtp.url().replace("localhost", "127.0.0.1");
    let other_name = Mailer::smtp_trusting(&elsewhere, FROM, LONG, Some(smtp.authority.as_bytes())).expect("a mailer");
    // And here someone cut STARTTLS out.
    let bare = Smtp::start().await;
    let stripped = Mailer::smtp(&format!("{}?tls=required", bare.url()), FROM, LONG).expect("a mailer");
    for mailer in [strangers, other_name, stripped] {
        let error = mailer.send(&mail("x", "x")).await.expect_err("no proof");
        assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    }
    assert!(smtp.mails().is_empty() && bare.mails().is_empty());
}

#[tokio::test]
async fn opportunistic_tls_is_used_where_it_is_offered() {
    for (encryption, encrypted) in [(Encryption::StartTls, true), (Encryption::None, false)] {
        let smtp = Smtp::with(encryption, None).await;
        let port = smtp.url().split('?').next().and_then(|url| url.rsplit(':').next()).expect("a port").to_owned();
        let url = format!("smtp://localhost:{port}?tls=opportunistic");
        let mailer = Mailer::smtp_trusting(&url, FROM, LONG, Some(smtp.authority.as_bytes())).expect("a mailer");
        mailer.send(&mail("x", "x")).await.expect("sent");
        assert_eq!(smtp.wait_for(1).await.first().expect("a mail").encrypted, encrypted);
    }
}

#[tokio::test]
async fn no_header_can_be_smuggled_in() {
    let smtp = Smtp::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    for mailer in [mailer(&smtp, LONG), Mailer::folder(folder.path(), FROM).expect("a mailer")] {
        for end in ["\r\n", "\n", "\r", "\0", "\u{85}"] {
            let subject = mail(&format!("Hello{end}Bcc: eve@example.com"), "x");
            let to = Mail { to: format!("ada@example.org{end}Bcc: eve@example.com"), ..mail("x", "x") };
            for mail in [subject, to] {
                let error = mailer.send(&mail).await.expect_err("smuggled");
                assert!(matches!(error, Error::Invalid(_)) && error.is_permanent(), "{error:?}");
            }
        }
    }
    assert!(Mailer::smtp(&smtp.url(), "Handrail\r\nBcc: eve@example.com <a@example.com>", LONG).is_err());
    assert_eq!((smtp.connections(), std::fs::read_dir(folder.path()).expect("a folder").count()), (0, 0));
}

#[tokio::test]
async fn an_address_beyond_ascii_is_permanent_where_the_server_cannot_take_it() {
    let smtp = Smtp::start().await;
    let mailer = mailer(&smtp, LONG);
    let to = |to: &str| Mail { to: to.to_owned(), ..mail("x", "x") };
    assert!(mailer.send(&to("jürgen@example.org")).await.expect_err("no SMTPUTF8").is_permanent());
    smtp.answer("EHLO", "250-mail.test\r\n250-8BITMIME\r\n250 SMTPUTF8");
    mailer.send(&to("jürgen@example.org")).await.expect("sent to a server that can");
    smtp.mend();
    mailer.send(&to("ada@bücher.example")).await.expect("sent");
    let recipients: Vec<String> = smtp.wait_for(2).await.into_iter().flat_map(|mail| mail.to).collect();
    assert_eq!(recipients, ["jürgen@example.org", "ada@xn--bcher-kva.example"]);
}

#[tokio::test]
async fn many_mails_at_once_share_a_few_connections() {
    let smtp = Smtp::with(Encryption::Always, None).await;
    let mailer = mailer(&smtp, LONG);
    let mails: Vec<Mail> = (0..20).map(|number| mail(&number.to_string(), "x")).collect();
    futures::future::try_join_all(mails.iter().map(|mail| mailer.send(mail))).await.expect("all sent");
    let received = smtp.wait_for(20).await;
    let mut subjects: Vec<u32> =
        received.iter().map(|mail| header(&parse_mail(&mail.data).expect("a mail"), "Subject").parse().expect("a number")).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, (0..20).collect::<Vec<_>>());
    assert!(smtp.connections() <= 4, "{}", smtp.connections());
}

#[tokio::test]
async fn a_folder_takes_mails_as_files_in_order() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("data/mail");
    let mailer = Mailer::folder(&folder, FROM).expect("a mailer");
    assert!(!folder.exists());
    let mut written = Vec::new();
    for number in 0..20 {
        let to = Mail { to: "/etc/ada@example.org".to_owned(), ..mail(&format!("{number} ../ä"), ".\nx") };
        let Sent::File { path } = mailer.send(&to).await.expect("written") else { panic!("not a file") };
        written.push(path);
    }
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(written.first().expect("a file"))), (0o700, 0o600));
    let mut found: Vec<_> = std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    found.sort();
    assert_eq!(found, written, "sorted by time, nothing left over, nothing elsewhere");
    let bytes = std::fs::read(written.first().expect("a file")).expect("a file");
    let parsed = parse_mail(&bytes).expect("a mail");
    assert_eq!((header(&parsed, "Subject").as_str(), parsed.get_body().expect("a text").trim_end()), ("0 ../ä", ".\r\nx"));
    assert!(written.iter().all(|path| path.extension().is_some_and(|extension| extension == "eml")));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_temporary() {
    let place = tempfile::NamedTempFile::new().expect("a file");
    let mailer = Mailer::folder(place.path().join("mail"), FROM).expect("a mailer");
    let error = mailer.send(&mail("x", "x")).await.expect_err("a file in the way");
    assert!(matches!(error, Error::Folder(_)) && !error.is_permanent(), "{error:?}");
}

#[test]
fn a_mailer_outlives_the_runtimes_that_it_sends_from() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let server = runtime();
    let smtp = server.block_on(Smtp::start());
    let mailer = mailer(&smtp, LONG);
    // The kept connection dies with the first; the second makes a new one.
    for _ in 0..2 {
        runtime().block_on(mailer.send(&mail("x", "x"))).expect("sent");
    }
    drop(mailer);
    assert_eq!((smtp.mails().len(), smtp.connections()), (2, 2));
}
