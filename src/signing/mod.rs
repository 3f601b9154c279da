//! Signatures and tokens; pure.
