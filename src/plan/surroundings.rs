//! `loop` and `run`: what templates know of where they are filled in.

use crate::diag::{Diagnostic, did_you_mean, listed};

use super::binder::{Binder, Site};
use super::fields::Written;
use super::pipeline::LoopIx;

impl Binder<'_> {
    pub(super) fn check_loop_info(&mut self, rest: &[String], written: &Written<'_>) {
        const FIELDS: [&str; 4] = ["index", "number", "first", "key"];
        self.found.loop_info = true;
        if self.is_broken(self.stage) {
            return;
        }
        let own: Vec<LoopIx> = self.own_loops().collect();
        let Some(innermost) = own.last() else {
            let help = if self.stage.is_some() {
                "give the stage a `for_each`, or leave `loop` out"
            } else {
                "an output names inputs and stages"
            };
            let message = "`loop` is known inside of a loop alone";
            self.diagnostics().push(Diagnostic::error("unknown-name", &written.place(), message).help(help));
            return;
        };
        let variables: Vec<&str> = own.iter().map(|ix| self.ground.tree.name(*ix)).collect();
        let mut fields = rest;
        let mut of = *innermost;
        if let Some(at) = rest.first().and_then(|first| variables.iter().position(|name| name == first)) {
            of = own[at];
            fields = &rest[1..];
        }
        if matches!(self.site, Site::Request | Site::Chooser) {
            self.found.request_loops.insert(of);
        }
        let owner = if fields.len() < rest.len() { format!("loop.{}", rest[0]) } else { "loop".to_owned() };
        let wrong = match fields {
            [field] if FIELDS.contains(&field.as_str()) => return,
            [] => {
                let message = format!("`{owner}` is not a value of its own");
                let help = format!("name one of its fields: {}", listed(FIELDS));
                Diagnostic::error("unknown-field", &written.place(), message).help(help)
            }
            [known, field, more @ ..] if FIELDS.contains(&known.as_str()) => {
                let message = format!("`{owner}.{known}` has no field `{field}`");
                let help = format!("name it as `{{{{{owner}.{known}}}}}`");
                Diagnostic::error("unknown-field", &written.segment(field, more), message).help(help)
            }
            [field, more @ ..] => {
                let known: Vec<&str> =
                    FIELDS.into_iter().chain(if owner == "loop" { variables } else { Vec::new() }).collect();
                let help = match did_you_mean(field, known.iter().copied()) {
                    Some(meant) => format!("did you mean `{owner}.{meant}`?"),
                    None => format!("it has {}", listed(known)),
                };
                let message = format!("`{owner}` has no field `{field}`");
                Diagnostic::error("unknown-field", &written.segment(field, more), message).help(help)
            }
        };
        self.diagnostics().push(wrong);
    }

    pub(super) fn check_run(&mut self, rest: &[String], written: &Written<'_>) {
        self.found.run = true;
        let may_name_id = matches!(self.site, Site::Save | Site::Output);
        let (code, message, help) = match rest {
            [field] if field == "name" || (field == "id" && may_name_id) => return,
            [field] if field == "id" => (
                "run-id",
                "`run.id` is known in `save` and `outputs` alone".to_owned(),
                "take it out: an answer that depends on the run could never be used again",
            ),
            _ => {
                let message = match rest.first() {
                    Some(field) => format!("`run` has no field `{field}`"),
                    None => "`run` is not a value of its own".to_owned(),
                };
                ("unknown-field", message, "there is `run.name`, and `run.id` in `save` and `outputs`")
            }
        };
        self.diagnostics().push(Diagnostic::error(code, &written.place(), message).help(help));
    }
}
