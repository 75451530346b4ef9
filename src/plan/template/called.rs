//! Calls of helpers, for those who know some of the values that they are made with.

use std::ops::Range;

use crate::model::Json;

use super::expression::{Call, Expr, ExprKind};
use super::helper::Helper;
use super::lower::{Pass, literal};
use super::names::Owner;

/// A helper that is called wherever the template is rendered.
#[derive(Debug, Clone)]
pub struct Called {
    helper: &'static Helper,
    /// Bytes in the template: its name.
    range: Range<usize>,
    positional: Vec<Argument>,
    named: Vec<(String, Argument)>,
}

#[derive(Debug, Clone)]
struct Argument {
    is: Is,
    range: Range<usize>,
}

#[derive(Debug, Clone)]
enum Is {
    Literal(Json),
    /// A path from a name of the file.
    Path(Vec<String>),
    /// What another helper makes, or part of an element.
    Other,
}

/// Why a helper can't be called with values that are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFault {
    /// What is wrong, without a full stop.
    pub message: String,
    /// Bytes in the template: the argument at fault, or the helper.
    pub range: Range<usize>,
    /// The first path whose value has a part in it.
    pub path: Vec<String>,
}

impl Called {
    /// How it is called right.
    pub fn usage(&self) -> &'static str {
        self.helper.usage
    }

    /// What is wrong with it, whatever the values are that `value` does not know.
    pub fn fault(&self, value: &dyn Fn(&[String]) -> Option<Json>) -> Option<CallFault> {
        let known = |argument: &Argument| match &argument.is {
            Is::Literal(value) => Some(value.clone()),
            Is::Path(path) => value(path),
            Is::Other => None,
        };
        let fault = |message: String, range: &Range<usize>, path: &[String]| {
            let message = format!("`{}`: {message}", self.helper.name);
            CallFault { message, range: range.clone(), path: path.to_vec() }
        };
        let of_one = |argument: &Argument, why: &dyn Fn(&Json) -> Option<String>| {
            let Is::Path(path) = &argument.is else { return None };
            why(&known(argument)?).map(|message| fault(message, &argument.range, path))
        };
        let mut positional = self.positional.iter().enumerate();
        let found = positional.find_map(|(at, one)| of_one(one, &|value| self.helper.fault_at(at, value)));
        let by_name = |(name, one): &(String, Argument)| of_one(one, &|value| self.helper.fault_named(name, value));
        found.or_else(|| self.named.iter().find_map(by_name)).or_else(|| {
            let values: Vec<(&str, Option<Json>)> =
                self.named.iter().map(|(name, one)| (name.as_str(), known(one))).collect();
            let values: Vec<(&str, Option<&Json>)> =
                values.iter().map(|(name, value)| (*name, value.as_ref())).collect();
            let message = self.helper.disagreement(&values)?;
            let path = self.named.iter().find_map(|(_, one)| match &one.is {
                Is::Path(path) => known(one).map(|_| path),
                Is::Literal(_) | Is::Other => None,
            })?;
            Some(fault(message, &self.range, path))
        })
    }
}

impl Pass<'_> {
    /// Notes a call that is made in any case.
    pub(super) fn record_call(&mut self, call: &Call, helper: &'static Helper) {
        if self.branches > 0 {
            return;
        }
        let positional: Vec<Argument> = call.args.iter().map(|arg| self.argument(arg)).collect();
        let named: Vec<_> = call.named.iter().map(|one| (one.name.clone(), self.argument(&one.value))).collect();
        let has_path = |argument: &Argument| matches!(argument.is, Is::Path(_));
        if positional.iter().chain(named.iter().map(|(_, one)| one)).any(has_path) {
            self.called.push(Called { helper, range: call.name_range.clone(), positional, named });
        }
    }

    fn argument(&self, expr: &Expr) -> Argument {
        let path = match &expr.kind {
            ExprKind::Path(path) => self.names.resolve(path, &expr.range).ok().filter(|path| path.owner == Owner::Root),
            ExprKind::Literal(_) | ExprKind::Call(_) => None,
        };
        let is = match (path, literal(expr)) {
            (Some(path), _) => Is::Path(path.segments),
            (None, Some(value)) => Is::Literal(value.clone()),
            (None, None) => Is::Other,
        };
        Argument { is, range: expr.range.clone() }
    }
}
