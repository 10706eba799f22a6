//! Visits to the portal, and customers.

use super::{Customer, Metadata, Portal, Refusal, State};

impl State {
    /// Makes a customer, whose card works.
    pub(crate) fn new_customer(&mut self, email: Option<String>, name: Option<String>, metadata: Metadata) -> Customer {
        let customer = Customer { id: self.id("cus"), created: self.now(), email, name, metadata, pays: true };
        self.customers.push(customer.clone());
        self.emit("customer.created", customer.render());
        customer
    }

    /// Makes the customer's card work, or fail from now on.
    pub(crate) fn set_payment(&mut self, customer: &str, works: bool) -> Result<(), Refusal> {
        let found = self.customers.iter_mut().find(|found| found.id == customer);
        found.ok_or_else(|| Refusal::missing("customer", customer, "id"))?.pays = works;
        Ok(())
    }

    /// Opens the portal for a customer.
    pub(crate) fn open_portal(&mut self, customer: String, return_url: String) -> Portal {
        let portal = Portal { id: self.id("bps"), created: self.now(), customer, return_url };
        self.portals.push(portal.clone());
        portal
    }
}
