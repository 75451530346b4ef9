//! The walls of `ARCHITECTURE.md`, held against the source: the tables are read out of the document, so that the two
//! can't come to say different things.

#[path = "walls/document.rs"]
mod document;
#[path = "walls/lexer.rs"]
mod lexer;
#[path = "walls/paths.rs"]
mod paths;
#[path = "walls/tree.rs"]
mod tree;

use document::{Document, declared_dependencies, explained_dependencies};
use paths::{Named, paths_in};
use tree::{SourceFile, rooms_on_disk, source_files};

/// Lines of a file before its tests.
const MOST_LINES: usize = 400;
/// Lines of a `mod.rs`: it is a contents page.
const MOST_LINES_OF_A_CONTENTS_PAGE: usize = 150;
/// Lines of `main.rs`.
const MOST_LINES_OF_MAIN: usize = 25;
/// Names that say nothing of what lives in a file.
const EMPTY_NAMES: [&str; 7] = ["utils", "util", "helpers", "common", "imp", "misc", "types"];

#[test]
fn every_room_has_a_row_and_every_row_a_room() {
    let document = Document::read();
    let written: Vec<&str> = document.rooms.iter().map(|room| room.name.as_str()).collect();
    let mut faults = Vec::new();
    for room in rooms_on_disk() {
        if !written.contains(&room.as_str()) {
            faults.push(format!("`src/{room}` has no row in the table of walls"));
        }
    }
    for room in written {
        if !rooms_on_disk().iter().any(|there| there == room) {
            faults.push(format!("the table of walls has a row for `{room}`, but nothing lives in `src/{room}`"));
        }
    }
    for file in source_files() {
        if file.room.is_none() && !["lib.rs", "main.rs"].contains(&file.path.as_str()) {
            faults.push(format!("src/{}: lies in no room", file.path));
        }
    }
    none_of(&faults);
}

/// A room names lower floors alone, so no row of names can come back to where it began.
#[test]
fn the_table_has_no_cycle() {
    let document = Document::read();
    let mut faults = Vec::new();
    for room in &document.rooms {
        for named in &room.may_name {
            match document.room(named) {
                None => faults.push(format!("`{}` may name `{named}`, which has no row", room.name)),
                Some(below) if below.floor >= room.floor => faults.push(format!(
                    "`{}` on floor {} may name `{named}` on floor {}, which is no lower",
                    room.name, room.floor, below.floor
                )),
                Some(_) => {}
            }
        }
    }
    none_of(&faults);
}

#[test]
fn rooms_name_only_what_the_table_allows() {
    let document = Document::read();
    let faults: Vec<String> = source_files()
        .iter()
        .flat_map(|file| {
            let named = paths_in(&file.text, &file.module);
            named.into_iter().filter_map(|named| through_a_wall(&document, file, &named))
        })
        .collect();
    none_of(&faults);
}

/// A noun that a second room hands on could be had through that one, past the wall of the first. `engine` hands on what
/// its callers need: all that it names they may name too.
#[test]
fn rooms_hand_on_no_noun_of_another() {
    let mut faults = Vec::new();
    for file in source_files().iter().filter(|file| file.room.as_deref().is_some_and(|room| room != "engine")) {
        let handed_on =
            file.text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("pub use crate::"));
        faults.extend(handed_on.map(|(at, line)| format!("src/{}:{}: {}", file.path, at + 1, line.trim())));
    }
    none_of(&faults);
}

#[test]
fn what_one_place_names_is_named_nowhere_else() {
    let document = Document::read();
    assert!(!document.single_places.is_empty(), "the table of single places is empty");
    let mut faults = Vec::new();
    for file in source_files() {
        for named in paths_in(&file.text, &file.module) {
            let Named::Outside { line, path } = named else { continue };
            for single in &document.single_places {
                if single.is(&path) && !single.holds(&file.path) {
                    faults.push(format!(
                        "src/{}:{line}: names `{}`, which stands in {} alone: {}",
                        file.path,
                        path.join("::"),
                        single.places.join(", "),
                        single.because
                    ));
                }
            }
        }
    }
    none_of(&faults);
}

/// Each name of the second table is really named where the table says: a row for a crate that has gone is a lie too.
#[test]
fn what_one_place_names_is_named_there() {
    let files = source_files();
    let mut faults = Vec::new();
    for single in &Document::read().single_places {
        let named = files.iter().filter(|file| single.holds(&file.path)).any(|file| {
            paths_in(&file.text, &file.module)
                .iter()
                .any(|named| matches!(named, Named::Outside { path, .. } if single.is(path)))
        });
        if !named {
            faults.push(format!("nothing in {} names `{}`", single.places.join(", "), single.name));
        }
    }
    none_of(&faults);
}

#[test]
fn every_dependency_is_named_and_explained() {
    let (declared, explained) = (declared_dependencies(), explained_dependencies());
    assert_eq!(explained, declared, "the rows of docs/dependencies.md are not the dependencies of Cargo.toml");
    let mut named: Vec<String> = Vec::new();
    for file in source_files() {
        named.extend(paths_in(&file.text, &file.module).into_iter().filter_map(|named| match named {
            Named::Outside { path, .. } => path.into_iter().next(),
            Named::Inside { .. } | Named::Moved { .. } => None,
        }));
    }
    let faults: Vec<String> = declared
        .iter()
        .filter(|name| !named.contains(&name.replace('-', "_")))
        .map(|name| format!("Cargo.toml: nothing under `src` names `{name}`"))
        .collect();
    none_of(&faults);
}

#[test]
fn files_are_short_and_named_after_their_noun() {
    let mut faults = Vec::new();
    for file in source_files() {
        let lines = file.production_lines();
        let most = match file.name() {
            "main.rs" => MOST_LINES_OF_MAIN,
            "mod.rs" => MOST_LINES_OF_A_CONTENTS_PAGE,
            _ => MOST_LINES,
        };
        if lines > most {
            faults.push(format!("src/{}: has {lines} lines before its tests, at most {most} are wanted", file.path));
        }
        let parts = file.path.trim_end_matches(".rs").split('/');
        for empty in parts.filter(|part| EMPTY_NAMES.contains(part)) {
            faults.push(format!("src/{}: `{empty}` says nothing of what lives there", file.path));
        }
    }
    none_of(&faults);
}

/// What is wrong with naming this here, if anything.
fn through_a_wall(document: &Document, file: &SourceFile, named: &Named) -> Option<String> {
    let room = file.room.as_deref()?;
    let (line, path) = match named {
        Named::Inside { line, path } => (line, path),
        Named::Outside { line, path } => {
            let by_its_own_name = path.first().is_some_and(|first| first == "blossom_run");
            return by_its_own_name
                .then(|| format!("src/{}:{line}: names its own crate from outside, write `crate::`", file.path));
        }
        Named::Moved { line } => {
            return Some(format!("src/{}:{line}: `#[path]` and `include!` hide which room code lives in", file.path));
        }
    };
    let place = format!("src/{}:{line}", file.path);
    let Some(target) = path.first() else {
        return Some(format!("{place}: names the root of the crate, name the room"));
    };
    if target == room {
        return None;
    }
    if document.room(target).is_none() {
        return Some(format!("{place}: names `crate::{target}`, which is no room; name the room it comes from"));
    }
    let row = document.room(room)?;
    let allowed = row.may_name.iter().any(|name| name == target);
    (!allowed).then(|| format!("{place}: `{room}` may not name `{target}` ({})", row.never))
}

/// Fails with all of them, one a line.
fn none_of(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}
