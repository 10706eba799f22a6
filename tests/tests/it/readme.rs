//! The tour in the README works when pasted.

use std::{fs, path::Path, process::Command};

use tests::{Database, Program};

#[tokio::test(flavor = "multi_thread")]
async fn the_tour_works_line_by_line() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).expect("the README");
    let (_, tour) = readme.split_once("<!-- tour").expect("the tour");
    let tour = tour.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("its lines");

    let database = Database::empty().await;
    let program = Program::start(&["serve"], &[("DATABASE_URL", &database.url), ("PORT", "0"), ("WORKERS", "1")]);
    program.expect_line("Stop");
    let line = program.expect_line("Handrail   http://");
    let address = line.split("http://").nth(1).expect("an address").trim();
    // Every status goes to standard error, what is answered stays where the tour wants it.
    let script =
        format!("curl() {{ command curl \"$@\" -w '%{{stderr}}%{{http_code}}\\n'; }}\n{}", tour.replace("localhost:3000", address));
    let output = Command::new("bash").arg("-c").arg(script).current_dir(program.folder()).output().expect("bash and curl");
    let statuses = String::from_utf8_lossy(&output.stderr);
    let statuses: Vec<&str> = statuses.split_whitespace().collect();
    let answers = String::from_utf8_lossy(&output.stdout);
    let expected = "201 200 201 201 201 200 200 200 200 400 201 201 412 201 206 200 \
                    201 201 201 201 404 200 200 201 200 403 200 200 403 200 200 200 409 200 200 200";
    assert_eq!(statuses.join(" "), expected, "{answers}");
    assert!(answers.contains("<mark>weaves</mark>") && answers.contains(r#""title":"By form""#), "{answers}");
}
