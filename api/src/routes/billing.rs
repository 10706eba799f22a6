//! What an organisation pays for, and what it may use by it.

use std::time::Duration;

use actix_web::web::Data;
use auth::{Org, scope};
use domain::{
    Code, Error, Result,
    billing::{Billing, NewCheckout, Page, Plan},
};
use persistence::{
    Db,
    billing::{self, Claim, Link},
    orgs::{Admin, Member},
};
use upstream::stripe::{self, NewCustomer, Stripe};

use crate::{
    extract::Body,
    once::{Answered, Once},
    respond::{Json, Resource},
};

/// How billing is done.
pub struct Selling {
    /// Stripe's API; absent when nothing can be bought.
    pub stripe: Option<Stripe>,
    /// The address of the front end, without a trailing slash: browsers come back to `<app>/billing`.
    pub app_url: String,
    /// How long an organisation that is past due may go on.
    pub grace: Duration,
}

impl Selling {
    fn stripe(&self) -> Result<&Stripe> {
        self.stripe.as_ref().ok_or_else(|| Error::new(Code::NotConfigured, "Billing is not configured"))
    }
}

/// Shows what the organisation pays for and may use.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn show(org: Org<Member, scope::ReadOrgs>, db: Data<Db>, selling: Data<Selling>) -> Result<Resource<Billing>> {
    Ok(Resource(billing::show(&db, &org.proof, selling.grace).await?))
}

/// Begins to buy a subscription: the answer says where to pay. What is bought is the organisation's when Stripe says so, not before.
///
/// # Errors
/// `VALIDATION_ERROR` for a price Stripe does not sell, `NOT_CONFIGURED`, `UPSTREAM_ERROR`, `UPSTREAM_TIMEOUT`.
pub async fn checkout(
    org: Org<Admin>,
    db: Data<Db>,
    selling: Data<Selling>,
    Body(new): Body<NewCheckout>,
    once: Once,
) -> Result<Answered<Json<Page>>> {
    let stripe = selling.stripe()?;
    if let Some(answered) = once.before(&db).await? {
        return Ok(answered);
    }
    let customer = customer(&db, stripe, &org.proof).await?;
    let org_id = org.proof.member().org().to_string();
    let back = format!("{}/billing?org={org_id}", selling.app_url);
    let session = stripe::NewCheckout {
        customer: &customer,
        price: &new.price_id,
        quantity: new.quantity,
        org_id: &org_id,
        success_url: &format!("{back}&checkout=success&session_id={{CHECKOUT_SESSION_ID}}"),
        cancel_url: &format!("{back}&checkout=cancelled"),
        trial_days: None,
    };
    // Stripe keeps the key as well: should this process die before its answer is kept, the repetition gets the same session.
    let key = format!("handrail-checkout-{}", once.name()?);
    match stripe.create_checkout(&key, &session).await {
        Ok(session) => once.run(&db, &org.actor, async |_| Ok(Page { url: session.url.into() }), Json).await,
        Err(stripe::Error::Rejected { param: Some(param), .. }) if param.starts_with("line_items") => {
            Err(Error::invalid_field("priceId", "There is no such price"))
        }
        Err(error) => Err(failed(error)),
    }
}

/// Says where the organisation's administrators manage what it pays for.
///
/// # Errors
/// `CONFLICT` while it is no customer, `NOT_CONFIGURED`, `UPSTREAM_ERROR`, `UPSTREAM_TIMEOUT`.
pub async fn portal(org: Org<Admin>, db: Data<Db>, selling: Data<Selling>) -> Result<Json<Page>> {
    let stripe = selling.stripe()?;
    let customer = billing::customer(&db, &org.proof).await?;
    let customer = customer.ok_or_else(|| Error::new(Code::Conflict, "The organisation has bought nothing yet"))?;
    let back = format!("{}/billing?org={}", selling.app_url, org.proof.member().org());
    let url = stripe.create_portal(&customer, &back).await.map_err(failed)?;
    Ok(Json(Page { url: url.into() }))
}

/// Lists what is for sale.
///
/// # Errors
/// `UNAVAILABLE`.
pub async fn plans(db: Data<Db>) -> Result<Json<Vec<Plan>>> {
    Ok(Json(billing::plans(&db).await?))
}

/// The organisation's customer at Stripe, made when there is none. Whoever makes one at the same time makes the same.
async fn customer(db: &Db, stripe: &Stripe, admin: &Admin) -> Result<String> {
    let (key, attempt) = match billing::claim_customer(db, admin).await? {
        Claim::Has(customer) => return Ok(customer),
        Claim::Make { key, attempt } => (key, attempt),
    };
    let member = admin.member();
    let org_id = member.org().to_string();
    // Nothing that may change meanwhile: with one key Stripe takes one set of parameters.
    let new = NewCustomer { email: "", name: "", org_id: &org_id };
    let made = match stripe.create_customer(&key, &new).await {
        Ok(made) => made,
        Err(error) => {
            if error.is_permanent() {
                billing::release_customer(db, admin, attempt).await?;
            }
            return Err(failed(error));
        }
    };
    let live = made.value().get("livemode").and_then(serde_json::Value::as_bool);
    match billing::keep_customer(db, admin, &made.id, live).await? {
        Link::Linked | Link::Already => Ok(made.id),
        Link::OrganisationTaken(other) => Ok(other),
        Link::Absent => Err(Error::not_found("Organisation")),
        Link::CustomerTaken(_) => Err(Error::internal("a customer that was just made is another organisation's")),
    }
}

fn failed(error: stripe::Error) -> Error {
    let (code, text) = match &error {
        stripe::Error::Timeout => (Code::UpstreamTimeout, "The payment service did not answer in time"),
        stripe::Error::Unauthorized => (Code::NotConfigured, "Billing is not configured"),
        _ => (Code::UpstreamError, "The payment service failed"),
    };
    Error::new(code, text).with_source(error)
}
