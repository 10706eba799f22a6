//! `/_fake`: what tests in another process, or a developer with curl, do to the fake. [`crate::FakeStripe::start`] lists it.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Data},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    Chaos, Fault, Refusal,
    api::respond,
    faults::Faults,
    server::Shared,
    state::{Event, State},
};

/// Answers a call under `/_fake`.
pub(crate) async fn handle(request: HttpRequest, body: Bytes, shared: Data<Shared>) -> HttpResponse {
    let action = request.path().trim_start_matches("/_fake/");
    let outcome = if request.method() == "POST" { shared.change(|state| act(state, action, &body)) } else { look(&shared.state(), action) };
    match outcome {
        Ok(answer) => HttpResponse::Ok().content_type("application/json").body(answer.to_string()),
        Err(refusal) => respond(refusal.status).content_type("application/json").body(refusal.body()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pay {
    session: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payment {
    customer: String,
    works: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    subscription: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPrice {
    subscription: String,
    price: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancel {
    subscription: String,
    #[serde(default)]
    now: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rename {
    id: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sale {
    price: String,
    active: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fail {
    fault: Fault,
    times: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Emit {
    #[serde(rename = "type")]
    kind: String,
    object: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Receiver {
    url: Option<String>,
}

fn act(state: &mut State, action: &str, body: &[u8]) -> Result<Value, Refusal> {
    match action {
        "pay" => return Ok(json!({ "subscription": state.pay_session(&read::<Pay>(body)?.session)? })),
        "emit" => {
            let Emit { kind, object } = read(body)?;
            return Ok(json!({ "event": state.emit(&kind, object) }));
        }
        "advance" => state.advance(read::<Advance>(body)?.seconds),
        "payment" => {
            let Payment { customer, works } = read(body)?;
            state.set_payment(&customer, works)?;
        }
        "retry" => state.retry_payment(&read::<Which>(body)?.subscription)?,
        "resume" => state.cancel_at_period_end(&read::<Which>(body)?.subscription, false)?,
        "price" => {
            let NewPrice { subscription, price } = read(body)?;
            state.change_price(&subscription, &price)?;
        }
        "cancel" => match read(body)? {
            Cancel { subscription, now: true } => state.cancel_now(&subscription)?,
            Cancel { subscription, now: false } => state.cancel_at_period_end(&subscription, true)?,
        },
        "product" => {
            let Rename { id, name } = read(body)?;
            state.rename_product(&id, &name)?;
        }
        "sale" => {
            let Sale { price, active } = read(body)?;
            state.set_price_active(&price, active)?;
        }
        "chaos" => state.set_chaos(read::<Chaos>(body)?),
        "fail" => {
            let Fail { fault, times } = read(body)?;
            state.faults.set(fault, times);
        }
        "mend" => state.faults = Faults::default(),
        "redeliver" => state.redeliver(),
        "webhook_url" => state.settings.webhook_url = read::<Receiver>(body)?.url,
        _ => return Err(unknown(action)),
    }
    Ok(json!({}))
}

fn look(state: &State, action: &str) -> Result<Value, Refusal> {
    match action {
        "calls" => Ok(json!(state.calls)),
        "deliveries" => Ok(json!(state.events.iter().map(Event::delivery).collect::<Vec<_>>())),
        "now" => Ok(json!({ "now": state.now() })),
        "settled" => Ok(json!({ "settled": state.is_settled() })),
        _ => Err(unknown(action)),
    }
}

fn unknown(action: &str) -> Refusal {
    Refusal { status: 404, ..Refusal::invalid(None, format!("there is no /_fake/{action}"), None) }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::invalid(None, error.to_string(), None))
}
