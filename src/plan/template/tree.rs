//! From pieces to a tree: blocks with what stands in them.

use std::ops::Range;

use super::expression::{Expr, Head, read_head, read_value};
use super::helper;
use super::problem::Problem;
use super::scan::{Piece, Tag, TagKind};

/// How deep blocks nest at most; each `else if` counts, since it is a block in the `else` of the one before.
pub(super) const MAX_DEPTH: usize = 100;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Printed as it stands.
    Text(String),
    /// A value that is printed.
    Value(Expr),
    /// `{{#if x}}..{{/if}}`
    Block(Block),
}

/// A block whose helper is one for blocks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Block {
    /// Nothing if it is wrong, which is told.
    pub(super) head: Option<Head>,
    pub(super) body: Vec<Node>,
    /// What stands after `{{else}}`.
    pub(super) otherwise: Vec<Node>,
}

/// Pairs the blocks of `pieces`, whose offsets are those of `text`.
pub(super) fn build(text: &str, pieces: Vec<Piece>, problems: &mut Vec<Problem>) -> Vec<Node> {
    let mut builder = Builder { text, root: Vec::new(), open: Vec::new(), problems };
    for piece in pieces {
        match piece {
            Piece::Text(text) => builder.push(Node::Text(text)),
            Piece::Tag(tag) => {
                if !builder.tag(&tag) {
                    // Whatever follows stands too deep to be looked at.
                    return Vec::new();
                }
            }
        }
    }
    while let Some(frame) = builder.open.pop() {
        builder.report_open(&frame);
        builder.push(frame.into_node());
    }
    builder.root
}

/// A block that is open.
struct Frame {
    /// As it was opened, for `{{/name}}`.
    name: String,
    /// Nothing if its head is wrong, which is reported.
    head: Option<Head>,
    range: Range<usize>,
    body: Vec<Node>,
    otherwise: Vec<Node>,
    in_else: bool,
    /// Opened by `{{else if ..}}`: closes with the block around it.
    chained: bool,
    /// That it is closed wrongly has been told.
    is_told: bool,
}

impl Frame {
    fn into_node(self) -> Node {
        Node::Block(Block { head: self.head, body: self.body, otherwise: self.otherwise })
    }
}

struct Builder<'a> {
    text: &'a str,
    root: Vec<Node>,
    open: Vec<Frame>,
    problems: &'a mut Vec<Problem>,
}

impl Builder<'_> {
    fn push(&mut self, node: Node) {
        let nodes = match self.open.last_mut() {
            Some(frame) if frame.in_else => &mut frame.otherwise,
            Some(frame) => &mut frame.body,
            None => &mut self.root,
        };
        nodes.push(node);
    }

    /// Takes one tag; false if it nests too deeply.
    fn tag(&mut self, tag: &Tag) -> bool {
        match tag.kind {
            TagKind::Value => match read_value(self.text, tag.inner.clone()) {
                Ok(value) => self.push(Node::Value(value)),
                Err(problem) => self.problems.push(problem),
            },
            TagKind::Open => return self.open(tag, false),
            TagKind::Else => return self.otherwise(tag),
            TagKind::Close => self.close(tag),
            TagKind::Comment | TagKind::Broken => {}
        }
        true
    }

    fn open(&mut self, tag: &Tag, chained: bool) -> bool {
        if self.open.len() == MAX_DEPTH {
            self.problems.push(
                Problem::new(tag.range.clone(), Problem::TOO_DEEP, "blocks are nested too deeply")
                    .help("make a part of it a stage of kind `render`"),
            );
            return false;
        }
        let content = self.text[tag.inner.clone()].trim_start();
        let end = content.find(|c: char| c.is_whitespace() || c == '~').unwrap_or(content.len());
        let name = content[..end].to_owned();
        let head = self.head(tag);
        self.open.push(Frame {
            name,
            head,
            range: tag.range.clone(),
            body: Vec::new(),
            otherwise: Vec::new(),
            in_else: false,
            chained,
            is_told: false,
        });
        true
    }

    fn head(&mut self, tag: &Tag) -> Option<Head> {
        let content = self.text[tag.inner.clone()].trim_start();
        let read = match content.bytes().next() {
            Some(b'>') => Err(Problem::new(tag.range.clone(), Problem::UNSUPPORTED, "partials can't be used here")
                .help("make the text a stage of kind `render` and name that")),
            Some(b'*') => {
                Err(Problem::new(tag.range.clone(), Problem::UNSUPPORTED, "inline partials can't be used here")
                    .help("make the text a stage of kind `render` and name that"))
            }
            _ => read_head(self.text, tag.inner.clone()).and_then(|head| {
                let call = &head.call;
                if helper::is_block(&call.name) { Ok(head) } else { Err(no_block(&call.name, call.name_range.clone())) }
            }),
        };
        read.map_err(|problem| self.problems.push(problem)).ok()
    }

    fn otherwise(&mut self, tag: &Tag) -> bool {
        let chain = !self.text[tag.inner.clone()].trim().is_empty();
        let problem = match self.open.last_mut() {
            None => Problem::syntax(tag.range.clone(), "`{{else}}` stands in no block")
                .help("write it between `{{#if x}}` and `{{/if}}`"),
            Some(frame) if frame.in_else => {
                Problem::syntax(tag.range.clone(), "`{{else}}` stands twice in one block").help("leave one of them out")
            }
            Some(frame) => {
                frame.in_else = true;
                return !chain || self.open(tag, true);
            }
        };
        self.problems.push(problem);
        true
    }

    fn close(&mut self, tag: &Tag) {
        let name = self.text[tag.inner.clone()].trim();
        let Some(at) = self.open.iter().rposition(|frame| !frame.chained && frame.name == name) else {
            return self.closed_wrongly(name, tag);
        };
        while self.open.len() > at {
            let Some(frame) = self.open.pop() else { return };
            if self.open.len() > at && !frame.chained {
                self.report_open(&frame);
            }
            self.push(frame.into_node());
        }
    }

    /// The tag was perhaps meant for the innermost block: that this is not closed need not be told as well.
    fn closed_wrongly(&mut self, name: &str, tag: &Tag) {
        let problem = match self.open.iter_mut().rfind(|frame| !frame.chained) {
            Some(frame) => {
                frame.is_told = true;
                let open = &frame.name;
                let message = format!("`{{{{/{name}}}}}` stands where `{{{{#{open}}}}}` is open");
                Problem::syntax(tag.range.clone(), message).help(format!("write `{{{{/{open}}}}}`"))
            }
            None => Problem::syntax(tag.range.clone(), format!("`{{{{/{name}}}}}` closes nothing"))
                .help("open it, or leave it out"),
        };
        self.problems.push(problem);
    }

    fn report_open(&mut self, frame: &Frame) {
        // A head that is wrong says enough, and a chain closes with the block around it.
        if frame.head.is_some() && !frame.chained && !frame.is_told {
            let name = &frame.name;
            self.problems.push(
                Problem::syntax(frame.range.clone(), format!("`{{{{#{name}}}}}` is not closed"))
                    .help(format!("write `{{{{/{name}}}}}` where it ends")),
            );
        }
    }
}

/// What to say of `{{#name}}` where `name` is no helper for blocks.
fn no_block(name: &str, range: Range<usize>) -> Problem {
    if helper::find(name).is_some() {
        return Problem::new(range, Problem::UNSUPPORTED, format!("`{name}` is not a block"))
            .help(format!("write `{{{{{name} ..}}}}` without `#`"));
    }
    let known = helper::explain_unknown(name, range);
    if known.code == Problem::UNKNOWN_HELPER {
        Problem::new(known.range, Problem::UNSUPPORTED, format!("there is no block `{name}`")).help(
            match helper::near_block(name) {
                Some(near) => format!("did you mean `#{near}`?"),
                None => format!("write `{{{{#if {name}}}}}`, `{{{{#each {name}}}}}` or `{{{{#with {name}}}}}`"),
            },
        )
    } else {
        known
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::scan;
    use super::*;

    fn problems(text: &str) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let pieces = scan(text, &mut problems);
        build(text, pieces, &mut problems);
        problems.into_iter().map(|p| (text[p.range].to_owned(), p.message)).collect()
    }

    #[test]
    fn blocks_must_pair() {
        for (text, at, message) in [
            ("{{#if a}}", "{{#if a}}", "`{{#if}}` is not closed"),
            ("{{/if}}", "{{/if}}", "`{{/if}}` closes nothing"),
            ("{{#if a}}{{/each}}{{/if}}", "{{/each}}", "`{{/each}}` stands where `{{#if}}` is open"),
            ("{{#if a}}{{#each b}}{{/if}}", "{{#each b}}", "`{{#each}}` is not closed"),
            ("{{else}}", "{{else}}", "`{{else}}` stands in no block"),
            ("{{#if a}}{{else}}{{else}}{{/if}}", "{{else}}", "`{{else}}` stands twice in one block"),
            ("{{#if a}}{{else}}{{else if b}}{{/if}}", "{{else if b}}", "`{{else}}` stands twice in one block"),
        ] {
            assert_eq!(problems(text), [(at.to_owned(), message.to_owned())], "{text}");
        }
    }

    #[test]
    fn chains_close_with_their_block() {
        assert_eq!(problems("{{#if a}}{{else if b}}{{else unless c}}{{else}}{{/if}}"), []);
        assert_eq!(problems("{{#each a}}{{else if b}}{{/each}}"), []);
        assert_eq!(problems("{{#if a}}{{else if b}}").len(), 1);
    }

    #[test]
    fn sections_of_no_helper_are_refused() {
        for (text, at) in [
            ("{{#articles}}x{{/articles}}", "articles"),
            ("{{#upper a}}x{{/upper}}", "upper"),
            ("{{#> layout}}x{{/layout}}", "{{#> layout}}"),
            ("{{#*inline 'x'}}x{{/inline}}", "{{#*inline 'x'}}"),
            ("{{#raw}}x{{/raw}}", "raw"),
        ] {
            let found = problems(text);
            assert_eq!(found[0].0, at, "{text}");
        }
        assert_eq!(problems("{{#articles}}x{{/articles}}").len(), 1);
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |n: usize| format!("{}{}", "{{#if a}}".repeat(n), "{{/if}}".repeat(n));
        let chained = |n: usize| format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{else if a}}".repeat(n));
        assert_eq!(problems(&nested(MAX_DEPTH)), []);
        assert_eq!(problems(&chained(MAX_DEPTH - 1)), []);
        assert_eq!(problems(&nested(100_000)).len(), 1);
        assert_eq!(problems(&chained(100_000)).len(), 1);
    }
}
