//! Paths under the output folder, as far as they are known before anything is called.

use std::collections::HashMap;

use crate::diag::{Diagnostic, Diagnostics};
use crate::model::Place;
use crate::spec::PipelineSpec;

use super::binder::Ground;
use super::pipeline::Stage;
use super::work::SaveForm;

/// Tells of paths that leave the folder, that all instances of a stage would share, or that two stages share.
pub(super) fn check(
    ground: &Ground<'_>,
    stages: &[Stage],
    leaves: &dyn Fn(&str) -> Option<String>,
    diagnostics: &mut Diagnostics,
) {
    let mut taken: HashMap<String, (usize, Place)> = HashMap::new();
    for (ix, stage) in stages.iter().enumerate() {
        let (Some(save), Some(spec)) = (&stage.save, &ground.spec.stages[ix].save) else { continue };
        let place = spec.path.map.whole();
        let Some(path) = save.path.with_stand_in("x") else { continue };
        if let Some(why) = leaves(&path) {
            diagnostics.push(outside(&place, &spec.path.text, &why));
            continue;
        }
        if !save.path.is_constant() {
            continue;
        }
        if matches!(save.form, SaveForm::File) && !stage.loops.is_empty() {
            diagnostics.push(shared_by_items(ground.spec, ix, &path, &place));
            continue;
        }
        let folded = path.to_lowercase();
        if let Some((other, first)) = taken.get(&folded) {
            diagnostics.push(shared_by_stages(ground.spec, (*other, first), (ix, &place)));
        } else {
            taken.insert(folded, (ix, place));
        }
    }
}

fn outside(place: &Place, path: &str, why: &str) -> Diagnostic {
    Diagnostic::error("save-outside", place, format!("`{path}` can't be saved: {why}"))
        .help("write a path in the output folder, with `/` between folders: `summaries/one.md`")
}

fn shared_by_stages(
    spec: &PipelineSpec,
    (first, there): (usize, &Place),
    (second, here): (usize, &Place),
) -> Diagnostic {
    let name = |ix: usize| &spec.stages[ix].name.value;
    let path = |ix: usize| spec.stages[ix].save.as_ref().map_or("", |save| &save.path.text);
    let (message, help) = if path(first) == path(second) {
        (
            format!("`{}` and `{}` are both saved as `{}`", name(first), name(second), path(second)),
            "give each stage a file of its own",
        )
    } else {
        (
            format!("`{}` and `{}` differ in case only, and are one file on many disks", path(first), path(second)),
            "give each stage a file of its own, with names that differ in more",
        )
    };
    Diagnostic::error("save-clash", here, message).also(there, format!("`{}` is saved here", name(first))).help(help)
}

fn shared_by_items(spec: &PipelineSpec, ix: usize, path: &str, place: &Place) -> Diagnostic {
    let name = &spec.stages[ix].name.value;
    let (stem, extension) = match path.rsplit_once('.') {
        Some((stem, extension)) => (stem, format!(".{extension}")),
        None => (path, String::new()),
    };
    Diagnostic::error("save-shared", place, format!("every item of `{name}` would be saved as `{path}`"))
        .help(format!("give each its own: `{stem}/{{{{loop.key}}}}{extension}`, or a row each in `{stem}.jsonl`"))
}
