//! The pages that browsers are sent to: check-out and portal, in plain HTML forms.

mod html;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::LOCATION,
    web::{Bytes, Data},
};
use url::form_urlencoded;

use self::html::{checkout_page, message_page, portal_page};
use crate::{
    Refusal,
    api::respond,
    server::Shared,
    state::{Portal, State},
};

/// What Stripe replaces with the session's id.
const SESSION_ID_TEMPLATE: &str = "{CHECKOUT_SESSION_ID}";

/// What a page leads to.
enum Next {
    Page(u16, String),
    Address(String),
}

/// Answers everything that is not the API.
pub(crate) async fn handle(request: HttpRequest, body: Bytes, shared: Data<Shared>) -> HttpResponse {
    let path: Vec<&str> = request.path().split('/').filter(|part| !part.is_empty()).collect();
    let posted = request.method() == "POST";
    let outcome = shared.change(|state| match (posted, path.as_slice()) {
        (false, ["checkout", id]) => show_checkout(state, id, None),
        (true, ["checkout", id, "pay"]) => pay(state, id),
        (true, ["checkout", id, "decline"]) => show_checkout(state, id, Some("Your card was declined.")),
        (true, ["checkout", id, "cancel"]) => leave_checkout(state, id),
        (false, ["portal", id]) => portal(state, id).map(|portal| Next::Page(200, portal_page(state, &portal))),
        (true, ["portal", id, action]) => act(state, id, action, &body),
        (false, []) => Ok(Next::Page(200, message_page("Fake Stripe", "The API is under /v1, the controls are under /_fake."))),
        _ => Err(Refusal { status: 404, ..Refusal::invalid(None, "There is no such page.", None) }),
    });
    match outcome {
        Ok(Next::Address(url)) => HttpResponse::SeeOther().insert_header((LOCATION, url)).finish(),
        Ok(Next::Page(status, page)) => respond(status).content_type("text/html; charset=utf-8").body(page),
        Err(refusal) => {
            let page = message_page("This cannot be done", &refusal.message);
            respond(refusal.status).content_type("text/html; charset=utf-8").body(page)
        }
    }
}

fn show_checkout(state: &State, id: &str, problem: Option<&str>) -> Result<Next, Refusal> {
    let session = state.session(id)?;
    Ok(Next::Page(if problem.is_some() { 402 } else { 200 }, checkout_page(state, session, problem)))
}

fn pay(state: &mut State, id: &str) -> Result<Next, Refusal> {
    match state.pay_session(id) {
        Ok(_) => Ok(Next::Address(state.session(id)?.success_url.replace(SESSION_ID_TEMPLATE, id))),
        Err(refusal) if refusal.status == 402 => show_checkout(state, id, Some(&refusal.message)),
        Err(refusal) => Err(refusal),
    }
}

fn leave_checkout(state: &State, id: &str) -> Result<Next, Refusal> {
    let session = state.session(id)?;
    Ok(match &session.cancel_url {
        Some(url) => Next::Address(url.replace(SESSION_ID_TEMPLATE, id)),
        None => Next::Page(200, message_page("Check-out", "You may close this page.")),
    })
}

fn portal(state: &State, id: &str) -> Result<Portal, Refusal> {
    let found = state.portals.iter().find(|portal| portal.id == id);
    found.cloned().ok_or_else(|| Refusal::missing("billing_portal.session", id, "id"))
}

/// Does what a form of the portal asks for, and shows it again.
fn act(state: &mut State, id: &str, action: &str, body: &[u8]) -> Result<Next, Refusal> {
    let portal = portal(state, id)?;
    let field = |name: &str| form_urlencoded::parse(body).find(|(given, _)| given == name).map(|(_, text)| text.into_owned());
    let subscription = field("subscription").unwrap_or_default();
    if state.subscription(&subscription)?.customer != portal.customer {
        return Err(Refusal::missing("subscription", &subscription, "id"));
    }
    match action {
        "change" => state.change_price(&subscription, &field("price").unwrap_or_default())?,
        "cancel" => state.cancel_at_period_end(&subscription, true)?,
        "cancel-now" => state.cancel_now(&subscription)?,
        "resume" => state.cancel_at_period_end(&subscription, false)?,
        _ => return Err(Refusal { status: 404, ..Refusal::invalid(None, "There is no such button.", None) }),
    }
    Ok(Next::Address(format!("{}/portal/{id}", state.base_url)))
}
