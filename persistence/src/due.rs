//! Work that is due, and how those who do it are woken: in this process at once, in others by a notification.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use diesel_async::SimpleAsyncConnection;
use tokio::{sync::Notify, time::sleep};

use crate::Db;

/// The shortest time between two notifications: under load one tells of many events.
const PAUSE: Duration = Duration::from_millis(5);

/// What wakes those who work. Whoever sleeps looks by themselves every few seconds too, so a lost wake-up costs time, not work.
#[derive(Default)]
pub struct Due {
    /// Mail is due.
    pub mail: Notify,
    /// Events of the inbox are due.
    pub webhooks: Notify,
    others: Notify,
    wanted: AtomicBool,
}

impl Due {
    /// The channel of the notifications.
    pub(crate) const CHANNEL: &str = "handrail_due";

    /// Wakes those who process the inbox in other processes, soon.
    pub fn tell_others(&self) {
        if !self.wanted.swap(true, Ordering::AcqRel) {
            self.others.notify_one();
        }
    }

    /// Sends what [`Due::tell_others`] asks for, until it is dropped.
    pub async fn keep_telling(&self, db: &Db) {
        loop {
            self.others.notified().await;
            self.wanted.store(false, Ordering::Release);
            // Not in the transaction of the events: commits that notify go one after the other.
            let told = db
                .run(async |conn| {
                    conn.batch_execute("BEGIN; SET LOCAL synchronous_commit = off; NOTIFY handrail_due, 'webhooks'; COMMIT").await
                })
                .await;
            if let Err(error) = told {
                log::warn!("other processes could not be told of new events, they will look: {error}");
            }
            sleep(PAUSE).await;
        }
    }

    pub(crate) fn receive(&self, payload: &str) {
        match payload {
            "webhooks" => self.webhooks.notify_one(),
            "mail" => self.mail.notify_one(),
            _ => self.wake_all(),
        }
    }

    pub(crate) fn wake_all(&self) {
        self.mail.notify_one();
        self.webhooks.notify_one();
    }
}
