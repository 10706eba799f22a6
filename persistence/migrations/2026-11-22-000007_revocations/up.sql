-- What servers remember of who may do what is taken back at the moment of the commit: each change tells all that listen.
-- A message is a letter for the kind and what names it: s(ession) and k(ey) by their hash, u(ser), m(embership), o(rganisation) by id.

CREATE FUNCTION revoke_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('handrail_revoked', 's ' || encode(OLD.token_hash, 'hex'));
  RETURN NULL;
END $$;

-- Those that expired are gone from every memory by then.
CREATE TRIGGER sessions_revoke_deleted AFTER DELETE ON sessions FOR EACH ROW
  WHEN (OLD.expires_at > now()) EXECUTE FUNCTION revoke_session();
CREATE TRIGGER sessions_revoke_shortened AFTER UPDATE OF expires_at ON sessions FOR EACH ROW
  WHEN (NEW.expires_at < OLD.expires_at) EXECUTE FUNCTION revoke_session();

CREATE FUNCTION revoke_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('handrail_revoked', 'k ' || encode(OLD.key_hash, 'hex'));
  RETURN NULL;
END $$;

CREATE TRIGGER api_keys_revoke_deleted AFTER DELETE ON api_keys FOR EACH ROW WHEN (OLD.expires_at > now()) EXECUTE FUNCTION revoke_key();
CREATE TRIGGER api_keys_revoke_changed AFTER UPDATE OF expires_at, scopes ON api_keys FOR EACH ROW EXECUTE FUNCTION revoke_key();

CREATE FUNCTION revoke_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('handrail_revoked', 'u ' || OLD.id);
  RETURN NULL;
END $$;

CREATE TRIGGER users_revoke_deleted AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION revoke_user();
CREATE TRIGGER users_revoke_changed AFTER UPDATE OF role, banned_at ON users FOR EACH ROW
  WHEN (OLD.role <> NEW.role OR OLD.banned_at IS DISTINCT FROM NEW.banned_at) EXECUTE FUNCTION revoke_user();

CREATE FUNCTION revoke_membership() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('handrail_revoked', 'm ' || OLD.org_id || ' ' || OLD.user_id);
  RETURN NULL;
END $$;

CREATE TRIGGER memberships_revoke AFTER UPDATE OF role OR DELETE ON memberships FOR EACH ROW EXECUTE FUNCTION revoke_membership();

CREATE FUNCTION revoke_organisation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('handrail_revoked', 'o ' || OLD.id);
  RETURN NULL;
END $$;

CREATE TRIGGER organisations_revoke AFTER UPDATE OF deleted_at ON organisations FOR EACH ROW EXECUTE FUNCTION revoke_organisation();
