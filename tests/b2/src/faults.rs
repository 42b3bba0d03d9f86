//! Bad days, to order: which calls go wrong, how often, and how.

use crate::auth::expired;
use crate::call::Call;
use crate::damage::Damage;
use crate::error::B2Error;

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is refused, and nothing is done.
    Refuse(Refusal),
    /// The connection ends when so many bytes of the request's body have come, and nothing is done. A
    /// shorter body is read to its end.
    HangUpInRequest(u64),
    /// It is done, and the connection ends when so many bytes of the answer's body are sent.
    HangUpInAnswer(u64),
    /// So many bytes in a second go through it, in both directions.
    Slow(u64),
    /// It is done and answered as it should be, and then the stored file is damaged. For uploads, copies
    /// and large files that are finished.
    Damage(Damage),
}

/// How a call is refused: <https://www.backblaze.com/docs/cloud-storage-integration-checklist>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 401 `expired_auth_token`.
    ExpiredToken,
    /// 429 `too_many_requests`, to come back after so many seconds.
    TooManyRequests(u32),
    /// 503 `service_unavailable`, to come back after so many seconds.
    Unavailable(u32),
    /// 500 `internal_error`.
    Broken,
    /// 408 `request_timeout`.
    TimedOut,
    /// 403 `storage_cap_exceeded`.
    StorageCap,
    /// 403 `download_cap_exceeded`.
    DownloadCap,
    /// 403 `transaction_cap_exceeded`.
    TransactionCap,
}

impl Refusal {
    pub(crate) fn error(self) -> B2Error {
        let cap = "the account has reached a cap that its owner set";
        match self {
            Self::ExpiredToken => expired(),
            Self::TooManyRequests(seconds) => {
                B2Error::new(429, "too_many_requests", "too many requests").retry_after(seconds)
            }
            Self::Unavailable(seconds) => {
                B2Error::new(503, "service_unavailable", "no tomes available").retry_after(seconds)
            }
            Self::Broken => B2Error::new(500, "internal_error", "internal error"),
            Self::TimedOut => B2Error::new(408, "request_timeout", "the request took too long"),
            Self::StorageCap => B2Error::new(403, "storage_cap_exceeded", cap),
            Self::DownloadCap => B2Error::new(403, "download_cap_exceeded", cap),
            Self::TransactionCap => B2Error::new(403, "transaction_cap_exceeded", cap),
        }
    }
}

/// Which of the calls that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Often {
    /// So many from now on.
    Next(u64),
    /// One of so many, for ever: the first is that after so many less one.
    Every(u64),
}

/// A fault that was ordered.
#[derive(Clone, Debug)]
pub struct Order {
    /// Of these calls; empty for all but the authorization.
    pub calls: Vec<Call>,
    /// Only where the file's name ends so. Of the calls, the uploads, the downloads by name, and for
    /// damage the copies and large files know a name.
    pub name: Option<String>,
    /// How many.
    pub often: Often,
    /// What goes wrong.
    pub fault: Fault,
}

/// The orders that stand.
#[derive(Debug, Default)]
pub struct Faults {
    orders: Vec<(Order, u64)>,
    met: u64,
    test_mode: u64,
}

impl Faults {
    /// Adds an order behind those there are.
    pub fn order(&mut self, order: Order) -> &mut Self {
        self.orders.push((order, 0));
        self
    }

    /// The next `count` of a call go wrong.
    pub fn next(&mut self, count: u64, call: Call, fault: Fault) -> &mut Self {
        self.order(Order {
            calls: vec![call],
            name: None,
            often: Often::Next(count),
            fault,
        })
    }

    /// One of `count` of a call goes wrong.
    pub fn every(&mut self, count: u64, call: Call, fault: Fault) -> &mut Self {
        self.order(Order {
            calls: vec![call],
            name: None,
            often: Often::Every(count),
            fault,
        })
    }

    /// Takes all orders back.
    pub fn clear(&mut self) {
        self.orders.clear();
    }

    /// How often something went wrong that was ordered to.
    pub fn met(&self) -> u64 {
        self.met
    }

    /// What goes wrong with this call; orders of damage come later, in [`Self::due`].
    pub(crate) fn take(&mut self, call: Call, name: Option<&str>) -> Option<Fault> {
        let fault = self.find(call, name, |fault| !matches!(fault, Fault::Damage(_)))?;
        self.met += 1;
        Some(fault)
    }

    /// The damage that this call's file is to take. `done` says whether there was anything to do it to.
    pub(crate) fn due(&mut self, call: Call, name: &str, mut done: impl FnMut(Damage) -> bool) {
        for at in 0..self.orders.len() {
            let (order, seen) = &mut self.orders[at];
            let Fault::Damage(damage) = order.fault else {
                continue;
            };
            if !order.matches(call, Some(name)) || !order.counts(seen) {
                continue;
            }
            if done(damage) {
                self.met += 1;
            } else {
                // The next one that it can be done to.
                *seen -= 1;
            }
        }
    }

    fn find(
        &mut self,
        call: Call,
        name: Option<&str>,
        of: impl Fn(&Fault) -> bool,
    ) -> Option<Fault> {
        let matching = self.orders.iter_mut();
        let mut matching =
            matching.filter(|(order, _)| of(&order.fault) && order.matches(call, name));
        matching.find_map(|(order, seen)| order.counts(seen).then_some(order.fault))
    }

    /// `X-Bz-Test-Mode`, by <https://www.backblaze.com/docs/cloud-storage-integration-checklist>. What it
    /// does sometimes, this server does every third time, so that a trial can be had again.
    pub(crate) fn test_mode(&mut self, mode: &str, call: Call) -> Option<Refusal> {
        let uploads = matches!(call, Call::UploadFile | Call::UploadPart);
        let refusal = match mode {
            "fail_some_uploads" if uploads => Refusal::Unavailable(0),
            "expire_some_account_authorization_tokens" if !uploads => Refusal::ExpiredToken,
            "force_cap_exceeded" => return cap_of(call),
            _ => return None,
        };
        self.test_mode += 1;
        let now = self.test_mode.is_multiple_of(3);
        self.met += u64::from(now);
        now.then_some(refusal)
    }
}

/// The cap that a call runs into.
fn cap_of(call: Call) -> Option<Refusal> {
    match call {
        Call::UploadFile | Call::UploadPart | Call::CopyFile | Call::CopyPart => {
            Some(Refusal::StorageCap)
        }
        Call::DownloadFileById | Call::DownloadFileByName => Some(Refusal::DownloadCap),
        _ => None,
    }
}

impl Order {
    fn matches(&self, call: Call, name: Option<&str>) -> bool {
        let any = self.calls.is_empty() && call != Call::AuthorizeAccount;
        let named = match &self.name {
            Some(end) => name.is_some_and(|name| name.ends_with(end.as_str())),
            None => true,
        };
        named && (any || self.calls.contains(&call))
    }

    /// Whether it is this one's turn.
    fn counts(&self, seen: &mut u64) -> bool {
        match self.often {
            Often::Next(count) if *seen >= count => false,
            Often::Next(_) => {
                *seen += 1;
                true
            }
            Often::Every(count) => {
                *seen += 1;
                seen.is_multiple_of(count)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROKEN: Fault = Fault::Refuse(Refusal::Broken);

    #[test]
    fn an_order_is_for_the_next_of_its_calls_and_no_other() {
        let mut faults = Faults::default();
        faults.next(2, Call::HideFile, BROKEN);
        assert_eq!(faults.take(Call::ListBuckets, None), None);
        assert_eq!(faults.take(Call::HideFile, None), Some(BROKEN));
        assert_eq!(faults.take(Call::HideFile, None), Some(BROKEN));
        assert_eq!(faults.take(Call::HideFile, None), None);
        assert_eq!(faults.met(), 2);
    }

    #[test]
    fn every_third_is_the_third_the_sixth_and_so_on() {
        let mut faults = Faults::default();
        faults.every(3, Call::HideFile, BROKEN);
        let met: Vec<bool> = (0..6)
            .map(|_| faults.take(Call::HideFile, None).is_some())
            .collect();
        assert_eq!(met, [false, false, true, false, false, true]);
    }

    #[test]
    fn damage_that_can_not_be_done_yet_waits_for_the_next() {
        let mut faults = Faults::default();
        faults.next(1, Call::UploadFile, Fault::Damage(Damage::Swapped));
        let mut done = Vec::new();
        for possible in [false, true, true] {
            faults.due(Call::UploadFile, "a", |damage| {
                done.push(damage);
                possible
            });
        }
        assert_eq!(done.len(), 2);
        assert_eq!(faults.met(), 1);
    }
}
