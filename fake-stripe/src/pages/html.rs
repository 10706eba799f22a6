//! HTML, in which everything from outside is escaped.

use chrono::DateTime;

use crate::state::{Interval, Portal, Price, Session, SessionStatus, State, Subscription};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem;color:#1a1f36}\
h1{font-size:1.4rem}section{border:1px solid #dfe3ea;border-radius:.6rem;padding:1rem 1.25rem;margin:1rem 0}\
form{display:inline-block;margin:.25rem .5rem .25rem 0}button,select{font:inherit;padding:.45rem 1rem;border-radius:.4rem;border:1px solid #c3cad6;background:#fff}\
button.main{background:#4f46e5;border-color:#4f46e5;color:#fff}.problem{color:#b3093c}.note{color:#697386;font-size:.85rem}.sum{font-size:1.6rem;font-weight:600}";

const NOTE: &str = "This is a stand-in for Stripe. No card is asked for, and no money moves.";

fn page(title: &str, content: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style></head>\n<body><main>\n<h1>{title}</h1>\n{content}\n<p class=\"note\">{NOTE}</p>\n\
         </main></body></html>\n"
    )
}

/// A page with a title and a sentence.
pub(super) fn message_page(title: &str, text: &str) -> String {
    page(title, &format!("<p>{}</p>", escape(text)))
}

/// The page that asks for the money.
pub(super) fn checkout_page(state: &State, session: &Session, problem: Option<&str>) -> String {
    match session.status {
        SessionStatus::Open => {}
        SessionStatus::Complete => return message_page("Check-out", "This has been paid. You may close this page."),
        SessionStatus::Expired => return message_page("Check-out", "This check-out has expired."),
    }
    let price = state.prices.iter().find(|price| price.id == session.price);
    let trial = session.trial_days.map(|days| format!("<p>The first {days} days are free.</p>")).unwrap_or_default();
    let problem = problem.map(|text| format!("<p class=\"problem\" role=\"alert\">{}</p>", escape(text))).unwrap_or_default();
    let email = state.customer(&session.customer, "customer").ok().and_then(|customer| customer.email.clone()).unwrap_or_default();
    let times = if session.quantity > 1 { format!(" × {}", session.quantity) } else { String::new() };
    let button = |action: &str, class: &str, label: &str| {
        format!(
            "<form method=\"post\" action=\"/checkout/{}/{action}\"><button class=\"{class}\">{label}</button></form>",
            escape(&session.id)
        )
    };
    let content = format!(
        "<section><p>{}{times}</p><p class=\"sum\">{} due today</p>{trial}<p>{}</p></section>\n{problem}{}{}{}",
        price.map(|price| described(state, price)).unwrap_or_default(),
        money(state.session_amount(session)),
        escape(&email),
        button("pay", "main", "Pay"),
        button("decline", "", "Decline"),
        button("cancel", "", "Cancel"),
    );
    page("Check-out", &content)
}

/// The page on which a customer changes what is subscribed to.
pub(super) fn portal_page(state: &State, portal: &Portal) -> String {
    let mine = state.subscriptions.iter().filter(|subscription| subscription.customer == portal.customer);
    let sections: String = mine.map(|subscription| section(state, portal, subscription)).collect();
    let sections = if sections.is_empty() { "<p>There is no subscription.</p>".to_owned() } else { sections };
    page("Your subscription", &format!("{sections}\n<p><a href=\"{}\">Return</a></p>", escape(&portal.return_url)))
}

fn section(state: &State, portal: &Portal, subscription: &Subscription) -> String {
    let price = state.prices.iter().find(|price| price.id == subscription.price);
    let what = price.map(|price| described(state, price)).unwrap_or_default();
    let (status, until) = (subscription.status.name(), day(subscription.period_end));
    if subscription.ended_at.is_some() {
        return format!("<section><p>{what}</p><p>Status: {status}</p></section>");
    }
    let form = |action: &str, inner: &str| {
        format!(
            "<form method=\"post\" action=\"/portal/{}/{action}\"><input type=\"hidden\" name=\"subscription\" value=\"{}\">{inner}</form>",
            escape(&portal.id),
            escape(&subscription.id)
        )
    };
    let options: String = state
        .prices
        .iter()
        .filter(|price| price.active)
        .map(|price| {
            let chosen = if price.id == subscription.price { " selected" } else { "" };
            format!("<option value=\"{}\"{chosen}>{}</option>", escape(&price.id), described(state, price))
        })
        .collect();
    let change = format!("<select name=\"price\" aria-label=\"Plan\">{options}</select> <button class=\"main\">Change plan</button>");
    let (ends, end) = if subscription.cancel_at_period_end {
        ("ends", form("resume", "<button>Resume</button>"))
    } else {
        ("renews", form("cancel", "<button>Cancel at period end</button>"))
    };
    format!(
        "<section><p>{what}</p><p>Status: {status}, {ends} on {until}</p>{}{end}{}</section>",
        form("change", &change),
        form("cancel-now", "<button>Cancel now</button>")
    )
}

/// A price in words.
fn described(state: &State, price: &Price) -> String {
    let name = state.products.iter().find(|product| product.id == price.product).map(|product| escape(&product.name));
    let often = if price.interval == Interval::Month { "month" } else { "year" };
    format!("{}, {} a {often}", name.unwrap_or_default(), money(price.unit_amount))
}

fn money(cents: i64) -> String {
    format!("${}.{:02}", cents / 100, cents % 100)
}

fn day(time: i64) -> String {
    DateTime::from_timestamp(time, 0).map(|time| time.format("%-d %B %Y").to_string()).unwrap_or_default()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let page = message_page("<b>", "\"><script>alert('x')</script>&");
        assert!(page.contains("&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;") && !page.contains("<script"));
        assert_eq!((money(2900), money(5), day(1_750_000_000).as_str()), ("$29.00".to_owned(), "$0.05".to_owned(), "15 June 2025"));
    }
}
