//! What asking through Handrail costs, against asking the same model directly: time to the first word, words per second, and many at once.

use std::{
    fs,
    io::{self, Write},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use fake_model::KEY;
use futures::future::join_all;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// What to measure.
#[derive(Args)]
pub(crate) struct Measure {
    /// Handrail: `http://127.0.0.1:3000`.
    #[arg(long)]
    handrail: String,
    /// Who asks: a token of Handrail's.
    #[arg(long)]
    token: String,
    /// The process of Handrail, for memory and processor time.
    #[arg(long)]
    pid: u32,
    /// The model: `http://127.0.0.1:12112/v1`.
    #[arg(long)]
    model: String,
    /// How many ask at once.
    #[arg(long, default_value_t = 1000)]
    streams: usize,
    /// How often the time to the first word is taken.
    #[arg(long, default_value_t = 300)]
    rounds: usize,
}

/// An answer, timed.
struct Heard {
    first: Duration,
    all: Duration,
    words: usize,
}

/// One way to the model.
struct Way<'a> {
    http: &'a Client,
    url: String,
    token: &'a str,
    body: fn(&str) -> Value,
}

impl Way<'_> {
    async fn ask(&self, prompt: &str) -> Result<Heard> {
        let begun = Instant::now();
        let request = self.http.post(&self.url).bearer_auth(self.token).json(&(self.body)(prompt));
        let mut answer: Response = request.send().await?.error_for_status()?;
        let (mut first, mut words) = (None, 0);
        let mut rest = Vec::new();
        while let Some(piece) = answer.chunk().await? {
            rest.extend_from_slice(&piece);
            // A word may come in two pieces: the last four bytes are looked at again.
            let count = rest.windows(4).filter(|window| window == b"word").count();
            words += count;
            if count > 0 {
                first.get_or_insert_with(|| begun.elapsed());
            }
            rest.drain(..rest.len().saturating_sub(3));
        }
        Ok(Heard { first: first.context("no word")?, all: begun.elapsed(), words })
    }
}

impl Measure {
    /// Measures, and prints what it found.
    pub(crate) fn run(&self) -> Result<()> {
        Runtime::new()?.block_on(self.measure())
    }

    async fn measure(&self) -> Result<()> {
        // No call of these is encrypted; the client wants to know how all the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().tcp_nodelay(true).build()?;
        let direct = Way {
            http: &http,
            url: format!("{}/chat/completions", self.model),
            token: KEY,
            body: |prompt| {
                let messages = json!([{ "role": "user", "content": prompt }]);
                json!({ "model": "fake", "messages": messages, "stream": true, "stream_options": { "include_usage": true } })
            },
        };
        let url = format!("{}/api/chat", self.handrail);
        let through = Way { http: &http, url, token: &self.token, body: |prompt| json!({ "prompt": prompt }) };
        let mut out = io::stdout();
        let (mut plain, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            plain.push(direct.ask("/say 1 0").await?.first);
            ours.push(through.ask("/say 1 0").await?.first);
        }
        writeln!(out, "first word     directly {}, through Handrail {}", spread(&mut plain), spread(&mut ours))?;
        for (name, way) in [("directly", &direct), ("through Handrail", &through)] {
            let heard = way.ask("/say 20000 0").await?;
            ensure!(heard.words == 20_000, "{} words of 20000 came", heard.words);
            let per_second = 20_000.0 / heard.all.as_secs_f64();
            writeln!(out, "words          {name}: {per_second:.0}/s in one answer")?;
        }
        let idle = Process::look(self.pid)?;
        let begun = Instant::now();
        let watching = tokio::time::sleep(Duration::from_secs(6));
        let asking = join_all((0..self.streams).map(|_| through.ask("/say 100 100")));
        let (answers, during) = tokio::join!(asking, async {
            watching.await;
            Process::look(self.pid)
        });
        let took = begun.elapsed();
        let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
        let (during, after) = (during?, Process::look(self.pid)?);
        let words: usize = answers.iter().map(|heard| heard.words).sum();
        ensure!(words == self.streams * 100, "{words} words of {} came", self.streams * 100);
        let mut first: Vec<Duration> = answers.iter().map(|heard| heard.first).collect();
        let mut all: Vec<Duration> = answers.iter().map(|heard| heard.all).collect();
        writeln!(out, "at once        {} answers of 100 words, 10 a second each, in {took:.1?}; none lost", self.streams)?;
        writeln!(out, "               first word {}, last {}", spread(&mut first), spread(&mut all))?;
        writeln!(
            out,
            "               memory {} KiB before, {} KiB during; processor time {} ms",
            idle.kib,
            during.kib,
            after.ms - idle.ms
        )?;
        Ok(())
    }
}

fn spread(times: &mut [Duration]) -> String {
    times.sort();
    let at = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or_default();
    format!("{:.2?} (p99 {:.2?})", at(50), at(99))
}

/// What a process has taken so far.
struct Process {
    kib: u64,
    ms: u64,
}

impl Process {
    fn look(pid: u32) -> Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).and_then(|rest| rest.split_whitespace().next());
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let (_, fields) = stat.rsplit_once(')').context("no such process")?;
        // The twelfth and thirteenth behind the name: ticks of a hundredth of a second in user and kernel.
        let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Ok(Self { kib: kib.context("no memory")?.parse()?, ms: ticks * 10 })
    }
}
