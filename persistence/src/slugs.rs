//! Finds a free slug: the one that was given or none, or one made from the name, told apart when it is taken.

use domain::slug;

use crate::{Error, Result};

/// How many made slugs are tried. Each has one of 16 million numbers, so even the second rarely happens.
const TRIES: usize = 5;
/// The shortest slug.
const SLUG_MIN: usize = 2;

/// Inserts with the slug that was given, or with the first made one that `constraint` does not refuse.
pub(crate) async fn insert<T>(
    given: Option<&str>,
    name: &str,
    fallback: &str,
    constraint: &str,
    insert: impl AsyncFn(&str) -> Result<T>,
) -> Result<T> {
    if let Some(slug) = given {
        return insert(slug).await;
    }
    let mut slug = Some(slug::derive(name)).filter(|slug| slug.len() >= SLUG_MIN).unwrap_or_else(|| apart(name, fallback));
    for _ in 1..TRIES {
        match insert(&slug).await {
            Err(Error::Taken { constraint: taken }) if taken == constraint => slug = apart(name, fallback),
            done => return done,
        }
    }
    insert(&slug).await
}

fn apart(name: &str, fallback: &str) -> String {
    let [a, b, c, ..] = *uuid::Uuid::new_v4().as_bytes();
    slug::derive_apart(name, fallback, u32::from_be_bytes([0, a, b, c]))
}
