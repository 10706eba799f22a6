-- Answers that are made of what is for sale carry the tag `plans`. Whoever changes it, every process that keeps such an answer is told in
-- the transaction of the change; the same tag is told once a transaction, however many rows it changes.

CREATE FUNCTION purge_plans() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('handrail_purged', 'plans');
  RETURN NULL;
END $$;

CREATE TRIGGER products_purge AFTER INSERT OR DELETE OR TRUNCATE ON products FOR EACH STATEMENT EXECUTE FUNCTION purge_plans();
CREATE TRIGGER prices_purge AFTER INSERT OR DELETE OR TRUNCATE ON prices FOR EACH STATEMENT EXECUTE FUNCTION purge_plans();

-- Being told the same again, only later, changes nothing that is shown.
CREATE TRIGGER products_purge_changed AFTER UPDATE ON products FOR EACH ROW
  WHEN (to_jsonb(OLD) - '{mark_at,updated_at}'::text[] IS DISTINCT FROM to_jsonb(NEW) - '{mark_at,updated_at}'::text[])
  EXECUTE FUNCTION purge_plans();
CREATE TRIGGER prices_purge_changed AFTER UPDATE ON prices FOR EACH ROW
  WHEN (to_jsonb(OLD) - '{mark_at,updated_at}'::text[] IS DISTINCT FROM to_jsonb(NEW) - '{mark_at,updated_at}'::text[])
  EXECUTE FUNCTION purge_plans();
