-- What was answered to requests under an idempotency key. A row is written in the transaction of the effect it answers for.

CREATE TABLE idempotency_keys (
  -- SHA-256 of caller and key.
  key_hash bytea PRIMARY KEY CHECK (octet_length(key_hash) = 32),
  -- HMAC-SHA-256 of method, path, query and body under the key, which is not kept: a body may hold a password.
  fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
  -- Status, headers and body, sealed under the key; absent only within the transaction of the effect.
  answer bytea,
  expires_at timestamptz NOT NULL
);

CREATE INDEX idempotency_keys_expires_at_idx ON idempotency_keys (expires_at);
