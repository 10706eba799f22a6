//! The program `fake-model`: a stand-in for a language model, and the measuring of what asking it through Handrail costs.

mod measure;

use std::{
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    thread,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use fake_model::{FakeModel, KEY, Script, Step};

/// A stand-in for a language model behind OpenAI's API.
#[derive(Parser)]
#[command(name = "fake-model", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answers until it is stopped. A prompt `/say 200 20` gets 200 words, one every 20 ms.
    Serve(Serve),
    /// Asks a served one directly and through Handrail, and compares; `scripts/measure-chat` starts both.
    Measure(measure::Measure),
}

#[derive(Args)]
struct Serve {
    /// The address to listen at.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// The port to listen at; 0 takes a free one.
    #[arg(long, default_value_t = 12112)]
    port: u16,
    /// How many threads answer.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// How long it thinks before the first word, in milliseconds.
    #[arg(long, default_value_t = 300)]
    first_ms: u64,
    /// How long from word to word, in milliseconds.
    #[arg(long, default_value_t = 40)]
    pace_ms: u64,
}

const SAYING: &str = "I am a stand-in for a language model, and say the same to everybody.";

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Serve(serve) => run(&serve),
        Command::Measure(measure) => measure.run(),
    }
}

fn run(serve: &Serve) -> anyhow::Result<()> {
    let words = SAYING.split_inclusive(' ').map(|word| Step::Words(word.to_owned()));
    let script = Script {
        first: Duration::from_millis(serve.first_ms),
        pace: Duration::from_millis(serve.pace_ms),
        obey: true,
        ..Script::steps(words.chain([Step::Finish]).collect::<Vec<_>>())
    };
    let model = FakeModel::listen(SocketAddr::new(serve.host, serve.port), serve.threads, script)?;
    writeln!(io::stdout(), "OPENAI_BASE_URL={}\nOPENAI_API_KEY={KEY}\nStop with Ctrl-C", model.base_url)?;
    loop {
        // Until it is stopped from outside; there is nothing to keep.
        thread::park();
    }
}
