//! A graph of stages as text, for Markdown and for Graphviz.

use std::fmt::Write as _;

use crate::engine::{GraphEdge, GraphStage, GraphView};
use crate::sink::{Side, table};

/// A line for each stage: its kind, how often it runs, what it reads, where it is saved.
pub(super) fn text(graph: &GraphView) -> String {
    let rows: Vec<Vec<String>> = graph
        .stages
        .iter()
        .map(|stage| {
            let others = incoming(graph, stage).map(|edge| source(edge, stage));
            let reads: Vec<String> = others.chain(previous(stage)).collect();
            let reads = if reads.is_empty() { String::new() } else { format!("<- {}", reads.join(", ")) };
            let saves = stage.saves.as_ref().map(|path| format!("-> {path}")).unwrap_or_default();
            vec![stage.name.clone(), stage.kind.name().to_owned(), loops(stage), reads, saves]
        })
        .collect();
    let mut lines = table(&[Side::Left; 5], &rows);
    let any = |is: fn(&GraphStage) -> bool| graph.stages.iter().any(is);
    let signs = [
        (graph.edges.iter().any(|edge| edge.collects), ("all x", "every value of `x`, as a list")),
        (graph.edges.iter().any(|edge| edge.optional), ("x?", "`x` may be missing")),
        (any(|stage| stage.continues.is_some()), ("x ..", "the conversation of `x` goes on")),
        (any(|stage| stage.previous), ("previous", "its own value for the item before: its items go in turn")),
    ];
    let told: Vec<(&str, &str)> = signs.into_iter().filter(|(is_there, _)| *is_there).map(|(_, sign)| sign).collect();
    if !told.is_empty() {
        lines.push(String::new());
    }
    let width = told.iter().map(|(sign, _)| sign.len()).max().unwrap_or(0).max(6);
    lines.extend(told.iter().map(|(sign, meaning)| format!("{sign:width$}  {meaning}")));
    format!("{}\n", lines.join("\n"))
}

/// A flow chart that GitHub and others draw. A thick arrow collects all, a dotted one is optional.
pub(super) fn mermaid(graph: &GraphView) -> String {
    let mut out = "flowchart TD\n".to_owned();
    for line in grouped(graph) {
        _ = match line {
            Line::Opens(group) => {
                writeln!(out, "  subgraph {}[{}]", id(&format!("{group}/")), quoted_for_mermaid(group))
            }
            Line::Closes => writeln!(out, "  end"),
            Line::Has(stage) => {
                let label = quoted_for_mermaid(&format!("{}\n{}, {}", stage.name, stage.kind.name(), loops(stage)));
                writeln!(out, "  {}[{label}]", id(&stage.name))
            }
        };
    }
    for edge in &graph.edges {
        let arrow = match (edge.collects, edge.optional) {
            (false, false) if goes_on(graph, edge) => "-->|goes on|",
            (false, false) => "-->",
            (true, false) => "==>|all|",
            (false, true) => "-.->",
            (true, true) => "-.->|all|",
        };
        _ = writeln!(out, "  {} {arrow} {}", id(&edge.from), id(&edge.to));
    }
    for stage in graph.stages.iter().filter(|stage| stage.previous) {
        _ = writeln!(out, "  {0} -.->|{1}| {0}", id(&stage.name), previous_label(stage));
    }
    out
}

/// A directed graph for `dot`. A bold edge collects all, a dashed one is optional.
pub(super) fn dot(graph: &GraphView) -> String {
    let mut out = "digraph pipeline {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n".to_owned();
    for line in grouped(graph) {
        _ = match line {
            Line::Opens(group) => {
                let name = quoted_for_dot(&format!("cluster_{group}"));
                writeln!(out, "  subgraph {name} {{\n  label={};", quoted_for_dot(group))
            }
            Line::Closes => writeln!(out, "  }}"),
            Line::Has(stage) => {
                let label = quoted_for_dot(&format!("{}\n{}, {}", stage.name, stage.kind.name(), loops(stage)));
                writeln!(out, "  {} [label={label}];", quoted_for_dot(&stage.name))
            }
        };
    }
    for edge in &graph.edges {
        let mut styles = Vec::new();
        if edge.collects {
            styles.push("label=all, penwidth=2");
        }
        if edge.optional {
            styles.push("style=dashed");
        }
        if goes_on(graph, edge) {
            styles.push("label=\"goes on\"");
        }
        let styles = if styles.is_empty() { String::new() } else { format!(" [{}]", styles.join(", ")) };
        let (from, to) = (quoted_for_dot(&edge.from), quoted_for_dot(&edge.to));
        _ = writeln!(out, "  {from} -> {to}{styles};");
    }
    for stage in graph.stages.iter().filter(|stage| stage.previous) {
        let (name, label) = (quoted_for_dot(&stage.name), quoted_for_dot(previous_label(stage)));
        _ = writeln!(out, "  {name} -> {name} [label={label}, style=dashed];");
    }
    out.push_str("}\n");
    out
}

/// A line of a graph's nodes.
enum Line<'a> {
    /// What follows is of the pipeline that this stage uses.
    Opens(&'a str),
    Closes,
    Has(&'a GraphStage),
}

/// The stages, those of each used pipeline in a group, which stand before the stage that uses it.
fn grouped(graph: &GraphView) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for stage in &graph.stages {
        let around: Vec<&str> = stage.name.match_indices('/').map(|(at, _)| &stage.name[..at]).collect();
        let same = open.iter().zip(&around).take_while(|(one, other)| one == other).count();
        lines.extend(open.drain(same..).map(|_| Line::Closes));
        lines.extend(around[same..].iter().map(|group| Line::Opens(group)));
        open = around;
        lines.push(Line::Has(stage));
    }
    lines.extend(open.iter().map(|_| Line::Closes));
    lines
}

fn incoming<'a>(graph: &'a GraphView, stage: &'a GraphStage) -> impl Iterator<Item = &'a GraphEdge> {
    graph.edges.iter().filter(|edge| edge.to == stage.name)
}

fn source(edge: &GraphEdge, by: &GraphStage) -> String {
    let all = if edge.collects { "all " } else { "" };
    let optional = if edge.optional { "?" } else { "" };
    let goes_on = if by.continues.as_ref() == Some(&edge.from) { " .." } else { "" };
    format!("{all}{}{optional}{goes_on}", edge.from)
}

/// Whether the conversation of the one goes on in the other.
fn goes_on(graph: &GraphView, edge: &GraphEdge) -> bool {
    graph.stages.iter().any(|stage| stage.name == edge.to && stage.continues.as_ref() == Some(&edge.from))
}

/// What it reads of itself.
fn previous(stage: &GraphStage) -> Option<String> {
    let goes_on = if goes_on_with_itself(stage) { " .." } else { "" };
    stage.previous.then(|| format!("previous{goes_on}"))
}

fn previous_label(stage: &GraphStage) -> &'static str {
    if goes_on_with_itself(stage) { "goes on" } else { "previous" }
}

/// No stage can have this name.
fn goes_on_with_itself(stage: &GraphStage) -> bool {
    stage.continues.as_deref() == Some("previous")
}

fn loops(stage: &GraphStage) -> String {
    if stage.loops.is_empty() { "once".to_owned() } else { format!("per {}", stage.loops.join(", ")) }
}

/// A stage may be called `end`, which is a word of Mermaid's own. No name has a dash in it, which stands for the `/`.
fn id(stage: &str) -> String {
    format!("s_{}", stage.replace('/', "-"))
}

fn quoted_for_mermaid(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "#quot;").replace('\n', "<br/>"))
}

fn quoted_for_dot(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::StageKindName;

    fn graph() -> GraphView {
        let stage = |name: &str, kind, loops: &[&str], saves: Option<&str>| GraphStage {
            name: name.into(),
            kind,
            loops: loops.iter().map(|name| (*name).to_owned()).collect(),
            previous: false,
            continues: None,
            saves: saves.map(str::to_owned),
        };
        let edge = |from: &str, to: &str, collects, optional| GraphEdge {
            from: from.into(),
            to: to.into(),
            collects,
            optional,
        };
        GraphView {
            name: "digest".to_owned(),
            stages: vec![
                stage("analyze", StageKindName::Text, &["lang", "article"], None),
                stage("report", StageKindName::Chat, &[], Some("report.md")),
                stage("cover", StageKindName::Image, &[], Some("cover.png")),
            ],
            edges: vec![
                edge("analyze", "report", true, false),
                edge("report", "cover", false, false),
                edge("analyze", "cover", true, true),
            ],
        }
    }

    /// A draft, and a chat that goes on with it; and one whose items go on from each other.
    fn talk() -> GraphView {
        let mut graph = graph();
        graph.stages[1].continues = Some("analyze".to_owned());
        graph.stages[0].previous = true;
        graph.edges = vec![GraphEdge { from: "analyze".into(), to: "report".into(), collects: false, optional: false }];
        graph.stages[2].previous = true;
        graph.stages[2].continues = Some("previous".to_owned());
        graph
    }

    #[test]
    fn conversations_and_items_in_turn() {
        assert_eq!(
            text(&talk()),
            "\
analyze  text   per lang, article  <- previous
report   chat   once               <- analyze ..   -> report.md
cover    image  once               <- previous ..  -> cover.png

x ..      the conversation of `x` goes on
previous  its own value for the item before: its items go in turn
"
        );
        let (mermaid, dot) = (mermaid(&talk()), dot(&talk()));
        assert!(
            mermaid.contains("  s_analyze -->|goes on| s_report\n  s_analyze -.->|previous| s_analyze\n"),
            "{mermaid}"
        );
        assert!(dot.contains("  \"analyze\" -> \"report\" [label=\"goes on\"];\n"), "{dot}");
        assert!(dot.contains("  \"cover\" -> \"cover\" [label=\"goes on\", style=dashed];\n"), "{dot}");
    }

    #[test]
    fn as_text() {
        assert_eq!(
            text(&graph()),
            "\
analyze  text   per lang, article
report   chat   once               <- all analyze           -> report.md
cover    image  once               <- report, all analyze?  -> cover.png

all x   every value of `x`, as a list
x?      `x` may be missing
"
        );
    }

    #[test]
    fn for_markdown() {
        assert_eq!(
            mermaid(&graph()),
            "\
flowchart TD
  s_analyze[\"analyze<br/>text, per lang, article\"]
  s_report[\"report<br/>chat, once\"]
  s_cover[\"cover<br/>image, once\"]
  s_analyze ==>|all| s_report
  s_report --> s_cover
  s_analyze -.->|all| s_cover
"
        );
    }

    #[test]
    fn a_used_pipeline_is_a_group() {
        let names = ["before", "a/x", "a/b/y", "a/b", "a"];
        let stages = names.map(|name| GraphStage {
            name: name.to_owned(),
            kind: StageKindName::Text,
            loops: Vec::new(),
            previous: false,
            continues: None,
            saves: None,
        });
        let edge = GraphEdge { from: "a/b/y".into(), to: "a/b".into(), collects: false, optional: false };
        let graph = GraphView { name: "used".to_owned(), stages: stages.into(), edges: vec![edge] };
        assert_eq!(
            mermaid(&graph),
            "\
flowchart TD
  s_before[\"before<br/>text, once\"]
  subgraph s_a-[\"a\"]
  s_a-x[\"a/x<br/>text, once\"]
  subgraph s_a-b-[\"a/b\"]
  s_a-b-y[\"a/b/y<br/>text, once\"]
  end
  s_a-b[\"a/b<br/>text, once\"]
  end
  s_a[\"a<br/>text, once\"]
  s_a-b-y --> s_a-b
"
        );
        let drawn = dot(&graph);
        assert!(drawn.contains("  subgraph \"cluster_a/b\" {\n  label=\"a/b\";\n"), "{drawn}");
        assert_eq!(drawn.matches('{').count(), drawn.matches('}').count());
    }

    #[test]
    fn for_graphviz() {
        assert_eq!(
            dot(&graph()),
            "\
digraph pipeline {
  rankdir=LR;
  node [shape=box, style=rounded];
  \"analyze\" [label=\"analyze\\ntext, per lang, article\"];
  \"report\" [label=\"report\\nchat, once\"];
  \"cover\" [label=\"cover\\nimage, once\"];
  \"analyze\" -> \"report\" [label=all, penwidth=2];
  \"report\" -> \"cover\";
  \"analyze\" -> \"cover\" [label=all, penwidth=2, style=dashed];
}
"
        );
    }
}
