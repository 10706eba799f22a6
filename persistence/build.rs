//! Embeds the migrations anew when one is added: the macro alone does not see new folders.
fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
