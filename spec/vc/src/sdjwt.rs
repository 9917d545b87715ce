//! IETF SD-JWT VC: a holder shows less.
