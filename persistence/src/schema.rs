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
        banned_at -> Nullable<Timestamptz>,
        email_verified_at -> Nullable<Timestamptz>,
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

diesel::table! {
    organisations (id) {
        id -> Uuid,
        name -> Text,
        slug -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    memberships (org_id, user_id) {
        org_id -> Uuid,
        user_id -> Uuid,
        role -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    invitations (id) {
        id -> Uuid,
        org_id -> Uuid,
        email -> Text,
        role -> Text,
        invited_by -> Nullable<Uuid>,
        token_hash -> Nullable<Bytea>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        accepted_at -> Nullable<Timestamptz>,
        mail_due_at -> Nullable<Timestamptz>,
        mail_sent_at -> Nullable<Timestamptz>,
        mail_attempts -> Integer,
    }
}

diesel::table! {
    projects (id) {
        id -> Uuid,
        org_id -> Uuid,
        name -> Text,
        slug -> Text,
        description -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Uuid,
        user_id -> Uuid,
        org_id -> Nullable<Uuid>,
        name -> Text,
        prefix -> Text,
        key_hash -> Bytea,
        scopes -> Array<Text>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        last_used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    audit_events (id) {
        id -> Uuid,
        org_id -> Nullable<Uuid>,
        actor_id -> Nullable<Uuid>,
        actor_key_id -> Nullable<Uuid>,
        address -> Nullable<Text>,
        action -> Text,
        target_type -> Text,
        target_id -> Nullable<Uuid>,
        details -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    webhook_events (id) {
        id -> Uuid,
        provider -> Text,
        event_key -> Text,
        event_type -> Text,
        subject -> Nullable<Text>,
        account -> Nullable<Text>,
        livemode -> Nullable<Bool>,
        api_version -> Nullable<Text>,
        provider_created_at -> Nullable<Timestamptz>,
        headers -> Jsonb,
        raw -> Nullable<Bytea>,
        status -> Text,
        attempts -> Integer,
        due_at -> Timestamptz,
        last_error -> Nullable<Text>,
        received_at -> Timestamptz,
        processed_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    billing_customers (org_id) {
        org_id -> Uuid,
        customer -> Nullable<Text>,
        livemode -> Nullable<Bool>,
        attempt -> Integer,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    subscriptions (id) {
        id -> Text,
        org_id -> Nullable<Uuid>,
        customer -> Text,
        claimed_org_id -> Nullable<Uuid>,
        status -> Text,
        livemode -> Nullable<Bool>,
        created_at -> Nullable<Timestamptz>,
        period_start -> Nullable<Timestamptz>,
        period_end -> Nullable<Timestamptz>,
        cancel_at -> Nullable<Timestamptz>,
        cancel_at_period_end -> Bool,
        canceled_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
        trial_end -> Nullable<Timestamptz>,
        mark_at -> Timestamptz,
        mark_source -> Text,
        known_status -> Nullable<Text>,
        known_at -> Nullable<Timestamptz>,
        known_source -> Nullable<Text>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    subscription_items (subscription_id, id) {
        subscription_id -> Text,
        id -> Text,
        price -> Nullable<Text>,
        product -> Nullable<Text>,
        quantity -> Nullable<Integer>,
    }
}

diesel::table! {
    invoices (id) {
        id -> Text,
        org_id -> Nullable<Uuid>,
        customer -> Nullable<Text>,
        subscription -> Nullable<Text>,
        status -> Text,
        currency -> Text,
        amount_due -> BigInt,
        amount_paid -> BigInt,
        paid -> Bool,
        attempt_count -> Integer,
        hosted_url -> Nullable<Text>,
        period_start -> Nullable<Timestamptz>,
        period_end -> Nullable<Timestamptz>,
        created_at -> Nullable<Timestamptz>,
        mark_at -> Timestamptz,
        mark_source -> Text,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    products (id) {
        id -> Text,
        name -> Text,
        description -> Nullable<Text>,
        active -> Bool,
        metadata -> Jsonb,
        mark_at -> Timestamptz,
        mark_source -> Text,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    prices (id) {
        id -> Text,
        product -> Text,
        currency -> Text,
        unit_amount -> Nullable<BigInt>,
        period -> Nullable<Text>,
        period_count -> Nullable<Integer>,
        lookup_key -> Nullable<Text>,
        active -> Bool,
        nickname -> Nullable<Text>,
        mark_at -> Timestamptz,
        mark_source -> Text,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    checkout_sessions (id) {
        id -> Text,
        org_id -> Nullable<Uuid>,
        customer -> Nullable<Text>,
        subscription -> Nullable<Text>,
        mode -> Text,
        payment_status -> Text,
        progress -> Text,
        fulfilled_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    idempotency_keys (key_hash) {
        key_hash -> Bytea,
        fingerprint -> Bytea,
        answer -> Nullable<Bytea>,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    chat_usage (id) {
        id -> Uuid,
        user_id -> Uuid,
        model -> Text,
        outcome -> Text,
        prompt_tokens -> BigInt,
        completion_tokens -> BigInt,
        estimated -> Bool,
        started_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    account_mails (id) {
        id -> Uuid,
        purpose -> Text,
        email -> Text,
        token_hash -> Nullable<Bytea>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        due_at -> Nullable<Timestamptz>,
        sent_at -> Nullable<Timestamptz>,
        attempts -> Integer,
    }
}

diesel::table! {
    uploads (id) {
        id -> Uuid,
        user_id -> Nullable<Uuid>,
        state -> Text,
        name -> Nullable<Text>,
        file_name -> Text,
        size -> BigInt,
        content_type -> Text,
        sha256 -> Nullable<Bytea>,
        parts -> Nullable<Text>,
        created_at -> Timestamptz,
        touched_at -> Timestamptz,
    }
}

diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(posts -> users (author_id));
diesel::joinable!(memberships -> users (user_id));
diesel::joinable!(memberships -> organisations (org_id));
diesel::joinable!(invitations -> organisations (org_id));
diesel::joinable!(api_keys -> users (user_id));
diesel::joinable!(subscription_items -> subscriptions (subscription_id));
diesel::allow_tables_to_appear_in_same_query!(users, sessions, posts, organisations, memberships, invitations, projects, api_keys);
diesel::allow_tables_to_appear_in_same_query!(account_mails, users);
diesel::allow_tables_to_appear_in_same_query!(subscriptions, subscription_items, products);
