//! Completions and the manual page.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::Cli;

#[test]
fn every_shell_has_completions() {
    for (shell, words) in [
        ("bash", "complete -F _blossom__run"),
        ("zsh", "#compdef blossom-run"),
        ("fish", "complete -c blossom-run"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion"),
    ] {
        let ran = Cli::new(&format!("completions {shell}")).run().exit(0).stderr("");
        assert!(ran.stdout.contains(words), "{shell}: {}", ran.stdout);
        assert!(ran.stdout.contains("templates"), "{shell} knows the commands");
    }
}

#[test]
fn an_unknown_shell_lists_those_that_are_known() {
    let ran = Cli::new("completions dos").run().exit(2).stdout("");
    assert!(ran.stderr.contains("[possible values: bash, elvish, fish, powershell, zsh]"), "{ran:?}");
}

#[test]
fn the_manual_page_is_one() {
    let ran = Cli::new("man").run().exit(0).stderr("");
    assert!(ran.stdout.contains(".TH blossom-run 1"), "{ran:?}");
    for words in [".SH \"EXIT STATUS\"\n.nf\n0    done", ".SH \"EXAMPLES\"\n.nf\n", "<ITEM>", "text, mermaid, dot"] {
        assert!(ran.stdout.contains(words), "{words}: {ran:?}");
    }
}

/// Where there is a reader of manuals, it has nothing to complain of.
#[test]
fn the_manual_page_can_be_read() {
    let page = Cli::new("man").run().exit(0).stdout;
    let reader = Command::new("man")
        .args(["--warnings", "-l", "-"])
        .env("MANPAGER", "cat")
        .env("MANWIDTH", "100")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut reader) = reader else { return };
    reader.stdin.take().expect("its input").write_all(page.as_bytes()).expect("the page is taken");
    let read = reader.wait_with_output().expect("its end");
    let (shown, complaints) = (String::from_utf8_lossy(&read.stdout), String::from_utf8_lossy(&read.stderr));
    // A machine without its pages has a `man` that only says so.
    if !read.status.success() && !complaints.contains("--warnings") && shown.is_empty() {
        return;
    }
    assert!(shown.contains("--offline") && shown.contains("interrupted by SIGTERM or SIGHUP"), "{shown}{complaints}");
    assert_eq!(complaints, "");
}
