//! The binary: parse arguments, call `cli`.

use std::process::ExitCode;

/// Why: `docs/decisions/0047`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // One TLS provider for the whole process. It can only be there already if this ran twice.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        return ExitCode::FAILURE;
    }
    reveille::cli::run(std::env::args_os(), std::env::vars_os())
}
