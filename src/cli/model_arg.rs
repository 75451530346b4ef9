//! `--model`, not yet applied.

use crate::diag::did_you_mean;
use crate::model::StageKindName;

/// `--model`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ModelArg {
    /// The kind that it speaks to; text and chat without one.
    pub(super) kind: Option<StageKindName>,
    pub(super) name: String,
}

impl ModelArg {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let kinds = || StageKindName::ALL.into_iter().filter(|kind| kind.asks());
        // A model's own name may have an equals sign in it, so only kinds are cut off.
        let (kind, name) = kinds()
            .find_map(|kind| Some((Some(kind), text.strip_prefix(kind.name())?.strip_prefix('=')?)))
            .unwrap_or((None, text));
        if let (None, Some((left, right))) = (kind, text.split_once('='))
            && let Some(near) = did_you_mean(left, kinds().map(StageKindName::name))
        {
            return Err(format!("`{left}` is no kind of stage; did you mean `{near}={right}`?"));
        }
        if name.trim().is_empty() {
            return Err("the name is missing; write `--model openai` or `--model image=flux`".to_owned());
        }
        Ok(Self { kind, name: name.to_owned() })
    }
}
