//! Data Integrity: proofs, sets and chains, by the suites eddsa-jcs-2022 and eddsa-rdfc-2022.
