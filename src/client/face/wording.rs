//! What to try, said to a program: the rest of the library speaks of keys of a file and of flags.

use crate::model::{Failure, FailureKind};

/// What stands in suggestions for the author of a file, and what a programmer writes instead.
const IN_CODE: [(&str, &str); 13] = [
    ("`max_tokens: 500`", "`.max_tokens(500)`"),
    ("`max_tokens`", "`.max_tokens(..)`"),
    ("with `concurrency`", "with `.concurrency(..)`"),
    ("with `retry`", "with `.retry(..)`"),
    ("the `rate` of this provider", "`.rate(..)`"),
    ("`base_url`", "`.base_url(..)`"),
    ("`headers`", "`.header(..)`"),
    ("`provider: pollinations`", "the provider `pollinations`"),
    ("name the variable that holds it: `api_key: {env: NAME}`", "give it with `.key(..)`"),
    (
        "take `tools` out of `extra`, or forbid them with `extra: {tool_choice: none}`",
        "take `tools` out of `.extra(..)`",
    ),
    ("both `width` and `height`", "both `.width(..)` and `.height(..)`"),
    ("`--store DIR` or `BLOSSOM_STORE`", "`.store(..)`"),
    ("run it again", "try again"),
];

/// The same failure, with a suggestion that a programmer can follow.
pub(super) fn in_code(mut failure: Failure) -> Failure {
    let instead = match failure.kind {
        FailureKind::KeyMissing => Some(
            "give the key with `Blossom::builder().key(..)`, or set the variable; the provider `offline` needs none",
        ),
        FailureKind::Timeout => Some(
            "allow more time: `.timeout(..)` of the question, or `.attempt_timeout(..)`, `.first_token_timeout(..)`, \
             `.idle_timeout(..)` of the builder",
        ),
        FailureKind::BudgetUsedUp => Some("allow more with `.budget(..)` of the builder, and make another client"),
        FailureKind::Unpriced => {
            failure.message = failure.message.replace("the cost of this run", "the cost of this client");
            Some("give the price of the model with `.price(..)`, or let it through with `.allow_unpriced()`")
        }
        FailureKind::Interrupted => Some("make another client with `Blossom::builder()`"),
        _ => None,
    };
    failure.suggestion = match (instead, failure.suggestion) {
        (Some(instead), _) => Some(instead.to_owned()),
        (None, written) => written.map(|suggestion| in_methods(&suggestion)),
    };
    failure
}

fn in_methods(suggestion: &str) -> String {
    let suggestion = IN_CODE.iter().fold(suggestion.to_owned(), |text, (written, code)| text.replace(written, code));
    let suggestion = between(suggestion, "`blossom-run models --provider ", "`", |_| "`Blossom::models()`".to_owned());
    between(suggestion, "`timeout: {total: ", "}`", |total| format!("`.timeout({total})`"))
}

/// With other words for what stands between these two, and for the two themselves.
fn between(text: String, start: &str, end: &str, instead: impl Fn(&str) -> String) -> String {
    let Some((before, rest)) = text.split_once(start) else { return text };
    let Some((within, after)) = rest.split_once(end) else { return text };
    format!("{before}{}{after}", instead(within))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reworded(kind: FailureKind, suggestion: &str) -> String {
        in_code(Failure::new(kind, "What happened").suggest(suggestion)).suggestion.unwrap()
    }

    #[test]
    fn a_programmer_is_told_of_methods() {
        let wait = "the next attempt would have to wait 30.0s, which is more than is left of `timeout: {total: 5.0s}`; allow more, or try later";
        assert_eq!(
            reworded(FailureKind::RateLimited, wait),
            "the next attempt would have to wait 30.0s, which is more than is left of `.timeout(5.0s)`; allow more, or try later"
        );
        assert_eq!(
            reworded(
                FailureKind::RateLimited,
                "send fewer at once with `concurrency`, or allow more attempts with `retry`"
            ),
            "send fewer at once with `.concurrency(..)`, or allow more attempts with `.retry(..)`"
        );
        assert!(
            reworded(FailureKind::KeyMissing, "set `K`, or rehearse with `--offline`").contains("`Blossom::builder()")
        );
        let models = "check the name of `x`; `blossom-run models --provider p` lists the models";
        assert_eq!(
            reworded(FailureKind::NotFound, models),
            "check the name of `x`; `Blossom::models()` lists the models"
        );
        assert_eq!(reworded(FailureKind::Garbled, "try again later"), "try again later");
    }
}
