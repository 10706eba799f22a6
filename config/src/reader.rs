//! Reads settings one by one, remembering what each is and what was wrong with it.

use std::{fmt, ops::RangeInclusive, str::FromStr, time::Duration};

use crate::{Secret, Sources};

/// What can be told about one setting.
#[derive(Debug, Clone)]
pub struct Described {
    /// The variable.
    pub name: String,
    /// What it means, in one line; units included.
    pub doc: &'static str,
    /// The value that counts when it is not set; empty when there is none.
    pub default: String,
    /// The value in force, with secrets as stars.
    pub value: String,
    /// Whether it was set.
    pub set: bool,
    /// The heading it stands under.
    pub section: &'static str,
    /// Whether it may come as `NAME_FILE` too.
    pub secret: bool,
}

/// Everything that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.0.len() == 1 { "setting is" } else { "settings are" };
        write!(f, "{} {noun} wrong:", self.0.len())?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// Reads settings and collects what there is to say about them.
pub(crate) struct Reader<'a> {
    sources: &'a Sources<'a>,
    section: &'static str,
    described: Vec<Described>,
    problems: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(sources: &'a Sources<'a>) -> Self {
        Self { sources, section: "", described: Vec::new(), problems: Vec::new() }
    }

    pub(crate) fn finish<T>(self, config: T) -> (Vec<Described>, Result<T, Problems>) {
        let result = if self.problems.is_empty() { Ok(config) } else { Err(Problems(self.problems)) };
        (self.described, result)
    }

    /// The settings that follow stand under this heading.
    pub(crate) fn section(&mut self, heading: &'static str) {
        self.section = heading;
    }

    /// Something that only several settings together make wrong.
    pub(crate) fn problem(&mut self, text: impl Into<String>) {
        self.problems.push(text.into());
    }

    /// A setting that has a default.
    pub(crate) fn value<T: Clone + fmt::Display>(
        &mut self,
        name: &str,
        default: T,
        doc: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> T {
        let shown = default.to_string();
        self.read(name, shown, doc, &parse, T::to_string).unwrap_or(default)
    }

    /// A setting that may be absent.
    pub(crate) fn optional<T: fmt::Display>(
        &mut self,
        name: &str,
        doc: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.read(name, String::new(), doc, &parse, T::to_string)
    }

    /// A whole number within bounds.
    pub(crate) fn number<T>(&mut self, name: &str, default: T, bounds: RangeInclusive<T>, doc: &'static str) -> T
    where
        T: Clone + PartialOrd + FromStr + fmt::Display,
    {
        self.value(name, default, doc, |text| whole_number(text, &bounds))
    }

    /// A whole number within bounds whose default depends on the machine.
    pub(crate) fn number_if_set<T>(&mut self, name: &str, bounds: RangeInclusive<T>, doc: &'static str) -> Option<T>
    where
        T: PartialOrd + FromStr + fmt::Display,
    {
        self.optional(name, doc, |text| whole_number(text, &bounds))
    }

    /// A length of time given in whole units of this many milliseconds.
    pub(crate) fn duration(&mut self, name: &str, default: u64, bounds: RangeInclusive<u64>, unit_ms: u64, doc: &'static str) -> Duration {
        Duration::from_millis(self.number(name, default, bounds, doc).saturating_mul(unit_ms))
    }

    /// A yes or no.
    pub(crate) fn flag(&mut self, name: &str, default: bool, doc: &'static str) -> bool {
        self.value(name, default, doc, |text| match text {
            "true" | "1" | "yes" => Ok(true),
            "false" | "0" | "no" => Ok(false),
            _ => Err("must be true or false".to_owned()),
        })
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        name: &str,
        choices: &[(&'static str, T)],
        default: &'static str,
        doc: &'static str,
    ) -> Option<T> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let word = self.value(name, default.to_owned(), doc, |text| {
            if words.contains(&text) { Ok(text.to_owned()) } else { Err(format!("must be one of {}", words.join(", "))) }
        });
        choices.iter().find(|(candidate, _)| *candidate == word).map(|(_, value)| *value)
    }

    /// A secret, from `NAME` or from the file that `NAME_FILE` names.
    pub(crate) fn secret(
        &mut self,
        name: &str,
        doc: &'static str,
        check: impl Fn(&str) -> Result<(), String>,
        redact: impl Fn(&str) -> String,
    ) -> Option<Secret<String>> {
        let raw = self.raw_secret(name);
        let value = raw.and_then(|text| match check(&text) {
            Ok(()) => Some(text),
            Err(problem) => {
                self.problem(format!("{name} {problem}"));
                None
            }
        });
        self.described.push(Described {
            name: name.to_owned(),
            doc,
            default: String::new(),
            value: value.as_deref().map(redact).unwrap_or_default(),
            set: value.is_some(),
            section: self.section,
            secret: true,
        });
        value.map(Secret::new)
    }

    fn raw_secret(&mut self, name: &str) -> Option<String> {
        let from_file = format!("{name}_FILE");
        match (self.variable(name), self.variable(&from_file)) {
            (Some(_), Some(_)) => {
                self.problem(format!("{name} and {from_file} are both set: keep one"));
                None
            }
            (Some(text), None) => Some(text),
            (None, Some(path)) => match (self.sources.file)(&path) {
                Ok(text) => Some(text.trim_end_matches(['\n', '\r']).to_owned()).filter(|text| !text.is_empty()),
                Err(error) => {
                    self.problem(format!("{from_file}: cannot read {path}: {error}"));
                    None
                }
            },
            (None, None) => None,
        }
    }

    /// An empty variable counts as unset: that is how compose files leave one out.
    fn variable(&self, name: &str) -> Option<String> {
        (self.sources.variable)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn read<T>(
        &mut self,
        name: &str,
        default: String,
        doc: &'static str,
        parse: &dyn Fn(&str) -> Result<T, String>,
        show: impl Fn(&T) -> String,
    ) -> Option<T> {
        let value = self.variable(name).and_then(|text| match parse(&text) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problem(format!("{name} {problem}, not {text:?}"));
                None
            }
        });
        let shown = value.as_ref().map_or_else(|| default.clone(), show);
        self.described.push(Described {
            name: name.to_owned(),
            doc,
            default,
            value: shown,
            set: value.is_some(),
            section: self.section,
            secret: false,
        });
        value
    }
}

fn whole_number<T: PartialOrd + FromStr + fmt::Display>(text: &str, bounds: &RangeInclusive<T>) -> Result<T, String> {
    match text.parse::<T>() {
        Ok(number) if bounds.contains(&number) => Ok(number),
        _ => Err(format!("must be a whole number from {} to {}", bounds.start(), bounds.end())),
    }
}
