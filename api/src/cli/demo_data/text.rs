//! Puts titles, Markdown texts and tags together from the sentences and the vocabulary.

use rand::{RngExt, rngs::Xoshiro256PlusPlus as Dice};

use super::{
    templates::{BIOS, HEADINGS, ITEMS, LIST_LEADS, QUOTES, SENTENCES, TITLES},
    words::{ADJECTIVES, MANNERS, PEOPLE, RARITIES, THINGS, TIMES, TOPICS, Topic, VERBS, any, pick, skewed},
};

/// A title in one line.
pub(super) fn title(dice: &mut Dice, topic: Topic) -> String {
    let mut text = String::with_capacity(80);
    sentence(&mut text, dice, topic, TITLES);
    text
}

/// A text of 40 to 250 words, more often short than long: paragraphs, now and then a heading, a list, a quotation.
pub(super) fn content(dice: &mut Dice, topic: Topic) -> String {
    let bytes = 260 + skewed(dice, 1050, 2);
    let mut text = String::with_capacity(bytes + 400);
    loop {
        match dice.random_range(0..16) {
            0 | 1 if !text.is_empty() => {
                text.push_str("## ");
                sentence(&mut text, dice, topic, HEADINGS);
                text.push_str("\n\n");
            }
            2 if !text.is_empty() => {
                text.push_str("> ");
                sentence(&mut text, dice, topic, QUOTES);
                text.push_str("\n\n");
            }
            3 | 4 => list(&mut text, dice, topic),
            _ => {}
        }
        for place in 0..dice.random_range(2..=5) {
            if place > 0 {
                text.push(' ');
            }
            sentence(&mut text, dice, topic, SENTENCES);
            if text.len() >= bytes {
                return text;
            }
        }
        text.push_str("\n\n");
    }
}

fn list(text: &mut String, dice: &mut Dice, topic: Topic) {
    sentence(text, dice, topic, LIST_LEADS);
    text.push('\n');
    for _ in 0..dice.random_range(2..=4) {
        text.push_str("\n- ");
        let item = any(dice, ITEMS);
        fill(text, dice, topic, item);
    }
    text.push_str("\n\n");
}

/// Up to four tags, most of them those of the topic.
pub(super) fn tags(dice: &mut Dice, topic: Topic) -> Vec<String> {
    let wanted = any(dice, &[0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4]);
    let mut tags: Vec<String> = Vec::with_capacity(wanted);
    for _ in 0..wanted {
        let from = if dice.random_ratio(3, 4) { topic } else { pick(dice, TOPICS, 1) };
        let tag = pick(dice, from.tags, 1);
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    tags
}

/// A line about oneself; two in three have none.
pub(super) fn bio(dice: &mut Dice) -> String {
    let mut text = String::new();
    if dice.random_ratio(1, 3) {
        let topic = pick(dice, TOPICS, 1);
        sentence(&mut text, dice, topic, BIOS);
    }
    text
}

/// Adds one of these sentences, with a capital.
fn sentence(text: &mut String, dice: &mut Dice, topic: Topic, templates: &[&str]) {
    let start = text.len();
    let template = any(dice, templates);
    fill(text, dice, topic, template);
    if let Some(first) = text.get_mut(start..=start) {
        first.make_ascii_uppercase();
    }
}

/// Adds a sentence with its gaps filled.
fn fill(text: &mut String, dice: &mut Dice, topic: Topic, template: &str) {
    let mut pieces = template.split('{');
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (name, rest) = piece.split_once('}').unwrap_or((piece, ""));
        gap(text, dice, topic, name);
        text.push_str(rest);
    }
}

fn gap(text: &mut String, dice: &mut Dice, topic: Topic, name: &str) {
    match name {
        "topic" => word(text, pick(dice, topic.nouns, 1)),
        "topics" => plural(text, pick(dice, topic.nouns, 1)),
        "thing" => word(text, pick(dice, THINGS, 1)),
        "things" => plural(text, pick(dice, THINGS, 1)),
        "adjective" => word(text, pick(dice, ADJECTIVES, 1)),
        "do" => word(text, pick(dice, VERBS, 1).0),
        "did" => word(text, pick(dice, VERBS, 1).1),
        "manner" => word(text, pick(dice, MANNERS, 1)),
        "people" => word(text, pick(dice, PEOPLE, 1)),
        "when" => word(text, pick(dice, TIMES, 1)),
        "subject" => word(text, &pick(dice, topic.tags, 1).replace('-', " ")),
        "rarity" => word(text, pick(dice, RARITIES, 2)),
        "number" => number(text, 2 + skewed(dice, 98, 1)),
        "ticket" => number(text, 100 + skewed(dice, 9900, 0)),
        "version" => {
            number(text, 1 + skewed(dice, 6, 0));
            text.push('.');
            number(text, skewed(dice, 20, 0));
            text.push('.');
            number(text, skewed(dice, 9, 1));
        }
        "setting" => {
            let nouns = [pick(dice, topic.nouns, 1), pick(dice, THINGS, 1)];
            text.push_str(&nouns.join("_").replace([' ', '-'], "_").to_lowercase());
        }
        unknown => text.push_str(unknown),
    }
}

/// Adds a word, and to an article before it what its first sound asks for.
fn word(text: &mut String, word: &str) {
    let vowel = word.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']) && !word.starts_with("us") && !word.starts_with("one");
    let article = ["a ", "A "].iter().find_map(|article| text.strip_suffix(article));
    let article = article.is_some_and(|before| !before.ends_with(char::is_alphanumeric));
    if article && (vowel || word.starts_with("hones")) {
        text.pop();
        text.push_str("n ");
    }
    text.push_str(word);
}

fn plural(text: &mut String, noun: &str) {
    let (stem, ending) = if let Some(stem) = noun.strip_suffix("is") {
        (stem, "es")
    } else if let Some(stem) = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o'])) {
        (stem, "ies")
    } else if ["s", "x", "ch", "sh"].iter().any(|end| noun.ends_with(end)) {
        (noun, "es")
    } else {
        (noun, "s")
    };
    word(text, stem);
    text.push_str(ending);
}

fn number(text: &mut String, number: usize) {
    text.push_str(&number.to_string());
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn every_gap_is_known() {
        let dice = &mut Dice::seed_from_u64(1);
        for template in [TITLES, SENTENCES, LIST_LEADS, ITEMS, HEADINGS, QUOTES, BIOS].into_iter().flatten() {
            for name in template.split('{').skip(1).filter_map(|piece| piece.split_once('}')).map(|(name, _)| name) {
                let mut text = String::new();
                gap(&mut text, dice, TOPICS[0], name);
                assert!(!text.is_empty() && text != *name, "{name} in {template}");
            }
        }
    }

    #[test]
    fn articles_and_plurals_are_english() {
        for (before, noun, after) in [
            ("A ", "index", "An index"),
            ("of a ", "user story", "of a user story"),
            ("(a ", "honest", "(an honest"),
            ("data ", "index", "data index"),
        ] {
            let mut text = before.to_owned();
            word(&mut text, noun);
            assert_eq!(text, after);
        }
        for (noun, many) in [("query", "queries"), ("API key", "API keys"), ("hypothesis", "hypotheses"), ("mailbox", "mailboxes")] {
            let mut text = String::new();
            plural(&mut text, noun);
            assert_eq!(text, many);
        }
    }
}
