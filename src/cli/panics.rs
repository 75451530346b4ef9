//! A fault of this program, told in a sentence.

use std::panic::{PanicHookInfo, set_hook, take_hook};

use crate::sink::one_line;

use super::stdout;

/// From here on a panic is told in a sentence, and in full under `RUST_BACKTRACE`.
pub(super) fn install() {
    let full = take_hook();
    set_hook(Box::new(move |info| {
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            full(info);
        } else {
            stdout::error(&sentence(info));
        }
    }));
}

fn sentence(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let what = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text.as_str(),
        (None, None) => "no message",
    };
    let place = info.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
    format!(
        "error: a bug in blossom-run: {}{place}\n  help: please report it with the command you ran; \
         `RUST_BACKTRACE=1` shows more\n",
        one_line(what)
    )
}
