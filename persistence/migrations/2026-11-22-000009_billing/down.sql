DROP TABLE checkout_sessions, prices, products, invoices, subscription_items, subscriptions, billing_customers;
