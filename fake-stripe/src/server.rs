//! The fake's own thread: the HTTP server and the deliveries.

use std::{
    io,
    net::TcpListener,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix_web::{App, HttpServer, rt::System, web};
use tokio::sync::{Notify, oneshot};

use crate::{api, control, deliver, pages, state::State};

/// What the server, the deliveries and the handle have in common.
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Wakes the deliveries.
    pub(crate) wake: Notify,
}

impl Shared {
    pub(crate) fn new(state: State) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(state), wake: Notify::new() })
    }

    /// The state, to look at; never kept over an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and lets the deliveries look.
    pub(crate) fn change<T>(&self, how: impl FnOnce(&mut State) -> T) -> T {
        let done = how(&mut self.state());
        self.wake.notify_one();
        done
    }
}

/// Serves until it is told to stop, or whoever could tell is gone.
pub(crate) fn run(listener: TcpListener, shared: Arc<Shared>, stop: oneshot::Receiver<()>) -> io::Result<()> {
    System::new().block_on(async move {
        let data = web::Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .service(web::scope("/_fake").default_service(web::to(control::handle)))
                .service(web::scope("/v1").default_service(web::to(api::handle)))
                .default_service(web::to(pages::handle))
        });
        let mut server = pin!(server.workers(1).disable_signals().listen(listener)?.run());
        let handle = server.handle();
        tokio::select! {
            ended = &mut server => return ended,
            () = deliver::deliver(&shared) => {}
            _ = stop => {}
        }
        // The server stops only while it is polled.
        tokio::join!(server, handle.stop(false)).0
    })
}
