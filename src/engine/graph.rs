//! The graph that was found, for people to look at.

use crate::model::StageKindName;
use crate::plan::{Continues, LoopSource, PREVIOUS, Plan, Reach, StageIx};

/// A pipeline as a graph.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct GraphView {
    /// The pipeline's name.
    pub name: String,
    /// Stages that run, in file order.
    pub stages: Vec<GraphStage>,
    /// Who reads whom.
    pub edges: Vec<GraphEdge>,
}

/// A stage of a graph.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct GraphStage {
    /// Its name.
    pub name: String,
    /// What it does.
    pub kind: StageKindName,
    /// Its loop variables, outermost first.
    pub loops: Vec<String>,
    /// Whether it sees its own value for the item before, so that its items go in turn.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub previous: bool,
    /// The stage whose conversation it goes on with, or `previous`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continues: Option<String>,
    /// Where it is saved, as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saves: Option<String>,
}

/// An edge of a graph.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct GraphEdge {
    /// The stage that is read.
    pub from: String,
    /// The stage that reads it.
    pub to: String,
    /// Whether it reads all its values as a list.
    pub collects: bool,
    /// Whether it can do without.
    pub optional: bool,
}

/// The graph of a plan.
pub fn graph(plan: &Plan) -> GraphView {
    let mut view = GraphView { name: plan.name.to_string(), stages: Vec::new(), edges: Vec::new() };
    for (_, stage) in plan.stage_ixs().filter(|(ix, _)| plan.runs(*ix)) {
        let continues = stage.continues().map(|from| match from {
            Continues::Stage(ix) => plan.stage(ix).name.to_string(),
            Continues::Previous => PREVIOUS.to_owned(),
        });
        view.stages.push(GraphStage {
            name: stage.name.to_string(),
            kind: stage.kind,
            loops: stage.loops.iter().map(|ix| plan.loop_at(*ix).name.to_string()).collect(),
            previous: stage.goes_in_turn(),
            continues,
            saves: stage.save.as_ref().map(|save| save.path.text().trim().to_owned()),
        });
        let name = |ix: StageIx| plan.stage(ix).name.to_string();
        for one in &stage.refs {
            view.edges.push(GraphEdge {
                from: name(one.stage),
                to: stage.name.to_string(),
                collects: matches!(one.reach, Reach::Far { collect: true, .. }),
                optional: one.optional,
            });
        }
        for ix in &stage.loops {
            if let LoopSource::Stage { stage: source, .. } = &plan.loop_at(*ix).source
                && !stage.refs.iter().any(|one| one.stage == *source)
            {
                let edge =
                    GraphEdge { from: name(*source), to: stage.name.to_string(), collects: false, optional: false };
                view.edges.push(edge);
            }
        }
    }
    view
}
