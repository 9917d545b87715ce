//! The licence as an SD-JWT VC.
