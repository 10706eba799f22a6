//! Secrets as people type them: nothing panics, and nothing of them is printed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use webhooks::{Keys, Provider, standard};

fuzz_target!(|text: &str| {
    for provider in Provider::ALL {
        if let Ok(keys) = Keys::parse(provider, text) {
            let printed = format!("{keys:?}");
            assert!(printed.ends_with(&format!("([{}]))", vec!["***"; text.split(',').count()].join(", "))), "{printed}");
        }
    }
    if let Ok(key) = standard::SigningKey::parse(text) {
        assert_eq!(format!("{key:?}"), "***");
        if let Some(public) = key.public_text() {
            assert!(standard::Key::parse(&public).is_ok());
        }
    }
});
