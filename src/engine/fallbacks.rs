//! Whether those who are fallen back on could answer at all.

use crate::client::{Environment, Member};
use crate::plan::Plan;

/// A sentence for each provider that a stage falls back on and that has no key. The run goes on all the same: it may never
/// need one.
pub(super) fn without_key(plan: &Plan, members: &[Member], environment: &Environment) -> Vec<String> {
    let mut told: Vec<&str> = Vec::new();
    let mut warnings = Vec::new();
    for (ix, stage) in plan.stage_ixs() {
        let Some(asking) = stage.work.asking().filter(|_| plan.runs(ix)) else { continue };
        for name in asking.fallbacks.iter().filter_map(|one| one.provider.as_deref()) {
            let Some(member) = members.iter().find(|member| member.settings.name == name) else { continue };
            let Some(failure) = environment.lacks_key(&member.settings) else { continue };
            if !told.contains(&name) {
                told.push(name);
                let help = failure.suggestion.map(|help| format!(": {help}")).unwrap_or_default();
                warnings.push(format!("`{}` can't fall back on `{name}`. {}{help}", stage.name, failure.message));
            }
        }
    }
    warnings
}
