DROP FUNCTION revoke_session, revoke_key, revoke_user, revoke_membership, revoke_organisation CASCADE;
