//! Settings: pure parsing, every problem at once, secrets that stay secret.

use std::{collections::HashMap, io};

use config::{Config, Environment, LogFormat, Problems, Sources, Storage};
use proptest::prelude::*;

fn parse(variables: &[(&str, &str)]) -> Result<Config, Problems> {
    described(variables).1
}

fn described(variables: &[(&str, &str)]) -> (String, Result<Config, Problems>) {
    let variables: HashMap<String, String> = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let sources = Sources {
        variable: &|name| variables.get(name).cloned(),
        file: &|path| {
            if path == "/run/secret" { Ok("postgres://u:from-file@h/d\n".to_owned()) } else { Err(io::Error::other("no such file")) }
        },
        processors: 2,
    };
    let (described, config) = config::describe(&sources);
    (config::effective(&described), config)
}

#[test]
fn nothing_set_is_a_working_development() {
    let config = parse(&[]).unwrap();
    assert_eq!(config.environment, Environment::Development);
    assert_eq!((config.http.port, config.http.host.to_string().as_str()), (3000, "127.0.0.1"));
    assert!(config.database.url.is_none() && config.database.migrate_on_start);
    assert_eq!(config.log.format, LogFormat::Pretty);
}

#[test]
fn every_problem_is_reported_at_once() {
    let problems =
        parse(&[("APP_ENV", "production"), ("PORT", "70000"), ("HOST", "here"), ("LOG_LEVEL", "loud"), ("ADMIN_EMAIL", "a@b.c")])
            .unwrap_err();
    let text = problems.to_string();
    for name in ["PORT", "HOST", "LOG_LEVEL", "DATABASE_URL is required", "ADMIN_PASSWORD"] {
        assert!(text.contains(name), "{name} in {text}");
    }
    assert_eq!(problems.0.len(), 5);
}

#[test]
fn production_is_strict_by_default() {
    let config = parse(&[("APP_ENV", "production"), ("DATABASE_URL", "postgres://u:p@h/d")]).unwrap();
    assert!(!config.database.migrate_on_start);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.http.drain.as_secs(), 5);
}

#[test]
fn secrets_come_from_files_too_and_are_never_printed() {
    let (text, config) = described(&[("DATABASE_URL_FILE", "/run/secret"), ("ADMIN_EMAIL", "a@b.c"), ("ADMIN_PASSWORD", "hunter22")]);
    let config = config.unwrap();
    assert_eq!(config.database.url.as_ref().unwrap().expose(), "postgres://u:from-file@h/d");
    assert!(!text.contains("from-file") && !text.contains("hunter22"), "{text}");
    let debug = format!("{config:?}");
    assert!(!debug.contains("from-file") && !debug.contains("hunter22"), "{debug}");
}

#[test]
fn a_secret_given_twice_or_in_an_absent_file_is_a_problem() {
    assert!(
        parse(&[("DATABASE_URL", "postgres://h/d"), ("DATABASE_URL_FILE", "/run/secret")]).unwrap_err().to_string().contains("keep one")
    );
    assert!(parse(&[("DATABASE_URL_FILE", "/absent")]).unwrap_err().to_string().contains("cannot read"));
}

#[test]
fn an_origin_is_scheme_host_and_port() {
    let config = parse(&[("ALLOWED_ORIGINS", "https://App.example.com, http://localhost:5173/")]).unwrap();
    assert_eq!(config.http.allowed_origins, ["https://app.example.com", "http://localhost:5173"]);
    for wrong in ["null", "*", "example.com", "https://a.example/path", "ftp://a.example", "https://user@a.example"] {
        assert!(parse(&[("ALLOWED_ORIGINS", wrong)]).is_err(), "{wrong}");
    }
}

#[test]
fn mail_in_development_needs_no_settings() {
    let mail = parse(&[]).unwrap().mail;
    assert!(mail.smtp_url.is_none() && mail.app_url.is_none());
    assert_eq!((mail.from.as_str(), mail.timeout.as_secs()), ("Handrail <no-reply@localhost>", 10));
}

#[test]
fn mail_in_production_names_its_sender_and_where_links_lead() {
    let production = [("APP_ENV", "production"), ("DATABASE_URL", "postgres://u:p@h/d")];
    let with = |more: &[(&str, &str)]| parse(&[&production[..], more].concat());
    assert!(with(&[]).unwrap().mail.smtp_url.is_none());
    let problems = with(&[("SMTP_URL", "smtps://u:p@mail.example.com")]).unwrap_err();
    assert_eq!(problems.0.len(), 2, "{problems}");
    assert!(problems.0[0].contains("MAIL_FROM is required") && problems.0[1].contains("APP_URL"), "{problems}");
    let smtp = ("SMTP_URL", "smtps://u:p@mail.example.com");
    let mail = with(&[smtp, ("MAIL_FROM", "Ada <ada@example.com>"), ("PUBLIC_URL", "https://api.example.com")]).unwrap().mail;
    assert_eq!(mail.app_url.as_deref(), Some("https://api.example.com"));
}

#[test]
fn an_smtp_url_is_checked_for_its_form_and_never_printed_whole() {
    let (text, config) = described(&[("SMTP_URL", "smtps://user:hunter22@mail.example.com:465")]);
    assert!(text.contains("SMTP_URL=smtps://user:***@mail.example.com:465"), "{text}");
    let config = config.unwrap();
    assert!(!format!("{config:?}").contains("hunter22"));
    assert_eq!(config.mail.smtp_url.unwrap().expose(), "smtps://user:hunter22@mail.example.com:465");
    for wrong in [
        "mail.example.com:25",
        "http://mail.example.com",
        "smtp://",
        "smtps://user:12/hunter22@mail.example.com",
        "smtp://u:1?x@h",
        "smtp://u:1#x@h",
    ] {
        let (text, config) = described(&[("SMTP_URL", wrong)]);
        let problems = config.expect_err(wrong).to_string();
        assert!(problems.contains("SMTP_URL") && !problems.contains("hunter22") && !text.contains("hunter22"), "{problems} {text}");
    }
}

#[test]
fn links_in_mails_lead_to_the_front_end() {
    let app_url = |more: &[(&str, &str)]| parse(more).map(|config| config.mail.app_url.unwrap_or_default());
    assert_eq!(app_url(&[("APP_URL", "https://app.example.com/")]).unwrap(), "https://app.example.com");
    let both = [("APP_URL", "https://example.com/app/"), ("PUBLIC_URL", "https://api.example.com")];
    assert_eq!(app_url(&both).unwrap(), "https://example.com/app");
    for wrong in ["app.example.com", "javascript:alert(1)", "https://a.example/?x=1", "https://a.example/#x", "https://u:p@a.example"] {
        assert!(app_url(&[("APP_URL", wrong)]).is_err(), "{wrong}");
    }
}

#[test]
fn an_empty_variable_counts_as_unset() {
    assert_eq!(parse(&[("PORT", ""), ("DATABASE_URL", " ")]).unwrap().http.port, 3000);
}

#[test]
fn the_example_file_is_what_the_code_reads() {
    let sources = Sources { variable: &|_| None, file: &|_| Err(io::Error::other("none")), processors: 1 };
    let written = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../.env.example")).unwrap();
    assert_eq!(written, config::example(&config::describe(&sources).0), "run `make docs` to write .env.example anew");
}

proptest! {
    #[test]
    fn no_value_makes_parsing_panic(value in ".{0,80}", which in 0_usize..15) {
        let names = ["PORT", "HOST", "APP_ENV", "DATABASE_URL", "ALLOWED_ORIGINS", "PUBLIC_URL", "WORKERS", "LOG_LEVEL",
            "DATABASE_POOL_SIZE", "SESSION_IDLE_HOURS", "ADMIN_EMAIL", "MIGRATE_ON_START", "SMTP_URL", "MAIL_FROM", "APP_URL"];
        let _ = parse(&[(names[which], &value)]);
    }
}

#[test]
fn github_is_asked_with_a_token_and_a_webhook_or_not_at_all() {
    let hook = "orgs/example/hooks/1";
    assert!(parse(&[]).unwrap().webhooks.github_api.is_none());
    let (text, config) = described(&[("GITHUB_TOKEN", "ghp_hunter22"), ("GITHUB_HOOK", hook)]);
    let config = config.unwrap();
    let api = config.webhooks.github_api.as_ref().unwrap();
    assert_eq!((api.token.expose().as_str(), api.hook.as_str(), api.base.as_str()), ("ghp_hunter22", hook, "https://api.github.com"));
    assert!(!text.contains("hunter22") && !format!("{config:?}").contains("hunter22"), "{text}");
    for alone in [("GITHUB_TOKEN", "ghp_hunter22"), ("GITHUB_HOOK", hook)] {
        let problems = parse(&[alone]).unwrap_err().to_string();
        assert!(problems.contains("go together") && !problems.contains("hunter22"), "{problems}");
    }
}

#[test]
fn a_service_behind_the_proxy_has_settings_by_its_name() {
    assert!(parse(&[]).unwrap().proxy.upstreams.is_empty());
    let (text, config) = described(&[
        ("UPSTREAMS", "orders=https://orders.example.com/v1/, my-search=http://10.0.0.7:9200"),
        ("UPSTREAM_ORDERS_AUTHORIZATION", "Bearer hunter22"),
        ("UPSTREAM_MY_SEARCH_AUTHORIZATION_FILE", "/run/secret"),
        ("UPSTREAM_MY_SEARCH_CREDENTIAL_HEADER", "X-Api-Key"),
        ("UPSTREAM_MY_SEARCH_HEAD_TIMEOUT_SECONDS", "3"),
    ]);
    let config = config.unwrap();
    let [orders, search] = &config.proxy.upstreams[..] else { panic!("two services") };
    assert_eq!((orders.name.as_str(), orders.url.as_str(), orders.private), ("orders", "https://orders.example.com/v1", false));
    assert_eq!(orders.authorization.as_ref().unwrap().expose(), "Bearer hunter22");
    assert_eq!((orders.credential_header.as_str(), orders.head_timeout.as_secs()), ("authorization", 15));
    assert_eq!((search.name.as_str(), search.url.as_str(), search.private), ("my-search", "http://10.0.0.7:9200", true));
    assert_eq!(search.authorization.as_ref().unwrap().expose(), "postgres://u:from-file@h/d");
    assert_eq!((search.credential_header.as_str(), search.head_timeout.as_secs()), ("x-api-key", 3));
    assert!(text.contains("UPSTREAM_ORDERS_AUTHORIZATION=***") && !text.contains("hunter22") && !text.contains("from-file"), "{text}");
    assert!(!format!("{config:?}").contains("hunter22"));
}

#[test]
fn services_behind_the_proxy_that_cannot_be_are_problems() {
    for wrong in [
        "orders",
        "=https://a.example",
        "Orders=https://a.example",
        "or_ders=https://a.example",
        "../x=https://a.example",
        "1st=https://a.example",
        "orders=a.example",
        "orders=ftp://a.example",
        "orders=https://user:pass@a.example",
        "orders=https://a.example/?key=1",
        "orders=http://orders.example.com",
        "orders=https://a.example,orders=https://b.example",
    ] {
        let problems = parse(&[("UPSTREAMS", wrong)]).expect_err(wrong);
        assert!(problems.to_string().contains("UPSTREAMS"), "{wrong}: {problems}");
    }
    for (name, wrong) in [
        ("UPSTREAM_ORDERS_AUTHORIZATION", "two\nlines"),
        ("UPSTREAM_ORDERS_CREDENTIAL_HEADER", "host"),
        ("UPSTREAM_ORDERS_USER_HEADER", "x y"),
        ("UPSTREAM_ORDERS_HEAD_TIMEOUT_SECONDS", "0"),
        ("UPSTREAM_ORDERS_PRIVATE", "perhaps"),
    ] {
        let problems = parse(&[("UPSTREAMS", "orders=https://a.example"), (name, wrong)]).expect_err(name);
        assert!(problems.to_string().contains(name), "{problems}");
    }
    assert!(parse(&[("UPSTREAMS", "orders=http://orders.internal"), ("UPSTREAM_ORDERS_PRIVATE", "true")]).is_ok());
}

#[test]
fn no_setting_of_a_service_can_be_one_of_another() {
    let names = |name: &str| -> Vec<String> {
        let upstreams = format!("{name}=https://a.example");
        let sources = Sources {
            variable: &|variable| (variable == "UPSTREAMS").then(|| upstreams.clone()),
            file: &|_| Err(io::Error::other("none")),
            processors: 1,
        };
        let prefix = format!("UPSTREAM_{}_", name.to_uppercase());
        config::describe(&sources).0.into_iter().filter_map(|setting| Some(setting.name.strip_prefix(&prefix)?.to_owned())).collect()
    };
    let names = names("x");
    assert!(names.len() > 10, "{names:?}");
    for (one, other) in names.iter().flat_map(|one| names.iter().map(move |other| (one, other))) {
        assert!(!one.ends_with(&format!("_{other}")), "{one} of a service x is {other} of one whose name begins with x-");
    }
}

#[test]
fn files_are_kept_in_the_data_folder_or_where_it_is_said() {
    let storage = |more: &[(&str, &str)]| parse(more).map(|config| config.uploads.storage);
    let production = [("APP_ENV", "production"), ("DATABASE_URL", "postgres://u:p@h/d")];
    assert!(
        matches!(storage(&[("DATA_DIR", "/d")]).unwrap(), Some(Storage::Folder(path)) if path.ends_with("uploads") && path.starts_with("/d"))
    );
    assert!(storage(&production).unwrap().is_none());
    assert!(
        matches!(storage(&[("STORAGE_URL", "file:///var/files")]).unwrap(), Some(Storage::Folder(path)) if path.as_os_str() == "/var/files")
    );
    let Some(Storage::S3(s3)) = storage(&[("STORAGE_URL", "s3://files/a/b/")]).unwrap() else { panic!("no bucket") };
    assert_eq!((s3.bucket.as_str(), s3.prefix.as_str(), s3.region.as_str()), ("files", "a/b", "us-east-1"));
    assert!(s3.keys.is_none() && s3.endpoint.is_none());
    for wrong in
        ["files", "file://relative", "file:///a/../b", "s3://", "s3://a?b", "s3://files/a/../b", "https://files", "s3://user:pw@files"]
    {
        assert!(storage(&[("STORAGE_URL", wrong)]).unwrap_err().to_string().contains("STORAGE_URL"), "{wrong}");
    }
}

#[test]
fn keys_of_s3_go_together_and_are_never_printed() {
    let (id, secret) = (("AWS_ACCESS_KEY_ID", "AKIAhunter22"), ("AWS_SECRET_ACCESS_KEY", "hunter22"));
    let (text, config) = described(&[("STORAGE_URL", "s3://files"), id, secret, ("AWS_SESSION_TOKEN", "hunter22")]);
    let config = config.unwrap();
    assert!(!text.contains("hunter22") && !format!("{config:?}").contains("hunter22"), "{text}");
    assert!(matches!(config.uploads.storage, Some(Storage::S3(s3)) if s3.keys.as_ref().unwrap().secret.expose() == "hunter22"));
    for alone in [id, secret] {
        let problems = parse(&[alone]).unwrap_err().to_string();
        assert!(problems.contains("go together") && !problems.contains("hunter22"), "{problems}");
    }
}

#[test]
fn who_must_verify_must_be_able_to_get_mail() {
    let production = [("APP_ENV", "production"), ("DATABASE_URL", "postgres://u:p@h/d"), ("REQUIRE_VERIFIED_EMAIL", "true")];
    let problems = parse(&production).unwrap_err();
    assert_eq!(problems.0.len(), 1, "{problems}");
    assert!(problems.0[0].starts_with("REQUIRE_VERIFIED_EMAIL needs SMTP_URL"), "{problems}");
    let mail = [("SMTP_URL", "smtps://u:p@mail.example.com"), ("MAIL_FROM", "a@example.com"), ("APP_URL", "https://app.example.com")];
    assert!(parse(&[&production[..], &mail].concat()).unwrap().auth.require_verified_email);
    assert!(parse(&production[2..]).unwrap().auth.require_verified_email, "in development mail goes to a folder");
    let auth = parse(&[]).unwrap().auth;
    assert!(!auth.require_verified_email);
    assert_eq!((auth.verification.as_secs(), auth.password_reset.as_secs()), (24 * 3600, 3600));
}

#[test]
fn types_of_files_are_media_types() {
    let types = |text| parse(&[("UPLOAD_TYPES", text)]).map(|config| config.uploads.types);
    assert_eq!(types("Image/*, application/pdf").unwrap(), ["image/*", "application/pdf"]);
    assert_eq!(types("*/*").unwrap(), ["*/*"]);
    for wrong in ["png", "image/", "*/png", "image/p ng", ","] {
        assert!(types(wrong).is_err(), "{wrong}");
    }
}
