//! Inputs that come from the command line.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::engine::{Request, WantedOutputs};
use crate::model::{Budget, JsonMap};
use crate::plan::{InputValue, LoopSource, Plan};
use crate::source::ListSource;

use super::args::RequestArgs;
use super::fault::Fault;

/// `-i NAME=VALUE`, not yet read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InputArg {
    pub(super) name: String,
    source: Source,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Words(String),
    File(PathBuf),
    Stdin,
}

impl InputArg {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some((name, value)) = text.split_once('=') else {
            return Err(format!("it has no value; write `-i {text}=VALUE`"));
        };
        let name = name.trim();
        if name.is_empty() {
            return Err("it has no name; write `-i NAME=VALUE`".to_owned());
        }
        let source = match value.strip_prefix('@') {
            None => Source::Words(value.to_owned()),
            Some(rest) if rest.starts_with('@') => Source::Words(rest.to_owned()),
            Some("") => return Err(format!("the file is missing; write `-i {name}=@FILE`, or `@@` for an @")),
            Some("-") => Source::Stdin,
            Some(path) => Source::File(path.into()),
        };
        Ok(Self { name: name.to_owned(), source })
    }

    /// Whether its value is all of standard input.
    pub(super) fn is_stdin(&self) -> bool {
        self.source == Source::Stdin
    }

    /// From now on its value is `text` where that is standard input.
    fn give(&mut self, text: &str) {
        if self.is_stdin() {
            self.source = Source::Words(text.to_owned());
        }
    }

    fn text(&self) -> Result<String, Fault> {
        let (name, bytes) = match &self.source {
            Source::Words(words) => return Ok(words.clone()),
            Source::File(path) => (path.display().to_string(), std::fs::read(path)),
            Source::Stdin => {
                let mut bytes = Vec::new();
                let read = std::io::stdin().lock().read_to_end(&mut bytes);
                ("standard input".to_owned(), read.map(|_| bytes))
            }
        };
        let bytes = bytes.map_err(|error| {
            let help = format!("write `-i {}=@FILE` with a file that can be read, or `@@` for an @", self.name);
            Fault::invalid(format!("input `{}`: `{name}` can't be read: {error}", self.name), help)
        })?;
        String::from_utf8(bytes).map_err(|_| {
            Fault::invalid(
                format!("input `{}`: `{name}` is not text in UTF-8", self.name),
                "convert it first: `iconv -t utf-8`",
            )
        })
    }
}

impl RequestArgs {
    /// Gives the input that is read from standard input its value.
    pub(super) fn give_stdin(&mut self, text: &str) {
        self.inputs.iter_mut().for_each(|input| input.give(text));
    }

    /// The name of the input that is read from standard input.
    pub(super) fn reads_stdin(&self) -> Option<&str> {
        self.inputs.iter().find(|input| input.is_stdin()).map(|input| input.name.as_str())
    }
}

/// What a pipeline is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To see what it says: inputs may be missing.
    Look,
    /// To make requests of it: every input has a value.
    Use,
}

/// What is asked for, with values read from where they stand.
pub(super) fn request(file: &Path, args: &RequestArgs, purpose: Purpose) -> Result<Request> {
    let mut inputs = Vec::with_capacity(args.inputs.len());
    for input in &args.inputs {
        inputs.push((input.name.clone(), input.text()?));
    }
    if let Some(path) = &args.inputs_file {
        is_there(path)?;
    }
    Ok(Request {
        file: file.to_owned(),
        inputs,
        input_values: JsonMap::new(),
        inputs_file: args.inputs_file.clone(),
        provider: args.provider.clone(),
        models: args.models.iter().map(|model| (model.kind, model.name.clone())).collect(),
        offline: args.offline,
        only: Vec::new(),
        limit: None,
        budget: Budget::default(),
        deadline: None,
        wanted: WantedOutputs::default(),
        to_run: purpose == Purpose::Use,
        working_dir: working_dir()?,
    })
}

fn working_dir() -> Result<PathBuf, Fault> {
    std::env::current_dir().map_err(|error| {
        let help = "change to an existing folder: `cd`";
        Fault::usage(format!("the working directory can't be found: {error}"), help)
    })
}

/// Standard input can be read once: as the value of an input, or as a list.
pub(super) fn one_reader(args: &RequestArgs, plan: &Plan) -> Result<(), Fault> {
    let Some(input) = args.inputs.iter().find(|input| input.is_stdin()) else { return Ok(()) };
    if reads_stdin_as_list(plan) {
        let message = format!("standard input is the value of `{}`, and a list as well", input.name);
        return Err(Fault::usage(message, format!("write one of them to a file: `-i {}=@FILE`", input.name)));
    }
    Ok(())
}

/// Whether standard input is a list of this plan.
pub(super) fn reads_stdin_as_list(plan: &Plan) -> bool {
    let lists = plan.loops.iter().filter_map(|one| match &one.source {
        LoopSource::Rows { list, .. } => Some(list),
        _ => None,
    });
    let values = plan.inputs.iter().filter_map(|input| match &input.value {
        InputValue::List(list) => Some(list),
        _ => None,
    });
    lists.chain(values).any(|list| matches!(list, ListSource::Stdin))
}

fn is_there(path: &Path) -> Result<(), Fault> {
    let shown = path.display();
    let problem = match std::fs::metadata(path) {
        Ok(file) if file.is_dir() => "it is a folder".to_owned(),
        Ok(_) => return Ok(()),
        Err(error) => error.to_string(),
    };
    let help = "name a YAML or JSON file of names and values, from the working directory: `--inputs values.yaml`";
    Err(Fault::invalid(format!("`--inputs`: `{shown}` can't be read: {problem}"), help))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(arg: &str) -> Result<String, Fault> {
        InputArg::parse(arg).unwrap().text()
    }

    #[test]
    fn values_are_taken_as_they_stand() {
        for (arg, value) in [
            ("tone=dry", "dry"),
            ("tone=", ""),
            ("formula=a=b", "a=b"),
            ("handle=@@blossom", "@blossom"),
            ("spaces= a ", " a "),
        ] {
            assert_eq!(text(arg).unwrap(), value, "{arg}");
        }
    }

    #[test]
    fn a_value_can_be_read_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), "Grüße\n".as_bytes()).unwrap();
        assert_eq!(text(&format!("text=@{}", path.display())).unwrap(), "Grüße\n");
        std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), b"\xff").unwrap();
        let fault = text(&format!("text=@{}", path.display())).unwrap_err();
        assert!(fault.message.contains("not text in UTF-8"), "{fault}");
        assert!(text("text=@no-such-file").unwrap_err().message.contains("`no-such-file` can't be read"));
    }

    #[test]
    fn what_is_missing_is_said() {
        for (arg, words) in [("tone", "`-i tone=VALUE`"), ("=dry", "`-i NAME=VALUE`"), ("tone=@", "`-i tone=@FILE`")] {
            assert!(InputArg::parse(arg).unwrap_err().contains(words), "{arg}");
        }
    }
}
