//! What is on sale from the start: three plans, by the month and by the year.

use super::{Interval, Metadata, Price, Product, Refusal, State};

struct Plan {
    key: &'static str,
    name: &'static str,
    description: &'static str,
    /// In cents.
    monthly: i64,
    projects: u32,
    members: u32,
}

const PLANS: [Plan; 3] = [
    Plan { key: "starter", name: "Starter", description: "For a first project", monthly: 900, projects: 3, members: 3 },
    Plan { key: "team", name: "Team", description: "For a team at work", monthly: 2900, projects: 20, members: 15 },
    Plan { key: "business", name: "Business", description: "For many teams", monthly: 9900, projects: 200, members: 100 },
];

/// A year costs as much as ten months.
const MONTHS_PAID_A_YEAR: i64 = 10;

impl State {
    /// Puts the plans on sale; nobody is told.
    pub(crate) fn stock(&mut self) {
        let now = self.now();
        for Plan { key, name, description, monthly, projects, members } in PLANS {
            let id = format!("prod_{key}");
            let limits = [("limit_projects", projects.to_string()), ("limit_members", members.to_string())];
            let texts = limits.into_iter().chain([("plan", key.to_owned())]);
            let metadata = texts.map(|(name, text)| (name.to_owned(), text)).collect::<Metadata>();
            let (name, description) = (name.to_owned(), description.to_owned());
            self.products.push(Product { id: id.clone(), created: now, updated: now, name, description, active: true, metadata });
            for (interval, suffix, unit_amount) in
                [(Interval::Month, "monthly", monthly), (Interval::Year, "yearly", monthly * MONTHS_PAID_A_YEAR)]
            {
                let lookup_key = format!("{key}_{suffix}");
                let (id, product) = (format!("price_{lookup_key}"), id.clone());
                self.prices.push(Price { id, created: now, product, unit_amount, interval, lookup_key, active: true });
            }
        }
    }

    /// Gives a product another name.
    pub(crate) fn rename_product(&mut self, id: &str, name: &str) -> Result<(), Refusal> {
        let now = self.now();
        let product = self.products.iter_mut().find(|product| product.id == id);
        let product = product.ok_or_else(|| Refusal::missing("product", id, "id"))?;
        let before = product.render();
        (product.name, product.updated) = (name.to_owned(), now);
        let after = product.render();
        self.emit_change("product.updated", &before, &after);
        Ok(())
    }

    /// Puts a price on sale or takes it off.
    pub(crate) fn set_price_active(&mut self, id: &str, active: bool) -> Result<(), Refusal> {
        let price = self.prices.iter_mut().find(|price| price.id == id).ok_or_else(|| Refusal::missing("price", id, "id"))?;
        let before = price.render();
        price.active = active;
        let after = price.render();
        self.emit_change("price.updated", &before, &after);
        Ok(())
    }
}
