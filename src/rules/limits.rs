//! How large rules may be. Beyond a limit they are refused with a fault that names it.

/// Bytes of one file.
pub const FILE_BYTES: usize = 16 * 1024 * 1024;
/// Files of one set.
pub const FILES: usize = 10_000;
/// Characters of a name.
pub const NAME_CHARACTERS: usize = 128;
/// Characters of a route's name; unnamed ones carry their matchers.
pub const ROUTE_NAME_CHARACTERS: usize = 512;

/// Users, and as many schedules, policies and integrations.
pub const OF_A_SECTION: usize = 10_000;
pub const ROUTES: usize = 100_000;
/// Checks of our own, those of providers among them.
pub const CHECKS: usize = 1_000;
pub const CHECKS_PER_PROVIDER: usize = 20;

/// Levels of the routing tree beneath the root.
pub const ROUTE_DEPTH: usize = 32;
pub const MATCHERS_PER_ROUTE: usize = 50;
/// Providers and components on which one thing depends.
pub const DEPENDENCIES: usize = 50;
pub const COPIES_PER_ROUTE: usize = 50;
pub const GROUP_LABELS: usize = 50;
pub const CONTACTS_PER_USER: usize = 20;
pub const NOTIFY_STEPS: usize = 20;
pub const LAYERS_PER_SCHEDULE: usize = 50;
pub const USERS_PER_LAYER: usize = 1_000;
pub const WINDOWS_PER_LAYER: usize = 100;
pub const STEPS_PER_POLICY: usize = 100;
pub const TARGETS_PER_STEP: usize = 50;
/// Further rounds of a policy.
pub const REPEATS: i64 = 100;
pub const KEYS_PER_INTEGRATION: usize = 20;
/// Pointers that together make a dedup key.
pub const DEDUP_POINTERS: usize = 20;
/// Pointers of which the first that leads to a text wins.
pub const FALLBACK_POINTERS: usize = 20;
