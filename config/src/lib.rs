//! Settings: strings in, a typed [`Config`] out, or every problem at once. Pure, so that no test touches the environment.

mod reader;
mod render;
mod secret;
mod settings;
mod types;
mod values;

pub use reader::{Described, Problems};
pub use render::{effective, example};
pub use secret::Secret;
pub use types::{
    Admin, Auth, Billing, Cache, Chat, Config, Database, Environment, Http, Keys, Limit, Limits, Log, LogFormat, LogLevel, Mail, Proxy, S3,
    Storage, Uploads, Upstream, Webhooks,
};

/// Where settings come from.
pub struct Sources<'a> {
    /// The value of a variable, if it is set.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The text of a file that a `NAME_FILE` variable names.
    pub file: &'a dyn Fn(&str) -> std::io::Result<String>,
    /// How many processors there are: the default number of workers.
    pub processors: usize,
}

/// Reads every setting.
///
/// # Errors
/// All problems of all settings, in the order of the settings, when there is any.
pub fn parse(sources: &Sources<'_>) -> Result<Config, Problems> {
    describe(sources).1
}

/// Reads every setting and tells about each: name, default, meaning and redacted value.
pub fn describe(sources: &Sources<'_>) -> (Vec<Described>, Result<Config, Problems>) {
    let mut reader = reader::Reader::new(sources);
    let config = settings::read(&mut reader, sources.processors);
    reader.finish(config)
}
