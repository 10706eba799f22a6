//! How a handler gets its arguments.

use actix_web::{FromRequest, Handler, HttpRequest, Responder, Route, dev::Payload, http::Method, web};

use crate::describe::{Describe, Operation};

/// A handler's arguments, taken from the request one after the other: who is calling is settled before anything of the body is read.
pub trait Arguments: Sized + 'static {
    /// Adds what each argument says to a description.
    fn describe(operation: &mut Operation<'_>);

    /// Takes them from a request.
    fn extract(request: &HttpRequest, payload: &mut Payload) -> impl Future<Output = Result<Self, actix_web::Error>>;
}

macro_rules! arguments {
    ($($argument:ident)*) => {
        impl<$($argument: FromRequest + Describe + 'static),*> Arguments for ($($argument,)*) {
            fn describe(operation: &mut Operation<'_>) {
                $($argument::describe(operation);)*
                let _ = operation;
            }

            async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, actix_web::Error> {
                let _ = (&request, &payload);
                Ok(($($argument::from_request(request, payload).await.map_err(Into::into)?,)*))
            }
        }
    };
}
arguments! {}
arguments! { A }
arguments! { A B }
arguments! { A B C }
arguments! { A B C D }
arguments! { A B C D E }
arguments! { A B C D E F }
arguments! { A B C D E F G }

/// A route that hands a handler its arguments.
pub(super) fn route<H, A>(method: Method, handler: H) -> Route
where
    H: Handler<A>,
    A: Arguments,
    H::Output: Responder,
{
    web::method(method).to(move |request: HttpRequest, payload: web::Payload| {
        let handler = handler.clone();
        async move {
            let mut payload = payload.into_inner();
            let arguments = A::extract(&request, &mut payload).await?;
            Ok::<_, actix_web::Error>(handler.call(arguments).await)
        }
    })
}
