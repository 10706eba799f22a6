//! Brings the schema up to date; several processes may try at once.

use diesel::{
    QueryResult, QueryableByName, sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::{AsyncMigrationHarness, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::{Connector, Db, Error, Result};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");
/// The advisory lock that one migrating process holds: "handrail" in ASCII.
const LOCK: i64 = 0x6861_6e64_7261_696c;

/// Runs the migrations that are missing, in order, and returns their names. Others that try meanwhile wait, then find nothing to do.
///
/// Needs a multi-thread runtime: the harness blocks.
///
/// # Errors
/// `Busy` when the database is away, `Query` when a migration fails; those before it stay.
pub async fn run(connector: &Connector) -> Result<Vec<String>> {
    let mut connection = connector.unbounded().connect().await?;
    connection.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})")).await?;
    let mut harness = AsyncMigrationHarness::new(connection);
    let done =
        harness.run_pending_migrations(MIGRATIONS).map(|versions| versions.iter().map(ToString::to_string).collect()).map_err(Error::Query);
    let mut connection = harness.into_inner();
    connection.batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})")).await?;
    done
}

/// Whether the schema is the one this program was built for: every migration in, none from a later version.
///
/// # Errors
/// `Busy` when the database is away.
pub async fn is_current(db: &Db) -> Result<bool> {
    let wanted = versions()?;
    let applied = db.run(async |conn| applied(conn).await).await?;
    Ok(wanted == applied)
}

async fn applied(conn: &mut diesel_async::AsyncPgConnection) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Applied {
        #[diesel(sql_type = Text)]
        version: String,
    }
    #[derive(QueryableByName)]
    struct Tables {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let exists = sql_query("SELECT count(*) AS count FROM pg_class WHERE oid = to_regclass('__diesel_schema_migrations')");
    if exists.get_result::<Tables>(conn).await?.count == 0 {
        return Ok(Vec::new());
    }
    let rows: Vec<Applied> = sql_query("SELECT version FROM __diesel_schema_migrations ORDER BY version").load(conn).await?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

fn versions() -> Result<Vec<String>> {
    use diesel::migration::MigrationSource;
    let migrations = MigrationSource::<diesel::pg::Pg>::migrations(&MIGRATIONS).map_err(Error::Query)?;
    let mut versions: Vec<String> = migrations.iter().map(|migration| migration.name().version().to_string()).collect();
    versions.sort();
    Ok(versions)
}
