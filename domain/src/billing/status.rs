//! The states a subscription can be in.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// The state of a subscription, as Stripe names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The first payment is not made yet; it has 23 hours.
    Incomplete,
    /// The first payment was not made in time: final.
    IncompleteExpired,
    /// On trial.
    Trialing,
    /// Paid.
    Active,
    /// The last payment failed; it will be tried again.
    PastDue,
    /// Ended: final.
    Canceled,
    /// The last payment failed and will not be tried again.
    Unpaid,
    /// The trial ended without a means of payment.
    Paused,
    /// A state this version does not know, word for word.
    Unknown(String),
}

impl Status {
    /// The states that this version knows.
    pub const KNOWN: [Self; 8] = [
        Self::Incomplete,
        Self::IncompleteExpired,
        Self::Trialing,
        Self::Active,
        Self::PastDue,
        Self::Canceled,
        Self::Unpaid,
        Self::Paused,
    ];

    /// The name, as Stripe and the database write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Incomplete => "incomplete",
            Self::IncompleteExpired => "incomplete_expired",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Canceled => "canceled",
            Self::Unpaid => "unpaid",
            Self::Paused => "paused",
            Self::Unknown(name) => name,
        }
    }

    /// Whether a subscription stays in this state for good.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Canceled | Self::IncompleteExpired)
    }

    /// Whether this version knows what the state means.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }

    /// Which of two states of the same second is the later: the greater. Events of one second come in any order, and their times do
    /// not tell them apart, but some steps are never taken back at once:
    ///
    /// 1. `incomplete` is where a subscription begins;
    /// 2. `trialing` comes before the first payment,
    /// 3. `paused` when a trial ends without a means of payment, and somebody has to act to leave it,
    /// 4. `active` with the first payment;
    /// 5. `past_due` when a renewal fails, which takes somebody's doing to mend,
    /// 6. `unpaid` when its last attempt fails too;
    /// 7. an unknown state may lie anywhere: ranked above all that live, it changes nothing (the last decision stays) and is looked at;
    /// 8. `incomplete_expired` and
    /// 9. `canceled` end it.
    #[must_use]
    pub fn rank(&self) -> u8 {
        match self {
            Self::Incomplete => 1,
            Self::Trialing => 2,
            Self::Paused => 3,
            Self::Active => 4,
            Self::PastDue => 5,
            Self::Unpaid => 6,
            Self::Unknown(_) => 7,
            Self::IncompleteExpired => 8,
            Self::Canceled => 9,
        }
    }
}

impl From<&str> for Status {
    fn from(name: &str) -> Self {
        Self::KNOWN.into_iter().find(|known| known.as_str() == name).unwrap_or_else(|| Self::Unknown(name.to_owned()))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl JsonSchema for Status {
    fn schema_name() -> Cow<'static, str> {
        "SubscriptionStatus".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": Self::KNOWN.map(|status| status.to_string()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_the_round_trip_word_for_word() {
        for status in Status::KNOWN {
            assert_eq!(Status::from(status.as_str()), status);
        }
        assert_eq!(Status::from("Active "), Status::Unknown("Active ".to_owned()));
        assert_eq!(Status::from("Active ").as_str(), "Active ");
    }

    #[test]
    fn no_two_known_states_rank_the_same_and_final_ones_rank_highest() {
        let mut ranked = Status::KNOWN.to_vec();
        ranked.push(Status::Unknown("odd".to_owned()));
        ranked.sort_by_key(Status::rank);
        assert!(ranked.windows(2).all(|pair| pair[0].rank() < pair[1].rank()));
        let names: Vec<&str> = ranked.iter().map(Status::as_str).collect();
        assert_eq!(names, ["incomplete", "trialing", "paused", "active", "past_due", "unpaid", "odd", "incomplete_expired", "canceled"]);
        assert_eq!(ranked.iter().map(Status::is_terminal).collect::<Vec<_>>(), [[false; 7].as_slice(), &[true; 2]].concat());
    }
}
