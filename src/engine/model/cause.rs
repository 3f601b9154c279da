//! The causes for which the router speaks of itself.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::engine::urgency::Urgency;

/// Why a self-incident is raised; with its subject it is the dedup key `cause/subject`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A channel's credentials are refused.
    ChannelCredential,
    /// A channel's certificate is for another name.
    ChannelTlsName,
    /// A channel's certificate is not accepted for another reason.
    ChannelTls,
    /// A channel's account has nothing left to send with.
    ChannelQuota,
    /// A channel has had attempts and no success for a while.
    ChannelSilent,
    /// A channel's account will soon have nothing left to send with, or does not tell.
    ChannelCapacity,
    /// The certificate of a channel's server expires soon and was not renewed.
    ChannelCertificate,
    /// Our own certificate of a listening address expires soon and was not renewed.
    ListenerCertificate,
    /// Attempts of a channel do not begin or do not end.
    LaneStalled,
    /// A schedule names nobody now.
    ScheduleGap,
    /// An incident was escalated as often as allowed and nobody came.
    Exhausted,
    /// Little space is left on disk.
    Disk,
    /// The wall clock was set back, or is far ahead.
    Clock,
    /// The wall clock jumped ahead by more than a day, as after a weekend switched off.
    ClockAhead,
    /// Events were too old to page anybody.
    HeldEvents,
    /// A request was too large.
    TooLarge,
    /// Replies, buttons or delivery reports of a channel's provider keep being refused.
    RepliesRefused,
    /// A decision panicked; its input is quarantined.
    Panic,
    /// Somebody answered STOP: their contact is disabled.
    ContactStopped,
    /// A test page to a contact of somebody: no trouble, but the router's own word.
    ContactTest,
    /// A contact of somebody did not take its test page.
    ContactUnreachable,
    /// Stored rules name channels that the settings no longer have.
    UnusableTargets,
    /// An incident has no timer, no attempt and no recorded end.
    AuditStuck,
    /// The process started several times in a row without an orderly end.
    CrashLoop,
    /// A batch could not be made durable: the process ends.
    StoreFailed,
}

impl Cause {
    /// The word of the dedup key and of the labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChannelCredential => "channel_credential",
            Self::ChannelTlsName => "channel_tls_name",
            Self::ChannelTls => "channel_tls",
            Self::ChannelQuota => "channel_quota",
            Self::ChannelSilent => "channel_silent",
            Self::ChannelCapacity => "channel_capacity",
            Self::ChannelCertificate => "channel_certificate",
            Self::ListenerCertificate => "listener_certificate",
            Self::LaneStalled => "lane_stalled",
            Self::ScheduleGap => "schedule_gap",
            Self::Exhausted => "exhausted",
            Self::Disk => "disk",
            Self::Clock => "clock",
            Self::ClockAhead => "clock_ahead",
            Self::HeldEvents => "held_events",
            Self::TooLarge => "too_large",
            Self::RepliesRefused => "replies_refused",
            Self::Panic => "panic",
            Self::ContactStopped => "contact_stopped",
            Self::ContactTest => "contact_test",
            Self::ContactUnreachable => "contact_unreachable",
            Self::UnusableTargets => "unusable_targets",
            Self::AuditStuck => "audit_stuck",
            Self::CrashLoop => "crash_loop",
            Self::StoreFailed => "store_failed",
        }
    }

    /// What the subject is: the name of its label.
    pub fn subject_kind(self) -> &'static str {
        match self {
            Self::ScheduleGap => "schedule",
            Self::TooLarge | Self::HeldEvents => "integration",
            Self::ContactStopped => "user",
            Self::ContactTest | Self::ContactUnreachable => "contact",
            Self::ChannelCredential
            | Self::ChannelTlsName
            | Self::ChannelTls
            | Self::ChannelQuota
            | Self::ChannelSilent
            | Self::ChannelCapacity
            | Self::ChannelCertificate
            | Self::LaneStalled
            | Self::RepliesRefused => "channel",
            Self::ListenerCertificate => "listener",
            Self::Exhausted
            | Self::Disk
            | Self::Clock
            | Self::ClockAhead
            | Self::Panic
            | Self::UnusableTargets
            | Self::AuditStuck
            | Self::CrashLoop
            | Self::StoreFailed => "subject",
        }
    }

    /// Whether the subject is a channel, so that pages about it avoid that channel.
    pub fn is_about_channel(self) -> bool {
        matches!(
            self,
            Self::ChannelCredential
                | Self::ChannelTlsName
                | Self::ChannelTls
                | Self::ChannelQuota
                | Self::ChannelSilent
                | Self::ChannelCapacity
                | Self::ChannelCertificate
                | Self::LaneStalled
        )
    }

    /// A cause without an end of its own is over after an hour without another.
    pub fn ends_by_itself(self) -> bool {
        matches!(
            self,
            Self::TooLarge
                | Self::HeldEvents
                | Self::RepliesRefused
                | Self::Panic
                | Self::Clock
                | Self::ContactStopped
                | Self::ContactTest
                | Self::Exhausted
                | Self::CrashLoop
        )
    }

    /// High, but for what can wait until morning.
    pub fn urgency(self) -> Urgency {
        match self {
            // Pages go on, and their links work.
            Self::HeldEvents
            | Self::RepliesRefused
            | Self::ClockAhead
            | Self::ChannelCapacity
            | Self::ChannelCertificate
            | Self::ListenerCertificate
            | Self::ContactTest
            | Self::ContactUnreachable => Urgency::Low,
            Self::ChannelCredential
            | Self::ChannelTlsName
            | Self::ChannelTls
            | Self::ChannelQuota
            | Self::ChannelSilent
            | Self::LaneStalled
            | Self::ScheduleGap
            | Self::Exhausted
            | Self::Disk
            | Self::Clock
            | Self::TooLarge
            | Self::Panic
            | Self::ContactStopped
            | Self::UnusableTargets
            | Self::AuditStuck
            | Self::CrashLoop
            | Self::StoreFailed => Urgency::High,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
