# The recipes of daily work. `just check` is what a change has to pass.

# Everything below, in the order of what fails fastest.
check: fmt clippy doc tidy test

# The code stands as rustfmt writes it.
fmt:
    cargo fmt --check

# No warning of the compiler or of clippy.
clippy:
    cargo clippy --all-targets --locked -- -D warnings

# No broken link in the documentation.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked

# The house rules, with the sizes beside their targets.
tidy:
    cargo test --locked --test tidy -- --nocapture

# All tests.
test:
    cargo test --locked

# 40 seeds of the simulator, for daily work; the tests run 500.
sim:
    cargo run --locked --example simulate -- --count 40

# So many rounds of killing the router while clients act; the tests make 25.
torture rounds:
    REVEILLE_TORTURE_ROUNDS={{rounds}} cargo test --locked --test it torture::kill -- --nocapture

# So many disks as a power cut may leave them, each opened again; the tests make 30.
power-cut rounds:
    REVEILLE_POWER_CUT_ROUNDS={{rounds}} cargo test --locked --lib power_cut -- --nocapture

# The load of docs/performance.md beside Alertmanager, in ten minutes, on a machine that is quiet.
load:
    cargo bench --locked --bench load

# How cost grows: tables, and plots in docs/performance/.
curves:
    cargo bench --locked --bench load -- --curves

# The memory of so many minutes of a mixed load: a table, and a plot in docs/performance/.
mixed minutes="10":
    cargo bench --locked --bench load -- --mixed {{minutes}}

# What the parts cost, each by itself.
parts:
    cargo bench --locked --bench parts

# Licences, advisories, bans and sources of the dependencies; needs cargo-deny and the network.
deny:
    cargo deny check

# Dependencies that nothing names; needs cargo-machete.
machete:
    cargo machete
