-- Who proved that an address is theirs, and the mails that let them: to verify it, and to set a password anew.

-- Accounts that are there already have proved nothing; they can ask for the mail.
ALTER TABLE users ADD COLUMN email_verified_at timestamptz;

-- An address has at most one row for each purpose, whether it has an account or not: what asks for a mail writes the same either way, and
-- whoever sends looks. The row is the queue as well, and keeps the hash of the token that was mailed last.
CREATE TABLE account_mails (
  id         uuid PRIMARY KEY,
  purpose    text NOT NULL CONSTRAINT account_mails_purpose_known CHECK (purpose IN ('verify_email', 'reset_password', 'password_changed')),
  email      text NOT NULL,
  -- Made when the mail goes out, and again with every further one: the token itself is nowhere but in the mail.
  token_hash bytea CONSTRAINT account_mails_token_hash_is_sha256 CHECK (octet_length(token_hash) = 32),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  -- When it is to be sent (again); null when it went out, was given up, or nobody is there to get it.
  due_at     timestamptz,
  sent_at    timestamptz,
  attempts   integer NOT NULL DEFAULT 0
);

CREATE UNIQUE INDEX account_mails_address_key ON account_mails (lower(email), purpose);
CREATE UNIQUE INDEX account_mails_token_hash_key ON account_mails (token_hash);
CREATE INDEX account_mails_due ON account_mails (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX account_mails_expiry ON account_mails (expires_at);

-- Whoever sends is woken in every process, once it is committed.
CREATE FUNCTION wake_mail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('handrail_due', 'mail');
  RETURN NULL;
END $$;

CREATE TRIGGER account_mails_wake AFTER INSERT OR UPDATE OF due_at ON account_mails FOR EACH ROW
  WHEN (NEW.due_at <= now()) EXECUTE FUNCTION wake_mail();
CREATE TRIGGER invitations_wake AFTER INSERT OR UPDATE OF mail_due_at ON invitations FOR EACH ROW
  WHEN (NEW.mail_due_at <= now()) EXECUTE FUNCTION wake_mail();

-- Another address has yet to be proved.
CREATE FUNCTION unverify_changed_email() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.email_verified_at := NULL;
  RETURN NEW;
END $$;

CREATE TRIGGER users_unverify_changed_email BEFORE UPDATE OF email ON users FOR EACH ROW
  WHEN (OLD.email <> NEW.email AND OLD.email_verified_at IS NOT DISTINCT FROM NEW.email_verified_at) EXECUTE FUNCTION unverify_changed_email();

-- A mail that waits, or a token that is open, ends with what it was for. Of another password the address is told.
CREATE FUNCTION settle_account_mails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM account_mails WHERE lower(email) = lower(OLD.email);
    RETURN NULL;
  END IF;
  IF OLD.email <> NEW.email THEN
    DELETE FROM account_mails WHERE lower(email) = lower(OLD.email) AND purpose <> 'password_changed';
  ELSIF OLD.password_hash IS DISTINCT FROM NEW.password_hash OR (OLD.banned_at IS NULL AND NEW.banned_at IS NOT NULL) THEN
    DELETE FROM account_mails WHERE lower(email) = lower(OLD.email) AND purpose = 'reset_password';
  END IF;
  IF NEW.email_verified_at IS NOT NULL AND OLD.email_verified_at IS NULL THEN
    DELETE FROM account_mails WHERE lower(email) = lower(OLD.email) AND purpose = 'verify_email';
  END IF;
  IF OLD.password_hash IS DISTINCT FROM NEW.password_hash THEN
    INSERT INTO account_mails (id, purpose, email, expires_at, due_at)
    VALUES (uuid_v7(), 'password_changed', OLD.email, now() + interval '1 day', now())
    ON CONFLICT (lower(email), purpose) DO UPDATE SET email = excluded.email, token_hash = NULL, created_at = now(),
      expires_at = excluded.expires_at, due_at = excluded.due_at, sent_at = NULL, attempts = 0;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER users_settle_account_mails AFTER UPDATE OF email, password_hash, banned_at, email_verified_at OR DELETE ON users
  FOR EACH ROW EXECUTE FUNCTION settle_account_mails();

-- What servers remember of a caller includes whether they are verified.
CREATE TRIGGER users_revoke_verified AFTER UPDATE OF email, email_verified_at ON users FOR EACH ROW
  WHEN ((OLD.email_verified_at IS NULL) <> (NEW.email_verified_at IS NULL)) EXECUTE FUNCTION revoke_user();

CREATE FUNCTION audit_verified() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM audit('user.email_verified', NULL, 'user', NEW.id);
  RETURN NULL;
END $$;

CREATE TRIGGER users_audit_verified AFTER UPDATE OF email_verified_at ON users FOR EACH ROW
  WHEN (OLD.email_verified_at IS NULL AND NEW.email_verified_at IS NOT NULL) EXECUTE FUNCTION audit_verified();
