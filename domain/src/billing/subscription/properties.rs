//! Whatever order events come in and however often, the same is kept in the end.

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::json;

use super::*;

type Said = (Subscription, Mark);

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).expect("a time")
}

fn snapshot(status: &str, quantity: u32) -> Subscription {
    let items = json!({ "data": [{ "id": "si_1", "price": "price_1", "quantity": quantity }] });
    Subscription::read(&json!({ "id": "sub_1", "customer": "cus_1", "status": status, "items": items })).expect("a subscription")
}

fn kept<'a>(said: impl IntoIterator<Item = &'a Said>) -> Option<Stored> {
    said.into_iter().fold(None, |stored, (subscription, mark)| Some(Stored::merge(stored, subscription.clone(), *mark).0))
}

fn permutations<T: Clone>(rest: &[T]) -> Vec<Vec<T>> {
    if rest.is_empty() {
        return vec![Vec::new()];
    }
    let with = |index: usize| {
        let mut others = rest.to_vec();
        let first = others.remove(index);
        permutations(&others).into_iter().map(move |tail| [vec![first.clone()], tail].concat())
    };
    (0..rest.len()).flat_map(with).collect()
}

#[test]
fn every_order_of_a_life_ends_the_same() {
    let event = |second, kind: &str, status| (snapshot(status, 1), Mark::event(at(second), &format!("customer.subscription.{kind}")));
    let lives = [
        // All of check-out within one second.
        vec![
            event(1, "created", "incomplete"),
            event(1, "updated", "trialing"),
            event(1, "updated", "active"),
            event(9, "deleted", "canceled"),
        ],
        vec![
            event(1, "created", "trialing"),
            event(5, "paused", "paused"),
            event(6, "resumed", "active"),
            event(7, "updated", "past_due"),
            event(8, "updated", "unpaid"),
            event(8, "deleted", "canceled"),
        ],
        vec![event(1, "created", "active"), event(2, "updated", "odd"), event(3, "updated", "odder"), event(2, "updated", "past_due")],
        vec![event(1, "created", "incomplete"), event(2, "updated", "incomplete_expired"), event(3, "updated", "active")],
    ];
    let ends = ["canceled", "canceled", "odder", "incomplete_expired"];
    for (life, end) in lives.into_iter().zip(ends) {
        let whole = kept(&life);
        assert_eq!(whole.as_ref().map(|stored| stored.subscription.status.as_str()), Some(end));
        for order in permutations(&life) {
            let twice: Vec<Said> = order.iter().chain(&order).cloned().collect();
            assert_eq!((kept(&order), kept(&twice)), (whole.clone(), whole.clone()), "{order:?}");
        }
    }
}

fn any_said() -> impl Strategy<Value = Said> {
    let status = prop::sample::select(vec![
        "incomplete",
        "incomplete_expired",
        "trialing",
        "active",
        "past_due",
        "canceled",
        "unpaid",
        "paused",
        "odd",
        "odder",
    ]);
    let kind = prop::sample::select(vec!["created", "updated", "deleted"]);
    (status, kind, 0_i64..4, 1_u32..3).prop_map(|(status, kind, second, quantity)| {
        (snapshot(status, quantity), Mark::event(at(second), &format!("customer.subscription.{kind}")))
    })
}

/// What some events are shuffled to, some of them twice.
fn shuffled() -> impl Strategy<Value = (Vec<Said>, Vec<Said>)> {
    prop::collection::vec(any_said(), 1..8).prop_flat_map(|said| {
        let again = prop::sample::subsequence(said.clone(), 0..=said.len());
        let mixed = again.prop_map({
            let said = said.clone();
            move |again| [said.clone(), again].concat()
        });
        (Just(said), mixed.prop_shuffle())
    })
}

/// What is true from each second on, which events come when, and when it is asked for.
fn history() -> impl Strategy<Value = (Vec<&'static str>, Vec<usize>, Vec<bool>)> {
    let states = prop::collection::vec(prop::sample::select(vec!["trialing", "active", "past_due", "unpaid", "odd"]), 1..6);
    states.prop_flat_map(|states| {
        let count = states.len();
        let late = prop::collection::vec(0_usize..4, count);
        (Just(states), late, prop::collection::vec(any::<bool>(), count + 4))
    })
}

proptest! {
    #[test]
    fn every_order_ends_the_same((said, mixed) in shuffled()) {
        prop_assert_eq!(kept(&mixed), kept(&said));
    }

    #[test]
    fn nothing_goes_back_and_final_is_final(said in prop::collection::vec(any_said(), 1..12)) {
        let mut stored: Option<Stored> = None;
        for (subscription, mark) in said {
            let before = stored.clone();
            let (after, verdict) = Stored::merge(stored, subscription, mark);
            if let Some(before) = before {
                let terminal = before.subscription.status.is_terminal();
                prop_assert!(!terminal || after.subscription.status.is_terminal());
                prop_assert!(terminal || after.subscription.status.is_terminal() || after.mark.at >= before.mark.at);
                prop_assert_eq!(after.subscription != before.subscription, verdict == Verdict::Newer);
            }
            stored = Some(after);
        }
    }

    /// One change each second, whose event comes some seconds late; in some seconds Stripe is asked as well, after what came then.
    #[test]
    fn what_is_fetched_and_what_events_say_end_in_the_truth((states, late, asked) in history()) {
        let mut stored = None;
        for now in 0..asked.len() {
            for (second, state) in states.iter().enumerate().filter(|(second, _)| second + late[*second] == now) {
                let second = i64::try_from(second).expect("a second");
                stored = Some(Stored::merge(stored, snapshot(state, 1), Mark::event(at(second), "customer.subscription.updated")).0);
            }
            if asked[now] {
                let truth = states[now.min(states.len() - 1)];
                let mark = Mark::fetched(at(i64::try_from(now).expect("a second")) + chrono::TimeDelta::microseconds(7));
                let (after, _) = Stored::merge(stored, snapshot(truth, 1), mark);
                prop_assert_eq!(after.subscription.status.as_str(), truth, "what was just fetched is true");
                stored = Some(after);
            }
        }
        let stored = stored.expect("every event came");
        prop_assert_eq!(stored.subscription.status.as_str(), *states.last().expect("a state"));
    }
}
