//! A diagnostic as people see it.
//!
//! ```text
//! digest.yaml:12:14: error: unknown stage `sumarize`        FILE:LINE:COLUMN, severity, message
//!    |
//!  9 |   summarize:
//!    |   --------- this stage                                another place of the same file, with its words
//! ...
//! 12 |     text: "{{sumarize}}"                              the line itself
//!    |              ^^^^^^^^ no such name                    the stretch that is wrong, and its label
//!    |
//!    = help: did you mean `summarize`?                      what to try
//! note: and this one                                        another place elsewhere
//!   --> providers.yaml:3:1
//!    |
//!  3 | local:
//!    | -----
//! ```

use annotate_snippets::renderer::{DEFAULT_ERROR_STYLE, DEFAULT_NOTE_STYLE, DEFAULT_WARNING_STYLE, Effects, Style};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer};

use super::diagnostic::{Diagnostic, Severity};
use super::excerpt::{Excerpt, Mark};
use super::files::SourceFiles;
use super::visible::visible;
use crate::model::Place;

/// Places of one file that are further apart than this, in lines, are shown apart.
const NEAR: usize = 200;

/// Columns before the text of a help, with a line number of four digits.
const HELP_INDENT: usize = 14;

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrawStyle {
    /// With the escape sequences of a terminal.
    pub colour: bool,
    /// The width of the terminal, in columns.
    pub width: usize,
    /// Whether long helps are broken between words, as a terminal would break them anywhere.
    pub wrap: bool,
}

impl DrawStyle {
    /// For files, pipes and tests.
    pub const PLAIN: Self = Self { colour: false, width: 120, wrap: false };
}

/// Draws `diagnostic`, as the picture above this function's module shows; several lines, without a line end after the
/// last. What comes from files is made safe to show.
pub fn draw(diagnostic: &Diagnostic, files: &SourceFiles, style: DrawStyle) -> String {
    let renderer = if style.colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(style.width.max(40));
    let (near, far): (Vec<_>, Vec<_>) = diagnostic
        .others
        .iter()
        .map(|(place, words)| (place, words.as_str()))
        .partition(|(place, _)| is_near(&diagnostic.place, place, files));

    let main = main_excerpt(diagnostic, &near, files);
    let apart: Vec<Apart> = far.iter().map(|(place, words)| Apart::new(place, words, files)).collect();

    let mut group = Group::with_level(level(diagnostic.severity)).element(main.snippet());
    if let Some(help) = &diagnostic.help {
        let columns = if style.wrap { style.width.max(40) - HELP_INDENT } else { usize::MAX };
        let lines: Vec<String> = help.lines().map(|line| wrapped(&visible(line), columns)).collect();
        group = group.element(Level::HELP.message(lines.join("\n")));
    }
    let groups: Vec<Group<'_>> = std::iter::once(group).chain(apart.iter().map(Apart::group)).collect();
    format!("{}\n{}", headline(diagnostic, files, style), renderer.render(&groups))
}

/// A line broken between words, so that no part has more than `columns` characters where that is possible.
fn wrapped(line: &str, columns: usize) -> String {
    let mut text = String::new();
    let mut used = 0;
    for word in line.split_inclusive(' ') {
        if used > 0 && used + word.trim_end().chars().count() > columns {
            text.truncate(text.trim_end().len());
            text.push('\n');
            used = 0;
        }
        text.push_str(word);
        used += word.chars().count();
    }
    text
}

fn headline(diagnostic: &Diagnostic, files: &SourceFiles, style: DrawStyle) -> String {
    let (line, column) = files.line_column(&diagnostic.place);
    let name = visible(files.get(diagnostic.place.file).name());
    let severity = diagnostic.severity.name();
    let message = visible(&diagnostic.message);
    if style.colour {
        let bold = Style::new().effects(Effects::BOLD);
        let level = match diagnostic.severity {
            Severity::Error => DEFAULT_ERROR_STYLE,
            Severity::Warning => DEFAULT_WARNING_STYLE,
            Severity::Note => DEFAULT_NOTE_STYLE,
        };
        format!("{name}:{line}:{column}: {level}{severity}{level:#}{bold}: {message}{bold:#}")
    } else {
        format!("{name}:{line}:{column}: {severity}: {message}")
    }
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    }
}

fn is_near(main: &Place, other: &Place, files: &SourceFiles) -> bool {
    let line = |place: &Place| files.get(place.file).line_of(place.span.start);
    main.file == other.file && line(main).abs_diff(line(other)) <= NEAR
}

fn main_excerpt(diagnostic: &Diagnostic, near: &[(&Place, &str)], files: &SourceFiles) -> Excerpt {
    let primary =
        Mark { span: diagnostic.place.span.clone(), label: diagnostic.label.as_deref(), kind: AnnotationKind::Primary };
    let others = near.iter().map(|(place, words)| Mark {
        span: place.span.clone(),
        label: Some(words),
        kind: AnnotationKind::Context,
    });
    let marks: Vec<Mark<'_>> = std::iter::once(primary).chain(others).collect();
    Excerpt::new(files.get(diagnostic.place.file), &marks)
}

/// A place that is shown below the rest, under its own heading.
struct Apart {
    words: String,
    origin: String,
    excerpt: Excerpt,
}

impl Apart {
    fn new(place: &Place, words: &str, files: &SourceFiles) -> Self {
        let file = files.get(place.file);
        let mark = Mark { span: place.span.clone(), label: None, kind: AnnotationKind::Context };
        Self { words: visible(words), origin: visible(file.name()), excerpt: Excerpt::new(file, &[mark]) }
    }

    fn group(&self) -> Group<'_> {
        let snippet = self.excerpt.snippet().path(self.origin.as_str());
        Level::NOTE.secondary_title(self.words.as_str()).element(snippet)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(text: &str, span: std::ops::Range<usize>) -> String {
        let mut files = SourceFiles::default();
        let id = files.add("digest.yaml", text);
        draw(&Diagnostic::error("x", &Place::new(id, span), "wrong"), &files, DrawStyle::PLAIN)
    }

    #[test]
    fn the_picture_of_the_module() {
        let mut files = SourceFiles::default();
        let main = files.add("digest.yaml", "\n".repeat(8) + "  summarize:\n\n\n    text: \"{{sumarize}}\"\n");
        let other = files.add("providers.yaml", "\n\nlocal:\n");
        let diagnostic = Diagnostic::error("unknown-name", &Place::new(main, 36..44), "unknown stage `sumarize`")
            .label("no such name")
            .also(&Place::new(main, 10..19), "this stage")
            .also(&Place::new(other, 2..7), "and this one")
            .help("did you mean `summarize`?");
        assert_eq!(
            draw(&diagnostic, &files, DrawStyle::PLAIN),
            "\
digest.yaml:12:14: error: unknown stage `sumarize`
   |
 9 |   summarize:
   |   --------- this stage
...
12 |     text: \"{{sumarize}}\"
   |              ^^^^^^^^ no such name
   |
   = help: did you mean `summarize`?
note: and this one
  --> providers.yaml:3:1
   |
 3 | local:
   | -----"
        );
    }

    #[test]
    fn control_characters_are_written_out() {
        let text = drawn("a: \u{1b}[31mred\u{7} \u{202e}x\r\nb", 3..4);
        assert_eq!(text, "digest.yaml:1:4: error: wrong\n  |\n1 | a: \\u{1b}[31mred\\u{7} \\u{202e}x\n  |    ^^^^^^");
        let mut files = SourceFiles::default();
        let place = files.add_words("com\u{1b}mand", "--input a\u{1b}=");
        let all = Diagnostic::error("x", &place, "a\u{1b}b\nc")
            .label("\u{1b}")
            .also(&place, "\u{9b}31m")
            .help("try\u{1b}\nthis");
        let text = draw(&all, &files, DrawStyle::PLAIN);
        assert!(!text.contains(['\u{1b}', '\u{9b}']), "{text}");
        assert!(text.starts_with("com\\u{1b}mand:1:1: error: a\\u{1b}b\\nc\n"), "{text}");
    }

    #[test]
    fn a_long_help_is_broken_between_words() {
        let mut files = SourceFiles::default();
        let place = files.add_words("a", "b");
        let help = "write the path of a list, or leave it out and name it where the pipeline is run";
        let text = draw(
            &Diagnostic::error("x", &place, "no").help(help),
            &files,
            DrawStyle { colour: false, width: 50, wrap: true },
        );
        let told: Vec<&str> = text.lines().skip_while(|line| !line.contains("help")).collect();
        assert_eq!(
            told,
            [
                "  = help: write the path of a list, or leave",
                "          it out and name it where the",
                "          pipeline is run",
            ]
        );
    }

    #[test]
    fn a_secret_is_not_shown() {
        let mut files = SourceFiles::default();
        let id = files.add("a.yaml", "api_key: sk-123 # mine");
        files.conceal(&Place::new(id, 9..15));
        let text = draw(&Diagnostic::error("x", &Place::new(id, 0..7), "no"), &files, DrawStyle::PLAIN);
        assert!(text.contains("api_key: ****** # mine"), "{text}");
    }

    #[test]
    fn a_very_long_line_is_cut_around_the_mark() {
        let text = drawn(&format!("{}HERE{}", "x".repeat(100_000), "y".repeat(100_000)), 100_000..100_004);
        assert!(text.starts_with("digest.yaml:1:100001: error"), "{text}");
        assert!(text.contains("xxHEREyy"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 140), "{text}");
        let caret = text.lines().last().and_then(|line| line.find("^^^^"));
        let here = text.lines().nth(2).and_then(|line| line.find("HERE"));
        assert_eq!(caret, here);
    }

    #[test]
    fn tabs_and_wide_characters_keep_the_caret_below() {
        assert_eq!(drawn("\tü漢: x", 7..8), "digest.yaml:1:5: error: wrong\n  |\n1 |     ü漢: x\n  |         ^");
    }

    #[test]
    fn the_end_of_a_file_can_be_pointed_at() {
        assert_eq!(drawn("a: 1\n", 5..5), "digest.yaml:2:1: error: wrong\n  |\n2 |\n  | ^");
        assert_eq!(drawn("a: 1", 4..4), "digest.yaml:1:5: error: wrong\n  |\n1 | a: 1\n  |     ^");
        assert_eq!(drawn("", 0..0), "digest.yaml:1:1: error: wrong\n  |\n1 |\n  | ^");
        assert_eq!(drawn("a: 1\r\nb", 4..6), "digest.yaml:1:5: error: wrong\n  |\n1 | a: 1\n  |     ^");
    }

    #[test]
    fn colour_is_for_terminals() {
        let mut files = SourceFiles::default();
        let place = files.add_words("command line", "--input tone");
        let text =
            draw(&Diagnostic::warning("x", &place, "hm"), &files, DrawStyle { colour: true, width: 80, wrap: true });
        assert!(text.starts_with("command line:1:1: \u{1b}["), "{text}");
    }

    proptest! {
        #[test]
        fn whatever_is_drawn_nothing_breaks(
            text in "([a-z\u{1b}\t äß漢🙂\r\n]{0,20}|x{0,3000}){0,4}",
            a in 0usize..4000, b in 0usize..4000, c in 0usize..4000,
            width in 0usize..200,
        ) {
            let mut files = SourceFiles::default();
            let id = files.add("a.yaml", text);
            let diagnostic = Diagnostic::error("x", &Place::new(id, a..b), "wrong")
                .label("label")
                .also(&Place::new(id, c..c + 3), "other")
                .help("help");
            let drawn = draw(&diagnostic, &files, DrawStyle { colour: false, width, wrap: true });
            prop_assert!(drawn.starts_with("a.yaml:"));
            let obeyed = drawn.contains(['\u{1b}', '\r']);
            prop_assert!(!obeyed);
        }
    }
}
