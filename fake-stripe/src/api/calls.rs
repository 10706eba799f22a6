//! Calls about one object.

use serde_json::Value;

use super::params::Params;
use crate::{
    Refusal,
    state::{NewSession, State},
};

/// More than a trial may take, in days.
const TRIAL_DAYS_MAX: i64 = 730;

pub(super) fn create_customer(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    params.only(&["email", "name", "metadata["])?;
    let email = params.text("email").map(str::to_owned);
    if let Some(email) = email.as_deref().filter(|email| !email.contains('@')) {
        return Err(Refusal::invalid(Some("email_invalid"), format!("Invalid email address: {email}"), Some("email")));
    }
    let name = params.text("name").map(str::to_owned);
    Ok(state.new_customer(email, name, params.under("metadata")).render())
}

pub(super) fn create_session(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    params.only(&[
        "mode",
        "customer",
        "client_reference_id",
        "success_url",
        "cancel_url",
        "line_items[0][price]",
        "line_items[0][quantity]",
        "metadata[",
        "subscription_data[metadata][",
        "subscription_data[trial_period_days]",
    ])?;
    if params.needed("mode")? != "subscription" {
        return Err(Refusal::invalid(None, "This server sells subscriptions only.", Some("mode")));
    }
    let customer = state.customer(params.needed("customer")?, "customer")?.id.clone();
    let price = state.price(params.needed("line_items[0][price]")?, "line_items[0][price]")?;
    if !price.active {
        return Err(Refusal::invalid(None, "The price specified is inactive.", Some("line_items[0][price]")));
    }
    let new = NewSession {
        customer,
        price: price.id.clone(),
        quantity: params.integer("line_items[0][quantity]", 1, 999_999)?.unwrap_or(1),
        client_reference_id: params.text("client_reference_id").map(str::to_owned),
        metadata: params.under("metadata"),
        subscription_metadata: params.under("subscription_data[metadata]"),
        trial_days: params.integer("subscription_data[trial_period_days]", 1, TRIAL_DAYS_MAX)?,
        success_url: params.address("success_url")?.to_owned(),
        cancel_url: params.text("cancel_url").map(|_| params.address("cancel_url")).transpose()?.map(str::to_owned),
    };
    let session = state.open_session(new);
    Ok(session.render(&state.base_url, state.session_amount(&session)))
}

pub(super) fn session(state: &State, params: &Params, id: &str) -> Result<Value, Refusal> {
    params.only(&[])?;
    let session = state.session(id)?;
    Ok(session.render(&state.base_url, state.session_amount(session)))
}

pub(super) fn create_portal(state: &mut State, params: &Params) -> Result<Value, Refusal> {
    params.only(&["customer", "return_url"])?;
    let customer = state.customer(params.needed("customer")?, "customer")?.id.clone();
    let portal = state.open_portal(customer, params.address("return_url")?.to_owned());
    Ok(portal.render(&state.base_url))
}

pub(super) fn customer(state: &State, params: &Params, id: &str) -> Result<Value, Refusal> {
    params.only(&[])?;
    Ok(state.customer(id, "id")?.render())
}

pub(super) fn subscription(state: &State, params: &Params, id: &str) -> Result<Value, Refusal> {
    params.only(&[])?;
    Ok(state.render_subscription(state.subscription(id)?))
}

pub(super) fn invoice(state: &State, params: &Params, id: &str) -> Result<Value, Refusal> {
    params.only(&[])?;
    let invoice = state.invoices.iter().find(|invoice| invoice.id == id).ok_or_else(|| Refusal::missing("invoice", id, "id"))?;
    Ok(state.render_invoice(invoice))
}

pub(super) fn event(state: &State, params: &Params, id: &str) -> Result<Value, Refusal> {
    params.only(&[])?;
    let event = state.events.iter().find(|event| event.id == id).ok_or_else(|| Refusal::missing("event", id, "id"))?;
    Ok(event.render(state.settings.shape.api_version()))
}
