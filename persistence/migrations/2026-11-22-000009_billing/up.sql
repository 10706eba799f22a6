-- Who is whose customer at Stripe, and what Stripe said last of subscriptions, invoices, check-outs, products and prices.
-- Ids and states are Stripe's, word for word: new ones must not stop anything. `mark_at` and `mark_source` say as of when a row is
-- true; which of two things said counts is decided in one place, under a lock of the customer, before anything is written here.

CREATE TABLE billing_customers (
  org_id     uuid PRIMARY KEY REFERENCES organisations ON DELETE CASCADE,
  -- Null while one is being made.
  customer   text,
  livemode   boolean,
  -- How often making one failed for good; part of the key under which Stripe makes one once only.
  attempt    integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- A customer is one organisation's; and everything Stripe says names the customer.
CREATE UNIQUE INDEX billing_customers_customer_key ON billing_customers (customer);

CREATE TABLE subscriptions (
  id                   text PRIMARY KEY,
  -- Null until the customer is known to be an organisation's: events of a subscription may come before that of its check-out.
  org_id               uuid REFERENCES organisations ON DELETE CASCADE,
  customer             text NOT NULL,
  -- What the metadata says, which proves nothing.
  claimed_org_id       uuid,
  status               text NOT NULL,
  livemode             boolean,
  created_at           timestamptz,
  period_start         timestamptz,
  period_end           timestamptz,
  cancel_at            timestamptz,
  cancel_at_period_end boolean NOT NULL,
  canceled_at          timestamptz,
  ended_at             timestamptz,
  trial_end            timestamptz,
  mark_at              timestamptz NOT NULL,
  mark_source          text NOT NULL,
  -- The last state whose meaning was known: it decides while the present one is unknown.
  known_status         text,
  known_at             timestamptz,
  known_source         text,
  updated_at           timestamptz NOT NULL DEFAULT now()
);

-- Those of an organisation, and their going with it.
CREATE INDEX subscriptions_org ON subscriptions (org_id) WHERE org_id IS NOT NULL;
-- Those that wait for their customer's organisation.
CREATE INDEX subscriptions_unlinked ON subscriptions (customer) WHERE org_id IS NULL;

CREATE TABLE subscription_items (
  subscription_id text NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
  id              text NOT NULL,
  price           text,
  product         text,
  quantity        integer,
  PRIMARY KEY (subscription_id, id)
);

CREATE TABLE invoices (
  id            text PRIMARY KEY,
  org_id        uuid REFERENCES organisations ON DELETE CASCADE,
  customer      text,
  subscription  text,
  status        text NOT NULL,
  currency      text NOT NULL,
  -- In the smallest unit of the currency.
  amount_due    bigint NOT NULL,
  amount_paid   bigint NOT NULL,
  paid          boolean NOT NULL,
  attempt_count integer NOT NULL,
  hosted_url    text,
  period_start  timestamptz,
  period_end    timestamptz,
  created_at    timestamptz,
  mark_at       timestamptz NOT NULL,
  mark_source   text NOT NULL,
  updated_at    timestamptz NOT NULL DEFAULT now()
);

-- The latest of an organisation, and their going with it.
CREATE INDEX invoices_org ON invoices (org_id, created_at DESC NULLS LAST) WHERE org_id IS NOT NULL;
CREATE INDEX invoices_unlinked ON invoices (customer) WHERE org_id IS NULL;

-- Products and prices are few and read together, so they need no further index. What was deleted stays, marked so: an event that comes
-- late must not bring it back, and subscriptions to it still have their limits.
CREATE TABLE products (
  id          text PRIMARY KEY,
  name        text NOT NULL,
  description text,
  active      boolean NOT NULL,
  metadata    jsonb NOT NULL,
  mark_at     timestamptz NOT NULL,
  mark_source text NOT NULL,
  updated_at  timestamptz NOT NULL DEFAULT now()
);

-- No foreign key: a price may be told of before its product.
CREATE TABLE prices (
  id           text PRIMARY KEY,
  product      text NOT NULL,
  currency     text NOT NULL,
  -- In the smallest unit of the currency.
  unit_amount  bigint,
  period       text,
  period_count integer,
  lookup_key   text,
  active       boolean NOT NULL,
  nickname     text,
  mark_at      timestamptz NOT NULL,
  mark_source  text NOT NULL,
  updated_at   timestamptz NOT NULL DEFAULT now()
);

-- The row of a check-out is what makes its purchase be handed out once only.
CREATE TABLE checkout_sessions (
  id             text PRIMARY KEY,
  org_id         uuid REFERENCES organisations ON DELETE CASCADE,
  customer       text,
  subscription   text,
  mode           text NOT NULL,
  payment_status text NOT NULL,
  progress       text NOT NULL CONSTRAINT checkout_sessions_progress_known CHECK (progress IN ('waiting', 'expired', 'failed', 'paid')),
  fulfilled_at   timestamptz,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now()
);

-- For their going with the organisation.
CREATE INDEX checkout_sessions_org ON checkout_sessions (org_id) WHERE org_id IS NOT NULL;
CREATE TRIGGER checkout_sessions_touch BEFORE UPDATE ON checkout_sessions FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
