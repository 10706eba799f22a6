//! Lists, page by page, newest first unless said otherwise.

use serde::Deserialize;

use super::{Error, Object, form::Form};

/// The most objects of one page, Stripe's bound.
const PAGE_OBJECTS_MAX: u8 = 100;

/// Which part of a list to ask for.
///
/// ```no_run
/// # async fn all(stripe: upstream::stripe::Stripe) -> Result<(), upstream::stripe::Error> {
/// # use upstream::stripe::Page;
/// let mut page = Some(Page::first());
/// while let Some(at) = page {
///     let list = stripe.subscriptions(None, &at).await?;
///     for subscription in &list.objects { /* … */ }
///     page = list.next;
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    size: u8,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    First,
    /// Older than this one.
    After(String),
    /// Newer than this one.
    Before(String),
}

impl Page {
    /// The newest hundred.
    pub fn first() -> Self {
        Self { size: PAGE_OBJECTS_MAX, place: Place::First }
    }

    /// What came after the object with this id, oldest first: the order in which to catch up.
    pub fn newer_than(id: impl Into<String>) -> Self {
        Self { place: Place::Before(id.into()), ..Self::first() }
    }

    /// The same with fewer objects at a time; 1 to 100.
    pub fn of(self, size: u8) -> Self {
        Self { size: size.clamp(1, PAGE_OBJECTS_MAX), ..self }
    }

    pub(super) fn add_to(&self, form: Form) -> Form {
        let form = form.with("limit", &self.size);
        match &self.place {
            Place::First => form,
            Place::After(id) => form.with("starting_after", id),
            Place::Before(id) => form.with("ending_before", id),
        }
    }

    /// Reads an answer that is a page of a list.
    pub(super) fn parse(&self, body: &[u8]) -> Result<List, Error> {
        let Answer { mut data, has_more } = serde_json::from_slice(body).map_err(|_| Error::Garbage("it is no list of objects"))?;
        let backwards = matches!(self.place, Place::Before(_));
        if backwards {
            // Stripe keeps newest first within the page also on the way back.
            data.reverse();
        }
        // A page that claims to go on and is empty would be asked for without end.
        let last = data.last().filter(|_| has_more).map(|object| object.id.clone());
        let next = last.map(|id| Self { size: self.size, place: if backwards { Place::Before(id) } else { Place::After(id) } });
        Ok(List { objects: data, next })
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Object>,
    has_more: bool,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct List {
    /// The objects, newest first; oldest first after [`Page::newer_than`].
    pub objects: Vec<Object>,
    /// The page to ask for next, where the list goes on.
    pub next: Option<Page>,
}

/// Which events to list. Stripe keeps them for 30 days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only those made at this time or later, in unix seconds.
    pub created_from: Option<i64>,
    /// Only those that a webhook endpoint did not acknowledge, yet or at all.
    pub undelivered: bool,
}

impl EventFilter {
    pub(super) fn form(&self) -> Form {
        let form = Form::default().with_some("created[gte]", self.created_from.as_ref());
        form.with_some("delivery_success", self.undelivered.then_some("false"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(list: &List) -> Vec<&str> {
        list.objects.iter().map(|object| object.id.as_str()).collect()
    }

    #[test]
    fn a_page_knows_the_next_one() {
        let body = br#"{"object":"list","url":"/v1/x","has_more":true,"data":[{"id":"c"},{"id":"b"}]}"#;
        let list = Page::first().of(2).parse(body).expect("a list");
        assert_eq!(ids(&list), ["c", "b"]);
        assert_eq!(list.next.map(|page| page.add_to(Form::default()).finish()).as_deref(), Some("limit=2&starting_after=b"));
        let list = Page::newer_than("a").parse(body).expect("a list");
        assert_eq!(ids(&list), ["b", "c"]);
        assert_eq!(list.next.map(|page| page.add_to(Form::default()).finish()).as_deref(), Some("limit=100&ending_before=c"));
    }

    #[test]
    fn the_last_page_has_no_next() {
        for body in [r#"{"has_more":false,"data":[{"id":"c"}]}"#, r#"{"has_more":true,"data":[]}"#] {
            assert_eq!(Page::first().parse(body.as_bytes()).expect("a list").next, None);
        }
        for garbage in ["{}", r#"{"data":[]}"#, r#"{"data":[{}],"has_more":false}"#, r#"{"id":"cus_1"}"#] {
            assert!(matches!(Page::first().parse(garbage.as_bytes()), Err(Error::Garbage(_))), "{garbage}");
        }
    }
}
