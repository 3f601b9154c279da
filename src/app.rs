//! The only place that names concrete stores, channels and the real clock.
