//! Passwords: argon2id off the async workers, so many at a time and so many waiting, and the rest refused at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use domain::{Error, Result, password::Password};
use tokio::sync::Semaphore;

/// Fewer guesses than this and a password is refused: about the 3 000 most common ones and their plainest variations
/// (OWASP ASVS 5.0, 6.2.4), as zxcvbn counts them.
const GUESSES_MIN: u64 = 10_000;

/// Checked when there is no real hash, so that an unknown address takes as long as a wrong password: 32 random bytes nobody has kept,
/// hashed with the same parameters as every password.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$MMVs75UhiybGj2nw6jW+ig$vQqO8COAdjrzFXbPWiUvSpdcGRXdBXkt2vx6RWKB4kg";

/// Hashes and checks passwords. Shared by all workers, as the processors are.
#[derive(Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    pending: Arc<AtomicUsize>,
    pending_max: usize,
}

/// Counts one pending job as long as it lives, so that a client who leaves makes room.
struct Pending(Arc<AtomicUsize>);

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Passwords {
    /// Hashes `concurrency` passwords at a time; `queue` more may wait.
    #[must_use]
    pub fn new(concurrency: usize, queue: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(concurrency)), pending: Arc::default(), pending_max: concurrency.saturating_add(queue) }
    }

    /// Hashes a new password, in PHC form, unless it is too easy to guess. `known` are words an attacker would try first.
    ///
    /// # Errors
    /// `VALIDATION_ERROR` on `field` when it is too easy, `UNAVAILABLE` when too many are waiting.
    pub async fn hash(&self, field: &'static str, password: &Password, known: &[&str]) -> Result<String> {
        let password = password.expose().to_owned();
        let known: Vec<String> = known.iter().map(|word| (*word).to_owned()).collect();
        self.run(move || {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            if zxcvbn::zxcvbn(&password, &known).guesses() < GUESSES_MIN {
                let problem = "Too easy to guess: it is common or made of what others know about you";
                return Err(Error::invalid_field(field, problem));
            }
            hash_now(&password).map_err(|error| Error::internal(error.to_string()))
        })
        .await?
    }

    /// Whether this is the password of this hash. Without a hash it takes as long and is false.
    ///
    /// # Errors
    /// `UNAVAILABLE` when too many are waiting.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool> {
        let password = password.to_owned();
        let hash = hash.map(str::to_owned);
        self.run(move || matches(&password, hash.as_deref().unwrap_or(DUMMY)) && hash.is_some()).await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let before = self.pending.fetch_add(1, Ordering::Relaxed);
        let pending = Pending(Arc::clone(&self.pending));
        if before >= self.pending_max {
            return Err(Error::unavailable("too many passwords are being hashed"));
        }
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(Error::internal)?;
        // The permit and the place go with the work: it runs on when its client has left.
        let job = move || {
            let _held = (permit, pending);
            work()
        };
        tokio::task::spawn_blocking(job).await.map_err(Error::internal)
    }
}

/// Argon2id with OWASP's parameters: 19 MiB, 2 passes, 1 lane, which are the crate's defaults.
fn hash_now(password: &str) -> argon2::password_hash::Result<String> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

fn matches(password: &str, hash: &str) -> bool {
    Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_fits_its_password_only() {
        let passwords = Passwords::new(2, 8);
        let hash = passwords.hash("password", &"correct horse battery".to_owned().into(), &[]).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse battery", Some(&hash)).await.unwrap());
        for wrong in ["correct horse batterY", "correct horse battery ", ""] {
            assert!(!passwords.verify(wrong, Some(&hash)).await.unwrap());
        }
        assert!(!passwords.verify("correct horse battery", None).await.unwrap());
        let parameters = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parameters(DUMMY), parameters(&hash), "or it would take another time");
        assert!(argon2::password_hash::phc::PasswordHash::new(DUMMY).is_ok());
    }

    #[tokio::test]
    async fn what_is_easy_to_guess_is_refused() {
        let passwords = Passwords::new(2, 8);
        for (easy, known) in [("password", ""), ("12345678", ""), ("qwertyuiop", ""), ("iloveyou", ""), ("adalovelace", "adalovelace")] {
            assert_eq!(
                passwords.hash("password", &easy.to_owned().into(), &[known]).await.unwrap_err().code(),
                domain::Code::ValidationError,
                "{easy}"
            );
        }
        assert!(passwords.hash("password", &"pässwörter sind schön".to_owned().into(), &[]).await.is_ok());
    }

    #[tokio::test]
    async fn beyond_the_queue_is_refused_at_once() {
        let passwords = Passwords::new(1, 1);
        let tries = (0..6).map(|_| passwords.verify("x", None));
        let results = futures_of(tries).await;
        let refused = results.iter().filter(|result| result.is_err()).count();
        assert_eq!(refused, 4);
        assert!(passwords.verify("x", None).await.is_ok(), "room again afterwards");
    }

    async fn futures_of<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
        let mut pinned: Vec<_> = futures.map(Box::pin).collect();
        let mut done = Vec::new();
        std::future::poll_fn(|cx| {
            pinned.retain_mut(|future| match future.as_mut().poll(cx) {
                std::task::Poll::Ready(output) => {
                    done.push(output);
                    false
                }
                std::task::Poll::Pending => true,
            });
            if pinned.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        done
    }
}
