//! Makes administrators.

use std::io::{IsTerminal, Read};

use anyhow::{Context, Result, bail};
use auth::Passwords;
use domain::{Role, password::Password, user::NewUser};
use persistence::{
    Connector, Db, migrate,
    users::{self, NewAccount, Ownership},
};

use crate::extract::validate;

/// `handrail admin create`: reads the password from standard input.
pub(crate) async fn create(connector: &Connector, db: &Db, email: String, name: String) -> Result<()> {
    let mut password = String::new();
    if std::io::stdin().is_terminal() {
        eprintln!("Password (8 to 256 characters), then Enter:");
        std::io::stdin().read_line(&mut password)?;
    } else {
        std::io::stdin().take(4096).read_to_string(&mut password)?;
    }
    let password = password.trim_end_matches(['\n', '\r']).to_owned();
    migrate::run(connector).await.context("the migrations failed")?;
    ensure(db, &Passwords::new(1, 1), email.clone(), name, password).await?;
    println!("{email} is an administrator.");
    Ok(())
}

/// Makes an administrator, or gives the account of this address the role and the password.
pub(crate) async fn ensure(db: &Db, passwords: &Passwords, email: String, name: String, password: String) -> Result<()> {
    let input = serde_json::json!({ "email": email, "name": name, "password": password, "role": "admin" });
    let new: NewUser = validate::value(input).map_err(|details| anyhow::anyhow!("{}", problems(&details)))?;
    let secret: Password = new.password.context("a password is needed")?;
    let hash = match passwords.hash("password", &secret, &[&new.email, &new.name]).await {
        Ok(hash) => hash,
        Err(error) => bail!("{}", error.details().map_or_else(|| error.to_string(), problems)),
    };
    let account =
        NewAccount { email: new.email, name: new.name, role: Role::Admin, password_hash: Some(hash), ownership: Ownership::Proved };
    users::upsert_admin(db, &account).await?;
    Ok(())
}

fn problems(details: &domain::Details) -> String {
    let fields = details.field_errors.iter().map(|(field, problems)| format!("{field}: {}", problems.join(", ")));
    fields.chain(details.form_errors.iter().cloned()).collect::<Vec<_>>().join("; ")
}
