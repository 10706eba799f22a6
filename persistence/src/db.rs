//! The way to the database, made once per worker, in two lanes.
//!
//! Short reads outside a transaction share a few pipelined connections: no wait for a free one, fewer and busier backends. Everything
//! that writes, takes long or needs a transaction has a pooled connection to itself, so that it holds up nobody.

mod lease;
mod pipeline;
mod totals;
mod tx;

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use deadpool::{Runtime, managed::Timeouts as PoolTimeouts};
use diesel::QueryResult;
use diesel_async::{
    AsyncConnection, AsyncPgConnection, RunQueryDsl, TransactionManager,
    pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, deadpool::Pool},
};
use domain::audit::Actor;
use futures::FutureExt;
use tokio::time::{Instant, timeout, timeout_at};

use crate::{Connector, Error, Result, Revocations, audit, error::is_lost};
use lease::Lease;
use pipeline::Pipeline;
use totals::Totals;
pub use tx::Tx;

/// How large the two lanes are, and how long they may take.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Pooled connections.
    pub pool: usize,
    /// Pipelined connections.
    pub pipelines: usize,
    /// The longest wait for a pooled connection.
    pub pool_wait: Duration,
    /// The longest a short read may take, connecting included.
    pub read: Duration,
}

/// The way to the database.
pub struct Db {
    connector: Arc<Connector>,
    pool: Pool<AsyncPgConnection>,
    pipelines: Box<[Pipeline]>,
    turn: AtomicUsize,
    sizes: Sizes,
    statement: Duration,
    revocations: Arc<Revocations>,
    /// The totals of long lists.
    pub(crate) totals: Totals,
}

impl Db {
    /// Makes the two lanes; nothing connects before the first query.
    #[must_use]
    #[expect(clippy::missing_panics_doc, clippy::expect_used, reason = "a pool is refused only when it has time-outs but no runtime")]
    pub fn new(connector: Arc<Connector>, sizes: Sizes, revocations: Arc<Revocations>) -> Self {
        let timeouts = connector.timeouts();
        let mut manager = ManagerConfig::default();
        // A closed socket is noticed without a query; the default costs a round trip per checkout.
        manager.recycling_method = RecyclingMethod::Fast;
        let opener = Arc::clone(&connector);
        manager.custom_setup = Box::new(move |_| {
            let opener = Arc::clone(&opener);
            async move { opener.connect().await }.boxed()
        });
        let pool = Pool::builder(AsyncDieselConnectionManager::new_with_config("", manager))
            .max_size(sizes.pool)
            .runtime(Runtime::Tokio1)
            .timeouts(PoolTimeouts {
                wait: Some(sizes.pool_wait),
                create: Some(timeouts.connect),
                recycle: Some(Duration::from_millis(500)),
            })
            .build()
            .expect("a pool with a runtime");
        let pipelines = (0..sizes.pipelines.max(1)).map(|_| Pipeline::default()).collect();
        Self {
            connector,
            pool,
            pipelines,
            turn: AtomicUsize::new(0),
            sizes,
            statement: timeouts.statement,
            revocations,
            totals: Totals::default(),
        }
    }

    /// Runs a known-fast read on a shared connection. A connection lost on the way is replaced and the read tried once more.
    pub(crate) async fn read<T>(&self, query: impl AsyncFn(&AsyncPgConnection) -> QueryResult<T>) -> Result<T> {
        let deadline = Instant::now() + self.sizes.read;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let Some(pipeline) = self.pipelines.get(turn % self.pipelines.len()) else { return Err(Error::busy("no pipeline")) };
        let mut retried = false;
        loop {
            let connection = timeout_at(deadline, pipeline.connection(&self.connector))
                .await
                .map_err(|_| Error::busy("no connection within the read time-out"))??;
            match timeout_at(deadline, query(&connection)).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) if is_lost(&error) => {
                    pipeline.discard(&connection);
                    if retried {
                        return Err(error.into());
                    }
                    retried = true;
                }
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => {
                    // It may be frozen: those behind must not wait for it as well.
                    pipeline.discard(&connection);
                    return Err(Error::busy("no answer within the read time-out"));
                }
            }
        }
    }

    /// Runs a read in the lane that suits it: the shared one when it is known to be fast.
    pub(crate) async fn read_in<T>(&self, fast: bool, query: impl AsyncFn(&AsyncPgConnection) -> QueryResult<T>) -> Result<T> {
        if fast { self.read(query).await } else { self.run(async |connection| query(connection).await).await }
    }

    /// Runs queries on a pooled connection of their own.
    pub(crate) async fn run<T>(&self, work: impl AsyncFnOnce(&mut AsyncPgConnection) -> QueryResult<T>) -> Result<T> {
        Ok(self.lent(self.bound(), work).await??)
    }

    /// The server ends a statement first; this is for a server that does not answer at all.
    fn bound(&self) -> Duration {
        self.statement + Duration::from_secs(1)
    }

    /// Lends a pooled connection. An error of the work is its own, one beside it says that it was not done to its end.
    async fn lent<T>(&self, bound: Duration, work: impl AsyncFnOnce(&mut AsyncPgConnection) -> T) -> Result<T> {
        let mut lease = self.lease().await?;
        timeout(bound, lease.work(work)).await.map_err(|_| Error::busy("no answer within the statement time-out"))?
    }

    /// Runs a read that may break off with rows still to come: then its connection is given up, as they would come all the same.
    pub(crate) async fn run_until<T>(&self, work: impl AsyncFnOnce(&mut AsyncPgConnection) -> QueryResult<ControlFlow<T, T>>) -> Result<T> {
        let mut lease = self.lease().await?;
        let result = timeout(self.bound(), lease.work(work)).await.map_err(|_| Error::busy("no answer within the statement time-out"))?;
        match result?? {
            ControlFlow::Continue(value) => Ok(value),
            ControlFlow::Break(value) => {
                lease.give_up();
                Ok(value)
            }
        }
    }

    /// Makes an effect of one statement, which needs no transaction: it saves two round trips. Nothing of it is in the audit log.
    ///
    /// # Errors
    /// Those of the effect.
    pub async fn alone<T, E: From<Error>>(&self, effect: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        self.lent(self.bound(), async |conn| effect(&mut Tx::new(conn)).await).await?
    }

    /// Makes an effect in one transaction, under the name of who makes it. One that fails leaves nothing behind.
    ///
    /// # Errors
    /// Those of the effect.
    pub async fn transact<T, E: From<Error>>(&self, actor: &Actor, effect: impl AsyncFnOnce(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut revoked = Vec::new();
        let made = self.in_transaction(self.bound(), actor, async |conn| {
            let mut tx = Tx::new(conn);
            let value = effect(&mut tx).await?;
            revoked = tx.revoked;
            Ok::<_, E>(value)
        });
        let value = made.await??;
        // Others hear of it by the notification; who reads next in this process need not wait for that.
        for subject in revoked {
            self.revocations.revoke(subject);
        }
        Ok(value)
    }

    /// Runs changes in one transaction, under the name of who makes them: the audit log is written by the database itself.
    pub(crate) async fn change<T>(&self, actor: &Actor, work: impl AsyncFnOnce(&mut AsyncPgConnection) -> QueryResult<T>) -> Result<T> {
        self.change_within(self.bound(), actor, work).await
    }

    /// The same, for changes that may take until `bound` because something else is waited for meanwhile.
    pub(crate) async fn change_within<T>(
        &self,
        bound: Duration,
        actor: &Actor,
        work: impl AsyncFnOnce(&mut AsyncPgConnection) -> QueryResult<T>,
    ) -> Result<T> {
        Ok(self.in_transaction(bound, actor, work).await??)
    }

    async fn in_transaction<T, E>(
        &self,
        bound: Duration,
        actor: &Actor,
        work: impl AsyncFnOnce(&mut AsyncPgConnection) -> Result<T, E>,
    ) -> Result<Result<T, E>> {
        type Transactions = <AsyncPgConnection as AsyncConnection>::TransactionManager;
        let begin = audit::begin(actor);
        let done = self.lent(bound, async |conn| {
            Transactions::begin_transaction_sql(conn, &begin).await?;
            let result = work(conn).await;
            if result.is_ok() {
                Transactions::commit_transaction(conn).await?;
            } else {
                // One that cannot even roll back is not given back to the pool.
                let _ = Transactions::rollback_transaction(conn).await;
            }
            QueryResult::Ok(result)
        });
        Ok(done.await??)
    }

    /// What was taken back of what may be remembered.
    #[must_use]
    pub fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    async fn lease(&self) -> Result<Lease> {
        // The pool's own time-outs add up when it recycles several dead connections; this one does not.
        let bound = self.sizes.pool_wait + Duration::from_secs(1);
        match timeout(bound, self.pool.get()).await {
            Ok(Ok(object)) => Ok(Lease::new(object)),
            Ok(Err(error)) => Err(Error::Busy(error.into())),
            Err(_) => Err(Error::busy("no pooled connection in time")),
        }
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// `Busy` when there is none.
    pub async fn ping(&self) -> Result<()> {
        use diesel::{dsl::sql, select, sql_types::Integer};
        self.read(async |mut conn| select(sql::<Integer>("1")).get_result::<i32>(&mut conn).await).await.map(drop)
    }
}
