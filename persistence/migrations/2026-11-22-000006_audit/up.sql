-- What was changed about who may do what, by whom. Triggers write it, in the transaction of the change, so that no code can forget it.

-- RFC 9562, version 7, with the fraction of the millisecond in the next 12 bits: later events sort later.
CREATE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT (
    lpad(to_hex(floor(micros / 1000)::bigint), 12, '0')
    || '7' || lpad(to_hex(floor((micros % 1000) * 4.096)::int), 3, '0')
    || to_hex(8 + floor(random() * 4)::int) || substr(replace(gen_random_uuid()::text, '-', ''), 1, 15)
  )::uuid
  FROM (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000000)::numeric AS micros) AS clock
$$;

-- No foreign keys: the log outlives what it tells of.
CREATE TABLE audit_events (
  id           uuid PRIMARY KEY DEFAULT uuid_v7(),
  org_id       uuid,
  actor_id     uuid,
  actor_key_id uuid,
  address      text,
  action       text NOT NULL,
  target_type  text NOT NULL,
  target_id    uuid,
  details      jsonb NOT NULL DEFAULT '{}',
  created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX audit_events_org ON audit_events (org_id, id) WHERE org_id IS NOT NULL;
CREATE INDEX audit_events_actor ON audit_events (actor_id, id);
CREATE INDEX audit_events_created ON audit_events (created_at);

-- Who acts stands in the transaction's setting `handrail.actor`: user, key and address, separated by blanks, `-` for none.
CREATE FUNCTION audit(action text, org uuid, target_type text, target uuid, details jsonb DEFAULT '{}', actor_default uuid DEFAULT NULL)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO audit_events (org_id, actor_id, actor_key_id, address, action, target_type, target_id, details)
  SELECT org, coalesce(nullif(part[1], '-')::uuid, actor_default), nullif(part[2], '-')::uuid, nullif(part[3], '-'),
         action, target_type, target, jsonb_strip_nulls(details)
  FROM (SELECT string_to_array(coalesce(nullif(current_setting('handrail.actor', true), ''), '- - -'), ' ') AS part) AS setting
$$;

CREATE FUNCTION audit_users() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM audit('user.deleted', NULL, 'user', OLD.id);
    RETURN NULL;
  END IF;
  IF TG_OP = 'INSERT' THEN
    PERFORM audit('user.role_changed', NULL, 'user', NEW.id, jsonb_build_object('to', NEW.role));
    RETURN NULL;
  END IF;
  IF OLD.role <> NEW.role THEN
    PERFORM audit('user.role_changed', NULL, 'user', NEW.id, jsonb_build_object('from', OLD.role, 'to', NEW.role));
  END IF;
  IF OLD.password_hash IS DISTINCT FROM NEW.password_hash THEN
    PERFORM audit('user.password_changed', NULL, 'user', NEW.id);
  END IF;
  IF (OLD.banned_at IS NULL) <> (NEW.banned_at IS NULL) THEN
    PERFORM audit(CASE WHEN NEW.banned_at IS NULL THEN 'user.unbanned' ELSE 'user.banned' END, NULL, 'user', NEW.id);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER users_audit_made AFTER INSERT ON users FOR EACH ROW WHEN (NEW.role <> 'user') EXECUTE FUNCTION audit_users();
CREATE TRIGGER users_audit AFTER UPDATE OF role, password_hash, banned_at OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION audit_users();

CREATE FUNCTION audit_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM audit('login.succeeded', NULL, 'user', NEW.user_id, jsonb_build_object('session', NEW.id), NEW.user_id);
  RETURN NULL;
END $$;

CREATE TRIGGER sessions_audit AFTER INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION audit_sessions();

CREATE FUNCTION audit_organisations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM audit('organisation.purged', OLD.id, 'organisation', OLD.id);
  ELSIF TG_OP = 'INSERT' THEN
    PERFORM audit('organisation.created', NEW.id, 'organisation', NEW.id);
  ELSIF (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL) THEN
    PERFORM audit(CASE WHEN NEW.deleted_at IS NULL THEN 'organisation.restored' ELSE 'organisation.deleted' END, NEW.id, 'organisation', NEW.id);
  ELSIF (OLD.name, OLD.slug) IS DISTINCT FROM (NEW.name, NEW.slug) THEN
    PERFORM audit('organisation.updated', NEW.id, 'organisation', NEW.id,
      jsonb_build_object('name', nullif(NEW.name, OLD.name), 'slug', nullif(NEW.slug, OLD.slug)));
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER organisations_audit AFTER INSERT OR UPDATE OR DELETE ON organisations FOR EACH ROW EXECUTE FUNCTION audit_organisations();

CREATE FUNCTION audit_memberships() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM audit('member.removed', OLD.org_id, 'user', OLD.user_id, jsonb_build_object('role', OLD.role));
  ELSIF TG_OP = 'INSERT' THEN
    PERFORM audit('member.added', NEW.org_id, 'user', NEW.user_id, jsonb_build_object('role', NEW.role));
  ELSIF OLD.role <> NEW.role THEN
    PERFORM audit('member.role_changed', NEW.org_id, 'user', NEW.user_id, jsonb_build_object('from', OLD.role, 'to', NEW.role));
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER memberships_audit AFTER INSERT OR UPDATE OF role OR DELETE ON memberships FOR EACH ROW EXECUTE FUNCTION audit_memberships();

CREATE FUNCTION audit_invitations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.accepted_at IS NULL THEN
      PERFORM audit(CASE WHEN OLD.expires_at > now() THEN 'invitation.revoked' ELSE 'invitation.expired' END, OLD.org_id, 'invitation', OLD.id,
        jsonb_build_object('email', OLD.email, 'role', OLD.role));
    END IF;
  ELSIF TG_OP = 'INSERT' THEN
    PERFORM audit('invitation.created', NEW.org_id, 'invitation', NEW.id, jsonb_build_object('email', NEW.email, 'role', NEW.role));
  ELSIF OLD.accepted_at IS NULL AND NEW.accepted_at IS NOT NULL THEN
    PERFORM audit('invitation.accepted', NEW.org_id, 'invitation', NEW.id, jsonb_build_object('email', NEW.email, 'role', NEW.role));
  ELSIF NEW.expires_at <> OLD.expires_at THEN
    PERFORM audit('invitation.resent', NEW.org_id, 'invitation', NEW.id, jsonb_build_object('email', NEW.email));
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER invitations_audit AFTER INSERT OR UPDATE OF accepted_at, expires_at OR DELETE ON invitations
  FOR EACH ROW EXECUTE FUNCTION audit_invitations();

CREATE FUNCTION audit_api_keys() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM audit(CASE WHEN OLD.expires_at > now() THEN 'api_key.revoked' ELSE 'api_key.expired' END, OLD.org_id, 'api_key', OLD.id,
      jsonb_build_object('name', OLD.name, 'user', OLD.user_id));
  ELSIF TG_OP = 'INSERT' THEN
    PERFORM audit('api_key.created', NEW.org_id, 'api_key', NEW.id,
      jsonb_build_object('name', NEW.name, 'scopes', to_jsonb(NEW.scopes), 'expiresAt', NEW.expires_at));
  ELSIF NEW.expires_at <> OLD.expires_at THEN
    PERFORM audit('api_key.rotated', NEW.org_id, 'api_key', NEW.id, jsonb_build_object('name', NEW.name, 'expiresAt', NEW.expires_at));
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER api_keys_audit AFTER INSERT OR UPDATE OF expires_at OR DELETE ON api_keys FOR EACH ROW EXECUTE FUNCTION audit_api_keys();

CREATE FUNCTION audit_projects() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM audit('project.created', NEW.org_id, 'project', NEW.id, jsonb_build_object('name', NEW.name));
  ELSIF (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL) THEN
    PERFORM audit(CASE WHEN NEW.deleted_at IS NULL THEN 'project.restored' ELSE 'project.deleted' END, NEW.org_id, 'project', NEW.id,
      jsonb_build_object('name', NEW.name));
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER projects_audit AFTER INSERT OR UPDATE OF deleted_at ON projects FOR EACH ROW EXECUTE FUNCTION audit_projects();
