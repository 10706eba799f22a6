//! What Handrail is about, without any I/O: entities, the inputs that make and change them with their rules, and the one `Error`.

pub mod api_key;
pub mod audit;
pub mod billing;
pub mod chat;
pub mod error;
pub mod id;
pub mod invitation;
pub mod org;
pub mod page;
pub mod password;
pub mod post;
pub mod preference;
pub mod project;
pub mod purge;
pub mod recovery;
pub mod search;
pub mod session;
pub mod slug;
pub mod text;
pub mod upload;
pub mod user;
pub mod webhook;

pub use error::{Code, Details, Error, ErrorBody};
pub use id::{
    ApiKeyId, AuditEventId, ChatId, InvitationId, OrgId, PostId, ProjectId, SessionId, TargetId, UploadId, UserId, WebhookEventId,
};
pub use org::OrgRole;
pub use user::Role;

/// What everything that can fail for a caller returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
