//! Trees with everything odd that a file system allows, and a comparison of trees.

mod odd;
mod same;

pub use odd::{make_odd, odd_names};
pub use same::{Aspect, Difference, same_tree};

#[cfg(test)]
mod tests;
