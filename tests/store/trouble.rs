//! A store that can't be used: the run says so, ends with 6, and breaks nothing.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::cli::{Cli, Ran};
use crate::desk::{DIGEST, Desk, files, out, rows};

/// It ends with 6 and a sentence that has these words and says what to try; no request was sent, and what lies in the
/// store and in the output folder is what was there.
#[track_caller]
fn refused(desk: &mut Desk, cli: Cli, store: &Path, words: &[&str]) -> Ran {
    let (kept, written) = (files(store), files(&cli.path("out")));
    let ran = cli.run().exit(6);
    for word in words {
        assert!(ran.stderr.contains(word), "`{word}`:\n{}", ran.stderr);
    }
    assert_eq!(desk.asked(), [""; 0]);
    assert!(files(store) == kept, "the store was touched");
    assert!(files(&ran.path("out")) == written, "the output folder was touched");
    ran
}

/// A store with answers in it, at its end.
fn filled(desk: &mut Desk) -> Ran {
    let ran = desk.cli(DIGEST, &rows(3)).run().exit(0);
    desk.asked();
    ran
}

#[test]
fn a_file_in_the_place_of_the_folder() {
    let mut desk = Desk::new();
    let cli = desk.cli(DIGEST, &rows(2)).file("kept", "a letter").arg("--store").arg("kept");
    let ran = refused(&mut desk, cli, Path::new("nowhere"), &["the store can't be used", "`--store DIR`"]);
    assert_eq!(ran.read("kept"), "a letter");
    assert!(!ran.path("out").exists(), "nothing was begun");
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let mut desk = Desk::new();
    let ran = filled(&mut desk);
    let store = ran.path(".blossom");
    let permit = |mode| {
        for path in files(&store).keys().map(|path| store.join(path)) {
            fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o666)).unwrap();
        }
        fs::set_permissions(&store, fs::Permissions::from_mode(mode)).unwrap();
    };
    permit(0o555);
    // Permissions don't bind everyone: where they don't, there is nothing to be refused.
    let binds = File::create(store.join("probe")).is_err();
    fs::remove_file(store.join("probe")).ok();
    if binds {
        let cli = ran.again("p.yaml");
        refused(&mut desk, cli, &store, &["the store can't be written", "make the folder writable"]);
    }
    permit(0o755);
}

#[test]
fn a_file_that_is_no_database() {
    let mut desk = Desk::new();
    let ran = filled(&mut desk);
    let store = ran.path(".blossom");
    let mut file = File::options().write(true).open(store.join("store.db")).unwrap();
    file.write_all(b"These are the words of somebody else, and no database at all").unwrap();
    drop(file);
    refused(&mut desk, ran.again("p.yaml"), &store, &["the store is damaged", "move the folder away"]);
}

#[test]
fn a_database_with_a_page_that_is_none() {
    let mut desk = Desk::new();
    let ran = filled(&mut desk);
    let (store, written) = (ran.path(".blossom"), out(&ran));
    let mut file = File::options().write(true).open(store.join("store.db")).unwrap();
    let length = file.metadata().unwrap().len();
    // All but the first page, where the tables are named.
    file.seek(SeekFrom::Start(4096)).unwrap();
    file.write_all(&vec![0xa5; usize::try_from(length).unwrap() - 4096]).unwrap();
    drop(file);
    let ran = ran.again("p.yaml").run().exit(6);
    assert!(ran.stderr.contains("the store is damaged"), "{}", ran.stderr);
    assert_eq!(desk.asked(), [""; 0]);
    assert_eq!(out(&ran), written);
}

#[test]
fn a_database_of_another_program() {
    let mut desk = Desk::new();
    let cli = desk.cli(DIGEST, &rows(2)).file(".blossom/.gitignore", "*\n");
    let store = cli.path(".blossom");
    let other = rusqlite::Connection::open(store.join("store.db")).unwrap();
    other.execute_batch("CREATE TABLE recipes(name TEXT); INSERT INTO recipes VALUES('soup')").unwrap();
    drop(other);
    refused(&mut desk, cli, &store, &["is a database of another program", "`--store DIR`"]);
}

#[test]
fn a_newer_format() {
    let mut desk = Desk::new();
    let ran = filled(&mut desk);
    let store = ran.path(".blossom");
    crate::desk::database(&store).pragma_update(None, "user_version", 99).unwrap();
    refused(&mut desk, ran.again("p.yaml"), &store, &["the store has format 99", "newer version"]);
}

#[test]
fn a_picture_that_is_lost_is_asked_for_again() {
    let mut desk = Desk::new();
    let ran = filled(&mut desk);
    let (store, written) = (ran.path(".blossom"), out(&ran));
    let lost = files(&store.join("blobs")).into_keys().next().unwrap();
    fs::remove_file(store.join("blobs").join(&lost)).unwrap();
    let ran = ran.again("p.yaml").run().exit(0);
    assert_eq!(desk.asked().len(), 1);
    assert_eq!(out(&ran), written);
    assert!(store.join("blobs").join(lost).is_file());
}

/// A limit on the length of files stands for a disk that is full from some moment on: the journal of the database is
/// the longest file by far.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_at_some_moment() {
    let left_alone = Desk::new();
    let whole = out(&left_alone.cli(DIGEST, &rows(40)).run().exit(0));
    let mut desk = Desk::new();
    let mut ran = desk.cli(DIGEST, &rows(40)).longest_file(200).run().exit(6);
    let mut stopped = 1;
    for blocks in [260, 330, 400] {
        let store = ran.path(".blossom");
        assert!(ran.stderr.contains("store can't be"), "{}", ran.stderr);
        assert!(!ran.files().iter().any(|file| file.contains(".part")), "{:?}", ran.files());
        crate::desk::assert_whole(&store);
        let kept = crate::desk::kept(&store);
        desk.asked();
        ran = ran.again("p.yaml").longest_file(blocks).run();
        assert!([0, 6].contains(&ran.code), "{}", ran.stderr);
        stopped += usize::from(ran.code == 6);
        let again: Vec<String> = desk.asked().into_iter().filter(|prompt| kept.contains(prompt)).collect();
        assert!(again.is_empty(), "kept, and asked for again: {again:?}");
    }
    assert!(stopped > 1, "the limit is reached more than once");
    let kept = crate::desk::kept(&ran.path(".blossom"));
    assert!(!kept.is_empty(), "what was kept before the disk was full is there");
    let ran = ran.again("p.yaml").run().exit(0);
    assert!(desk.asked().iter().all(|prompt| !kept.contains(prompt)));
    assert_eq!(out(&ran), whole);
}
