//! A helper: what it is called, what it takes, and the function that it is.

use crate::model::Json;

use super::args::{Args, Fault};
use super::gives::Gives;
use super::kind::Kind;

/// A helper as its users see it.
#[derive(Debug)]
pub struct Helper {
    /// As it is called.
    pub name: &'static str,
    /// How it is called: values in capitals, what may be left out in brackets.
    pub usage: &'static str,
    /// What it gives, in one sentence without a full stop.
    pub about: &'static str,
    pub(super) takes: Takes,
    pub(in super::super) gives: Gives,
    pub(in super::super) body: Body,
}

/// Helpers that belong together.
#[derive(Debug)]
pub struct Subject {
    /// A heading.
    pub name: &'static str,
    /// The helpers.
    pub helpers: &'static [Helper],
}

/// What a helper takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Takes {
    pub(super) required: &'static [Kind],
    optional: &'static [Kind],
    rest: Option<Kind>,
    named: &'static [(&'static str, Kind)],
    agreed: Option<Agreement>,
    told: bool,
}

/// What is wrong with the arguments that are given by name, taken together; those whose value is not known have none.
type Agreement = fn(&[(&str, Option<&Json>)]) -> Option<String>;

impl Takes {
    pub(super) const fn these(required: &'static [Kind]) -> Self {
        Self { required, optional: &[], rest: None, named: &[], agreed: None, told: false }
    }

    pub(super) const fn and_maybe(self, optional: &'static [Kind]) -> Self {
        Self { optional, ..self }
    }

    pub(super) const fn and_more(self, rest: Kind) -> Self {
        Self { rest: Some(rest), ..self }
    }

    pub(super) const fn and_named(self, named: &'static [(&'static str, Kind)]) -> Self {
        Self { named, ..self }
    }

    /// Arguments by name that have to go together.
    pub(super) const fn and_agreed(self, agreed: Agreement) -> Self {
        Self { agreed: Some(agreed), ..self }
    }

    /// Messages of a run say what the first argument is called.
    pub(super) const fn and_told(self) -> Self {
        Self { told: true, ..self }
    }
}

/// A helper's function; the arguments are of the kinds that [`Takes`] names.
pub(in super::super) type Function = fn(&Args<'_>) -> Result<Json, Fault>;

/// How a helper works.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Body {
    /// A block of the engine.
    Block,
    /// A value out of values, all of which must be there.
    Value(Function),
    /// A value out of values that may be absent.
    Tolerant(Function),
}

impl Helper {
    /// Whether it gives nothing as long as one of its arguments is absent.
    pub(in super::super) fn needs_its_arguments(&self) -> bool {
        matches!(self.body, Body::Value(_))
    }

    /// How many arguments it takes at most.
    pub(in super::super) fn most(&self) -> Option<usize> {
        self.takes.rest.is_none().then_some(self.takes.required.len() + self.takes.optional.len())
    }

    /// What to say if it can't take `count` arguments.
    pub(in super::super) fn wrong_count(&self, count: usize) -> Option<String> {
        let least = self.takes.required.len();
        let takes = match self.most() {
            Some(most) if count > most && most > least => format!("at most {}", arguments(most)),
            Some(most) if count > most => arguments(most),
            _ if count < least && self.most() == Some(least) => arguments(least),
            _ if count < least => format!("at least {}", arguments(least)),
            _ => return None,
        };
        Some(format!("`{}` takes {takes}, not {count}", self.name))
    }

    /// What its argument at `at` has to be.
    pub(in super::super) fn kind_at(&self, at: usize) -> Option<Kind> {
        let Takes { required, optional, rest, .. } = self.takes;
        required.iter().chain(optional).nth(at).copied().or(rest)
    }

    /// What its argument `name=` has to be.
    pub(in super::super) fn kind_named(&self, name: &str) -> Option<Kind> {
        self.takes.named.iter().find(|(other, _)| *other == name).map(|(_, kind)| *kind)
    }

    /// Why its argument at `at` can't be this.
    pub(in super::super) fn fault_at(&self, at: usize, value: &Json) -> Option<String> {
        self.kind_at(at)?.fault(value).map(|fault| format!("argument {} {fault}", at + 1))
    }

    /// Why its argument `name=` can't be this.
    pub(in super::super) fn fault_named(&self, name: &str, value: &Json) -> Option<String> {
        self.kind_named(name)?.fault(value).map(|fault| format!("`{name}=` {fault}"))
    }

    /// Whether messages say what its first argument is called.
    pub(in super::super) fn tells_its_subject(&self) -> bool {
        self.takes.told
    }

    /// Why its arguments by name do not go together, as far as they are known.
    pub(in super::super) fn disagreement(&self, named: &[(&str, Option<&Json>)]) -> Option<String> {
        self.takes.agreed.and_then(|agreed| agreed(named))
    }

    /// Looks at the kinds of what is there, and runs.
    pub(in super::super) fn run(&self, function: Function, args: &Args<'_>) -> Result<Json, Fault> {
        for (at, value) in args.positional.iter().enumerate() {
            if let Some(fault) = value.and_then(|value| self.fault_at(at, value)) {
                return Err(Fault::Wrong(fault));
            }
        }
        for (name, value) in &args.named {
            if let Some(fault) = self.fault_named(name, value) {
                return Err(Fault::Wrong(fault));
            }
        }
        let named: Vec<(&str, Option<&Json>)> = args.named.iter().map(|(name, value)| (*name, Some(*value))).collect();
        if let Some(message) = self.disagreement(&named) {
            return Err(Fault::Wrong(message));
        }
        function(args)
    }
}

fn arguments(count: usize) -> String {
    if count == 1 { "1 argument".to_owned() } else { format!("{count} arguments") }
}
