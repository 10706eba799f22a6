//! Slugs: names for addresses, given or made from a name.

/// The longest slug, in characters.
pub const SLUG_MAX: usize = 63;
/// The shortest slug.
pub const SLUG_MIN: usize = 2;
/// The longest that is made from a name, so that there is room for a suffix.
const DERIVED_MAX: usize = 50;

/// A slug made from a name: letters of other scripts are written in Latin ones. Empty when nothing of the name can be.
#[must_use]
pub fn derive(name: &str) -> String {
    let slug: String = slug::slugify(name).chars().take(DERIVED_MAX).collect();
    slug.trim_end_matches('-').to_owned()
}

/// A slug made from a name, told apart from others by a number; what is left to itself when the name gives nothing is `fallback`.
#[must_use]
pub fn derive_apart(name: &str, fallback: &str, number: u32) -> String {
    let slug = derive(name);
    let base = if slug.is_empty() { fallback } else { &slug };
    format!("{base}-{number:06x}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::SLUG;

    #[test]
    fn names_become_readable() {
        assert_eq!(derive("Acme & Söhne GmbH"), "acme-sohne-gmbh");
        assert_eq!(derive("株式会社"), "zhu-shi-hui-she");
        assert_eq!(derive("!!!"), "");
    }

    proptest! {
        #[test]
        fn what_is_made_is_a_slug_or_nothing(name in any::<String>()) {
            let slug = derive(&name);
            let apart = derive_apart(&name, "org", u32::MAX);
            prop_assert!(apart.len() <= SLUG_MAX && SLUG.is_match(&apart), "{apart:?}");
            prop_assert!(slug.is_empty() || (slug.len() <= DERIVED_MAX && SLUG.is_match(&slug)), "{slug:?}");
        }
    }
}
