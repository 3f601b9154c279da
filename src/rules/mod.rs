//! Rule documents: read, check, compare, compile; pure.
