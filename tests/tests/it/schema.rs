//! The hand-kept schema is the database's.

use std::collections::BTreeMap;

use tests::Database;

#[tokio::test]
async fn the_tables_are_as_the_code_thinks() {
    let database = Database::cloned().await;
    let rows = database
        .connect()
        .await
        .query(
            "SELECT table_name, column_name, is_nullable = 'YES', udt_name FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%' AND NOT (table_name = 'posts' AND column_name = 'search') \
             ORDER BY table_name, ordinal_position",
            &[],
        )
        .await
        .expect("the catalogue");
    let mut actual: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows {
        let (table, column, nullable, kind): (String, String, bool, String) = (row.get(0), row.get(1), row.get(2), row.get(3));
        let kind = match kind.as_str() {
            "uuid" => "Uuid",
            "text" => "Text",
            "bytea" => "Bytea",
            "timestamptz" => "Timestamptz",
            "int4" => "Integer",
            "int8" => "BigInt",
            "bool" => "Bool",
            "jsonb" => "Jsonb",
            "_text" => "Array<Text>",
            other => panic!("{other} in {table}.{column}"),
        };
        let kind = if nullable { format!("Nullable<{kind}>") } else { kind.to_owned() };
        actual.entry(table).or_default().push(format!("{column} -> {kind},"));
    }
    let source = include_str!("../../../persistence/src/schema.rs");
    let mut written: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut table = String::new();
    for line in source.lines().map(str::trim) {
        if line.ends_with(") {") && !line.contains("->") {
            table = line.split(' ').next().unwrap_or_default().to_owned();
        } else if line.contains(" -> ") && line.ends_with(',') {
            written.entry(table.clone()).or_default().push(line.to_owned());
        }
    }
    assert_eq!(written, actual);
}
