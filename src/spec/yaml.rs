//! From text to [`Node`]s: the only file that names the YAML crate.
//!
//! It reads the crate's events rather than its values, because only events say where each thing stands and how it was
//! written. So aliases are expanded here, by sharing; what the file would be with every alias written out is counted
//! and has a limit, and so have depth and length.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use serde_yaml::granit_parser::{ErrorKind, Event, Parser, ScalarStyle, Span, Tag, options};

use super::mapping::OpenMapping;
use super::node::{Node, Style, Value, resolve_plain};
use super::syntax::{Fault, cut_by_comment, open_flow, syntax_error};
use crate::diag::{Diagnostic, Diagnostics};
use crate::model::{FileId, Place};

/// How large a file may be.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Values, with every alias written out.
    nodes: usize,
    /// Bytes of text, with every alias written out.
    bytes: usize,
    /// Bytes of one text.
    text: usize,
    /// Collections within each other.
    depth: usize,
}

const LIMITS: Limits = Limits { nodes: 250_000, bytes: 16 << 20, text: 1 << 20, depth: 64 };

/// The root of the file. Without one, `found` says why; with one, `found` has what can be told of a file that can be
/// read all the same: duplicate keys, keys that are no text, texts that a comment cuts.
pub(super) fn parse(file: FileId, text: &str, found: &mut Diagnostics) -> Option<Node> {
    parse_within(LIMITS, file, text, found)
}

fn parse_within(limits: Limits, file: FileId, text: &str, found: &mut Diagnostics) -> Option<Node> {
    let options = options! { flow_nesting_limit: limits.depth, block_nesting_limit: limits.depth };
    let mut builder = Builder::new(limits, file, text);
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((event, span)) => builder.step(event, span),
            Err(error) => {
                let offset = error.marker().byte_offset().unwrap_or_default().min(text.len());
                let fault = fault(error.kind());
                let flow = builder.open_bracket().map(|start| start..offset.max(start));
                let open = flow.and_then(|flow| open_flow(file, text, &fault, flow));
                Err(Box::new(open.unwrap_or_else(|| syntax_error(file, text, &fault, offset))))
            }
        };
        if let Err(end) = step {
            // What began here was told of already, by less than is known now.
            builder.found.retain(|one| one.place.span.start != end.place.span.start);
            builder.found.push(*end);
            found.extend(builder.found);
            return None;
        }
    }
    found.extend(builder.found);
    let nothing = Node { value: Value::Null, place: Place::new(file, 0..0), alias: None };
    Some(builder.root.unwrap_or(nothing))
}

/// One more piece of the file, or the reason why there is no use in another. Boxed, since a step is taken for each.
type Step = Result<(), Box<Diagnostic>>;

/// How large something is with every alias written out.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
}

/// A collection that has begun and not ended.
struct Open {
    start: usize,
    anchor: usize,
    /// What was spent before it.
    before: Size,
    /// The levels in it, so far.
    height: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Mapping(OpenMapping),
}

struct Anchored {
    node: Node,
    size: Size,
    height: usize,
}

struct Builder<'t> {
    limits: Limits,
    file: FileId,
    text: &'t str,
    found: Vec<Diagnostic>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    spent: Size,
    documents: usize,
    root: Option<Node>,
}

impl<'t> Builder<'t> {
    fn new(limits: Limits, file: FileId, text: &'t str) -> Self {
        Self {
            limits,
            file,
            text,
            found: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            spent: Size::default(),
            documents: 0,
            root: None,
        }
    }

    /// Where the innermost list or mapping begins that is open and written in brackets.
    fn open_bracket(&self) -> Option<usize> {
        self.open.iter().rev().map(|open| open.start).find(|start| self.text[*start..].starts_with(['[', '{']))
    }

    fn step(&mut self, event: Event<'_>, span: Span) -> Step {
        let tag_span = span.tag_span().and_then(|tag| tag.byte_range());
        let span = span.byte_range().unwrap_or(0..0);
        match event {
            Event::DocumentStart(..) => self.begin_document(span.start),
            Event::Scalar(text, style, anchor, tag) => {
                let place = self.scalar_place(&span, style);
                self.check_text(&text, &place)?;
                let size = Size { nodes: 1, bytes: text.len() };
                self.spend(size, &place)?;
                let value = self.scalar(&text, style, tag.as_deref(), &place);
                if let (Some(tag), Value::Broken) = (tag, &value) {
                    self.refuse_tag(&tag, tag_span.unwrap_or(span));
                }
                self.add(Node { value, place, alias: None }, anchor, size, 0);
                Ok(())
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_collection_tag(tag.as_deref(), "seq", tag_span);
                self.begin(span.start, anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_collection_tag(tag.as_deref(), "map", tag_span);
                self.begin(span.start, anchor, Content::Mapping(OpenMapping::new(self.text, span.start)))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.end(span.end);
                Ok(())
            }
            Event::Alias(id) => self.alias(id, Place::new(self.file, span)),
            _ => Ok(()),
        }
    }

    fn begin_document(&mut self, start: usize) -> Step {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        let place = Place::new(self.file, start..self.text.len().min(start + 3));
        let message = "a second document begins here, and a file holds one";
        let help = "take out the line `---`, or make another file of what follows";
        Err(Box::new(Diagnostic::error("several-documents", &place, message).help(help)))
    }

    /// The span of a block text runs on to whatever comes next: it ends with its last word. That of a value that is not
    /// there is the colon: its place is behind it.
    fn scalar_place(&self, span: &Range<usize>, style: ScalarStyle) -> Place {
        let span = match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                span.start..span.start + self.text[span.clone()].trim_end().len()
            }
            _ if span.is_empty() && self.text[span.start..].starts_with(':') => span.start + 1..span.start + 1,
            _ => span.clone(),
        };
        Place::new(self.file, span)
    }

    fn check_text(&self, text: &str, place: &Place) -> Step {
        if text.len() <= self.limits.text {
            return Ok(());
        }
        let start = Place::new(self.file, place.span.start..place.span.start);
        let message = format!("a text of more than {} KiB begins here", self.limits.text >> 10);
        let help = "put it into a file of its own, and write `{file: PATH}`";
        Err(Box::new(Diagnostic::error("too-large", &start, message).help(help)))
    }

    /// What a scalar is; `Broken` if its tag means nothing.
    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, place: &Place) -> Value {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let value = match tag.map(Tag::core_suffix) {
            None if style == Style::Plain => resolve_plain(text),
            Some(Some("int" | "float" | "bool" | "null")) => resolve_plain(text),
            None | Some(Some("str")) => Value::Text(Arc::from(text), style),
            Some(_) => Value::Broken,
        };
        if style == Style::Plain
            && matches!(value, Value::Text(..) | Value::Null)
            && let Some(warning) = cut_by_comment(self.text, place)
        {
            self.found.push(warning);
        }
        value
    }

    fn check_collection_tag(&mut self, tag: Option<&Tag>, fitting: &str, span: Option<Range<usize>>) {
        if let Some(tag) = tag.filter(|tag| tag.core_suffix() != Some(fitting)) {
            self.refuse_tag(tag, span.unwrap_or(0..0));
        }
    }

    fn refuse_tag(&mut self, tag: &Tag, span: Range<usize>) {
        let message = format!("the tag `{}` means nothing here", tag.original());
        self.found.push(
            Diagnostic::error("yaml-tag", &Place::new(self.file, span), message)
                .help("leave the tag out; quote a text that begins with `!`"),
        );
    }

    fn spend(&mut self, size: Size, place: &Place) -> Step {
        self.spent.nodes = self.spent.nodes.saturating_add(size.nodes);
        self.spent.bytes = self.spent.bytes.saturating_add(size.bytes);
        if self.spent.nodes <= self.limits.nodes && self.spent.bytes <= self.limits.bytes {
            return Ok(());
        }
        let message = format!(
            "here the file grows beyond what it may hold: {} values and {} MiB of text, aliases written out",
            self.limits.nodes,
            self.limits.bytes >> 20
        );
        let place = Place::new(place.file, place.span.start..place.span.start);
        let help = "put long lists into a data file (`default: items.jsonl`) and long texts into files of their own";
        Err(Box::new(Diagnostic::error("too-large", &place, message).help(help)))
    }

    fn begin(&mut self, start: usize, anchor: usize, content: Content) -> Step {
        let before = self.spent;
        let place = Place::new(self.file, start..start);
        self.spend(Size { nodes: 1, bytes: 0 }, &place)?;
        self.check_depth(1, &place)?;
        self.open.push(Open { start, anchor, before, height: 0, content });
        Ok(())
    }

    fn check_depth(&self, more: usize, place: &Place) -> Step {
        if self.open.len() + more <= self.limits.depth { Ok(()) } else { Err(Box::new(too_deep(place))) }
    }

    fn end(&mut self, end: usize) {
        let Some(open) = self.open.pop() else { return };
        let end = open.start + self.text[open.start..end.max(open.start)].trim_end().len();
        let place = Place::new(self.file, open.start..end);
        let value = match open.content {
            Content::List(elements) => Value::List(elements.into()),
            Content::Mapping(mapping) => mapping.finish(self.text, &place, &mut self.found),
        };
        let size = Size { nodes: self.spent.nodes - open.before.nodes, bytes: self.spent.bytes - open.before.bytes };
        self.add(Node { value, place, alias: None }, open.anchor, size, open.height + 1);
    }

    fn alias(&mut self, id: usize, place: Place) -> Step {
        let Some(Anchored { node, size, height }) = self.anchors.get(&id) else {
            self.found.push(
                Diagnostic::error("alias-of-itself", &place, "this alias names something that it stands in")
                    .help("name something that ends before the alias"),
            );
            self.add(Node { value: Value::Broken, place, alias: None }, 0, Size::default(), 0);
            return Ok(());
        };
        let (mut node, size, height) = (node.clone(), *size, *height);
        self.check_depth(height, &place)?;
        self.spend(size, &place)?;
        node.alias = Some(place);
        self.add(node, 0, size, height);
        Ok(())
    }

    /// A value is whole: it goes into the collection that is open, or it is the root.
    fn add(&mut self, node: Node, anchor: usize, size: Size, height: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { node: node.clone(), size, height });
        }
        let Some(top) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        top.height = top.height.max(height);
        match &mut top.content {
            Content::List(elements) => elements.push(node),
            Content::Mapping(mapping) => mapping.add(node, self.text, &mut self.found),
        }
    }
}

fn fault(kind: &ErrorKind) -> Fault {
    match kind {
        ErrorKind::RecursionLimitExceeded => Fault::Depth,
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => Fault::Tab,
        ErrorKind::MappingValueNotAllowed
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::InvalidMappingValueWhitespace => Fault::Colon,
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::ExpectedDocumentStart
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::MappingKeyNotAllowed
        | ErrorKind::InvalidIndentation
        | ErrorKind::InvalidSimpleKey
        | ErrorKind::SimpleKeyExpected => Fault::Key,
        ErrorKind::UnknownAnchor => Fault::Alias,
        ErrorKind::UnexpectedCharacter { character } => Fault::Character(*character),
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::DocumentIndicatorInQuotedScalar => Fault::OpenQuote,
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            Fault::AfterQuote
        }
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidLowSurrogateHexEscape
        | ErrorKind::InvalidUnicodeEscape => Fault::Escape,
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator => Fault::OpenBracket,
        ErrorKind::InvalidBlockScalarIndent => Fault::BlockIndent,
        other => Fault::Other(other.to_string()),
    }
}

pub(super) fn too_deep(place: &Place) -> Diagnostic {
    Diagnostic::error("too-deep", place, "too many lists and mappings stand within each other")
        .help("put deep data into a data file (`default: items.jsonl`)")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::json;

    use super::*;
    use crate::model::Json;

    fn read(text: &str) -> (Option<Node>, Vec<Diagnostic>) {
        let mut found = Diagnostics::default();
        let root = parse(FileId(0), text, &mut found);
        (root, found.into_iter().collect())
    }

    fn value(text: &str) -> Json {
        let (root, found) = read(text);
        assert_eq!(found, [], "{text}");
        root.expect(text).to_json()
    }

    /// Values enough for a test.
    const SMALL: Limits = Limits { nodes: 5_000, ..LIMITS };

    /// The code of the only complaint, and the line (from 1) on which it is made.
    fn refusal_within(limits: Limits, text: &str) -> (&'static str, usize) {
        let mut found = Diagnostics::default();
        assert!(parse_within(limits, FileId(0), text, &mut found).is_none());
        let found: Vec<Diagnostic> = found.into_iter().collect();
        assert_eq!(found.len(), 1);
        (found[0].code, text[..found[0].place.span.start].matches('\n').count() + 1)
    }

    fn refusal(text: &str) -> (&'static str, usize) {
        refusal_within(LIMITS, text)
    }

    #[test]
    fn styles_and_kinds() {
        assert_eq!(
            value(
                "a: no\nb: 'x'\nc: \"y\\n\"\nd: |\n  one\n  two\ne: >-\n  one\n  two\nf: [1, 2.5, ~, true]\ng: {1: x, null: y}\nh:\n"
            ),
            json!({
                "a": "no", "b": "x", "c": "y\n", "d": "one\ntwo\n", "e": "one two", "f": [1, 2.5, null, true],
                "g": {"1": "x", "null": "y"}, "h": null,
            })
        );
        assert_eq!(value("a: !!str 5\nb: !!int \"5\"\nc: !!seq [1]"), json!({"a": "5", "b": 5, "c": [1]}));
        assert_eq!(value(""), json!(null));
    }

    #[test]
    fn places_are_those_of_the_source() {
        let text = "a: 'ü' # c\nb: |\n  one\n\n  two\n\nc: [x,\n  y]\nd:\n  e: f\n\n";
        let (root, _) = read(text);
        let root = root.expect("a mapping");
        let written: Vec<&str> =
            root.entries().expect("a mapping").iter().map(|entry| &text[entry.value.place.span.clone()]).collect();
        assert_eq!(written, ["'ü'", "one\n\n  two", "[x,\n  y]", "e: f"]);
        assert_eq!(root.place.span, 0..text.trim_end().len());
    }

    #[test]
    fn aliases_share_and_merges_yield_to_what_is_written() {
        let text = "base: &b {x: 1, y: &t two}\none: {<<: *b, y: own}\ntwo: {y: own, <<: [{z: 3}, *b]}\nthree: *t\n";
        assert_eq!(
            value(text),
            json!({
                "base": {"x": 1, "y": "two"}, "one": {"y": "own", "x": 1}, "two": {"y": "own", "z": 3, "x": 1},
                "three": "two",
            })
        );
        assert_eq!(value("\"<<\": {a: 1}"), json!({"<<": {"a": 1}}), "in quotes it is a key");
        let (root, _) = read(text);
        let root = root.expect("a mapping");
        let three = &root.entries().expect("a mapping")[3].value;
        assert_eq!(&text[three.place.span.clone()], "two");
        assert_eq!(three.alias.as_ref().map(|place| &text[place.span.clone()]), Some("*t"));
    }

    #[test]
    fn a_bomb_of_aliases_is_refused_before_it_is_built() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..=20 {
            let alias = format!("*a{}", level - 1);
            writeln!(text, "a{level}: &a{level} [{}]", [alias.as_str(); 9].join(", ")).expect("memory");
        }
        // 9^6 is beyond the limit, so the sixth line cannot come to its end; up to there a hundred nodes were made.
        assert_eq!(refusal(&text), ("too-large", 6));
    }

    #[test]
    fn a_bomb_of_texts_is_refused_too() {
        let text = format!("a: &a \"{}\"\nb:\n{}", "x".repeat(1 << 20), "  - *a\n".repeat(100));
        assert_eq!(refusal(&text), ("too-large", 17), "sixteen of one MiB each, less a few bytes");
    }

    #[test]
    fn a_bomb_of_merges_is_refused_too() {
        let keys: Vec<String> = (0..1000).map(|n| format!("k{n}: 1")).collect();
        let text = format!("a: &a {{{}}}\n{}", keys.join(", "), "b: {<<: *a}\n".repeat(1000));
        let (code, line) = refusal_within(SMALL, &text);
        assert_eq!(code, "too-large");
        assert_eq!(line, 3, "keys are values too, so two thousand fit twice");
    }

    #[test]
    fn long_lists_long_texts_and_deep_nests_end_where_the_limit_is() {
        assert_eq!(refusal_within(SMALL, &"- x\n".repeat(9_000)), ("too-large", 5_000));
        assert_eq!(refusal(&format!("a: 1\nb: {}", "x".repeat(LIMITS.text + 1))), ("too-large", 2));
        for deep in ["[".repeat(10_000), "- ".repeat(10_000), "{a: ".repeat(10_000), "? ".repeat(10_000)] {
            assert_eq!(refusal(&deep), ("too-deep", 1));
        }
        let nest = format!("{}{}", "[".repeat(40), "]".repeat(40));
        assert_eq!(refusal(&format!("a: &a {nest}\nb: {}*a{}", "[".repeat(40), "]".repeat(40))), ("too-deep", 2));
    }

    #[test]
    fn what_is_wrong_does_not_hide_what_follows() {
        let (root, found) = read("a: 1\na: 2\nb: {{x}}\nc: !x y\nd: {{{z}}}\n[e]: f\n<<: 5\n");
        assert!(root.is_some());
        let codes: Vec<&str> = found.iter().map(|one| one.code).collect();
        assert_eq!(
            codes,
            [
                "duplicate-key",
                "unquoted-template",
                "yaml-tag",
                "unquoted-template",
                "key-is-no-text",
                "merge-without-mapping"
            ]
        );
    }
}
