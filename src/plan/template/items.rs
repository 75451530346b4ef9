//! Items of lists that helpers make: which list they come from, so that their fields are known as those of its items.

use crate::model::Json;

use super::compiled::ElementUse;
use super::expression::{Call, Expr, ExprKind};
use super::helper::{self, Gives, Kind};
use super::lower::{Pass, literal};
use super::names::{Origin, Step, behind};

impl Pass<'_> {
    /// What one element is, as far as paths say it, and whether there may be others that are left out.
    pub(super) fn origin(&self, subject: &Expr, each: bool) -> (Option<Origin>, bool) {
        if let ExprKind::Path(path) = &subject.kind {
            let steps = self.names.resolve(path, &subject.range).ok().and_then(|found| found.steps);
            let element = |steps: Vec<Step>| steps.into_iter().chain(each.then_some(Step::Element)).collect();
            return (steps.map(|steps| Origin::Steps(element(steps))), false);
        }
        // Without `#each` the element is the whole list, which has no fields.
        let found = if each { self.origin_of_items(subject) } else { None };
        found.map_or((None, false), |(origin, partial)| (Some(origin), partial))
    }

    fn origin_of_items(&self, subject: &Expr) -> Option<(Origin, bool)> {
        let ExprKind::Call(call) = &subject.kind else { return None };
        match helper::find(&call.name)?.gives {
            Gives::Lists => {
                let (list, partial) = self.alike(call.args.first()?)?;
                Some((Origin::Steps(list), partial))
            }
            Gives::Groups => {
                let (list, partial) = self.alike(call.args.first()?)?;
                let by =
                    call.named.iter().find(|named| named.name == "by").and_then(|named| written_path(&named.value));
                Some((Origin::Group { list, by }, partial))
            }
            _ => self.alike(subject).map(|(list, partial)| (Origin::Steps(behind(&list, &[])), partial)),
        }
    }

    /// The list whose items a value has, and whether it may have some of them alone.
    fn alike(&self, value: &Expr) -> Option<(Vec<Step>, bool)> {
        match &value.kind {
            ExprKind::Path(path) => Some((self.names.resolve(path, &value.range).ok()?.steps?, false)),
            ExprKind::Call(call) => {
                let gives = helper::find(&call.name)?.gives;
                if !(gives == Gives::Alike || gives == Gives::Item && call.args.len() > 1) {
                    return None;
                }
                let (list, partial) = self.alike(call.args.first()?)?;
                Some((list, partial || call.name != "sort"))
            }
            ExprKind::Literal(_) => None,
        }
    }

    /// A path of fields that a helper looks for in each item of its list is a path as well.
    fn record_path(&mut self, list: &Expr, path: &Expr, (lenient, partial): (bool, bool)) {
        let (Some(fields), Some((steps, is_some))) = (written_path(path), self.alike(list)) else { return };
        let certain = !partial && !is_some && self.names.lead_to(&steps, self.branches);
        // Without its quotes.
        let range = path.range.start + 1..path.range.end - 1;
        let (path, params) = (behind(&steps, &fields), self.names.params());
        self.elements.push(ElementUse { path, range, lenient, certain, each: false, params });
    }

    /// As [`Pass::record_path`], for every argument that is such a path.
    pub(super) fn record_paths(&mut self, call: &Call, helper: &helper::Helper, tolerant: bool) {
        let Some(list) = call.args.first() else { return };
        for (at, arg) in call.args.iter().enumerate() {
            // An item without the field is left out, so none of them needs it.
            if helper.kind_at(at) == Some(Kind::Path) {
                self.record_path(list, arg, (true, true));
            }
        }
        for named in &call.named {
            if helper.kind_named(&named.name) == Some(Kind::Path) {
                self.record_path(list, &named.value, (tolerant, false));
            }
        }
    }
}

/// A path of fields that is written as a text: `'author.name'`.
fn written_path(expr: &Expr) -> Option<Vec<String>> {
    let path = literal(expr)?.as_str()?;
    Kind::Path.fault(&Json::from(path)).is_none().then(|| path.split('.').map(str::to_owned).collect())
}
