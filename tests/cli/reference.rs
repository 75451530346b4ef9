//! Completions and the manual page.

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
    assert!(ran.stdout.contains("Exit codes"), "{ran:?}");
}
