//! Components of published versions of the contract.
