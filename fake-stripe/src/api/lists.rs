//! Lists: newest first, page by page.

use serde_json::{Value, json};

use super::params::Params;
use crate::{
    Refusal,
    state::{Event, Price, Product, State, Status, Subscription},
};

/// Days after which an event is no longer kept, as at Stripe.
const EVENT_SECONDS_MAX: i64 = 30 * 24 * 60 * 60;

pub(super) fn subscriptions(state: &State, params: &Params) -> Result<Value, Refusal> {
    params.only(&["status", "customer", "limit", "starting_after", "ending_before"])?;
    let wanted = params.text("status");
    let of_status = |status: Status| match wanted {
        Some("all") => true,
        Some(name) => status.name() == name,
        None => status != Status::Canceled,
    };
    let customer = params.text("customer");
    let wanted = |kept: &Subscription| of_status(kept.status) && customer.is_none_or(|id| kept.customer == id);
    page(params, "/v1/subscriptions", &state.subscriptions, |kept| (&kept.id, wanted(kept)), |kept| state.render_subscription(kept))
}

pub(super) fn events(state: &State, params: &Params) -> Result<Value, Refusal> {
    let bounds = ["created[gt]", "created[gte]", "created[lt]", "created[lte]"];
    let known = ["type", "delivery_success", "limit", "starting_after", "ending_before"];
    params.only(&[&bounds[..], &known].concat())?;
    let [gt, gte, lt, lte] = bounds.map(|name| params.integer(name, 0, i64::MAX));
    let (gt, gte, lt, lte) = (gt?, gte?, lt?, lte?);
    let (kind, success) = (params.text("type"), params.flag("delivery_success")?);
    let kept_from = state.now() - EVENT_SECONDS_MAX;
    let wanted = |event: &Event| {
        let created = event.created;
        created >= kept_from
            && gt.is_none_or(|bound| created > bound)
            && gte.is_none_or(|bound| created >= bound)
            && lt.is_none_or(|bound| created < bound)
            && lte.is_none_or(|bound| created <= bound)
            && kind.is_none_or(|kind| is_of(&event.kind, kind))
            && success.is_none_or(|success| event.succeeded() == success)
    };
    let version = state.settings.shape.api_version();
    page(params, "/v1/events", &state.events, |event| (&event.id, wanted(event)), |event| event.render(version))
}

/// Whether an event is of that type, which may end in `.*`.
fn is_of(kind: &str, wanted: &str) -> bool {
    wanted.strip_suffix('*').map_or(kind == wanted, |prefix| kind.starts_with(prefix))
}

pub(super) fn products(state: &State, params: &Params) -> Result<Value, Refusal> {
    params.only(&["active", "limit", "starting_after", "ending_before"])?;
    let active = params.flag("active")?;
    let wanted = |product: &Product| active.is_none_or(|active| product.active == active);
    page(params, "/v1/products", &state.products, |product| (&product.id, wanted(product)), Product::render)
}

pub(super) fn prices(state: &State, params: &Params) -> Result<Value, Refusal> {
    params.only(&["active", "product", "limit", "starting_after", "ending_before"])?;
    let (active, product) = (params.flag("active")?, params.text("product"));
    let of_product = |price: &Price| product.is_none_or(|product| price.product == product);
    let wanted = |price: &Price| active.is_none_or(|active| price.active == active) && of_product(price);
    page(params, "/v1/prices", &state.prices, |price| (&price.id, wanted(price)), Price::render)
}

/// A page of what is kept (oldest first) and wanted: newest first from the start, after a cursor, or right before it. A cursor need not
/// be wanted itself.
fn page<T>(
    params: &Params,
    url: &str,
    kept: &[T],
    look: impl Fn(&T) -> (&String, bool),
    render: impl Fn(&T) -> Value,
) -> Result<Value, Refusal> {
    let limit = usize::try_from(params.integer("limit", 1, 100)?.unwrap_or(10)).unwrap_or(10);
    let newest_first: Vec<&T> = kept.iter().rev().collect();
    let place =
        |name: &str, id: &str| newest_first.iter().position(|kept| look(kept).0 == id).ok_or_else(|| Refusal::missing("object", id, name));
    let wanted = |kept: &&&T| look(kept).1;
    let (shown, has_more) = match (params.text("starting_after"), params.text("ending_before")) {
        (Some(_), Some(_)) => {
            return Err(Refusal::invalid(None, "You may only specify one of these parameters: ending_before, starting_after.", None));
        }
        (Some(id), None) => first_of(newest_first.iter().skip(place("starting_after", id)? + 1).filter(wanted), limit),
        (None, Some(id)) => {
            let newer = place("ending_before", id)?;
            let (mut shown, has_more) = first_of(newest_first.iter().take(newer).rev().filter(wanted), limit);
            shown.reverse();
            (shown, has_more)
        }
        (None, None) => first_of(newest_first.iter().filter(wanted), limit),
    };
    let data: Vec<Value> = shown.into_iter().map(render).collect();
    Ok(json!({ "object": "list", "url": url, "has_more": has_more, "data": data }))
}

fn first_of<'a, 'k, T>(mut found: impl Iterator<Item = &'a &'k T>, limit: usize) -> (Vec<&'k T>, bool)
where
    'k: 'a,
    T: 'k,
{
    let shown = found.by_ref().take(limit).copied().collect();
    (shown, found.next().is_some())
}
