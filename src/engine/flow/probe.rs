//! A channel that is down is asked how it is, every minute.

use crate::engine::decision::Effect;
use crate::engine::ids::ChannelName;
use crate::engine::outcome::Outcome;
use crate::engine::time::Duration;
use crate::engine::transaction::StepTransaction;
use crate::engine::{channel_health, channel_trouble, check};

/// A down channel's minute is over: ask it, or let one attempt try. Or an idle one's hour is: check
/// it.
pub fn probe_due(tx: &mut StepTransaction<'_>, name: &ChannelName) {
    let Some(info) = tx.rules.channel(name).cloned() else {
        tx.drop_channel(name);
        return;
    };
    if tx
        .channel(name)
        .is_some_and(|channel| channel.down.is_none())
    {
        check::due(tx, &info);
        return;
    }
    let now = tx.now.steady;
    channel_health::edit(tx, name, |channel| {
        if let Some(down) = &mut channel.down {
            down.probe_due = now + channel_trouble::PROBE_INTERVAL;
            // One that an earlier probe opened stays open until an attempt takes it.
            down.is_trial_open |= !info.capabilities.probes;
            down.is_asked = info.capabilities.probes;
        }
    });
    if info.capabilities.probes {
        tx.effects.push(Effect::Probe(name.clone()));
    }
}

/// A page that meets the same so soon after a probe that passed shows that probes do not see it.
const PROBE_DOUBTED_FOR: Duration = Duration::hours(1);

/// What a probe of a down channel found. It cannot always see what is left to send with, or whether
/// a message would be taken: where a page met the end of that, or met the same just after a probe
/// that passed, one attempt may try.
pub fn probed(tx: &mut StepTransaction<'_>, name: &ChannelName, outcome: Outcome) {
    let state = tx.channel(name);
    let Some(down) = state.as_ref().and_then(|state| state.down.as_ref()) else {
        return;
    };
    let is_blind = tx
        .rules
        .channel(name)
        .is_none_or(|info| !info.capabilities.probes_login);
    let now = tx.now.steady;
    let passed = state.as_ref().and_then(|state| state.up_by_probe);
    let was_wrong = passed.is_some_and(|at| now.since(at) < PROBE_DOUBTED_FOR);
    // Whatever a probe does not see, it sees the certificate.
    let is_tls = matches!(down.outcome, Outcome::TlsNameMismatch | Outcome::TlsOther);
    let is_unseen = is_blind && !is_tls || down.outcome == Outcome::QuotaExhausted;
    let is_hidden = (is_unseen || was_wrong) && !down.was_checked;
    let was_checked = down.was_checked;
    channel_health::edit(tx, name, |channel| {
        if let Some(down) = &mut channel.down {
            down.is_asked = false;
        }
    });
    if !outcome.is_sent() {
        return;
    }
    if is_hidden {
        channel_health::edit(tx, name, |channel| {
            if let Some(down) = &mut channel.down {
                down.is_trial_open = true;
            }
        });
    } else {
        // Only channels of one endpoint are ever down.
        channel_trouble::works(tx, name, &"".into());
        channel_health::edit(tx, name, |channel| {
            channel.up_by_probe = (!was_checked).then_some(now);
        });
    }
}
