//! Loops that wait for themselves: what could not be declared when all else was.

use crate::diag::Diagnostic;
use crate::model::Place;
use crate::spec::{ForEachSpec, LoopSourceSpec, LoopSpec};

use super::loop_builder::{Builder, Progress};
use super::names::Named;

/// What waits: an entry of a stage's `for_each`, or a stage whose loops are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Entry { stage: usize, at: usize },
    Stage(usize),
}

/// What a node waits for, how, and where that is written.
struct Wait {
    to: Node,
    how: &'static str,
    place: Place,
}

impl Builder<'_> {
    /// Tells each cycle among what is still open, and leaves nothing open.
    pub(super) fn tell_cycles(&mut self) {
        let mut seen: Vec<Node> = Vec::new();
        for stage in 0..self.spec.stages.len() {
            let mut trail: Vec<(Node, Wait)> = Vec::new();
            let mut at = Some(Node::Stage(stage));
            while let Some(node) = at.filter(|node| !seen.contains(node)) {
                seen.push(node);
                let wait = self.wait(node);
                at = wait.as_ref().map(|wait| wait.to);
                trail.extend(wait.map(|wait| (node, wait)));
            }
            if let Some(start) = trail.iter().position(|(node, _)| Some(*node) == at) {
                let told = self.describe(&trail[start..]);
                self.push(told);
            }
        }
        for progress in &mut self.progress {
            if matches!(progress, Progress::Open { .. }) {
                *progress = Progress::Wrong;
            }
        }
    }

    /// What a node waits for; nothing if it waits for nothing.
    fn wait(&self, node: Node) -> Option<Wait> {
        let (Node::Stage(stage) | Node::Entry { stage, .. }) = node;
        let Progress::Open { entries: next, .. } = self.progress[stage] else { return None };
        // What a used pipeline waits for first is the stage that uses it.
        if let Some(user) = self.units.homes[stage].within.filter(|_| next == 0)
            && matches!(self.progress[user], Progress::Open { .. })
        {
            let place = self.spec.stages[user].name.place.clone();
            return Some(Wait { to: Node::Stage(user), how: "runs in the loops of", place });
        }
        match (node, self.spec.stages[stage].for_each.as_ref()?) {
            (_, ForEachSpec::Broken(_)) => None,
            (_, ForEachSpec::Join(name)) => {
                let (stage, at) = self.open_entry((self.unit(stage), &name.value))?;
                Some(Wait { to: Node::Entry { stage, at }, how: "runs in", place: name.place.clone() })
            }
            (Node::Stage(stage), ForEachSpec::Loops(entries)) => {
                let place = entries[next].variable.place.clone();
                Some(Wait { to: Node::Entry { stage, at: next }, how: "runs in", place })
            }
            (Node::Entry { stage, at }, ForEachSpec::Loops(entries)) if at > next => {
                let place = entries[at].variable.place.clone();
                Some(Wait { to: Node::Entry { stage, at: next }, how: "stands inside", place })
            }
            (Node::Entry { .. }, ForEachSpec::Loops(entries)) => self.wait_of_list(stage, &entries[next]),
        }
    }

    fn wait_of_list(&self, stage: usize, entry: &LoopSpec) -> Option<Wait> {
        let LoopSourceSpec::Path(path) = &entry.source.value else { return None };
        let unit = self.unit(stage);
        let to = match self.names.get(unit, path.first()?)? {
            Named::Input(_) => return None,
            Named::Stage(stage) => Node::Stage(stage),
            Named::Variable => {
                let meant = self.names.meant(unit, &path[0])?;
                self.open_entry(meant).map(|(stage, at)| Node::Entry { stage, at })?
            }
        };
        Some(Wait { to, how: "is made of", place: entry.source.place.clone() })
    }

    /// The cycle from the loop whose name comes first, so that it reads the same in whatever order the stages stand.
    fn describe(&self, cycle: &[(Node, Wait)]) -> Diagnostic {
        let name = |at: usize| self.name(cycle[at % cycle.len()].0);
        let is_loop = |at: usize| matches!(cycle[at].0, Node::Entry { .. });
        let first = (0..cycle.len()).min_by_key(|at| (!is_loop(*at), name(*at))).unwrap_or(0);
        let way: Vec<&str> = (first..=first + cycle.len()).map(name).collect();
        let label = |at: usize| format!("`{}` {} `{}`", name(at), cycle[at % cycle.len()].1.how, name(at + 1));
        let message = format!("loops wait for each other: {}", way.join(" -> "));
        let told = Diagnostic::error("cycle", &cycle[first].1.place, message)
            .label(label(first))
            .help("a loop's list must be there before its first item: take it from elsewhere");
        (first + 1..first + cycle.len()).fold(told, |told, at| told.also(&cycle[at % cycle.len()].1.place, label(at)))
    }

    fn name(&self, node: Node) -> &str {
        match node {
            Node::Stage(stage) => &self.spec.stages[stage].name.value,
            Node::Entry { stage, at } => match &self.spec.stages[stage].for_each {
                Some(ForEachSpec::Loops(entries)) => &entries[at].variable.value,
                _ => "",
            },
        }
    }
}
