//! Paths under the output folder, as far as the file alone says them. What items make of them is for `save_walk`.

use crate::diag::{Diagnostic, Diagnostics};
use crate::model::Place;
use crate::output::SafePath;

use super::binder::Ground;
use super::pipeline::Stage;
use super::save_claims::{Item, Owner, SaveClaims, number};
use super::savers::surely_runs;
use super::work::Work;

/// Tells of paths that leave the folder, that all instances of a stage would share, or that two stages share. A stage
/// that may be skipped is in nobody's way.
pub(super) fn check(ground: &Ground<'_>, stages: &[Stage], diagnostics: &mut Diagnostics) {
    let surely_runs = surely_runs(stages);
    let mut claims = SaveClaims::new(ground, true);
    for (ix, stage) in stages.iter().enumerate() {
        let is_picture = matches!(stage.work, Work::Image(_));
        let has_rows = stage.has_rows();
        let mut take = |path: &str, is_open: bool, shares: bool| {
            let owner = Owner { stage: ix, item: Item::Any, is_open };
            let path = SafePath::parse(path).ok()?;
            claims.claim(&path, &owner, shares)
        };
        if is_picture && (stage.save.is_none() || has_rows) && stage.loops.is_empty() && surely_runs[ix] {
            diagnostics.extend(take(&stage.name, true, false));
        }
        let (Some(save), Some(spec)) = (&stage.save, &ground.spec.stages[ix].save) else { continue };
        let (place, path) = (spec.path.map.whole(), &*spec.path.text);
        let parsed = save.path.with_stand_in("x").map(|known| SafePath::parse(&known));
        if let Some(Err(why)) = parsed {
            diagnostics.push(outside(&place, path, &why.to_string()));
        } else if let (true, true, Some(Ok(safe))) = (save.path.is_constant(), surely_runs[ix], parsed) {
            if !has_rows && !stage.loops.is_empty() {
                diagnostics.push(shared_by_items(ground, ix, path, &place));
            } else {
                diagnostics.extend(take(path, is_picture && !has_rows && safe.extension().is_none(), has_rows));
            }
        }
    }
}

fn outside(place: &Place, path: &str, why: &str) -> Diagnostic {
    Diagnostic::error("save-outside", place, format!("`{path}` can't be saved: {why}"))
        .help("write a path in the output folder, with `/` between folders: `summaries/one.md`")
}

fn shared_by_items(ground: &Ground<'_>, ix: usize, path: &str, place: &Place) -> Diagnostic {
    let name = &ground.spec.stages[ix].name.value;
    let number = number(ground, ix);
    let (stem, extension) = match path.rsplit_once('.') {
        Some((stem, extension)) => (stem, format!(".{extension}")),
        None => (path, String::new()),
    };
    Diagnostic::error("save-shared", place, format!("every item of `{name}` would be saved as `{path}`"))
        .help(format!("give each its own: `{stem}/{number}{extension}`, or a row each in `{stem}.jsonl`"))
}
