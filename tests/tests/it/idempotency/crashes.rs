//! The server is killed again and again while things are made under keys.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use futures::StreamExt;
use serde_json::json;
use tests::{Client, Database, Program, eventually, http};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

const POSTS: usize = 200;
const KILLS: usize = 4;
const AT_ONCE: usize = 16;
/// How long a client waits for an answer, and before it tries again.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

fn serve(database: &Database) -> Program {
    let url = database.url.as_str();
    let off = [("RATE_LIMIT_ADDRESS", "off"), ("RATE_LIMIT_ACCOUNT", "off"), ("WORKER", "false")];
    Program::start(&["serve"], &[&[("DATABASE_URL", url), ("PORT", "0"), ("WORKERS", "2")], off.as_slice()].concat())
}

/// Asks until it is answered, wherever the server is by now; gives the id of what was made, and how often it was asked.
async fn insist(server: &watch::Receiver<SocketAddr>, client: &Client, number: usize) -> (String, usize) {
    let body = json!({ "title": format!("Post {number}"), "content": "Words" });
    for tries in 1.. {
        let request = client.at(*server.borrow()).post("/api/posts").header("idempotency-key", &format!("key-{number}")).json(&body);
        if let Ok(Ok(answer)) = timeout(PATIENCE, request.send_or_fail()).await
            && answer.status == 201
        {
            return (answer.text_at("/id"), tries);
        }
        sleep(PAUSE).await;
    }
    unreachable!("it is asked for ever")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_for_until_it_is_answered_is_there_once_however_often_the_server_is_killed() {
    let _ = http();
    let database = Database::cloned().await;
    let sql = database.connect().await;
    let mut server = serve(&database);
    let ready = server.client();
    eventually("a server that is ready", async || ready.get("/readyz").send().await.status == 200).await;
    let register = json!({ "email": "ada@example.com", "name": "Ada", "password": "correct horse battery" });
    let ada = server.client().post("/api/auth/register").json(&register).send().await.expect(201);
    let client = Client::new(server.address(), Some(ada.text_at("/token")));
    let (moved, address) = watch::channel(server.address());
    let (acknowledge, mut acknowledged) = watch::channel(0);
    let asking = tokio::spawn(async move {
        let answers = futures::stream::iter(0..POSTS).map(|number| {
            let (client, address, acknowledge) = (client.clone(), address.clone(), acknowledge.clone());
            async move {
                let (id, tries) = insist(&address, &client, number).await;
                acknowledge.send_modify(|count| *count += 1);
                assert_eq!(insist(&address, &client, number).await.0, id, "a repetition gets the first answer");
                (number, (id, tries))
            }
        });
        answers.buffer_unordered(AT_ONCE).collect::<HashMap<_, _>>().await
    });
    for kill in 1..=KILLS {
        let enough = acknowledged.wait_for(|count| *count >= POSTS * kill / (KILLS + 1));
        let enough = timeout(Duration::from_secs(30), enough).await.map(drop);
        assert!(enough.is_ok(), "posts are not answered:\n{}", server.output());
        server.kill();
        server = serve(&database);
        moved.send_replace(server.address());
    }
    let answers = asking.await.expect("all are answered");
    let rows = sql.query("SELECT id::text, title FROM posts", &[]).await.expect("the test's SQL");
    assert_eq!(rows.len(), POSTS, "each is there once");
    for row in rows {
        let (id, title): (String, String) = (row.get(0), row.get(1));
        let number: usize = title.trim_start_matches("Post ").parse().expect("a number");
        assert_eq!(answers[&number].0, id);
    }
    let tries: usize = answers.values().map(|(_, tries)| tries).sum();
    println!("{POSTS} posts asked for {tries} times, {KILLS} kills");
}
