//! A pooled connection for the length of one piece of work.

use diesel_async::{AsyncPgConnection, pooled_connection::deadpool::Object};
use tokio_postgres::NoTls;

use crate::{Error, Result};

/// Gives the connection back when the work is done. When the work is dropped midway (the client left, the time ran out) the
/// connection is not given back, as the next one would queue behind the abandoned statement: it is closed and the statement cancelled.
pub(super) struct Lease {
    object: Option<Object<AsyncPgConnection>>,
    busy: bool,
}

impl Lease {
    pub(super) fn new(object: Object<AsyncPgConnection>) -> Self {
        Self { object: Some(object), busy: false }
    }

    pub(super) async fn work<T>(&mut self, work: impl AsyncFnOnce(&mut AsyncPgConnection) -> T) -> Result<T> {
        let connection = self.object.as_mut().ok_or_else(|| Error::busy("the connection was given away"))?;
        self.busy = true;
        let result = work(connection).await;
        self.busy = false;
        Ok(result)
    }

    /// Ends the lease as if its work had been dropped midway.
    pub(super) fn give_up(mut self) {
        self.busy = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(object) = self.object.take_if(|_| self.busy) else { return };
        let connection = Object::take(object);
        let cancel = connection.cancel_token();
        drop(connection);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = cancel.cancel_query(NoTls).await {
                    log::debug!("an abandoned statement could not be cancelled: {error}");
                }
            });
        }
    }
}
