-- Organisations, who belongs to them, who is invited, and their projects.

ALTER TABLE users ADD COLUMN banned_at timestamptz;

-- Somebody who is banned administrates nothing.
CREATE OR REPLACE FUNCTION keep_last_admin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('users_last_admin'));
  IF NOT EXISTS (SELECT FROM users WHERE role = 'admin' AND banned_at IS NULL AND id <> OLD.id) THEN
    RAISE EXCEPTION 'the last administrator stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'users_last_admin';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER users_last_admin_banned BEFORE UPDATE OF banned_at ON users FOR EACH ROW
  WHEN (OLD.role = 'admin' AND OLD.banned_at IS NULL AND NEW.banned_at IS NOT NULL) EXECUTE FUNCTION keep_last_admin();

-- A deleted organisation keeps its slug and everything in it until it is purged, so that restoring it always works.
CREATE TABLE organisations (
  id         uuid PRIMARY KEY,
  name       text NOT NULL,
  slug       text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz
);

CREATE UNIQUE INDEX organisations_slug_key ON organisations (slug);
CREATE INDEX organisations_deleted ON organisations (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE TRIGGER organisations_touch BEFORE UPDATE ON organisations FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE memberships (
  org_id     uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
  user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  role       text NOT NULL CONSTRAINT memberships_role_known CHECK (role IN ('owner', 'admin', 'member')),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, user_id)
);

CREATE INDEX memberships_user ON memberships (user_id, org_id);

-- An organisation that lives has an owner. Whoever takes one away locks the organisation first, so that two who do it at the same
-- time go one after the other, and the second sees what the first did. A deleted organisation may lose its last: it is on its way out.
CREATE FUNCTION keep_last_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM organisations WHERE id = OLD.org_id AND deleted_at IS NULL FOR NO KEY UPDATE;
  IF FOUND AND NOT EXISTS (SELECT FROM memberships WHERE org_id = OLD.org_id AND role = 'owner' AND user_id <> OLD.user_id) THEN
    RAISE EXCEPTION 'the last owner stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'memberships_last_owner';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER memberships_last_owner_demoted BEFORE UPDATE OF role ON memberships FOR EACH ROW
  WHEN (OLD.role = 'owner' AND NEW.role <> 'owner') EXECUTE FUNCTION keep_last_owner();
CREATE TRIGGER memberships_last_owner_removed BEFORE DELETE ON memberships FOR EACH ROW
  WHEN (OLD.role = 'owner') EXECUTE FUNCTION keep_last_owner();

CREATE TABLE invitations (
  id            uuid PRIMARY KEY,
  org_id        uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
  email         text NOT NULL,
  role          text NOT NULL CONSTRAINT invitations_role_known CHECK (role IN ('owner', 'admin', 'member')),
  invited_by    uuid REFERENCES users ON DELETE CASCADE,
  -- Made when the mail goes out, and again with every further one: the token itself is nowhere but in the mail.
  token_hash    bytea CONSTRAINT invitations_token_hash_is_sha256 CHECK (octet_length(token_hash) = 32),
  created_at    timestamptz NOT NULL DEFAULT now(),
  expires_at    timestamptz NOT NULL,
  accepted_at   timestamptz,
  -- When its mail is to be sent (again); null when it went out or was given up.
  mail_due_at   timestamptz,
  mail_sent_at  timestamptz,
  mail_attempts integer NOT NULL DEFAULT 0
);

CREATE UNIQUE INDEX invitations_token_hash_key ON invitations (token_hash);
CREATE UNIQUE INDEX invitations_pending_key ON invitations (org_id, lower(email)) WHERE accepted_at IS NULL;
CREATE INDEX invitations_org ON invitations (org_id, id);
CREATE INDEX invitations_mail_due ON invitations (mail_due_at) WHERE mail_due_at IS NOT NULL;
CREATE INDEX invitations_expiry ON invitations (expires_at);

-- Who may not invite any more has nobody waiting at the door either.
CREATE FUNCTION withdraw_invitations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM invitations WHERE org_id = OLD.org_id AND invited_by = OLD.user_id AND accepted_at IS NULL;
  RETURN NULL;
END $$;

CREATE TRIGGER memberships_removed_withdraw AFTER DELETE ON memberships FOR EACH ROW
  WHEN (OLD.role <> 'member') EXECUTE FUNCTION withdraw_invitations();
CREATE TRIGGER memberships_demoted_withdraw AFTER UPDATE OF role ON memberships FOR EACH ROW
  WHEN (OLD.role <> 'member' AND NEW.role = 'member') EXECUTE FUNCTION withdraw_invitations();

CREATE TABLE projects (
  id          uuid PRIMARY KEY,
  org_id      uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
  name        text NOT NULL,
  slug        text NOT NULL,
  description text NOT NULL DEFAULT '',
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now(),
  deleted_at  timestamptz
);

CREATE UNIQUE INDEX projects_slug_key ON projects (org_id, slug);
CREATE INDEX projects_org ON projects (org_id, id);
CREATE INDEX projects_deleted ON projects (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE TRIGGER projects_touch BEFORE UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
