//! What stands between the braces: a value, a call of a helper, the head of a block.

use std::ops::Range;

use crate::model::Json;

use super::problem::Problem;

/// How deep parentheses nest at most.
const MAX_PARENTHESES: usize = 32;

/// Something that has a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expr {
    /// Where it stands in the template.
    pub(super) range: Range<usize>,
    pub(super) kind: ExprKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum ExprKind {
    /// `article.title`
    Path(Path),
    /// `'text'`, `3`, `true`, `null`
    Literal(Json),
    /// `truncate report 300`
    Call(Call),
}

/// A path as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) base: Base,
    /// Names and indices; the first of a bare path is what it starts from.
    pub(super) segments: Vec<String>,
    /// One word without brackets, dots or marks: what could be the name of a helper.
    pub(super) word: bool,
}

/// What a path starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Base {
    /// `title`
    Bare,
    /// `this.title` (0), `../title` (1), `../../title` (2)
    Element(usize),
    /// `@root.title`
    Root,
    /// `@index` (0), `@../index` (1)
    Data(usize, String),
}

/// A helper with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) name_range: Range<usize>,
    pub(super) args: Vec<Expr>,
    pub(super) named: Vec<Named>,
}

/// `decimals=2`
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) name_range: Range<usize>,
    pub(super) value: Expr,
}

/// What a block begins with: `each articles as |article i|`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Head {
    pub(super) call: Call,
    /// Block parameters and where they stand.
    pub(super) params: Vec<(String, Range<usize>)>,
}

/// Reads `text[range]` as a value or a call, and nothing beside it.
pub(super) fn read_value(text: &str, range: Range<usize>) -> Result<Expr, Problem> {
    let mut reader = Reader { text, at: range.start, end: range.end, depth: 0 };
    let value = reader.value()?;
    reader.skip_blanks();
    if reader.at < reader.end { Err(reader.unexpected()) } else { Ok(value) }
}

/// Reads `text[range]` as the head of a block.
pub(super) fn read_head(text: &str, range: Range<usize>) -> Result<Head, Problem> {
    let mut reader = Reader { text, at: range.start, end: range.end, depth: 0 };
    reader.skip_blanks();
    let start = reader.at;
    let name = reader.symbols();
    let name_range = start..reader.at;
    if name.is_empty() {
        return Err(reader.unexpected());
    }
    let (args, named) = reader.arguments()?;
    let params = reader.block_params()?;
    reader.skip_blanks();
    if reader.at < reader.end {
        return Err(reader.unexpected());
    }
    Ok(Head { call: Call { name, name_range, args, named }, params })
}

/// Whether a character may stand in a name.
pub(super) fn is_symbol(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '$' | ':') || (!c.is_ascii() && !c.is_whitespace())
}

/// Reads one stretch of a template from left to right.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    /// The byte that is looked at next.
    pub(super) at: usize,
    end: usize,
    /// How many parentheses are open.
    depth: usize,
}

impl Reader<'_> {
    pub(super) fn rest(&self) -> &str {
        &self.text[self.at..self.end]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn skip_blanks(&mut self) {
        self.at = self.end - self.rest().trim_start().len();
    }

    fn symbols(&mut self) -> String {
        let rest = self.rest();
        let length = rest.find(|c| !is_symbol(c)).unwrap_or(rest.len());
        let word = rest[..length].to_owned();
        self.at += length;
        word
    }

    fn unexpected(&self) -> Problem {
        let Some(found) = self.peek() else {
            return Problem::syntax(self.end..self.end, "something is missing here")
                .help("name a value: `title`, or close what is open");
        };
        let problem = Problem::syntax(self.at..self.at + found.len_utf8(), format!("`{found}` can't stand here"));
        match found {
            '{' | '}' => problem.help("write names without braces of their own"),
            '\'' | '"' => problem.help("put a text between quotes of one kind, with a space before it"),
            '|' => problem.help("block parameters are written `{{#each list as |item|}}`"),
            ',' => problem.help("arguments are separated by spaces"),
            '=' | '<' | '>' | '!' | '&' | '+' | '*' => {
                problem.help("there are helpers instead of operators: `eq a b`, `gt a b`, `and a b`, `not a`")
            }
            ')' => problem.help("there is no `(` for it"),
            _ => problem,
        }
    }

    /// A value, or a helper with its arguments, up to the end or a closing parenthesis.
    fn value(&mut self) -> Result<Expr, Problem> {
        self.skip_blanks();
        let first = self.operand()?;
        self.skip_blanks();
        if self.at == self.end || self.peek() == Some(')') {
            return Ok(first);
        }
        let ExprKind::Path(Path { word: true, segments, .. }) = &first.kind else {
            if matches!(self.peek(), Some(c) if is_symbol(c) || matches!(c, '\'' | '"' | '(' | '.' | '@' | '[')) {
                let written = &self.text[first.range.clone()];
                let message = format!("`{written}` is not a helper, so nothing can follow it");
                return Err(
                    Problem::syntax(first.range, message).help("write one value, or a helper and its arguments")
                );
            }
            return Err(self.unexpected());
        };
        let (name, name_range) = (segments.concat(), first.range);
        self.at = name_range.end;
        let (args, named) = self.arguments()?;
        let range = name_range.start..self.at;
        Ok(Expr { range, kind: ExprKind::Call(Call { name, name_range, args, named }) })
    }

    fn arguments(&mut self) -> Result<(Vec<Expr>, Vec<Named>), Problem> {
        let (mut args, mut named) = (Vec::new(), Vec::new());
        let mut ended = self.at;
        loop {
            self.skip_blanks();
            if self.at == self.end || self.peek() == Some(')') || self.at_block_params() {
                self.at = ended;
                return Ok((args, named));
            }
            if self.at == ended {
                return Err(self.unexpected());
            }
            let start = self.at;
            let name = self.symbols();
            let name_range = start..self.at;
            if !name.is_empty() && self.eat("=") {
                named.push(Named { name, name_range, value: self.operand()? });
            } else {
                self.at = start;
                args.push(self.operand()?);
            }
            ended = self.at;
        }
    }

    fn at_block_params(&self) -> bool {
        self.rest().strip_prefix("as").is_some_and(|rest| rest.trim_start().starts_with('|'))
    }

    fn block_params(&mut self) -> Result<Vec<(String, Range<usize>)>, Problem> {
        let mut params = Vec::new();
        self.skip_blanks();
        if !self.at_block_params() {
            return Ok(params);
        }
        self.at += 2;
        self.skip_blanks();
        self.at += 1;
        loop {
            self.skip_blanks();
            if self.eat("|") {
                return Ok(params);
            }
            let start = self.at;
            let name = self.symbols();
            if name.is_empty() {
                return Err(self.unexpected());
            }
            params.push((name, start..self.at));
        }
    }

    fn operand(&mut self) -> Result<Expr, Problem> {
        let start = self.at;
        let kind = match self.peek() {
            Some(quote @ ('\'' | '"')) => ExprKind::Literal(Json::String(self.string(quote)?)),
            Some('(') => return self.parentheses(),
            Some(c) if c == '@' || c == '.' || c == '[' || is_symbol(c) => match self.scalar() {
                Some(literal) => ExprKind::Literal(literal),
                None => ExprKind::Path(self.path()?),
            },
            _ => return Err(self.unexpected()),
        };
        Ok(Expr { range: start..self.at, kind })
    }

    fn parentheses(&mut self) -> Result<Expr, Problem> {
        let start = self.at;
        if self.depth == MAX_PARENTHESES {
            return Err(Problem::new(start..start + 1, Problem::TOO_DEEP, "parentheses are nested too deeply")
                .help("make a part of it a stage of kind `render`"));
        }
        self.depth += 1;
        self.at += 1;
        let inner = self.value()?;
        self.skip_blanks();
        if !self.eat(")") {
            return Err(Problem::syntax(start..start + 1, "`(` is not closed").help("close it with `)`"));
        }
        self.depth -= 1;
        Ok(inner)
    }

    fn path(&mut self) -> Result<Path, Problem> {
        let start = self.at;
        let mut ups = 0;
        let data = self.eat("@");
        while self.eat("../") {
            ups += 1;
        }
        if data || self.eat("@") {
            return self.data_path(start, ups);
        }
        if self.rest().starts_with("..") && !self.rest()[2..].starts_with(is_symbol) {
            self.at += 2;
            return self.tail(Base::Element(ups + 1), Vec::new());
        }
        let dotted = ups == 0 && self.eat("./");
        if !dotted && ups == 0 && self.eat(".") {
            return if self.peek().is_some_and(is_symbol) {
                self.at = start;
                Err(self.unexpected())
            } else {
                self.tail(Base::Element(0), Vec::new())
            };
        }
        let bracket = self.peek() == Some('[');
        let first = self.segment()?;
        if first == "this" && !bracket {
            return self.tail(Base::Element(ups), Vec::new());
        }
        let base = if ups > 0 || dotted { Base::Element(ups) } else { Base::Bare };
        let mut path = self.tail(base, vec![first])?;
        path.word = path.base == Base::Bare && path.segments.len() == 1 && !bracket;
        Ok(path)
    }

    fn data_path(&mut self, start: usize, ups: usize) -> Result<Path, Problem> {
        let name = self.symbols();
        match name.as_str() {
            "root" if ups == 0 => self.tail(Base::Root, Vec::new()),
            "index" | "key" | "first" | "last" => self.tail(Base::Data(ups, name), Vec::new()),
            _ => {
                let written = &self.text[start..self.at];
                Err(Problem::new(start..self.at, Problem::NAME, format!("`{written}` does not exist"))
                    .help("there are `@index`, `@key`, `@first`, `@last` and `@root`"))
            }
        }
    }

    /// The segments after the first, each behind a `.` or a `/`.
    fn tail(&mut self, base: Base, mut segments: Vec<String>) -> Result<Path, Problem> {
        while self.eat(".") || self.eat("/") {
            segments.push(self.segment()?);
        }
        Ok(Path { base, segments, word: false })
    }

    fn segment(&mut self) -> Result<String, Problem> {
        let start = self.at;
        if self.eat("[") {
            let Some(length) = self.rest().find(']') else {
                return Err(Problem::syntax(start..start + 1, "`[` is not closed").help("close it with `]`"));
            };
            let name = self.rest()[..length].to_owned();
            self.at += length + 1;
            return Ok(name);
        }
        let name = self.symbols();
        if let Some(quote) = name.find(['“', '”', '‘', '’', '„']) {
            return Err(Problem::syntax(start + quote..start + quote + 3, "this is a typographic quote")
                .help("put texts between `'` and `'`, or between `\"` and `\"`"));
        }
        if name.is_empty() {
            return Err(match self.peek() {
                Some(c) if !c.is_whitespace() && c != ')' => self.unexpected(),
                _ => Problem::syntax(self.at - 1..self.at, "a name is missing here"),
            });
        }
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Path(path) => match &path.base {
                Base::Bare => path.segments.join(">"),
                base => format!("{base:?}>{}", path.segments.join(">")),
            },
            ExprKind::Literal(value) => value.to_string(),
            ExprKind::Call(call) => {
                let args = call.args.iter().map(shown);
                let named = call.named.iter().map(|named| format!("{}={}", named.name, shown(&named.value)));
                format!("{}({})", call.name, args.chain(named).collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn read(text: &str) -> String {
        shown(&read_value(text, 0..text.len()).unwrap())
    }

    fn wrong(text: &str) -> (String, String) {
        let problem = read_value(text, 0..text.len()).unwrap_err();
        (text[problem.range.clone()].to_owned(), problem.message)
    }

    #[test]
    fn paths() {
        for (text, path) in [
            ("title", "title"),
            (" article.body ", "article>body"),
            ("article/body", "article>body"),
            ("article.tags.0.[First Name]", "article>tags>0>First Name"),
            ("[First Name]", "First Name"),
            ("this", "Element(0)>"),
            (".", "Element(0)>"),
            ("./x", "Element(0)>x"),
            ("this.x", "Element(0)>x"),
            ("..", "Element(1)>"),
            ("../../x.y", "Element(2)>x>y"),
            ("../this.x", "Element(1)>x"),
            ("@root.x", "Root>x"),
            ("@index", "Data(0, \"index\")>"),
            ("@../index", "Data(1, \"index\")>"),
            ("../@index", "Data(1, \"index\")>"),
            ("größe", "größe"),
            ("first-name", "first-name"),
            ("2fast", "2fast"),
        ] {
            assert_eq!(read(text), path, "{text}");
        }
    }

    #[test]
    fn literals() {
        for (text, value) in [
            ("'a b'", "\"a b\""),
            (r"'it\'s\n\u00e9\\'", r#""it's\né\\""#),
            ("\"it's\"", "\"it's\""),
            ("-3.50", "-3.5"),
            ("1e3", "1000.0"),
            ("true", "true"),
            ("null", "null"),
            ("truest", "truest"),
        ] {
            assert_eq!(read(text), value, "{text}");
        }
    }

    #[test]
    fn calls() {
        assert_eq!(read("truncate report 300"), "truncate(report, 300)");
        assert_eq!(read("not (gt (len x) 3)"), "not(gt(len(x), 3))");
        assert_eq!(read("number x decimals=2 group='.'"), "number(x, decimals=2, group=\".\")");
        assert_eq!(read("( (x) )"), "x");
        assert_eq!(read("eq\n a  'b'"), "eq(a, \"b\")");
    }

    #[test]
    fn ranges_are_exact() {
        let text = "  truncate (lower report.title) 300 ";
        let value = read_value(text, 0..text.len()).unwrap();
        assert_eq!(&text[value.range.clone()], "truncate (lower report.title) 300");
        let ExprKind::Call(call) = value.kind else { panic!() };
        assert_eq!(&text[call.args[0].range.clone()], "lower report.title");
        assert_eq!(&text[call.args[1].range.clone()], "300");
    }

    #[test]
    fn heads() {
        let text = "each articles as |article i|";
        let head = read_head(text, 0..text.len()).unwrap();
        assert_eq!(head.call.args.len(), 1);
        assert_eq!(&text[head.params[1].1.clone()], "i");
        assert!(read_head("if", 0..2).unwrap().call.args.is_empty());
        assert!(read_head("each a as |b", 0..12).is_err());
        assert!(read_head("each a as |b| c", 0..15).is_err());
    }

    #[test]
    fn mistakes_are_shown_where_they_are() {
        for (text, at, message) in [
            ("a.b c", "a.b", "`a.b` is not a helper, so nothing can follow it"),
            ("don't", "'", "`'` can't stand here"),
            ("eq a 'b", "'", "this text is not closed"),
            (r"replace a '\d' ''", r"\d", r"`\d` means nothing in a text"),
            ("eq (len a 3", "(", "`(` is not closed"),
            ("eq a) 3", ")", "`)` can't stand here"),
            ("a == b", "=", "`=` can't stand here"),
            ("article.", ".", "a name is missing here"),
            ("a.[b", "[", "`[` is not closed"),
            ("join a “, ”", "“", "this is a typographic quote"),
            ("eq {{a}} b", "{", "`{` can't stand here"),
            ("@secret", "@secret", "`@secret` does not exist"),
            ("join a, b", ",", "`,` can't stand here"),
            ("", "", "something is missing here"),
        ] {
            assert_eq!(wrong(text), (at.to_owned(), message.to_owned()), "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = |n: usize| format!("{}x{}", "(".repeat(n), ")".repeat(n));
        assert_eq!(read(&deep(MAX_PARENTHESES)), "x");
        let text = deep(100_000);
        assert_eq!(read_value(&text, 0..text.len()).unwrap_err().code, Problem::TOO_DEEP);
    }
}
