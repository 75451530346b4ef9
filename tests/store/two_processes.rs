//! Two programs, one store.

use std::collections::BTreeMap;

use crate::desk::{DIGEST, Desk, assert_whole, out, rows};

#[test]
fn two_that_begin_at_once_make_the_store_once_and_both_come_to_their_end() {
    let mut desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    // Not there yet: who comes first makes it.
    let store = folder.path().join("store");
    let start = || desk.cli(DIGEST, &rows(30)).arg("--store").arg(&store.to_string_lossy()).start();
    let both = [start(), start()];
    let [one, other] = both.map(|going| going.wait().exit(0));
    assert_eq!(out(&one), out(&other));
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for prompt in desk.asked() {
        *counts.entry(prompt).or_default() += 1;
    }
    assert_eq!(counts.len(), 3 * 30 + 1);
    assert!(counts.values().all(|count| *count <= 2), "each asks once at most: {counts:?}");
    assert_whole(&store);

    desk.cli(DIGEST, &rows(30)).arg("--store").arg(&store.to_string_lossy()).run().exit(0);
    assert_eq!(desk.asked(), [""; 0], "what either has kept is there for all");
}

#[cfg(unix)]
#[test]
fn one_that_is_killed_leaves_the_other_alone() {
    let mut desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let start = || desk.cli(DIGEST, &rows(30)).arg("--store").arg(&store.to_string_lossy()).start();
    let (killed, other) = (start(), start());
    desk.arrived(20);
    killed.signal("KILL");
    // It may have come to its end before it was killed; either way the other is not held up.
    let killed = killed.wait();
    let other = other.wait().exit(0);
    assert!([0, 128 + 9].contains(&killed.code), "{}", killed.stderr);
    assert_whole(&store);
    desk.asked();
    let again = killed.again("p.yaml --store").arg(&store.to_string_lossy()).run().exit(0);
    assert_eq!(desk.asked(), [""; 0]);
    assert_eq!(out(&again), out(&other));
}
