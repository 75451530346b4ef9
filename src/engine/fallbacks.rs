//! Whether those who are fallen back on, and those in whose place that would be, could answer at all.

use crate::client::{Environment, Member};
use crate::plan::{Dial, Plan};

/// A sentence for each provider that has no key and that a stage falls back on, or asks before others. The run goes on all
/// the same: it may never need one.
pub(super) fn without_key(plan: &Plan, members: &[Member], environment: &Environment) -> Vec<String> {
    let mut told: Vec<&str> = Vec::new();
    let mut warnings = Vec::new();
    for (ix, stage) in plan.stage_ixs() {
        let Some(asking) = stage.work.asking().filter(|_| plan.runs(ix)) else { continue };
        let own = match &asking.provider {
            Dial::Fixed(provider) if !asking.fallbacks.is_empty() => Some(provider.as_str()),
            Dial::Fixed(_) | Dial::Template(_) => None,
        };
        let others = asking.fallbacks.iter().filter_map(|one| one.provider.as_deref());
        for (name, is_own) in own.map(|own| (own, true)).into_iter().chain(others.map(|other| (other, false))) {
            let Some(member) = members.iter().find(|member| member.settings.name == name) else { continue };
            let Some(failure) = environment.lacks_key(&member.settings) else { continue };
            if !told.contains(&name) {
                told.push(name);
                let help = failure.suggestion.map(|help| format!(": {help}")).unwrap_or_default();
                let what = if is_own { "ask" } else { "fall back on" };
                let instead = if is_own { ", and falls back on others" } else { "" };
                warnings.push(format!("`{}` can't {what} `{name}`{instead}. {}{help}", stage.name, failure.message));
            }
        }
    }
    warnings
}
