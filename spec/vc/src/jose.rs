//! VC-JOSE-COSE: credentials and presentations as JWS.
