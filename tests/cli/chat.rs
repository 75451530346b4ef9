//! `chat`, from a command line and through a pipe.

use crate::service::server::{Reply, Server};
use crate::support::Cli;

#[test]
fn one_question_is_answered_on_standard_output() {
    let ran = Cli::new("chat --offline Name a colour").run().exit(0).stderr("");
    assert!(ran.stdout.ends_with('\n') && ran.stdout.trim().len() > 10, "{ran:?}");
    let again = Cli::new("chat --offline Name a colour").run().exit(0);
    assert_eq!(again.stdout, ran.stdout, "the built-in provider answers the same");
}

#[test]
fn what_comes_through_a_pipe_is_put_below_the_words() {
    let server = Server::start(|_| Reply::chat("Fine."));
    let ran = Cli::new("chat --provider openai --model m --system Short! Sum this up:")
        .env("OPENAI_BASE_URL", &format!("{}/v1", server.url))
        .env("OPENAI_API_KEY", "sk-test")
        .stdin("A long story.\nThe end.\n")
        .run()
        .exit(0)
        .stderr("");
    assert_eq!(ran.stdout, "Fine.\n");
    let body = server.requests()[0].json();
    assert_eq!(body["messages"][0]["content"], "Short!");
    assert_eq!(body["messages"][1]["content"], "Sum this up:\n\nA long story.\nThe end.");
    assert_eq!(body["stream"], true);
}

#[test]
fn nothing_to_answer_is_wrong_usage() {
    Cli::new("chat --offline").run().exit(2).stdout("").stderr(
        "error: there is nothing to answer\n  help: write `blossom-run chat MESSAGE`, send it through a pipe, or start \
         it on a terminal to talk\n",
    );
}

#[test]
fn a_missing_key_is_told_in_words_of_the_command_line() {
    let ran = Cli::new("chat Hello").run().exit(5).stdout("");
    assert!(ran.stderr.contains("`POLLINATIONS_API_KEY`") && ran.stderr.contains("`--offline`"), "{}", ran.stderr);
}

#[test]
fn an_unknown_provider_is_wrong_usage() {
    let ran = Cli::new("chat --provider polinations Hello").run().exit(2).stdout("");
    assert!(ran.stderr.starts_with("error: There is no provider `polinations`\n  help: "), "{}", ran.stderr);
}
