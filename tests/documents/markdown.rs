//! As much of Markdown as the documentation uses: fenced blocks, code spans, tables, sections.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

/// A fenced block.
#[derive(Debug)]
pub(crate) struct Block {
    /// Page and line of its first fence.
    pub(crate) place: String,
    /// What stands behind the fence.
    pub(crate) language: String,
    pub(crate) text: String,
}

/// All fenced blocks of a page.
pub(crate) fn blocks(page: &str, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, Block)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let ticks = line.len() - line.trim_start_matches('`').len();
        match &mut open {
            Some((fence, _)) if ticks >= *fence && line.len() == ticks => {
                blocks.extend(open.take().map(|(_, block)| block));
            }
            Some((_, block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            None if ticks >= 3 => {
                let language = line[ticks..].trim().to_owned();
                open = Some((ticks, Block { place: format!("{page}:{number}"), language, text: String::new() }));
            }
            None => {}
        }
    }
    assert!(open.is_none(), "{page} ends inside of a block");
    blocks
}

/// The page without its fenced blocks.
fn prose(text: &str) -> String {
    let mut prose = String::new();
    let mut fence = 0;
    for line in text.lines() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        if fence == 0 && ticks >= 3 {
            fence = ticks;
        } else if fence > 0 && ticks >= fence && line.len() == ticks {
            fence = 0;
        } else if fence == 0 {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// What stands between backticks in a text, fenced blocks aside.
pub(crate) fn code(text: &str) -> Vec<String> {
    static SPAN: LazyLock<Regex> = LazyLock::new(|| Regex::new("`([^`]+)`").expect("a pattern"));
    let prose = prose(text);
    SPAN.captures_iter(&prose).map(|found| found[1].replace('\n', " ")).collect()
}

/// What a page links to: a path, and a heading behind `#`, each empty where it is not there.
pub(crate) fn links(text: &str) -> Vec<(String, String)> {
    static CODE_OR_LINK: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"`[^`]+`|\]\(([^)#]*)#?([^)]*)\)").expect("a pattern"));
    let prose = prose(text);
    let found = CODE_OR_LINK.captures_iter(&prose);
    found.filter_map(|found| Some((found.get(1)?.as_str().to_owned(), found.get(2)?.as_str().to_owned()))).collect()
}

/// The cells of all tables in a text, without their heads.
pub(crate) fn rows(text: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let line = line.replace("\\|", "\u{0}");
        let line = line.trim_matches('|');
        line.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect()
    };
    let prose = prose(text);
    let mut rows = Vec::new();
    let mut in_table = false;
    for line in prose.lines() {
        match (line.starts_with('|'), in_table) {
            (true, true) => rows.push(cells(line)),
            (true, false) => in_table = line.starts_with("|---"),
            (false, _) => in_table = false,
        }
    }
    rows
}

/// What stands under a heading, up to the next one of its rank or above.
pub(crate) fn section(text: &str, heading: &str) -> String {
    let rank = |line: &str| Some(line.len() - line.trim_start_matches('#').len()).filter(|rank| *rank > 0);
    let mut lines = text.lines().skip_while(|line| line.trim_start_matches('#').trim() != heading);
    let own = lines.next().and_then(rank).unwrap_or_else(|| panic!("there is no heading `{heading}`"));
    let inside = lines.take_while(|line| rank(line).is_none_or(|rank| rank > own));
    inside.collect::<Vec<_>>().join("\n")
}

/// The names by which headings are linked to.
pub(crate) fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text);
    let headings = headings.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let words = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
            words.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
        })
        .collect()
}
