//! The tables as Diesel sees them. Kept by hand, as its generator needs libpq; a test compares it with the database.

#![expect(missing_docs, reason = "made by Diesel's macro")]

diesel::table! {
    users (id) {
        id -> Uuid,
        email -> Text,
        name -> Text,
        role -> Text,
        password_hash -> Nullable<Text>,
        bio -> Text,
        avatar_url -> Nullable<Text>,
        locale -> Text,
        timezone -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    sessions (id) {
        id -> Uuid,
        user_id -> Uuid,
        token_hash -> Bytea,
        user_agent -> Nullable<Text>,
        created_at -> Timestamptz,
        renewed_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    // The generated column `search` is not listed: only the search statement names it.
    posts (id) {
        id -> Uuid,
        author_id -> Uuid,
        title -> Text,
        content -> Text,
        tags -> Array<Text>,
        file_name -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    rate_limits (key) {
        key -> Bytea,
        full_at -> Timestamptz,
    }
}

diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(posts -> users (author_id));
diesel::allow_tables_to_appear_in_same_query!(users, sessions, posts);
