//! Placeholder.
pub(crate) async fn run(_: persistence::Connector, _: u32, _: u32) -> anyhow::Result<()> {
    Ok(())
}
