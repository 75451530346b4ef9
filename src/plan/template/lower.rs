//! From the tree as written to the tree that is rendered: every path becomes a look-up from where it really starts,
//! and what was learned on the way is kept.

use std::collections::HashMap;
use std::ops::Range;

use handlebars::template::{BlockParam, Parameter, Subexpression, TemplateElement};

use crate::model::Json;

use super::called::Called;
use super::comparison::Comparison;
use super::compiled::{ElementUse, Use};
use super::engine;
use super::expression::{Base, Call, Expr, ExprKind, Head, Path};
use super::guard::{Guard, guards};
use super::helper::{self, Kind};
use super::names::{Names, Owner, Resolved, described};
use super::problem::Problem;
use super::tree::{Block, Node};

/// What a template comes to.
pub(super) struct Lowered {
    pub(super) tree: handlebars::Template,
    pub(super) uses: Vec<Use>,
    pub(super) elements: Vec<ElementUse>,
    pub(super) comparisons: Vec<Comparison>,
    pub(super) called: Vec<Called>,
}

/// Gives every name in `nodes` its meaning.
pub(super) fn lower(nodes: &[Node], is_name: &dyn Fn(&str) -> bool, problems: &mut Vec<Problem>) -> Lowered {
    let mut pass = Pass {
        names: Names::new(is_name),
        guards: Vec::new(),
        branches: 0,
        uses: Vec::new(),
        elements: Vec::new(),
        comparisons: Vec::new(),
        called: Vec::new(),
        problems,
    };
    let tree = pass.nodes(nodes);
    let Pass { uses, elements, comparisons, called, .. } = pass;
    Lowered { tree, uses, elements, comparisons, called }
}

/// What the place of an expression asks of it.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// In a condition or an argument of `default`: what is missing is just absent.
    tolerant: bool,
    /// A list is expected.
    list: bool,
    /// It is looked up by `@index`.
    by_index: bool,
}

pub(super) struct Pass<'a> {
    pub(super) names: Names<'a>,
    guards: Vec<Guard>,
    /// How many blocks are open.
    pub(super) branches: usize,
    uses: Vec<Use>,
    pub(super) elements: Vec<ElementUse>,
    pub(super) comparisons: Vec<Comparison>,
    pub(super) called: Vec<Called>,
    problems: &'a mut Vec<Problem>,
}

impl Pass<'_> {
    fn nodes(&mut self, nodes: &[Node]) -> handlebars::Template {
        let mut tree = handlebars::Template::new();
        for node in nodes {
            match node {
                Node::Text(text) => tree.elements.push(TemplateElement::RawString(text.clone())),
                Node::Value(value) => {
                    let value = self.expr(value, Place::default());
                    tree.elements.push(helper_call(engine::PRINT, vec![value]));
                }
                Node::Block(block) => tree.elements.extend(self.block(block)),
            }
        }
        tree
    }

    fn block(&mut self, block: &Block) -> Option<TemplateElement> {
        let Some(Head { call: head, params }) = &block.head else {
            self.broken(&[], &[], block);
            return None;
        };
        let is_right = self.check_arguments(head);
        let Some(subject) = head.args.first().filter(|_| is_right) else {
            // `#if eq a 'b'` lacks parentheses: its first word is a helper, and the others may be names.
            let lacks_parentheses = head.args.first().is_some_and(is_helper);
            self.broken(&head.args[usize::from(lacks_parentheses)..], params, block);
            return None;
        };
        match head.name.as_str() {
            name @ ("if" | "unless") => {
                self.refuse_params(name, params, 0);
                let holds = name == "if";
                let condition = self.expr(subject, Place { tolerant: true, ..Place::default() });
                let proven = guards(subject, holds, &self.names);
                let body = self.branch(&block.body, proven);
                let proven = guards(subject, !holds, &self.names);
                let otherwise = self.branch(&block.otherwise, proven);
                Some(element(name, expression(engine::HOLDS, vec![condition]), (body, otherwise), None))
            }
            name => {
                let each = name == "each";
                self.refuse_params(name, params, if each { 2 } else { 1 });
                let value = self.expr(subject, Place { list: each, ..Place::default() });
                // A list that is none is told with its name.
                let words = Parameter::Literal(Json::String(self.words(subject)));
                let value = if each { expression(engine::LIST, vec![value, words]) } else { value };
                let origin = self.origin(subject, each);
                self.names.enter(each, origin, params.iter().map(|(name, _)| name.clone()).collect());
                let body = self.branch(&block.body, Vec::new());
                self.names.leave();
                let otherwise = self.branch(&block.otherwise, Vec::new());
                Some(element(name, value, (body, otherwise), block_param(params)))
            }
        }
    }

    /// Looks for names in a block whose head is wrong, which is told: they may be fields of elements of what nobody
    /// knows, so that names of the file alone are recognised.
    fn broken(&mut self, args: &[Expr], params: &[(String, Range<usize>)], block: &Block) {
        for arg in args {
            self.expr(arg, Place { tolerant: true, ..Place::default() });
        }
        self.names.enter(true, (None, false), params.iter().map(|(name, _)| name.clone()).collect());
        self.branch(&block.body, Vec::new());
        self.names.leave();
        self.branch(&block.otherwise, Vec::new());
    }

    /// A value as a message names it.
    fn words(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Path(path) => {
                let steps = self.names.resolve(path, &expr.range).ok().and_then(|found| found.steps);
                steps.map_or_else(|| format!("`{}`", path.segments.join(".")), |steps| described(&steps))
            }
            ExprKind::Call(call) => format!("what `{}` gives", call.name),
            ExprKind::Literal(value) => format!("`{value}`"),
        }
    }

    fn branch(&mut self, nodes: &[Node], proven: Vec<Guard>) -> handlebars::Template {
        let before = self.guards.len();
        self.guards.extend(proven);
        self.branches += 1;
        let tree = self.nodes(nodes);
        self.branches -= 1;
        self.guards.truncate(before);
        tree
    }

    fn refuse_params(&mut self, name: &str, params: &[(String, Range<usize>)], most: usize) {
        for (at, (param, range)) in params.iter().enumerate() {
            let clash = match param.as_str() {
                _ if at >= most => format!("`#{name}` has no such block parameter"),
                "this" | "as" | "else" | "true" | "false" | "null" => format!("`{param}` can't be a block parameter"),
                _ if param.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                    format!("`{param}` can't be a block parameter")
                }
                _ if self.names.is_name(param) => format!("`{param}` is a name of the file already"),
                _ if params[..at].iter().any(|(other, _)| other == param) => format!("`{param}` stands twice"),
                _ => continue,
            };
            let problem = Problem::new(range.clone(), Problem::NAME, clash);
            self.problems.push(if at >= most {
                problem.help("leave it out")
            } else {
                problem.help("choose another name")
            });
        }
    }

    fn expr(&mut self, expr: &Expr, place: Place) -> Parameter {
        match &expr.kind {
            ExprKind::Literal(value) => Parameter::Literal(value.clone()),
            ExprKind::Path(path) => self.path(path, &expr.range, place),
            ExprKind::Call(call) => self.call(call, place),
        }
    }

    fn path(&mut self, path: &Path, range: &Range<usize>, place: Place) -> Parameter {
        match self.names.resolve(path, range) {
            Ok(found) => {
                self.record(&found, range, place);
                look_up(&found, place.tolerant)
            }
            Err(problem) => {
                self.problems.push(problem);
                Parameter::Literal(Json::Null)
            }
        }
    }

    fn record(&mut self, path: &Resolved, range: &Range<usize>, place: Place) {
        let lenient = place.tolerant || self.guards.iter().any(|guard| guard.proves(path));
        let conditional = self.branches > 0;
        let Place { tolerant, list, by_index } = place;
        if path.owner == Owner::Root {
            let optional = tolerant || self.guards.iter().any(|guard| guard.proves_name(path));
            let (path, range) = (path.segments.clone(), range.clone());
            self.uses.push(Use { path, range, optional, lenient, conditional, each: list, by_index });
        } else if let Some(steps) = &path.steps {
            let certain = self.names.lead_to(steps, self.branches);
            let (path, range) = (steps.clone(), range.clone());
            let params = self.names.params();
            self.elements.push(ElementUse { path, range, lenient, certain, each: list, params });
        }
    }

    fn call(&mut self, call: &Call, place: Place) -> Parameter {
        let Some(helper) = helper::find(&call.name) else {
            let name_range = call.name_range.clone();
            // Where no helper was meant, text stands beside a value, and its words are no names.
            if helper::is_nearly(&call.name) {
                for arg in call.args.iter().chain(call.named.iter().map(|named| &named.value)) {
                    self.expr(arg, Place { tolerant: true, ..Place::default() });
                }
            }
            self.problems.push(if self.names.is_name(&call.name) {
                let message = format!("`{}` is a value, so nothing can follow it", call.name);
                Problem::new(name_range, Problem::UNKNOWN_HELPER, message)
                    .help(format!("write one value, or a helper before it, as in `eq {} 'text'`", call.name))
            } else {
                helper::explain_unknown(&call.name, name_range)
            });
            return Parameter::Literal(Json::Null);
        };
        if helper::is_block(&call.name) {
            let message = format!("`{}` is a block", call.name);
            self.problems.push(
                Problem::new(call.name_range.clone(), Problem::UNSUPPORTED, message)
                    .help(format!("write `{{{{#{0} ..}}}}..{{{{/{0}}}}}`", call.name)),
            );
            return Parameter::Literal(Json::Null);
        }
        self.check_arguments(call);
        let tolerant = place.tolerant || call.name == "default";
        let mut params = Vec::with_capacity(call.args.len());
        for (at, arg) in call.args.iter().enumerate() {
            let by_index = at == 0 && call.name == "lookup" && call.args.get(1).is_some_and(is_index);
            let list = matches!(helper.kind_at(at), Some(Kind::List));
            params.push(self.expr(arg, Place { tolerant, list, by_index }));
        }
        let mut hash = HashMap::new();
        if let (true, Some(subject)) = (helper.tells_its_subject(), call.args.first()) {
            hash.insert(engine::SUBJECT.to_owned(), Parameter::Literal(Json::String(self.words(subject))));
        }
        for named in &call.named {
            let value = self.expr(&named.value, Place { tolerant, ..Place::default() });
            hash.insert(named.name.clone(), value);
        }
        self.record_paths(call, helper, tolerant);
        self.record_comparison(call);
        self.record_call(call, helper);
        let name = engine::registered(&call.name, place.tolerant);
        Parameter::Subexpression(Subexpression::new(Parameter::Name(name), params, hash))
    }

    /// Whether a helper can be called like this, as far as that shows.
    fn check_arguments(&mut self, call: &Call) -> bool {
        let Some(helper) = helper::find(&call.name) else { return false };
        let before = self.problems.len();
        let mut refuse = |range: &Range<usize>, message: String| {
            self.problems.push(
                Problem::new(range.clone(), Problem::ARGUMENTS, message).help(format!("write `{}`", helper.usage)),
            );
        };
        if let Some(count) = helper.wrong_count(call.args.len()) {
            let extra = call.args.get(helper.most().unwrap_or(usize::MAX)).map_or(&call.name_range, |arg| &arg.range);
            refuse(extra, count);
        }
        for (at, arg) in call.args.iter().enumerate() {
            if let (Some(kind), ExprKind::Literal(value)) = (helper.kind_at(at), &arg.kind)
                && let Some(fault) = kind.fault(value)
            {
                refuse(&arg.range, format!("argument {} of `{}` {fault}", at + 1, helper.name));
            }
        }
        for (at, named) in call.named.iter().enumerate() {
            let name = &named.name;
            match (helper.kind_named(name), &named.value.kind) {
                (None, _) => refuse(&named.name_range, format!("`{}` has no `{name}=`", helper.name)),
                _ if call.named[..at].iter().any(|other| other.name == *name) => {
                    refuse(&named.name_range, format!("`{name}=` stands twice"));
                }
                (Some(kind), ExprKind::Literal(value)) => {
                    if let Some(fault) = kind.fault(value) {
                        refuse(&named.value.range, format!("`{name}=` of `{}` {fault}", helper.name));
                    }
                }
                _ => {}
            }
        }
        if self.problems.len() > before {
            return false;
        }
        let named: Vec<(&str, Option<&Json>)> =
            call.named.iter().map(|named| (named.name.as_str(), literal(&named.value))).collect();
        if let Some(message) = helper.disagreement(&named) {
            let problem =
                Problem::new(call.name_range.clone(), Problem::ARGUMENTS, format!("`{}`: {message}", helper.name));
            self.problems.push(problem.help(format!("write `{}`", helper.usage)));
        }
        self.problems.len() == before
    }
}

pub(super) fn literal(expr: &Expr) -> Option<&Json> {
    if let ExprKind::Literal(value) = &expr.kind { Some(value) } else { None }
}

fn is_helper(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Path(path) if path.word && helper::find(&path.segments[0]).is_some())
}

fn is_index(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Path(Path { base: Base::Data(_, name), .. }) if name == "index")
}

fn look_up(path: &Resolved, tolerant: bool) -> Parameter {
    // What names.rs gives is always a path of the engine.
    let start = path.start.as_deref().and_then(|start| handlebars::Path::parse(start).ok()).map(Parameter::Path);
    let segments = path.segments.iter().map(|segment| Parameter::Literal(Json::String(segment.clone())));
    let Some(start) = start else {
        return expression(&engine::registered(engine::NAME, tolerant), segments.collect());
    };
    let from =
        path.steps.as_ref().and_then(|steps| steps.len().checked_sub(path.segments.len()).map(|at| &steps[..at]));
    let words =
        from.map(described).or_else(|| path.start.as_ref().map(|start| format!("`{start}`"))).unwrap_or_default();
    let params = [start, Parameter::Literal(Json::String(words))].into_iter().chain(segments);
    expression(&engine::registered(engine::GET, tolerant), params.collect())
}

pub(super) fn expression(name: &str, params: Vec<Parameter>) -> Parameter {
    Parameter::Subexpression(Subexpression::new(Parameter::Name(name.to_owned()), params, HashMap::new()))
}

pub(super) fn helper_call(name: &str, params: Vec<Parameter>) -> TemplateElement {
    // The one way that the crate offers to make a call.
    *Subexpression::new(Parameter::Name(name.to_owned()), params, HashMap::new()).element
}

fn element(
    name: &str,
    subject: Parameter,
    (body, otherwise): (handlebars::Template, handlebars::Template),
    params: Option<BlockParam>,
) -> TemplateElement {
    match helper_call(name, vec![subject]) {
        TemplateElement::Expression(mut block) => {
            block.block = true;
            block.template = Some(body);
            block.inverse = (!otherwise.elements.is_empty()).then_some(otherwise);
            block.block_param = params;
            TemplateElement::HelperBlock(block)
        }
        other => other,
    }
}

fn block_param(params: &[(String, Range<usize>)]) -> Option<BlockParam> {
    let name = |at: usize| params.get(at).map(|(name, _)| Parameter::Name(name.clone()));
    match (name(0)?, name(1)) {
        (item, None) => Some(BlockParam::Single(item)),
        (item, Some(index)) => Some(BlockParam::Pair((item, index))),
    }
}
