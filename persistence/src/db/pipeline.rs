//! One shared connection on which many reads are under way at once.

use std::sync::{Arc, Mutex, PoisonError};

use diesel_async::AsyncPgConnection;

use crate::{Connector, Result};

/// A connection, opened when first needed and again when it was lost.
#[derive(Default)]
pub(super) struct Pipeline {
    current: Mutex<Option<Arc<AsyncPgConnection>>>,
    opening: tokio::sync::Mutex<()>,
}

impl Pipeline {
    /// The connection; of those who find none, one opens it and the others wait.
    pub(super) async fn connection(&self, connector: &Connector) -> Result<Arc<AsyncPgConnection>> {
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        let _turn = self.opening.lock().await;
        if let Some(connection) = self.current() {
            return Ok(connection);
        }
        let connection = Arc::new(connector.connect().await?);
        self.set(Some(Arc::clone(&connection)));
        Ok(connection)
    }

    /// Stops handing out this connection; reads under way on it may still finish.
    pub(super) fn discard(&self, connection: &Arc<AsyncPgConnection>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|held| Arc::ptr_eq(held, connection)) {
            *current = None;
        }
    }

    fn current(&self) -> Option<Arc<AsyncPgConnection>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, connection: Option<Arc<AsyncPgConnection>>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = connection;
    }
}
