//! The program's commands.

mod admin;
mod demo_data;
mod healthcheck;
mod serve;
mod settings;
mod startup;
mod webhook;
mod work;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::{logging, openapi};

/// Handrail: a SaaS API backend in one binary and one PostgreSQL.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API. In development, when no database is set, it brings its own PostgreSQL.
    Serve,
    /// Do what is done beside requests, alone: process webhook events, send mail, sweep. `serve` does it too unless WORKER is false.
    Worker,
    /// Bring the database's schema up to date. Any number may run at once.
    Migrate,
    /// Manage administrators.
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Compare billing with Stripe.
    Billing {
        #[command(subcommand)]
        command: BillingCommand,
    },
    /// Try webhooks out, and ask for those that were lost.
    Webhook {
        #[command(subcommand)]
        command: WebhookCommand,
    },
    /// Print the settings in force, secrets as stars.
    Config {
        /// Print a .env file with every setting, its meaning and its default instead.
        #[arg(long)]
        example: bool,
    },
    /// Print the API description (OpenAPI 3.1).
    Openapi,
    /// Print the error catalogue (Markdown).
    Errors,
    /// Ask the server on this machine whether it is ready; the exit code is the answer.
    Healthcheck,
    /// Fill the database with made-up users and posts, to try things at size.
    DemoData {
        /// How many users.
        #[arg(long, default_value_t = 10_000)]
        users: u32,
        /// How many posts.
        #[arg(long, default_value_t = 100_000)]
        posts: u32,
    },
}

#[derive(Subcommand)]
enum BillingCommand {
    /// Take in events that never arrived, ask for every live subscription again, and say what had drifted.
    Reconcile,
}

#[derive(Subcommand)]
enum WebhookCommand {
    /// Sign an event as its provider does, and send it to this machine's server.
    Send(webhook::Send),
    /// Ask GitHub once more for the deliveries that failed, and say how many; `serve` and `worker` do it hourly.
    Redeliver,
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Make an administrator, or give an existing account the role and a new password.
    Create {
        /// The address to log in with.
        #[arg(long)]
        email: String,
        /// The name to show.
        #[arg(long, default_value = "Administrator")]
        name: String,
    },
}

/// Runs the command of the process's arguments.
#[must_use]
pub fn run() -> ExitCode {
    match dispatch(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("handrail: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> Result<()> {
    match command {
        Command::Serve => {
            let config = settings::load()?;
            let _log = logging::start(config.log);
            serve::run(&config)
        }
        Command::Worker => {
            let config = settings::load()?;
            let _log = logging::start(config.log);
            work::run(&config)
        }
        Command::Migrate => startup::with_database(&settings::load()?, async |connector| {
            let done = persistence::migrate::run(&connector).await.context("the migrations failed")?;
            println!("{}", if done.is_empty() { "The schema is up to date.".to_owned() } else { format!("Ran {}.", done.join(", ")) });
            Ok(())
        }),
        Command::Admin { command: AdminCommand::Create { email, name } } => {
            let config = settings::load()?;
            startup::with_database(&config, async |connector| {
                let db = startup::small_db(&config, &connector);
                admin::create(&connector, &db, email, name).await
            })
        }
        Command::Billing { command: BillingCommand::Reconcile } => {
            let config = settings::load()?;
            let stripe = crate::server::stripe(&config)?.context("STRIPE_SECRET_KEY is not set")?;
            startup::with_database(&config, async |connector| {
                let db = startup::small_db(&config, &connector);
                println!("{}.", worker::reconcile::once(&db, &stripe).await?);
                Ok(())
            })
        }
        Command::Webhook { command: WebhookCommand::Send(send) } => webhook::send(&settings::load()?, &send),
        Command::Webhook { command: WebhookCommand::Redeliver } => webhook::redeliver(&settings::load()?),
        Command::Config { example } => settings::print(example),
        Command::Openapi => {
            println!("{}", serde_json::to_string_pretty(&openapi::document())?);
            Ok(())
        }
        Command::Errors => {
            print!("{}", openapi::catalogue());
            Ok(())
        }
        Command::Healthcheck => healthcheck::run(&settings::load()?.http),
        Command::DemoData { users, posts } => startup::with_database(&settings::load()?, async |connector| {
            persistence::migrate::run(&connector).await.context("the migrations failed")?;
            demo_data::run(connector, users, posts).await
        }),
    }
}
