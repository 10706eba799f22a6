//! `handrail demo-data`: fills the database with made-up users and posts, the same ones every time.

mod names;
mod rows;
mod templates;
mod text;
mod words;

use std::{
    io::{self, Write},
    ops::Range,
    time::Instant,
};

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use persistence::{
    Connector,
    demo::{self, Loader},
};
use rows::{PostSeed, UserSeed};
use tokio::task::JoinSet;

/// Connections that load at the same time.
const LANES: usize = 4;
/// Rows in a statement.
const BATCH: u32 = 500;

/// Adds what is missing of so many users and posts, and says on standard output what that was. The tables must be there.
///
/// # Errors
/// When the database is away, or there are to be posts but nobody to write them.
pub(crate) async fn run(connector: Connector, users: u32, posts: u32) -> anyhow::Result<()> {
    ensure!(users > 0 || posts == 0, "posts need somebody who writes them: ask for at least one user");
    let start = Instant::now();
    let bar = bar(u64::from(users) + u64::from(posts))?;
    let added = fill(&connector, &bar, users, posts).await.context("the data set is not complete; the next run goes on from here")?;
    bar.finish_and_clear();

    let all = format!("{} users and {} posts", grouped(users.into()), grouped(posts.into()));
    let seconds = start.elapsed().as_secs_f32();
    let line = match added {
        (0, 0) => format!("{all} were there already; nothing to add"),
        (new_users, new_posts) if new_users == u64::from(users) && new_posts == u64::from(posts) => format!("{all} in {seconds:.1} s"),
        (new_users, new_posts) => {
            let (new_users, new_posts) = (grouped(new_users), grouped(new_posts));
            format!("{all}; added what was missing (users: {new_users}, posts: {new_posts}) in {seconds:.1} s")
        }
    };
    writeln!(io::stdout(), "{line}")?;
    Ok(())
}

/// Adds users, then posts, as these refer to those, and returns how many were new.
async fn fill(connector: &Connector, bar: &ProgressBar, users: u32, posts: u32) -> anyhow::Result<(u64, u64)> {
    bar.set_message("users");
    let new_users = load(connector, bar, Kind::Users, users).await?;
    bar.set_message("posts");
    let new_posts = load(connector, bar, Kind::Posts { users }, posts).await?;
    if new_users + new_posts > 0 {
        bar.set_message("tidying up");
        demo::settle(&mut Loader::open(connector).await?).await?;
    }
    Ok((new_users, new_posts))
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Users,
    Posts { users: u32 },
}

/// Adds what is missing of the first `count` rows, over several connections, and returns how many that were.
async fn load(connector: &Connector, bar: &ProgressBar, kind: Kind, count: u32) -> anyhow::Result<u64> {
    let mut lanes = JoinSet::new();
    for lane in 0..LANES {
        let batches = (0..count.div_ceil(BATCH)).skip(lane).step_by(LANES).map(move |batch| {
            let first = batch * BATCH;
            first..count.min(first.saturating_add(BATCH))
        });
        let (connector, bar) = (connector.clone(), bar.clone());
        lanes.spawn(async move {
            let mut loader = Loader::open(&connector).await?;
            let mut added = 0;
            for batch in batches {
                let size = batch.len();
                added += add(&mut loader, kind, batch).await?;
                bar.inc(u64::try_from(size)?);
            }
            anyhow::Ok(added)
        });
    }
    let mut added = 0;
    while let Some(lane) = lanes.join_next().await {
        added += u64::try_from(lane??)?;
    }
    Ok(added)
}

/// Adds those of these rows that are not there. Only for them the rest is made.
async fn add(loader: &mut Loader, kind: Kind, numbers: Range<u32>) -> persistence::Result<usize> {
    match kind {
        Kind::Users => {
            let mut seeds: Vec<_> = numbers.map(UserSeed::new).collect();
            let known = demo::known_users(loader, &seeds.iter().map(|seed| seed.id).collect::<Vec<_>>()).await?;
            seeds.retain(|seed| !known.contains(&seed.id));
            let rows: Vec<_> = seeds.into_iter().map(UserSeed::grow).collect();
            demo::insert_users(loader, &rows).await
        }
        Kind::Posts { users } => {
            let mut seeds: Vec<_> = numbers.map(PostSeed::new).collect();
            let known = demo::known_posts(loader, &seeds.iter().map(|seed| seed.id).collect::<Vec<_>>()).await?;
            seeds.retain(|seed| !known.contains(&seed.id));
            let rows: Vec<_> = seeds.into_iter().map(|seed| seed.grow(users)).collect();
            demo::insert_posts(loader, &rows).await
        }
    }
}

fn bar(length: u64) -> anyhow::Result<ProgressBar> {
    // On standard error, and hidden where that is no terminal.
    let style = ProgressStyle::with_template("{msg:10} [{bar:40}] {human_pos}/{human_len} {elapsed}, {eta} to go")?;
    Ok(ProgressBar::new(length).with_style(style.progress_chars("=> ")))
}

/// `12 345` for 12345.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_in_groups_of_three() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1 000", "1 234 567"]);
    }
}
