DROP TABLE sessions;
DROP TABLE users;
DROP FUNCTION keep_last_admin();
DROP FUNCTION touch_updated_at();
