//! From the file to the plan: a list of passes that gathers every problem.

use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, meant_or_all};
use crate::model::{InputKind, Json};
use crate::source::ListSource;
use crate::spec::{PipelineSpec, Unpacked};

use super::answers::{self, Answers};
use super::binder::{Found, Ground};
use super::given::Given;
use super::inputs::Inputs;
use super::loops::{self, DraftSource, LoopTree};
use super::names::Names;
use super::pipeline::{InputValue, Loop, LoopIx, LoopSource, OutputPlan, Plan, Reach, Ref, Shelving, Stage, StageIx};
use super::references::{self, Edges};
use super::returned::{Beside, settle_outputs};
use super::scopes::Scopes;
use super::stages::{self, Around};
use super::survey::DataFault;
use super::talk::Continues;
use super::units::{self, Units};
use super::work::Work;
use super::{budget, loop_lists, outputs, passes, providers, saves, settings, survey, value_shapes};

/// What compiling came to.
#[derive(Debug)]
pub struct Compiled {
    /// The plan, if nothing is wrong.
    pub plan: Option<Plan>,
    /// What is wrong in the file, and what is doubtful.
    pub diagnostics: Diagnostics,
    /// What is wrong in data files.
    pub faults: Vec<DataFault>,
    /// Shipped templates that are used: their data files are in the folders in which these lie.
    pub unpacked: Vec<Unpacked>,
}

/// Checks a pipeline, and compiles it if nothing is wrong. Data files are read through, nothing is called.
pub fn compile(spec: &PipelineSpec, given: &Given) -> Compiled {
    let mut diagnostics = Diagnostics::default();
    let mut faults = Vec::new();
    let plan = go_through(spec, given, &mut diagnostics, &mut faults);
    // Passes go on after an error, so that all are found: what they make is a plan only if there is none.
    let clean = !diagnostics.has_errors() && faults.is_empty();
    let unpacked = plan.unpacked.clone();
    Compiled { plan: clean.then_some(plan), diagnostics, faults, unpacked }
}

fn go_through(spec: &PipelineSpec, given: &Given, diagnostics: &mut Diagnostics, faults: &mut Vec<DataFault>) -> Plan {
    let (mut units, inputs) = units::lay_out(spec, given, diagnostics);
    let names = Names::gather(&units, diagnostics);
    // Loops come before templates: which names a stage knows, and whether one is a value or a list, depends on them.
    // And loops go over what stages answer; over what stages put together too, which is known when all loops are.
    let Answers { choices, shapes } = answers::build(&units.spec, diagnostics);
    let mut tree = loops::build(&units, &names, &inputs, &shapes, diagnostics);
    let providers = providers::all(&units);
    providers::check_given(given, &providers, diagnostics);
    if units.has_open_outputs() {
        settle_outputs(
            &mut units,
            &Beside { names: &names, inputs: &inputs, tree: &tree, providers: &providers, answers: &choices },
            given,
        );
    }
    let spec = &units.spec;
    settings::warn_of_limits(spec, diagnostics);
    let budget = budget::check(spec, given, diagnostics);
    let values = value_shapes::settle((&units, &names, &inputs), shapes, &mut tree);
    loop_lists::check((spec, &inputs), &tree, diagnostics);
    let ground = Ground { units: &units, spec, names: &names, inputs: &inputs, tree: &tree, values: &values };
    let around = Around { ground: &ground, given, providers: &providers, answers: &choices };
    let (mut stages, found): (Vec<Stage>, Vec<Found>) =
        (0..spec.stages.len()).map(|ix| stages::build(around, ix, diagnostics)).unzip();

    let edges = edges(&tree, &found, spec);
    let depths = references::depths(&units, &edges, diagnostics);
    let kept = only(&units, given, &edges, diagnostics);
    let mut order: Vec<usize> = (0..stages.len()).collect();
    order.sort_by_key(|ix| depths[*ix]);
    let scopes = connect((&units, &tree), &found, &edges, (&order, &kept), &mut stages);
    for (stage, depth) in stages.iter_mut().zip(depths) {
        stage.depth = depth;
    }
    let mut loops = checked_loops(&tree, &inputs, given);
    saves::check(&ground, &stages, diagnostics);
    let reach = |ix: usize| scopes.reach(&tree, outputs::FROM, ix);
    let outputs = outputs::build(&ground, &stages, &|ix| kept[ix], &reach, &given.wanted, diagnostics);
    shelve(&mut stages, &loops, &outputs, &kept);
    // Reading data takes time: only when everything else is right.
    if given.survey && !diagnostics.has_errors() {
        faults.extend(survey::read(&ground, &stages, &found, given.limit, &mut loops, diagnostics));
    }
    let told = std::mem::take(diagnostics).into_iter().map(|one| units.with_uses(one));
    diagnostics.extend(told);
    Plan {
        name: Arc::from(spec.name.value.as_str()),
        description: spec.description.clone(),
        unpacked: units.unpacked(),
        inputs: inputs.values,
        providers: providers.all,
        loops,
        scopes: scopes.all,
        stages,
        outputs,
        limit: given.limit,
        budget,
        deadline: given.deadline.or(spec.deadline.as_ref().map(|at| at.value)),
    }
}

/// What each stage needs: the stages it names, and those that the lists of its loops come from.
fn edges(tree: &LoopTree, found: &[Found], spec: &PipelineSpec) -> Vec<Edges> {
    let mut edges: Vec<Edges> = Vec::with_capacity(found.len());
    for (stage, found) in found.iter().enumerate() {
        let mut to: Vec<_> = found.places.iter().map(|(other, place)| (*other, place.clone())).collect();
        for ix in &tree.of_stage[stage] {
            if let Some(source) = tree.loops[ix.0].source.stage()
                && !to.iter().any(|(other, _)| *other == source)
            {
                let place =
                    spec.stages[stage].for_each.as_ref().map_or(&tree.loops[ix.0].place, |written| written.place());
                to.push((source, place.clone()));
            }
        }
        edges.push(Edges { to });
    }
    edges
}

/// Which stages `--only` leaves: all without it, else those that it names and what they need.
fn only(units: &Units<'_>, given: &Given, edges: &[Edges], diagnostics: &mut Diagnostics) -> Vec<bool> {
    if given.only.is_empty() {
        return vec![true; edges.len()];
    }
    let mut kept = vec![false; edges.len()];
    let mut open = Vec::new();
    for name in &given.only {
        if let Some(ix) = units.homes.iter().position(|home| *home.full == *name.value) {
            open.push(ix);
            continue;
        }
        if units.all.iter().any(|unit| unit.spec.unread.names) {
            continue;
        }
        let names = units.homes.iter().map(|home| &*home.full);
        let help = meant_or_all(&name.value, names, "its stages are");
        let message = format!("there is no stage `{}`", name.value);
        diagnostics.push(Diagnostic::error("unknown-stage", &name.place, message).help_if(help));
    }
    while let Some(ix) = open.pop() {
        if !std::mem::replace(&mut kept[ix], true) {
            open.extend(edges[ix].to.iter().map(|(other, _)| *other));
        }
    }
    kept
}

/// Scopes, references, and what of a call's key comes from repetition.
fn connect(
    (units, tree): (&Units<'_>, &LoopTree),
    found: &[Found],
    edges: &[Edges],
    (order, kept): (&[usize], &[bool]),
    stages: &mut [Stage],
) -> Scopes {
    let needed: passes::Needed = edges.iter().map(|one| one.to.iter().map(|(other, _)| *other).collect()).collect();
    let mut scopes = passes::scopes(tree, order, &needed, kept);
    let reaches: Vec<Vec<(usize, Reach)>> = (0..stages.len())
        .map(|ix| needed[ix].iter().map(|other| (*other, scopes.reach(tree, scopes.of_stage[ix], *other))).collect())
        .collect();
    scopes.set_gates(order, &reaches);
    let depends = references::dependence(
        tree,
        order,
        |ix| found[ix].request_loops.iter().copied().collect(),
        |ix| found[ix].request_stages.iter().copied().collect(),
        // What an input comes to is what it is made of, wherever that is written.
        |ix| matches!(units.homes[ix].role, units::Role::Input(_)),
    );
    for (ix, stage) in stages.iter_mut().enumerate() {
        stage.scope = scopes.of_stage[ix];
        stage.slot = scopes.slots[ix];
        stage.refs = found[ix]
            .stages
            .iter()
            .map(|(other, optional)| Ref {
                stage: StageIx(*other),
                reach: scopes.reach(tree, stage.scope, *other),
                optional: *optional,
            })
            .collect();
        let repeat = stage.loops.iter().copied().filter(|of| !depends[ix].contains(of)).collect();
        match &mut stage.work {
            Work::Text(work) => work.asking.repeat = repeat,
            Work::Image(work) => work.asking.repeat = repeat,
            Work::Render(_) | Work::Value(_) => {}
        }
    }
    for ix in (0..stages.len()).filter(|ix| kept[*ix]) {
        match stages[ix].continues() {
            Some(Continues::Stage(from)) => stages[from.0].is_continued = true,
            Some(Continues::Previous) => stages[ix].is_continued = true,
            None => {}
        }
    }
    for (ix, one) in tree.loops.iter().enumerate() {
        if let DraftSource::Stage { stage, path } = &one.source
            && tree.of_stage.iter().any(|loops| loops.contains(&LoopIx(ix)))
        {
            stages[*stage].lists.push(path.clone());
        }
    }
    scopes
}

fn checked_loops(tree: &LoopTree, inputs: &Inputs, given: &Given) -> Vec<Loop> {
    let checked = tree.loops.iter().map(|draft| {
        let source = match &draft.source {
            DraftSource::Input { input, path } => LoopSource::Rows {
                list: input_list(inputs, *input, path),
                limit: if inputs.kinds[*input] == InputKind::Integer { None } else { given.limit },
            },
            DraftSource::List(items) => {
                LoopSource::Rows { list: ListSource::Inline(items.clone().into()), limit: None }
            }
            DraftSource::Count(count) => LoopSource::Rows { list: ListSource::Count(*count), limit: None },
            DraftSource::Stage { stage, path } => LoopSource::Stage { stage: StageIx(*stage), path: path.clone() },
            DraftSource::Item { of, path } => LoopSource::Item { of: *of, path: path.clone() },
        };
        Loop { name: Arc::from(draft.full.as_str()), parent: draft.parent, source, rows: None }
    });
    checked.collect()
}

fn input_list(inputs: &Inputs, input: usize, path: &[String]) -> ListSource {
    match &inputs.values[input].value {
        InputValue::List(list) => list.clone(),
        InputValue::Json(value) => {
            let found = path.iter().try_fold(value.as_ref(), |value, field| value.get(field));
            match found {
                Some(Json::Array(items)) => ListSource::Inline(items.clone().into()),
                Some(Json::Number(count)) => ListSource::Count(count.as_u64().unwrap_or(0)),
                _ => ListSource::Inline(Arc::from([])),
            }
        }
        InputValue::Missing => ListSource::Inline(Arc::from([])),
    }
}

/// Which values are held, and until when.
fn shelve(stages: &mut [Stage], loops: &[Loop], outputs: &[OutputPlan], kept: &[bool]) {
    let mut shelves: Vec<Option<Shelving>> = vec![None; stages.len()];
    let hold = |shelf: &mut Option<Shelving>, consumer: Option<usize>, len: usize, to_the_end: bool| {
        let none = || Shelving { consumers: Vec::new(), len, to_the_end: false, with_talk: false };
        let shelf = shelf.get_or_insert_with(none);
        shelf.len = shelf.len.min(len);
        shelf.to_the_end |= to_the_end;
        if let Some(ix) = consumer.map(StageIx)
            && !shelf.consumers.contains(&ix)
        {
            shelf.consumers.push(ix);
        }
    };
    for (ix, stage) in stages.iter().enumerate().filter(|(ix, _)| kept[*ix]) {
        for one in &stage.refs {
            if let Reach::Far { .. } = one.reach {
                let shared = shared(stage, &stages[one.stage.0]);
                hold(&mut shelves[one.stage.0], Some(ix), shared, false);
                if let Some(shelf) = &mut shelves[one.stage.0] {
                    shelf.with_talk |= stage.continues() == Some(Continues::Stage(one.stage));
                }
            }
        }
        for of in &stage.loops {
            if let LoopSource::Stage { stage: source, .. } = &loops[of.0].source {
                let shared = shared(stage, &stages[source.0]);
                hold(&mut shelves[source.0], Some(ix), shared, false);
            }
        }
    }
    for output in outputs.iter().filter(|output| output.held) {
        for one in &output.refs {
            hold(&mut shelves[one.stage.0], None, 0, true);
        }
    }
    for (stage, shelf) in stages.iter_mut().zip(shelves) {
        stage.shelf = shelf;
    }
}

/// How many loops two stages share.
fn shared(one: &Stage, other: &Stage) -> usize {
    one.loops.iter().zip(&other.loops).take_while(|(a, b)| a == b).count()
}
