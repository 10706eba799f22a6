//! One row from its number: always the same, however many are made, so that a larger data set contains the smaller one.

use chrono::{DateTime, Utc};
use persistence::demo::{DemoPost, DemoUser};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus as Dice};
use uuid::{Builder, Uuid};

use super::{
    names, text,
    words::{TOPICS, pick, skewed},
};

/// 2026-11-01T00:00:00Z in milliseconds: nothing is later.
const END_MS: i64 = 1_793_491_200_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// When the first users sign up.
const START_MS: i64 = END_MS - 730 * DAY_MS;
/// In what time all the others do: before the end, so that they too have something written by then.
const SIGN_UP_MS: i64 = 670 * DAY_MS;
/// The first so many users sign up one after the other, roughly, and those after them at any time.
const EARLY_USERS: u32 = 1000;
/// These differ in the upper half, so that user 7 and post 7 have nothing in common.
const USER_SEED: u64 = 0x7573_6572 << 32;
const POST_SEED: u64 = 0x706f_7374 << 32;

/// A user of whom no more is made than the id and the time.
pub(super) struct UserSeed {
    pub(super) id: Uuid,
    index: u32,
    at_ms: i64,
    dice: Dice,
}

impl UserSeed {
    pub(super) fn new(index: u32) -> Self {
        let mut dice = Dice::seed_from_u64(USER_SEED | u64::from(index));
        let window_ms = SIGN_UP_MS / i64::from(EARLY_USERS) * i64::from(EARLY_USERS.min(index.saturating_add(1)));
        let at_ms = START_MS + dice.random_range(0..window_ms);
        Self { id: id(at_ms, &mut dice), index, at_ms, dice }
    }

    pub(super) fn grow(mut self) -> DemoUser {
        let person = names::person(&mut self.dice);
        DemoUser {
            id: self.id,
            email: format!("{}.{}@demo.example", names::ascii(&person.name), self.index + 1),
            bio: text::bio(&mut self.dice),
            name: person.name,
            locale: person.locale.to_owned(),
            timezone: person.timezone.to_owned(),
            created_at: time(self.at_ms),
            updated_at: time(self.at_ms),
        }
    }
}

/// A post of which no more is made than the id and the time.
pub(super) struct PostSeed {
    pub(super) id: Uuid,
    at_ms: i64,
    dice: Dice,
}

impl PostSeed {
    pub(super) fn new(index: u32) -> Self {
        let mut dice = Dice::seed_from_u64(POST_SEED | u64::from(index));
        // The later of two: the more users there are, the more is written.
        let mut at_ms = || dice.random_range(START_MS + DAY_MS..END_MS);
        let at_ms = at_ms().max(at_ms());
        Self { id: id(at_ms, &mut dice), at_ms, dice }
    }

    /// The whole post, by one of the first so many users.
    pub(super) fn grow(mut self, users: u32) -> DemoPost {
        let author_id = self.author(users);
        let dice = &mut self.dice;
        let topic = pick(dice, TOPICS, 1);
        let edited_ms = if dice.random_ratio(1, 6) { dice.random_range(self.at_ms..END_MS) } else { self.at_ms };
        DemoPost {
            id: self.id,
            author_id,
            title: text::title(dice, topic),
            content: text::content(dice, topic),
            tags: text::tags(dice, topic),
            created_at: time(self.at_ms),
            updated_at: time(edited_ms),
        }
    }

    /// Somebody who had signed up by then. A few write a lot, and they are of the first.
    fn author(&mut self, users: u32) -> Uuid {
        let mut bound = usize::try_from(users).unwrap_or(usize::MAX);
        loop {
            let index = u32::try_from(skewed(&mut self.dice, bound, 3)).unwrap_or(0);
            let author = UserSeed::new(index);
            // The very first signed up before every post, so this ends.
            if author.at_ms <= self.at_ms || index == 0 {
                return author.id;
            }
            bound = bound.div_ceil(2);
        }
    }
}

fn id(at_ms: i64, dice: &mut Dice) -> Uuid {
    Builder::from_unix_timestamp_millis(at_ms.unsigned_abs(), &dice.random()).into_uuid()
}

fn time(at_ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at_ms).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use domain::post::{NewPost, Tags};
    use garde::Validate;

    use super::*;

    #[test]
    fn the_same_number_makes_the_same_row() {
        assert_eq!(UserSeed::new(41).grow(), UserSeed::new(41).grow());
        assert_eq!(PostSeed::new(41).grow(100), PostSeed::new(41).grow(100));
        assert_eq!(PostSeed::new(41).id, PostSeed::new(41).grow(7).id);
    }

    #[test]
    fn users_sign_up_before_they_write() {
        let users: std::collections::HashMap<_, _> = (0..50).map(|index| UserSeed::new(index).grow()).map(|user| (user.id, user)).collect();
        assert_eq!(users.len(), 50);
        for post in (0..2000).map(|index| PostSeed::new(index).grow(50)) {
            assert!(users[&post.author_id].created_at <= post.created_at && post.created_at <= post.updated_at);
        }
    }

    #[test]
    fn the_api_would_take_every_post() {
        for post in (0..2000).map(|index| PostSeed::new(index).grow(50)) {
            let words = post.content.split_whitespace().count();
            assert!((35..=270).contains(&words), "{words} words: {}", post.content);
            assert!(!format!("{}{}", post.title, post.content).contains(['{', '}']), "{post:?}");
            let tags = Tags::from(post.tags.clone());
            assert_eq!(tags.distinct(), post.tags);
            let new = NewPost { title: post.title, content: post.content, tags, file_name: None };
            new.validate().unwrap();
        }
    }
}
