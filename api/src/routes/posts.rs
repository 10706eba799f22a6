//! Posts.

mod export;
mod sheet;
mod submission;

use actix_web::web::Data;
use auth::{Caller, Verified, scope};
use domain::{
    Error, PostId, Result, Role, UserId,
    post::{Filter, Post, PostPatch, Sort, Tags},
};
use garde::Validate;
use persistence::{
    Db, Tx,
    posts::{self, Editor},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    conditional::IfMatch,
    extract::{Body, List, Path},
    once::{Answered, Once},
    respond::{Created, DONE, Done, Json, Listed, Resource},
};
pub use export::export;
use submission::Submission;

/// Which posts to list.
#[derive(Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ListFilter {
    /// Only those of this author.
    #[serde(default, rename = "authorId")]
    #[schemars(with = "UserId")]
    #[garde(skip)]
    author_id: Option<UserId>,
    /// A tag that the posts carry; several mean all of them.
    #[serde(default)]
    #[garde(dive)]
    tag: Tags,
    /// The order.
    #[serde(default)]
    #[garde(skip)]
    sort: Sort,
}

/// Lists posts.
///
/// # Errors
/// `VALIDATION_ERROR`.
pub async fn list(List(query, window): List<ListFilter>, db: Data<Db>) -> Result<Listed<Post>> {
    let filter = Filter { author: query.author_id, tags: query.tag, sort: query.sort };
    let page = posts::list(&db, &filter, &window).await?;
    Ok(Listed { page, window })
}

/// Shows a post.
///
/// # Errors
/// `NOT_FOUND`.
pub async fn show(Path(id): Path<PostId>, db: Data<Db>) -> Result<Resource<Post>> {
    posts::find(&db, id).await?.map(Resource).ok_or_else(absent)
}

/// Writes a post from JSON, a form, or bare text.
///
/// # Errors
/// `VALIDATION_ERROR`, `EMAIL_NOT_VERIFIED`.
pub async fn create(
    caller: Caller<scope::WritePosts>,
    _: Verified,
    db: Data<Db>,
    Submission(new): Submission,
    once: Once,
) -> Result<Answered<Created<Post>>> {
    let effect = async |tx: &mut Tx<'_>| Ok(posts::insert(tx, caller.user, &new).await?);
    once.run_alone(&db, &caller.actor, effect, |post| Created { location: format!("/api/posts/{}", post.id), body: post }).await
}

/// Changes a post of the caller's; administrators change any.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN`.
pub async fn update(
    caller: Caller<scope::WritePosts>,
    Path(id): Path<PostId>,
    db: Data<Db>,
    if_match: IfMatch,
    Body(patch): Body<PostPatch>,
) -> Result<Resource<Post>> {
    let fits = |post: &Post| if_match.fits(post);
    posts::update(&db, id, editor(&caller), &patch, if_match.expected(&fits)).await?.made("Post").map(Resource)
}

/// Deletes a post of the caller's; administrators delete any.
///
/// # Errors
/// `NOT_FOUND`, `FORBIDDEN`.
pub async fn delete(caller: Caller<scope::WritePosts>, Path(id): Path<PostId>, db: Data<Db>, if_match: IfMatch) -> Result<Json<Done>> {
    let fits = |post: &Post| if_match.fits(post);
    posts::delete(&db, id, editor(&caller), if_match.expected(&fits)).await?.made("Post").map(|()| DONE)
}

fn editor(caller: &Caller<scope::WritePosts>) -> Editor {
    match caller.role {
        Role::Admin => Editor::Admin,
        Role::User => Editor::Author(caller.user),
    }
}

fn absent() -> Error {
    Error::not_found("Post")
}
