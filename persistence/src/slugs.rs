//! Finds a free slug: the one that was given or none, or one made from the name, told apart when it is taken.

use diesel::QueryResult;
use domain::slug::{self, SLUG_MIN};

use crate::{Error, Result, Tx};

/// How many made slugs are tried. Each has one of 16 million numbers, so even the second rarely happens.
const TRIES: usize = 5;

/// Inserts with the slug that was given, or with the first made one that is free. `insert` gives nothing when the slug is taken, rather
/// than fail: an error would end the transaction.
///
/// # Errors
/// `Taken` by this constraint when the slug that was given is taken.
pub(crate) async fn insert<T>(
    tx: &mut Tx<'_>,
    given: Option<&str>,
    name: &str,
    fallback: &str,
    constraint: &str,
    insert: impl AsyncFn(&mut Tx<'_>, &str) -> QueryResult<Option<T>>,
) -> Result<T> {
    let taken = || Error::Taken { constraint: constraint.to_owned() };
    if let Some(slug) = given {
        return insert(tx, slug).await?.ok_or_else(taken);
    }
    let mut slug = Some(slug::derive(name)).filter(|slug| slug.len() >= SLUG_MIN).unwrap_or_else(|| apart(name, fallback));
    for _ in 0..TRIES {
        if let Some(made) = insert(tx, &slug).await? {
            return Ok(made);
        }
        slug = apart(name, fallback);
    }
    Err(taken())
}

fn apart(name: &str, fallback: &str) -> String {
    let [a, b, c, ..] = *uuid::Uuid::new_v4().as_bytes();
    slug::derive_apart(name, fallback, u32::from_be_bytes([0, a, b, c]))
}
