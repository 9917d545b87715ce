//! VC-JOSE-COSE: credentials and presentations as COSE_Sign1.
