//! Settings as text: the example file, and what is in force.

use std::fmt::Write;

use crate::Described;

/// A `.env` file with every setting, its meaning and its default, all commented out.
#[must_use]
pub fn example(described: &[Described]) -> String {
    let mut text = String::from(
        "# Handrail's settings. Copy to .env (read in development) or set them in the environment; every line is optional in development.\n\
         # This file is made by `handrail config --example`.\n",
    );
    let mut section = "";
    for setting in described {
        if setting.section != section {
            section = setting.section;
            let _ = write!(text, "\n# --- {section} ---\n");
        }
        let file = if setting.secret { format!("; or {}_FILE=/path", setting.name) } else { String::new() };
        let _ = writeln!(text, "# {}{file}", setting.doc);
        // A value with blanks ends at the first of them unless it is quoted.
        let quote = if setting.default.contains(' ') { "\"" } else { "" };
        let _ = writeln!(text, "#{}={quote}{}{quote}", setting.name, setting.default);
    }
    text
}

/// The settings in force, secrets as stars, a line each; those that differ from the default are marked.
#[must_use]
pub fn effective(described: &[Described]) -> String {
    let mut text = String::new();
    for setting in described {
        let mark = if setting.set { "  # set" } else { "" };
        let _ = writeln!(text, "{}={}{mark}", setting.name, setting.value);
    }
    text
}
