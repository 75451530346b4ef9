//! Passes: how many complete readings of a list lie behind a stage that runs over it.
//!
//! For a stage S and a loop L, the pass is the largest over all stages X that S needs, plus one where X runs in L and S
//! collects it from outside of that X's item. A stage that does not run in L carries the number on to those that need
//! it. With that, no instance waits for an item of its own scope that has not been read.
//!
//! Two scopes may still wait for each other: where each has a stage that collects from the other, both windows fill with
//! items that wait, and neither list is read to its end. So the stages of scopes that wait for themselves in the end are
//! parted further, by their *generation*: what collects anything comes after it, whatever the loop. Everything else
//! stays together, since what runs in one pass needs no value from a shelf.

use std::collections::BTreeSet;

use super::loops::LoopTree;
use super::pipeline::{LoopIx, ScopeIx};
use super::scopes::{self, Scopes};

/// What a stage needs: the stages it names, and those that its loops are made of.
pub(super) type Needed = Vec<Vec<usize>>;

/// The scopes of these stages, of which none waits for itself. `order` has every stage after those it needs.
pub(super) fn scopes(tree: &LoopTree, order: &[usize], needed: &Needed, kept: &[bool]) -> Scopes {
    let generations = generations(tree, order, needed);
    let mut is_parted = vec![false; needed.len()];
    loop {
        let least = |stage: usize| if is_parted[stage] { generations[stage] } else { 0 };
        let scopes = scopes::build(tree, &passes(tree, order, needed, &least), kept);
        let entangled = entangled(&scopes, order, needed, kept);
        // With all of them parted each scope waits for lower generations alone, unless stages wait for each other, which
        // is a mistake that is told elsewhere.
        if entangled.is_empty() || is_parted.iter().all(|parted| *parted) {
            return scopes;
        }
        let is_new = |stage: &usize| {
            kept[*stage]
                && !is_parted[*stage]
                && scopes.chain(scopes.of_stage[*stage]).any(|ix| entangled.contains(&ix))
        };
        let parted: Vec<usize> = (0..needed.len()).filter(is_new).collect();
        if parted.is_empty() {
            is_parted.fill(true);
        }
        for stage in parted {
            is_parted[stage] = true;
        }
    }
}

/// For each stage and loop, the pass; in its own loops that is `least` of the stage at least.
fn passes(tree: &LoopTree, order: &[usize], needed: &Needed, least: &dyn Fn(usize) -> u32) -> Vec<Vec<u32>> {
    let mut passes = vec![vec![0_u32; tree.loops.len()]; needed.len()];
    for &stage in order {
        for (ix, _) in tree.loops.iter().enumerate() {
            let own = tree.of_stage[stage].contains(&LoopIx(ix));
            let pass = needed[stage].iter().map(|&other| {
                let collected = !own && tree.of_stage[other].contains(&LoopIx(ix));
                passes[other][ix] + u32::from(collected)
            });
            passes[stage][ix] = pass.chain(own.then(|| least(stage))).max().unwrap_or(0);
        }
    }
    passes
}

/// For each stage, how many collections lie behind it, one upon the other.
fn generations(tree: &LoopTree, order: &[usize], needed: &Needed) -> Vec<u32> {
    let mut generations = vec![0_u32; needed.len()];
    for &stage in order {
        let collects = |other: usize| tree.of_stage[other].iter().any(|of| !tree.of_stage[stage].contains(of));
        let behind = needed[stage].iter().map(|&other| generations[other] + u32::from(collects(other)));
        generations[stage] = behind.max().unwrap_or(0);
    }
    generations
}

/// The scopes that wait for themselves, over however many others. A scope waits for another where a stage in it, or
/// beneath it, needs one that is in the other or beneath it: its items stay open until that one has been read. It waits
/// as well for whatever that one waits for, which may run in no loop at all.
fn entangled(scopes: &Scopes, order: &[usize], needed: &Needed, kept: &[bool]) -> Vec<ScopeIx> {
    let mut awaited: Vec<BTreeSet<ScopeIx>> = vec![BTreeSet::new(); scopes.all.len()];
    let mut by_stage: Vec<BTreeSet<ScopeIx>> = vec![BTreeSet::new(); needed.len()];
    for &stage in order.iter().filter(|stage| kept[**stage]) {
        let own: Vec<ScopeIx> = scopes.chain(scopes.of_stage[stage]).collect();
        let mut all = BTreeSet::new();
        for other in &needed[stage] {
            all.extend(scopes.chain(scopes.of_stage[*other]));
            all.extend(&by_stage[*other]);
        }
        all.retain(|ix| !own.contains(ix));
        for ix in own {
            awaited[ix.0].extend(&all);
        }
        by_stage[stage] = all;
    }
    (0..scopes.all.len()).map(ScopeIx).filter(|ix| reaches_itself(*ix, &awaited)).collect()
}

fn reaches_itself(start: ScopeIx, awaited: &[BTreeSet<ScopeIx>]) -> bool {
    let mut seen = vec![false; awaited.len()];
    let mut open: Vec<ScopeIx> = awaited[start.0].iter().copied().collect();
    while let Some(ix) = open.pop() {
        if ix == start {
            return true;
        }
        if !std::mem::replace(&mut seen[ix.0], true) {
            open.extend(&awaited[ix.0]);
        }
    }
    false
}
