//! What becomes due as time goes on.

use super::{SessionStatus, State, Status, Subscription};

const DAY: i64 = 24 * 60 * 60;
/// How long before its end a trial's is announced.
const TRIAL_TOLD_BEFORE: i64 = 3 * DAY;
/// More than this is not done at once: a clock set to the far future must not fill the memory with invoices.
const STEPS_MAX: usize = 10_000;

/// Something to be done.
enum Due {
    TrialWillEnd(String),
    Renewal(String),
    Payment(String),
    SessionExpiry(String),
}

impl State {
    /// Lets that many seconds go by; what becomes due is done in its order and at its time.
    pub(crate) fn advance(&mut self, seconds: i64) {
        let to = self.now().saturating_add(seconds.max(0));
        self.catch_up(to);
        self.advanced = self.advanced.saturating_add(seconds.max(0));
    }

    /// Does what is due by then.
    pub(crate) fn catch_up(&mut self, to: i64) {
        for _ in 0..STEPS_MAX {
            let Some((at, due)) = self.next_due().filter(|(at, _)| *at <= to) else { break };
            self.pretended = Some(at);
            match due {
                Due::TrialWillEnd(id) => self.tell_of_trial_end(&id),
                Due::Renewal(id) => self.renew(&id),
                Due::Payment(id) => self.charge(&id),
                Due::SessionExpiry(id) => self.expire_session(&id),
            }
        }
        self.pretended = None;
    }

    fn next_due(&self) -> Option<(i64, Due)> {
        let open = self.sessions.iter().filter(|session| session.status == SessionStatus::Open);
        let sessions = open.map(|session| (session.expires_at, Due::SessionExpiry(session.id.clone())));
        self.subscriptions.iter().filter_map(of_subscription).chain(sessions).min_by_key(|(at, _)| *at)
    }

    fn tell_of_trial_end(&mut self, id: &str) {
        if let Some(subscription) = self.subscriptions.iter_mut().find(|subscription| subscription.id == id) {
            subscription.trial_told = true;
        }
        let object = self.subscription_json(id);
        self.emit("customer.subscription.trial_will_end", object);
    }
}

fn of_subscription(subscription: &Subscription) -> Option<(i64, Due)> {
    let id = || subscription.id.clone();
    match (subscription.status, subscription.trial_end) {
        (Status::Trialing, Some(end)) if !subscription.trial_told => {
            Some(((end - TRIAL_TOLD_BEFORE).max(subscription.created), Due::TrialWillEnd(id())))
        }
        (Status::Trialing | Status::Active, _) => Some((subscription.period_end, Due::Renewal(id()))),
        (Status::PastDue, _) => Some((subscription.next_attempt?, Due::Payment(subscription.latest_invoice.clone()?))),
        (Status::Unpaid | Status::Canceled, _) => None,
    }
}
