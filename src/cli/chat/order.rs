//! What begins with `/`: said to this program, and not to the model.

use crate::cli::fault::Fault;
use crate::cli::model_arg::ModelArg;

/// What can be said to this program, as `/help` lists it.
pub(super) const ORDERS: [(&str, &str); 6] = [
    ("/save [FILE]", "write the conversation to a file: Markdown, or JSON where its name ends in `.json`"),
    ("/model [NAME]", "ask this model from here on; `image=NAME` is for pictures. Without a name, tell which one"),
    ("/image PROMPT", "make a picture and save it in this folder"),
    ("/clear", "forget what was said, and begin again"),
    ("/help", "list this"),
    ("/quit", "end the conversation; so does Ctrl-D"),
];

/// A line, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    /// Blanks.
    Nothing,
    /// To the model.
    Say(String),
    Save(Option<String>),
    Model(Option<ModelArg>),
    Image(String),
    Clear,
    Help,
    Quit,
}

impl Order {
    /// Of a line as it was typed. A message that begins with `/` is written with `//`.
    pub(super) fn of(line: &str) -> Result<Self, Fault> {
        let line = line.trim();
        let Some(order) = line.strip_prefix('/') else {
            return Ok(if line.is_empty() { Self::Nothing } else { Self::Say(line.to_owned()) });
        };
        if order.starts_with('/') {
            return Ok(Self::Say(order.to_owned()));
        }
        let (name, rest) = order.split_once(char::is_whitespace).unwrap_or((order, ""));
        let rest = Some(rest.trim()).filter(|rest| !rest.is_empty());
        match name {
            "save" => Ok(Self::Save(rest.map(str::to_owned))),
            "model" => rest.map(ModelArg::parse).transpose().map(Self::Model).map_err(|why| Fault::usage(why, HINT)),
            "image" => match rest {
                Some(prompt) => Ok(Self::Image(prompt.to_owned())),
                None => Err(Fault::usage("`/image` needs to know what should be seen", "write `/image a red apple`")),
            },
            "clear" | "help" | "quit" | "exit" if rest.is_some() => {
                Err(Fault::usage(format!("`/{name}` stands alone"), format!("to say it to the model, write `/{line}`")))
            }
            "clear" => Ok(Self::Clear),
            "help" => Ok(Self::Help),
            "quit" | "exit" => Ok(Self::Quit),
            unknown => {
                let known = ["/save", "/model", "/image", "/clear", "/help", "/quit"];
                let help = Fault::nearest(&format!("/{unknown}"), &known, "there are");
                let help = format!("{help}\nto say it to the model, write `/{line}`");
                Err(Fault::usage(format!("there is no `/{unknown}`"), help))
            }
        }
    }
}

const HINT: &str = "`/model` tells which one is asked";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_a_slash_is_said_to_the_program() {
        assert_eq!(Order::of("  Hello /you "), Ok(Order::Say("Hello /you".into())));
        assert_eq!(Order::of("//etc/hosts"), Ok(Order::Say("/etc/hosts".into())));
        assert_eq!(Order::of(" "), Ok(Order::Nothing));
        assert_eq!(Order::of("/save"), Ok(Order::Save(None)));
        assert_eq!(Order::of("/save my talk.md "), Ok(Order::Save(Some("my talk.md".into()))));
        assert_eq!(Order::of("/image  a red  apple"), Ok(Order::Image("a red  apple".into())));
        assert_eq!(Order::of("/quit"), Ok(Order::Quit));
    }

    #[test]
    fn what_is_misspelt_is_not_said_to_the_model() {
        let fault = Order::of("/sav x.md").unwrap_err();
        assert_eq!(fault.message, "there is no `/sav`");
        assert!(fault.help.unwrap().starts_with("did you mean `/save`?"));
        assert_eq!(Order::of("/image").unwrap_err().message, "`/image` needs to know what should be seen");
        assert_eq!(Order::of("/quit now").unwrap_err().message, "`/quit` stands alone");
    }
}
