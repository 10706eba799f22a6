//! What an event means: which changes follow from it, or why none do.

use persistence::inbox::{Claimed, Outcome, Prepared};

/// By what events are judged.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Whether events are about real money; those of the other kind are ignored. `None` takes both.
    pub live: Option<bool>,
    /// The connected account whose events are ours; without one, those of the platform itself.
    pub account: Option<String>,
}

impl Rules {
    /// Judges an event.
    pub(super) async fn prepare(&self, event: &Claimed) -> Prepared {
        let ignored = |reason: String| Prepared { effects: Vec::new(), outcome: Outcome::Ignored(reason) };
        if let (Some(live), Some(given)) = (self.live, event.livemode)
            && live != given
        {
            return ignored(format!("it is of {} mode", if given { "live" } else { "test" }));
        }
        if event.provider == "stripe" && event.account != self.account {
            return ignored("it is of another account".to_owned());
        }
        ignored(format!("Unhandled event type {}", event.event_type))
    }
}
