//! The program `fake-stripe`: a stand-in for Stripe, for development without an account or a network.

use std::{
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    thread,
    time::{Duration, SystemTime},
};

use clap::{Parser, ValueEnum};
use fake_stripe::{Clock, Dunning, FakeStripe, Settings, Shape};
use webhooks::{Provider, Secret};

/// A stand-in for Stripe. Everything is kept in memory and gone when it ends.
#[derive(Parser)]
#[command(name = "fake-stripe", version)]
struct Arguments {
    /// The address to listen at.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// The port to listen at; 0 takes a free one.
    #[arg(long, default_value_t = 12111)]
    port: u16,
    /// How browsers and clients call it, where that is not the address.
    #[arg(long)]
    public_url: Option<String>,
    /// The key that clients must show.
    #[arg(long, default_value = "sk_test_fake")]
    secret_key: String,
    /// Where webhooks go, http:// only; none are sent when absent.
    #[arg(long)]
    webhook_url: Option<String>,
    /// What they are signed with.
    #[arg(long, default_value = "whsec_fake")]
    webhook_secret: String,
    /// The shape of subscriptions and invoices: before or since API version 2025-03-31.
    #[arg(long, value_enum, default_value_t = ShapeName::Basil)]
    shape: ShapeName,
    /// Unpaid subscriptions stay as unpaid instead of ending.
    #[arg(long)]
    keep_unpaid: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ShapeName {
    Acacia,
    Basil,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let plain = arguments.webhook_url.as_deref().is_none_or(|url| url.starts_with("http://"));
    anyhow::ensure!(plain, "the webhook URL must begin with http://: there is no TLS in here");
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let settings = Settings {
        listen: SocketAddr::new(arguments.host, arguments.port),
        public_url: arguments.public_url.map(|url| url.trim_end_matches('/').to_owned()),
        secret_key: arguments.secret_key,
        webhook_url: arguments.webhook_url,
        webhook_secret: Secret::parse(Provider::Stripe, &arguments.webhook_secret)?,
        shape: match arguments.shape {
            ShapeName::Acacia => Shape::Acacia,
            ShapeName::Basil => Shape::Basil,
        },
        clock: Clock::Runs,
        dunning: if arguments.keep_unpaid { Dunning::Unpaid } else { Dunning::Cancel },
        redelivery: [1, 5, 30, 120, 600].map(Duration::from_secs).to_vec(),
        // A server remembers the ids of former runs.
        id_salt: format!("{:x}", since.as_secs()),
    };
    let fake = FakeStripe::start(settings)?;
    writeln!(io::stdout(), "Fake Stripe   {}\nStop          Ctrl-C", fake.base_url)?;
    loop {
        // Until it is stopped from outside; there is nothing to keep.
        thread::park();
    }
}
