//! A connection on which something is changed.

use diesel_async::AsyncPgConnection;

use crate::revocations::Subject;

/// A connection on which something is changed, handed to what changes it: several changes on one are made together or not at all.
pub struct Tx<'a> {
    /// The connection.
    pub(crate) conn: &'a mut AsyncPgConnection,
    /// What is not to be remembered any more once the changes are made.
    pub(crate) revoked: Vec<Subject>,
}

impl<'a> Tx<'a> {
    pub(super) fn new(conn: &'a mut AsyncPgConnection) -> Self {
        Self { conn, revoked: Vec::new() }
    }
}
