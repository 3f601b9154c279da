//! The causes for which the router speaks of itself.

use crate::engine::urgency::Urgency;
use crate::engine::words::words;

/// Of each cause its word, what its subject is, its urgency, and when it ends.
macro_rules! causes {
    ($(
        $(#[$doc:meta])*
        $cause:ident = $word:literal, $subject:literal, $urgency:ident, $end:ident;
    )*) => {
        words! {
            /// Why a self-incident is raised; with its subject it is the dedup key `cause/subject`.
            pub enum Cause { $($(#[$doc])* $cause = $word,)* }
        }

        impl Cause {
            /// All causes.
            pub const ALL: &'static [Self] = &[$(Self::$cause,)*];

            /// What the subject is: the name of its label.
            pub fn subject_kind(self) -> &'static str {
                match self {
                    $(Self::$cause => $subject,)*
                }
            }

            /// High, but for what can wait until morning: pages go on, and their links work.
            pub fn urgency(self) -> Urgency {
                match self {
                    $(Self::$cause => Urgency::$urgency,)*
                }
            }

            /// A cause without an end of its own is over after an hour without another.
            pub fn ends_by_itself(self) -> bool {
                match self {
                    $(Self::$cause => causes!(@ $end),)*
                }
            }
        }
    };
    (@ by_itself) => { true };
    (@ when_over) => { false };
}

causes! {
    /// A channel's credentials are refused.
    ChannelCredential = "channel_credential", "channel", High, when_over;
    /// A channel's certificate is for another name.
    ChannelTlsName = "channel_tls_name", "channel", High, when_over;
    /// A channel's certificate is not accepted for another reason.
    ChannelTls = "channel_tls", "channel", High, when_over;
    /// A channel's account has nothing left to send with.
    ChannelQuota = "channel_quota", "channel", High, when_over;
    /// A channel has had attempts and no success for a while.
    ChannelSilent = "channel_silent", "channel", High, when_over;
    /// A channel's account will soon have nothing left to send with, or does not tell.
    ChannelCapacity = "channel_capacity", "channel", Low, when_over;
    /// The certificate of a channel's server expires soon and was not renewed.
    ChannelCertificate = "channel_certificate", "channel", Low, when_over;
    /// Our own certificate of a listening address expires soon and was not renewed.
    ListenerCertificate = "listener_certificate", "listener", Low, when_over;
    /// Attempts of a channel do not begin or do not end.
    LaneStalled = "lane_stalled", "channel", High, when_over;
    /// A schedule names nobody now.
    ScheduleGap = "schedule_gap", "schedule", High, when_over;
    /// An incident was escalated as often as allowed and nobody came.
    Exhausted = "exhausted", "subject", High, by_itself;
    /// Little space is left on disk.
    Disk = "disk", "subject", High, when_over;
    /// The wall clock was set back, or is far ahead.
    Clock = "clock", "subject", High, by_itself;
    /// The wall clock jumped ahead by more than a day, as after a weekend switched off.
    ClockAhead = "clock_ahead", "subject", Low, when_over;
    /// Events were too old to page anybody.
    HeldEvents = "held_events", "integration", Low, by_itself;
    /// A request was too large.
    TooLarge = "too_large", "integration", High, by_itself;
    /// Replies, buttons or delivery reports of a channel's provider keep being refused.
    RepliesRefused = "replies_refused", "channel", Low, by_itself;
    /// A decision panicked; its input is quarantined.
    Panic = "panic", "subject", High, by_itself;
    /// Somebody answered STOP: their contact is disabled.
    ContactStopped = "contact_stopped", "user", High, by_itself;
    /// A test page to a contact of somebody: no trouble, but the router's own word.
    ContactTest = "contact_test", "contact", Low, by_itself;
    /// A contact of somebody did not take its test page.
    ContactUnreachable = "contact_unreachable", "contact", Low, when_over;
    /// Stored rules name channels that the settings no longer have.
    UnusableTargets = "unusable_targets", "subject", High, when_over;
    /// An incident has no timer, no attempt and no recorded end.
    AuditStuck = "audit_stuck", "subject", High, when_over;
    /// The process started several times in a row without an orderly end.
    CrashLoop = "crash_loop", "subject", High, by_itself;
    /// A batch could not be made durable: the process ends.
    StoreFailed = "store_failed", "subject", High, when_over;
    /// The status page of a provider cannot be read: what it would say is unknown.
    ProviderUnreadable = "provider_unreadable", "provider", Low, when_over;
    /// The status pages of many providers cannot be read: the trouble is ours, or their host's.
    ProvidersUnreadable = "providers_unreadable", "subject", Low, when_over;
    /// A status page of ours has an outage that waits for somebody to publish it.
    StatusDraft = "status_draft", "post", Low, when_over;
    /// An update on a status page of ours that was promised is overdue.
    StatusUpdateDue = "status_update_due", "post", Low, when_over;
}

impl Cause {
    /// Whether the subject is a channel, so that pages about it avoid that channel. One whose
    /// replies are refused still sends.
    pub fn is_about_channel(self) -> bool {
        self.subject_kind() == "channel" && self != Self::RepliesRefused
    }
}
