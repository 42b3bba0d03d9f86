//! Bounds what an instance may have of the host at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much there may be of something at once, bytes or pieces. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    used: Arc<AtomicU64>,
    most: u64,
}

/// A part of a budget, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    of: Arc<AtomicU64>,
    amount: u64,
}

impl Budget {
    pub(crate) fn of(most: u64) -> Self {
        Self {
            used: Arc::default(),
            most,
        }
    }

    /// Takes `amount` of it, if there are as many left.
    pub(crate) fn take(&self, amount: u64) -> Option<Share> {
        let after = |used: u64| used.checked_add(amount).filter(|sum| *sum <= self.most);
        let taken = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, after);
        taken.ok().map(|_| Share {
            of: Arc::clone(&self.used),
            amount,
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.fetch_sub(self.amount, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_of_a_budget_comes_back() {
        let budget = Budget::of(10);
        let share = budget.take(8).expect("there is room");
        assert!(budget.take(3).is_none());
        drop(share);
        assert!(budget.take(10).is_some());
        assert!(budget.take(u64::MAX).is_none());
    }
}
