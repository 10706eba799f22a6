//! Listens for what other processes tell, on a connection of its own, and keeps proving that it would hear it: revocations, purges, and
//! work that is due.

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures::{StreamExt, future::Either, pin_mut, stream};
use tokio::time::{interval, sleep, timeout};
use tokio_postgres::AsyncMessage;

use crate::{
    Connector, Due, Error, Result,
    revocations::{LEASE, Revocations},
};

/// How often a heartbeat is sent: three fit into one lease.
const HEARTBEAT: Duration = Duration::from_millis(300);
/// The longest wait between two attempts to connect.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Listens until it is dropped; a connection that is lost is replaced. Needs a session of its own: not through a pooler that takes
/// connections away between transactions.
pub async fn listen(revocations: Arc<Revocations>, due: Arc<Due>, connector: Connector) -> Infallible {
    let mut pause = Duration::from_millis(10);
    loop {
        let before = revocations.health().heard;
        let Err(error) = until_lost(&revocations, &due, &connector).await;
        log::warn!("not listening for revocations, every session is looked up until it works again: {error}");
        let worked = revocations.health().heard != before;
        pause = if worked { Duration::from_millis(10) } else { (pause * 2).min(PAUSE_MAX) };
        sleep(pause).await;
    }
}

async fn until_lost(revocations: &Revocations, due: &Due, connector: &Connector) -> Result<Infallible> {
    let (client, mut connection) = connector.open("handrail-listener").await?;
    let messages = stream::poll_fn(move |context| connection.poll_message(context));
    let receiving = async {
        pin_mut!(messages);
        while let Some(message) = messages.next().await {
            match message {
                Ok(AsyncMessage::Notification(notification)) if notification.channel() == Due::CHANNEL => {
                    due.receive(notification.payload());
                }
                Ok(AsyncMessage::Notification(notification)) if notification.channel() == Revocations::PURGES => {
                    revocations.purge(notification.payload());
                }
                Ok(AsyncMessage::Notification(notification)) => revocations.receive(notification.payload()),
                Ok(_) => {}
                Err(error) => return Error::Busy(error.into()),
            }
        }
        Error::busy("the connection was closed")
    };
    let beating = async {
        client
            .batch_execute("LISTEN handrail_revoked; LISTEN handrail_purged; LISTEN handrail_due")
            .await
            .map_err(|error| Error::Busy(error.into()))?;
        // What was told while nobody listened is not known.
        revocations.revoke_all();
        due.wake_all();
        let mut beats = interval(HEARTBEAT);
        loop {
            beats.tick().await;
            let sent = revocations.now();
            let answered = timeout(LEASE, client.batch_execute("SELECT 1")).await;
            answered.map_err(|_| Error::busy("no answer to a heartbeat"))?.map_err(|error| Error::Busy(error.into()))?;
            revocations.be_sure(sent);
        }
    };
    pin_mut!(receiving, beating);
    match futures::future::select(receiving, beating).await {
        Either::Left((error, _)) => Err(error),
        Either::Right((ended, _)) => ended,
    }
}
