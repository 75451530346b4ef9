//! What a file names: every path in it, with groups taken apart and `super` followed.

use super::lexer::{Token, tokens};

/// Something that a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// In this crate, from its root: `["model", "Call"]`. Empty if it is the root itself.
    Inside { line: usize, path: Vec<String> },
    /// From elsewhere, or a name that is in scope: `["std", "env"]`. At least two parts, or imported.
    Outside { line: usize, path: Vec<String> },
    /// `#[path = ".."]` or `include!(..)`, after which code is not where it seems to be.
    Moved { line: usize },
}

/// All that `text` names, the text being the module `module`.
pub(crate) fn paths_in(text: &str, module: &[String]) -> Vec<Named> {
    let tokens = tokens(text);
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        module: module.to_vec(),
        braces: Vec::new(),
        import: false,
        found: Vec::new(),
    };
    while reader.at < tokens.len() {
        reader.step();
    }
    reader.found
}

/// Where a path has led so far.
#[derive(Clone)]
enum Prefix {
    Start,
    Inside(Vec<String>),
    Outside(Vec<String>),
}

struct Reader<'t> {
    tokens: &'t [Token],
    at: usize,
    /// The module that the reader is in, inline ones included.
    module: Vec<String>,
    /// For each open brace, whether it is that of an inline module.
    braces: Vec<bool>,
    /// Whether this is a `use` or `extern crate`, where a single name counts.
    import: bool,
    found: Vec<Named>,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text.as_str())
    }

    fn step(&mut self) {
        match self.peek(0) {
            "{" => self.open(),
            "}" => {
                if self.braces.pop() == Some(true) {
                    self.module.pop();
                }
                self.at += 1;
            }
            ";" => {
                self.import = false;
                self.at += 1;
            }
            "pub" if self.peek(1) == "(" && (self.peek(2) == "in" || self.peek(3) == ")") => {
                while self.at < self.tokens.len() && self.step_over() != ")" {}
            }
            "#" if self.peek(1) == "[" && self.peek(2) == "path" => self.moved(3),
            // `#[cfg_attr(unix, path = "..")]`
            "path" if matches!(self.before(), "," | "(") && self.peek(1) == "=" => self.moved(2),
            "include" if self.peek(1) == "!" => self.moved(2),
            "use" if self.peek(1) != "<" => {
                self.import = true;
                self.at += 1;
            }
            "extern" if self.peek(1) == "crate" => {
                self.import = true;
                self.at += 2;
            }
            // A range may stand before a path; a field or a method is none.
            "." if self.peek(1) == "." => self.at += 2,
            "." if self.tokens.get(self.at + 1).is_some_and(Token::is_word) => self.at += 2,
            _ if self.tokens[self.at].is_word() => self.path(Prefix::Start),
            _ => self.at += 1,
        }
    }

    fn before(&self) -> &str {
        self.at.checked_sub(1).map_or("", |at| self.tokens[at].text.as_str())
    }

    fn moved(&mut self, tokens: usize) {
        self.found.push(Named::Moved { line: self.tokens[self.at].line });
        self.at += tokens;
    }

    fn step_over(&mut self) -> &str {
        self.at += 1;
        &self.tokens[self.at - 1].text
    }

    fn open(&mut self) {
        let inline = self.at >= 2 && self.tokens[self.at - 2].text == "mod";
        if inline {
            self.module.push(self.tokens[self.at - 1].text.clone());
        }
        self.braces.push(inline);
        self.at += 1;
    }

    /// Reads a path, or the rest of one inside a group.
    fn path(&mut self, mut prefix: Prefix) {
        let line = self.tokens[self.at].line;
        loop {
            match self.peek(0) {
                "{" => return self.group(&prefix),
                "*" => {
                    prefix = prefix.then("*", &self.module);
                    self.at += 1;
                }
                _ if self.tokens.get(self.at).is_some_and(Token::is_word) => {
                    prefix = prefix.then(self.peek(0), &self.module);
                    self.at += 1;
                    if self.peek(0) == "::" {
                        self.at += 1;
                        continue;
                    }
                }
                _ => {}
            }
            break;
        }
        if self.import && self.peek(0) == "as" {
            self.at += 2;
        }
        self.record(line, prefix);
    }

    fn group(&mut self, prefix: &Prefix) {
        self.at += 1;
        while self.at < self.tokens.len() {
            match self.peek(0) {
                "}" => {
                    self.at += 1;
                    return;
                }
                "," => self.at += 1,
                _ => self.path(prefix.clone()),
            }
        }
    }

    fn record(&mut self, line: usize, prefix: Prefix) {
        match prefix {
            Prefix::Inside(path) => self.found.push(Named::Inside { line, path }),
            Prefix::Outside(path) if path.len() > 1 || self.import => self.found.push(Named::Outside { line, path }),
            Prefix::Outside(_) | Prefix::Start => {}
        }
    }
}

impl Prefix {
    fn then(self, part: &str, module: &[String]) -> Self {
        match (self, part) {
            (Self::Start, "crate") => Self::Inside(Vec::new()),
            (Self::Start, "self") => Self::Inside(module.to_vec()),
            (Self::Start, "super") => Self::Inside(parent(module.to_vec())),
            (Self::Start, _) => Self::Outside(vec![part.to_owned()]),
            (Self::Inside(path), "super") => Self::Inside(parent(path)),
            // `{self, ..}` names what the group hangs on.
            (prefix, "self") => prefix,
            (Self::Inside(path), _) => Self::Inside(with(path, part)),
            (Self::Outside(path), _) => Self::Outside(with(path, part)),
        }
    }
}

fn parent(mut path: Vec<String>) -> Vec<String> {
    path.pop();
    path
}

fn with(mut path: Vec<String>, part: &str) -> Vec<String> {
    path.push(part.to_owned());
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paths named in the module `room::file`; those inside the crate begin with `crate`.
    fn named(text: &str) -> Vec<String> {
        paths_in(text, &["room".to_owned(), "file".to_owned()])
            .into_iter()
            .map(|named| match named {
                Named::Inside { path, .. } => [vec!["crate".to_owned()], path].concat().join("::"),
                Named::Outside { path, .. } => path.join("::"),
                Named::Moved { .. } => "moved".to_owned(),
            })
            .collect()
    }

    #[test]
    fn imports_are_taken_apart() {
        assert_eq!(
            named("use crate::{model::{Call, self}, spec::*, plan as p};"),
            ["crate::model::Call", "crate::model", "crate::spec::*", "crate::plan"]
        );
        assert_eq!(
            named("use std::{env, fs::{self, File}}; use reqwest;"),
            ["std::env", "std::fs", "std::fs::File", "reqwest"]
        );
        assert_eq!(named("pub use super::other::Noun; extern crate anyhow;"), ["crate::room::other::Noun", "anyhow"]);
    }

    #[test]
    fn super_is_followed_out_of_the_room() {
        assert_eq!(named("use super::super::plan::Plan;"), ["crate::plan::Plan"]);
        assert_eq!(
            named("use super::{super::{plan, exec::Run}, other};"),
            ["crate::plan", "crate::exec::Run", "crate::room::other"]
        );
        assert_eq!(named("use super::super as root; use crate as root;"), ["crate", "crate"]);
        assert_eq!(named("use self::super::super::plan;"), ["crate::plan"]);
    }

    #[test]
    fn inline_modules_are_a_step_further_down() {
        assert_eq!(
            named("mod tests { use super::*; use super::super::x; } use super::y;"),
            ["crate::room::file::*", "crate::room::x", "crate::room::y"]
        );
        assert_eq!(named("mod a { mod b { fn f() { super::super::super::super::plan::g() } } }"), ["crate::plan::g"]);
    }

    #[test]
    fn paths_in_code_and_macros_count_too() {
        assert_eq!(
            named("fn f(x: &crate::plan::Plan) -> std::env::Args { x.reqwest::<u8>() }"),
            ["crate::plan::Plan", "std::env::Args"]
        );
        assert_eq!(named("macro_rules! m { ($x:expr) => { $crate::exec::go($x) } }"), ["crate::exec::go"]);
        assert_eq!(named("fn f() { if x.0 { g(..crate::spec::N) } }"), ["crate::spec::N"]);
        assert_eq!(named("#[derive(clap::Parser)] struct S { handlebars: u8 }"), ["clap::Parser"]);
    }

    #[test]
    fn visibility_names_nothing_and_moved_modules_are_seen() {
        assert_eq!(named("pub(crate) mod a; pub(super) fn f() {} pub(in super::super) struct S;"), [""; 0]);
        assert_eq!(named("struct S(pub (crate::plan::Plan, u8));"), ["crate::plan::Plan"]);
        assert_eq!(named("#[path = \"../plan/mod.rs\"] mod plan;"), ["moved"]);
        assert_eq!(named("#[cfg_attr(unix, path = \"../plan/mod.rs\")] mod plan;"), ["moved"]);
        assert_eq!(named("include!(\"../plan/mod.rs\");"), ["moved"]);
        assert_eq!(named("fn f() { let path = Path { path, line }; }"), [""; 0]);
    }

    #[test]
    fn paths_in_attributes_count_too() {
        assert_eq!(
            named("#[serde(with = \"crate::plan::seconds\", default = \"super::super::spec::one\")] a: u8"),
            ["crate::plan::seconds", "crate::spec::one"]
        );
        assert_eq!(named("fn f() { g(\"crate::plan\", \"a = crate::plan\") }"), [""; 0]);
    }
}
