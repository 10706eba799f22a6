//! Stripe's form encoding: nested names in brackets, `line_items[0][price]=price_1`.

use url::form_urlencoded::Serializer;

/// Parameters of a call, in the order they were added.
#[derive(Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Adds a parameter; its name is written with brackets already.
    pub(super) fn with(mut self, name: &str, value: &(impl ToString + ?Sized)) -> Self {
        self.0.push((name.to_owned(), value.to_string()));
        self
    }

    /// Adds a parameter where there is a value. An empty text would unset it at Stripe.
    pub(super) fn with_some(self, name: &str, value: Option<&(impl ToString + ?Sized)>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The encoded text, for a body or a query.
    pub(super) fn finish(self) -> String {
        Serializer::new(String::new()).extend_pairs(self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_escaped() {
        let form = Form::default().with("metadata[org_id]", "1").with("name", "Ä & B=C+").with_some("absent", None::<&u8>);
        assert_eq!(form.finish(), "metadata%5Borg_id%5D=1&name=%C3%84+%26+B%3DC%2B");
    }
}
