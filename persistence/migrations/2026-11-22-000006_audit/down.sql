DROP TABLE audit_events;
DROP FUNCTION audit_users, audit_sessions, audit_organisations, audit_memberships, audit_invitations, audit_api_keys, audit_projects CASCADE;
DROP FUNCTION audit, uuid_v7;
