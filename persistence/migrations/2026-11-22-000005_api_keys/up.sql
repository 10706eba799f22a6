-- Keys for outside clients. A key acts for its user; one of an organisation also ends with that user's membership.

CREATE TABLE api_keys (
  id           uuid PRIMARY KEY,
  user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  org_id       uuid,
  name         text NOT NULL,
  -- The first characters of the key, to tell keys apart; what follows is secret and only its hash is kept.
  prefix       text NOT NULL,
  key_hash     bytea NOT NULL CONSTRAINT api_keys_key_hash_is_sha256 CHECK (octet_length(key_hash) = 32),
  scopes       text[] NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  expires_at   timestamptz NOT NULL,
  last_used_at timestamptz,
  CONSTRAINT api_keys_membership_fkey FOREIGN KEY (org_id, user_id) REFERENCES memberships ON DELETE CASCADE
);

CREATE UNIQUE INDEX api_keys_key_hash_key ON api_keys (key_hash);
CREATE INDEX api_keys_user ON api_keys (user_id, id);
CREATE INDEX api_keys_org ON api_keys (org_id, id) WHERE org_id IS NOT NULL;
CREATE INDEX api_keys_expiry ON api_keys (expires_at);
