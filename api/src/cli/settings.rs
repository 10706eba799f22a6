//! Reads the settings: the one place that looks at the environment.

use std::{collections::HashMap, fs, path::Path};

use anyhow::{Context, Result};
use config::{Config, Sources};

/// The settings, from the environment and, in development, from `.env`.
pub(crate) fn load() -> Result<Config> {
    Ok(describe()?.1?)
}

/// Prints the settings in force, or an example file.
pub(crate) fn print(example: bool) -> Result<()> {
    if example {
        let nothing = Sources { variable: &|_| None, file: &|path| fs::read_to_string(path), processors: 1 };
        print!("{}", config::example(&config::describe(&nothing).0));
        return Ok(());
    }
    let (described, parsed) = describe()?;
    print!("{}", config::effective(&described));
    Ok(parsed.map(drop)?)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place")]
fn describe() -> Result<(Vec<config::Described>, Result<Config, config::Problems>)> {
    let set = |name: &str| std::env::var(name).ok();
    let file = if set("APP_ENV").is_some_and(|environment| environment == "production") { HashMap::new() } else { dot_env()? };
    let sources = Sources {
        variable: &|name| set(name).or_else(|| file.get(name).cloned()),
        file: &|path| fs::read_to_string(path),
        processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    };
    Ok(config::describe(&sources))
}

fn dot_env() -> Result<HashMap<String, String>> {
    let path = Path::new(".env");
    if !path.exists() {
        return Ok(HashMap::new());
    }
    let pairs = dotenvy::from_path_iter(path).context("cannot read .env")?;
    pairs.collect::<Result<_, _>>().context("cannot understand .env")
}
