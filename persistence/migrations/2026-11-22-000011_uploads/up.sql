-- Files of users. Their bytes are in the storage, under the row's id. The row comes first and goes last, so that there is never a file
-- that no row knows of, whatever dies when.

CREATE TABLE uploads (
  id           uuid PRIMARY KEY,
  -- Null once the account is gone: the row stays until its file is removed.
  user_id      uuid REFERENCES users ON DELETE SET NULL,
  -- Pending while the bytes come, ready when all are kept, deleted until they are removed.
  state        text NOT NULL DEFAULT 'pending' CONSTRAINT uploads_state_known CHECK (state IN ('pending', 'ready', 'deleted')),
  name         text,
  file_name    text NOT NULL DEFAULT '',
  -- While pending: what is set aside of the owner's quota.
  size         bigint NOT NULL CONSTRAINT uploads_size_not_negative CHECK (size >= 0),
  content_type text NOT NULL DEFAULT '',
  sha256       bytea CONSTRAINT uploads_sha256_is_one CHECK (octet_length(sha256) = 32),
  -- The number that S3 keeps the parts of an unfinished file under.
  parts        text,
  created_at   timestamptz NOT NULL DEFAULT now(),
  -- When somebody last worked on it: a pending one that nobody does any more is left behind.
  touched_at   timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uploads_ready_is_whole CHECK (state <> 'ready' OR (sha256 IS NOT NULL AND file_name <> '' AND content_type <> ''))
);

-- Those of a user in order, their sum, and their losing the account.
CREATE INDEX uploads_user ON uploads (user_id, id) INCLUDE (state, size);
-- What is to be removed, or may be.
CREATE INDEX uploads_swept ON uploads (touched_at) WHERE state <> 'ready' OR user_id IS NULL;

-- Sets aside so many bytes of an account's quota for an upload, which begins with it or goes on. What the account keeps is added up under a
-- lock of the account: of uploads at the same time each sees those before it. One call, so that the lock waits for no client.
CREATE FUNCTION uploads_reserve(upload uuid, account uuid, bytes bigint, bytes_max bigint, files_max bigint, begins boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  kept record;
BEGIN
  PERFORM FROM users WHERE id = account FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN 'nobody';
  END IF;
  SELECT count(*) AS files, coalesce(sum(size), 0) AS bytes INTO kept
    FROM uploads WHERE user_id = account AND state <> 'deleted' AND id <> upload;
  IF kept.files >= files_max THEN
    RETURN 'files';
  ELSIF kept.bytes + bytes > bytes_max THEN
    RETURN 'bytes';
  ELSIF begins THEN
    INSERT INTO uploads (id, user_id, size) VALUES (upload, account, bytes);
  ELSE
    UPDATE uploads SET size = bytes, touched_at = now() WHERE id = upload AND state = 'pending';
  END IF;
  RETURN CASE WHEN FOUND THEN 'reserved' ELSE 'gone' END;
END $$;
