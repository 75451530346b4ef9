//! A template that is compiled: what it names, and how it is filled in.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::model::Json;

use super::called::Called;
use super::comparison::Comparison;
use super::engine::{self, Context, RenderProblem};
use super::expression::{Expr, ExprKind, Path, read_value};
use super::lower::{Lowered, lower};
use super::names::Step;
use super::origin::{Origin, origin};
use super::problem::Problem;
use super::scan::{Piece, Tag, TagKind, scan};
use super::tree::{Node, build};
use super::whitespace::trim;

/// A path in a template that starts from a name of the file.
///
/// Four things are said about what may be missing. `optional` is about the name: nobody needs it to be there. `lenient`
/// is about the whole path: if a field of it is missing, that is no error. `{{#if article}}{{article.title}}{{/if}}`
/// has two optional uses, of which the first is lenient.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one place, each asked for on its own")]
pub struct Use {
    /// The name first, then fields and indices as they are written.
    pub path: Vec<String>,
    /// Bytes in the template: exactly the path as it is written.
    pub range: Range<usize>,
    /// The name may be absent: it stands in a condition or in `default`, or a condition around it asks for it.
    pub optional: bool,
    /// All of the path may be absent, for the same reasons.
    pub lenient: bool,
    /// It stands in a block that may not be rendered.
    pub conditional: bool,
    /// `#each` goes through it, or a helper takes it as a list.
    pub each: bool,
    /// It is the list of a `lookup` by `@index`.
    pub by_index: bool,
}

/// A path in a template that starts from the element of an `#each` or `#with`, followed back to a name of the file.
///
/// `{{#each articles}}{{title}}{{/each}}` uses `articles`, and of its elements `title`. Elements of what a helper makes
/// are not among these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementUse {
    /// The name first.
    pub path: Vec<Step>,
    /// Bytes in the template: exactly the path as it is written.
    pub range: Range<usize>,
    /// All of the path may be absent.
    pub lenient: bool,
    /// It is rendered wherever there is such an element: no other block is around it.
    pub certain: bool,
    /// `#each` goes through it, or a helper takes it as a list.
    pub each: bool,
    /// What blocks around it call their elements and indices: one of these may have been meant.
    pub params: Vec<String>,
}

/// A text that is no template as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejected {
    /// What is wrong, in the order in which it stands.
    pub problems: Vec<Problem>,
    /// As [`Template::uses`], as far as the text can be read.
    pub uses: Vec<Use>,
    /// As [`Template::element_uses`], as far as the text can be read.
    pub elements: Vec<ElementUse>,
}

/// A template, or the expression of a condition. Cloning is cheap.
#[derive(Clone)]
pub struct Template(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) text: String,
    pub(super) shape: Shape,
    pub(super) tree: handlebars::Template,
    pub(super) uses: Vec<Use>,
    pub(super) elements: Vec<ElementUse>,
    pub(super) comparisons: Vec<Comparison>,
    pub(super) called: Vec<Called>,
    pub(super) only_name: Option<String>,
    pub(super) origin: Option<Origin>,
}

#[derive(Clone)]
pub(super) enum Shape {
    /// No value at all; this is what it prints.
    Constant(String),
    /// One value.
    Whole,
    /// Text with values.
    Mixed,
}

impl Template {
    /// Reads `text` as a template, in which `is_name` tells the names of the file from fields.
    ///
    /// A name that is neither is no error: it is one of [`Template::uses`].
    ///
    /// # Errors
    /// Everything that is wrong, and what could be read all the same.
    pub fn compile(text: &str, is_name: &dyn Fn(&str) -> bool) -> Result<Self, Rejected> {
        let mut problems = Vec::new();
        let mut pieces = scan(text, &mut problems);
        let whole = matches!(pieces.as_slice(), [Piece::Tag(Tag { kind: TagKind::Value, .. })]);
        let constant =
            pieces.iter().all(|piece| matches!(piece, Piece::Text(_) | Piece::Tag(Tag { kind: TagKind::Comment, .. })));
        trim(&mut pieces);
        let printed = constant.then(|| {
            pieces.iter().fold(String::new(), |printed, piece| match piece {
                Piece::Text(text) => printed + text,
                Piece::Tag(_) => printed,
            })
        });
        let nodes = build(text, pieces, &mut problems);
        let shape = match printed {
            Some(printed) => Shape::Constant(printed),
            None if whole => Shape::Whole,
            None => Shape::Mixed,
        };
        Self::finish(text, shape, &nodes, is_name, problems)
    }

    /// Reads `text` as an expression: `eq sort.queue 'bug'`, with or without braces around it.
    ///
    /// # Errors
    /// Everything that is wrong, text beside the expression too, and what could be read all the same.
    pub fn expression(text: &str, is_name: &dyn Fn(&str) -> bool) -> Result<Self, Rejected> {
        let mut problems = Vec::new();
        let value = if text.trim_start().starts_with("{{") {
            braced(text, &mut problems)
        } else if text.trim().is_empty() {
            problems.push(Problem::syntax(0..text.len(), "a condition is missing").help("write one: `eq kind 'bug'`"));
            None
        } else {
            read_value(text, 0..text.len()).map_err(|problem| problems.push(problem)).ok()
        };
        let nodes: Vec<Node> = value.into_iter().map(Node::Value).collect();
        Self::finish(text, Shape::Whole, &nodes, is_name, problems)
    }

    /// The value of one name of the file, and nothing else.
    pub fn name(name: &str) -> Self {
        Self::compile(&format!("{{{{{name}}}}}"), &|_| true).unwrap_or_default()
    }

    fn finish(
        text: &str,
        shape: Shape,
        nodes: &[Node],
        is_name: &dyn Fn(&str) -> bool,
        mut problems: Vec<Problem>,
    ) -> Result<Self, Rejected> {
        let Lowered { tree, uses, elements, comparisons, called } = lower(nodes, is_name, &mut problems);
        if problems.is_empty() {
            let only_name = only_path(nodes).and(uses.first()).map(|one| one.path[0].clone());
            let origin = if matches!(shape, Shape::Whole) { origin(nodes) } else { None };
            let text = text.to_owned();
            return Ok(Self(Arc::new(Inner {
                text,
                shape,
                tree,
                uses,
                elements,
                comparisons,
                called,
                only_name,
                origin,
            })));
        }
        problems.sort_by_key(|problem| (problem.range.start, problem.range.end));
        Err(Rejected { problems, uses, elements })
    }

    /// Every path that starts from a name of the file or from an unknown one, in the order in which they stand.
    pub fn uses(&self) -> &[Use] {
        &self.0.uses
    }

    /// Every path that starts from the element of a block, as far as it can be followed.
    pub fn element_uses(&self) -> &[ElementUse] {
        &self.0.elements
    }

    /// Every value that is compared with words of the template.
    pub fn comparisons(&self) -> &[Comparison] {
        &self.0.comparisons
    }

    /// Every helper that is called in any case, with a path from a name of the file.
    pub fn called(&self) -> &[Called] {
        &self.0.called
    }

    /// Whether this is one `{{..}}` and nothing else, or an expression: it keeps the type of its value.
    pub fn is_whole(&self) -> bool {
        matches!(self.0.shape, Shape::Whole)
    }

    /// The path that is all of it, as it is written: `outline.sections`. A helper makes something else of what it is given.
    pub fn only_path(&self) -> Option<&str> {
        let [one] = self.uses() else { return None };
        let path = self.text().trim().trim_matches(['{', '}', '~']).trim();
        (self.text().get(one.range.clone()) == Some(path)).then_some(path)
    }

    /// The name of the file that is all of it: `{{report}}`.
    pub fn only_name(&self) -> Option<&str> {
        self.0.only_name.as_deref()
    }

    /// Where its value comes from, if it is whole.
    pub fn origin(&self) -> Option<&Origin> {
        self.0.origin.as_ref()
    }

    /// What it prints with `stand_in` for each value; nothing if it has blocks, which may leave out what is in them.
    pub fn with_stand_in(&self, stand_in: &str) -> Option<String> {
        match &self.0.shape {
            Shape::Constant(text) => Some(text.clone()),
            Shape::Whole | Shape::Mixed => engine::with_stand_in(&self.0.tree, stand_in),
        }
    }

    /// Whether there is no value in it: it is the same text always.
    pub fn is_constant(&self) -> bool {
        matches!(self.0.shape, Shape::Constant(_))
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Fills it in, as text.
    ///
    /// # Errors
    /// A path that is not there, or a helper that can't use what it is given.
    pub fn render(&self, names: &Context) -> Result<String, RenderProblem> {
        match &self.0.shape {
            Shape::Constant(text) => Ok(text.clone()),
            Shape::Whole | Shape::Mixed => engine::render(&self.0.tree, names),
        }
    }

    /// Fills it in as a path: what comes out of each value goes through `segment` first.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn render_path(&self, names: &Context, segment: fn(&str) -> String) -> Result<String, RenderProblem> {
        match &self.0.shape {
            Shape::Constant(text) => Ok(text.clone()),
            Shape::Whole | Shape::Mixed => engine::render_path(&self.0.tree, names, segment),
        }
    }

    /// Fills it in, keeping the type of its value if it is whole; otherwise this is the text.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn evaluate(&self, names: &Context) -> Result<Json, RenderProblem> {
        match &self.0.shape {
            Shape::Whole => engine::evaluate(&self.0.tree, names),
            Shape::Constant(_) | Shape::Mixed => self.render(names).map(Json::String),
        }
    }
}

impl Default for Template {
    /// The empty text.
    fn default() -> Self {
        let tree = handlebars::Template::default();
        let shape = Shape::Constant(String::new());
        Self(Arc::new(Inner {
            text: String::new(),
            shape,
            tree,
            uses: Vec::new(),
            elements: Vec::new(),
            comparisons: Vec::new(),
            called: Vec::new(),
            only_name: None,
            origin: None,
        }))
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.0.text).finish()
    }
}

/// The path of one segment that is all of a template.
fn only_path(nodes: &[Node]) -> Option<&Path> {
    let [Node::Value(Expr { kind: ExprKind::Path(path), .. })] = nodes else { return None };
    (path.segments.len() == 1).then_some(path)
}

/// The value of `{{..}}` with nothing beside it.
fn braced(text: &str, problems: &mut Vec<Problem>) -> Option<Expr> {
    let pieces = scan(text, problems);
    if !problems.is_empty() {
        return None;
    }
    let mut tags = pieces.iter().filter(|piece| !matches!(piece, Piece::Text(text) if text.trim().is_empty()));
    match (tags.next(), tags.next()) {
        (Some(Piece::Tag(tag)), None) if tag.kind == TagKind::Value => {
            read_value(text, tag.inner.clone()).map_err(|problem| problems.push(problem)).ok()
        }
        _ => {
            problems.push(
                Problem::syntax(0..text.len(), "a condition is one expression")
                    .help("write it without braces, and nothing beside it: `eq kind 'bug'`"),
            );
            None
        }
    }
}
