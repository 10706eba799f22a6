//! What is for sale: products and their prices, as Stripe shows them, and the plans they make.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Malformed, read::Object};

/// The plan of those who subscribed to nothing. Its limits are those of the product with this plan, if there is one.
pub const FREE: &str = "free";
/// What names of limits begin with in a product's metadata.
const LIMIT: &str = "limit_";
/// The largest limit: what JavaScript counts exactly.
const LIMIT_MAX: u64 = 9_007_199_254_740_991;

/// A product. Of two that nothing else tells apart, the one that compares greater counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Product {
    /// Stripe's id.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Whether it is for sale.
    pub active: bool,
    /// What was noted about it: `plan` and `limit_<name>` count here.
    pub metadata: BTreeMap<String, String>,
}

impl Product {
    /// Reads a product from Stripe's JSON.
    ///
    /// # Errors
    /// When a field is missing (`id`, `name`) or absurd.
    pub fn read(value: &Value) -> Result<Self, Malformed> {
        let object = Object::of(value, "product")?;
        Ok(Self {
            id: object.required("id")?,
            name: object.long("name")?.ok_or(Malformed { field: "name", why: "missing" })?,
            description: object.long("description")?,
            active: object.flag("active", true)?,
            metadata: object.texts("metadata")?,
        })
    }

    /// The plan it is, if its metadata says so.
    #[must_use]
    pub fn plan(&self) -> Option<&str> {
        self.metadata.get("plan").map(|plan| plan.trim()).filter(|plan| !plan.is_empty())
    }

    /// Its limits by name. What is not a whole number is no limit, like what is not there.
    #[must_use]
    pub fn limits(&self) -> BTreeMap<String, u64> {
        let limit = |(name, value): (&String, &String)| {
            let name = name.strip_prefix(LIMIT).filter(|name| !name.is_empty())?;
            let number = value.trim().parse().ok().filter(|number| *number <= LIMIT_MAX)?;
            Some((name.to_owned(), number))
        };
        self.metadata.iter().filter_map(limit).collect()
    }
}

/// A price of a product. Of two that nothing else tells apart, the one that compares greater counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Price {
    /// Stripe's id.
    pub id: String,
    /// The currency, as its three letters (ISO 4217) in lower case.
    pub currency: String,
    /// What one costs, in the smallest unit of the currency; null when that depends on how many.
    pub unit_amount: Option<i64>,
    /// What it is paid for again and again: `day`, `week`, `month`, `year`; null when it is paid once.
    pub interval: Option<String>,
    /// How many of these are paid for at a time.
    pub interval_count: Option<u32>,
    /// A name for programs.
    pub lookup_key: Option<String>,
    /// What it is the price of: Stripe's id of the product.
    #[serde(skip)]
    pub product: String,
    /// Whether it can be chosen.
    #[serde(skip)]
    pub active: bool,
    /// A name for those who sell.
    #[serde(skip)]
    pub nickname: Option<String>,
}

impl Price {
    /// Reads a price from Stripe's JSON.
    ///
    /// # Errors
    /// When a field is missing (`id`, `product`, `currency`) or absurd.
    pub fn read(value: &Value) -> Result<Self, Malformed> {
        let object = Object::of(value, "price")?;
        Ok(Self {
            id: object.required("id")?,
            currency: object.currency("currency")?,
            unit_amount: object.amount("unit_amount")?,
            interval: object.short("recurring.interval")?,
            interval_count: object.count("recurring.interval_count")?,
            lookup_key: object.short("lookup_key")?,
            product: object.reference("product")?.ok_or(Malformed { field: "product", why: "missing" })?,
            active: object.flag("active", true)?,
            nickname: object.long("nickname")?,
        })
    }
}

/// Something that can be subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Stripe's id of the product.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// The plan it is, for programs; the product's name when nothing else is noted.
    pub plan: String,
    /// What it is limited to, by name; what is not listed is not limited.
    pub limits: BTreeMap<String, u64>,
    /// What it costs, cheapest first.
    pub prices: Vec<Price>,
}

/// What is for sale: the active products with their active prices, the cheapest first.
#[must_use]
pub fn plans(products: Vec<Product>, prices: Vec<Price>) -> Vec<Plan> {
    let mut by_product: BTreeMap<String, Vec<Price>> = BTreeMap::new();
    for price in prices.into_iter().filter(|price| price.active) {
        by_product.entry(price.product.clone()).or_default().push(price);
    }
    let mut plans: Vec<Plan> = products
        .into_iter()
        .filter(|product| product.active)
        .map(|product| {
            let mut prices = by_product.remove(&product.id).unwrap_or_default();
            prices.sort_by(|one, other| (one.unit_amount, &one.id).cmp(&(other.unit_amount, &other.id)));
            let (plan, limits) = (product.plan().unwrap_or(&product.name).to_owned(), product.limits());
            Plan { id: product.id, name: product.name, description: product.description, plan, limits, prices }
        })
        .collect();
    plans.sort_by_cached_key(|plan| (plan.prices.iter().filter_map(|price| price.unit_amount).min(), plan.name.clone(), plan.id.clone()));
    plans
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn price(id: &str, product: &str, amount: i64, active: bool) -> Price {
        let recurring = json!({ "interval": "month", "interval_count": 1 });
        let value = json!({ "id": id, "product": { "id": product }, "currency": "eur", "unit_amount": amount, "active": active, "recurring": recurring });
        Price::read(&value).expect("a price")
    }

    fn product(id: &str, more: &Value) -> Product {
        Product::read(&json!({ "id": id, "object": "product", "name": id.to_uppercase(), "metadata": more })).expect("a product")
    }

    #[test]
    fn limits_are_whole_numbers() {
        let metadata = json!({
            "plan": " pro ", "limit_projects": "10", "limit_seats": " 5 ", "limit_": "1", "limit_storage": "unlimited", "limit_minus": "-1",
            "limit_huge": "9007199254740992", "limits": "3", "limit_number": 7,
        });
        let product = product("prod_1", &metadata);
        assert_eq!(product.plan(), Some("pro"));
        assert_eq!(product.limits(), BTreeMap::from([("projects".to_owned(), 10), ("seats".to_owned(), 5)]));
    }

    #[test]
    fn plans_are_what_is_for_sale_cheapest_first() {
        let gone = Product { active: false, ..product("gone", &json!({})) };
        let products = vec![product("big", &json!({ "plan": "business" })), gone, product("free", &json!({})), product("pro", &json!({}))];
        let prices = vec![
            price("p_2", "pro", 2000, true),
            price("p_1", "pro", 200, true),
            price("p_0", "pro", 1, false),
            price("p_3", "big", 900, true),
            price("p_4", "gone", 1, true),
            price("p_5", "elsewhere", 1, true),
        ];
        let plans = plans(products, prices);
        let short: Vec<(&str, &str, Vec<&str>)> = plans
            .iter()
            .map(|plan| (plan.id.as_str(), plan.plan.as_str(), plan.prices.iter().map(|price| price.id.as_str()).collect()))
            .collect();
        assert_eq!(short, [("free", "FREE", vec![]), ("pro", "PRO", vec!["p_1", "p_2"]), ("big", "business", vec!["p_3"])]);
        let shown = serde_json::to_value(&plans[1].prices[0]).expect("JSON");
        let expected =
            json!({ "id": "p_1", "currency": "eur", "unitAmount": 200, "interval": "month", "intervalCount": 1, "lookupKey": null });
        assert_eq!(shown, expected);
    }

    #[test]
    fn absurd_things_are_refused_by_name() {
        for (field, value) in [("id", json!(null)), ("product", json!(null)), ("currency", json!("€")), ("unit_amount", json!(0.5))] {
            let mut object = json!({ "id": "price_1", "product": "prod_1", "currency": "eur" });
            object[field] = value;
            assert_eq!(Price::read(&object).expect_err("refused").field, field);
        }
        for (field, value) in
            [("id", json!("a\u{0}")), ("name", json!(null)), ("active", json!("yes")), ("metadata", json!({ "a": "\u{0}" }))]
        {
            let mut object = json!({ "id": "prod_1", "name": "Pro" });
            object[field] = value;
            assert_eq!(Product::read(&object).expect_err("refused").field, field);
        }
    }
}
