//! `check`: every mistake of pipeline files.

use anyhow::Result;

use crate::diag::Severity;
use crate::engine;
use crate::sink::{Exit, one_line};

use super::args::CheckArgs;
use super::fault::Fault;
use super::inputs::{self, Purpose};
use super::pipeline::{locate, tell, wrong_flag};
use super::settings::{Settings, Surroundings};
use super::stdout;

pub(super) fn check(args: &CheckArgs) -> Result<Exit> {
    let settings = Settings::of(&args.display, Surroundings::detect());
    let mut exit = Exit::Done;
    for name in &args.pipelines {
        let located = match locate(name) {
            Ok(located) => located,
            // The others are looked at all the same: every mistake at once.
            Err(error) => {
                exit = exit.or_worse(Fault::tell(&error, settings.paint));
                continue;
            }
        };
        let checked = engine::check(&inputs::request(&located.file, &args.request, Purpose::Look)?);
        if let Some(fault) = wrong_flag(&checked) {
            exit = exit.or_worse(Fault::tell(&fault.into(), settings.paint));
            continue;
        }
        tell(&located, &checked, &settings, if settings.quiet { Severity::Error } else { Severity::Note });
        let count = |severity| checked.diagnostics.count(severity);
        if checked.diagnostics.has_errors() {
            exit = exit.or_worse(Exit::Invalid);
        }
        if !settings.quiet {
            let name = one_line(name);
            stdout::error(&format!("{name}: {}\n", verdict(count(Severity::Error), count(Severity::Warning))));
        }
    }
    Ok(exit)
}

/// `no mistakes`, `2 errors, 1 warning`
fn verdict(errors: usize, warnings: usize) -> String {
    let counted = |count: usize, one: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {one}s")),
    };
    let found: Vec<String> = [counted(errors, "error"), counted(warnings, "warning")].into_iter().flatten().collect();
    if found.is_empty() { "no mistakes".to_owned() } else { found.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_counts() {
        assert_eq!(verdict(0, 0), "no mistakes");
        assert_eq!(verdict(2, 1), "2 errors, 1 warning");
        assert_eq!(verdict(0, 3), "3 warnings");
    }
}
