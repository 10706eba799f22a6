DROP TABLE projects, invitations, memberships, organisations;
DROP FUNCTION withdraw_invitations, keep_last_owner;
DROP TRIGGER users_last_admin_banned ON users;
CREATE OR REPLACE FUNCTION keep_last_admin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('users_last_admin'));
  IF NOT EXISTS (SELECT FROM users WHERE role = 'admin' AND id <> OLD.id) THEN
    RAISE EXCEPTION 'the last administrator stays' USING ERRCODE = 'check_violation', CONSTRAINT = 'users_last_admin';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
ALTER TABLE users DROP COLUMN banned_at;
