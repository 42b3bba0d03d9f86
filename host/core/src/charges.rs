//! What calls are charged as, where a remote charges for calls.

use std::fmt;
use std::ops::Add;

use serde::{Deserialize, Serialize};

/// Calls to Backblaze B2 by the class that each is charged as, by
/// <https://www.backblaze.com/cloud-storage/transaction-pricing> (as of 2026). Calls that ended with an
/// error are not among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charges {
    /// Free: uploads and deletions.
    pub class_a: u64,
    /// Downloads, and questions about one file. 2,500 a day are free.
    pub class_b: u64,
    /// All others: copies, listings, signing in. 2,500 a day are free.
    pub class_c: u64,
}

impl Add for Charges {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            class_a: self.class_a + other.class_a,
            class_b: self.class_b + other.class_b,
            class_c: self.class_c + other.class_c,
        }
    }
}

impl fmt::Display for Charges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            class_a,
            class_b,
            class_c,
        } = self;
        write!(
            f,
            "{class_a} of class A (free), {class_b} of class B, {class_c} of class C"
        )
    }
}
