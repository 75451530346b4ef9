//! A conversation: what was said, and how it goes on.

use std::path::PathBuf;

use anyhow::Result;
use futures::StreamExt as _;
use tokio::runtime::Runtime;

use crate::cli::fault::Fault;
use crate::cli::model_arg::ModelArg;
use crate::cli::signals::{self, Signal};
use crate::client::{Blossom, Error};
use crate::model::{Message, Role, StageKindName};
use crate::sink::Exit;

use super::order::{ORDERS, Order};
use super::screen::Screen;
use super::{Line, Lines, fault, record};

/// A conversation with one provider.
pub(super) struct Talk {
    blossom: Blossom,
    system: Option<String>,
    /// What was said, without what the model is told first.
    said: Vec<Message>,
    model: Option<String>,
    image_model: Option<String>,
    answers: u32,
}

/// What came of a message.
pub(super) enum Heard {
    Answer,
    Failed(Error),
    /// A signal ended it.
    Stopped(Exit),
}

impl Talk {
    pub(super) fn new(blossom: Blossom, system: Option<String>) -> Self {
        Self { blossom, system, said: Vec::new(), model: None, image_model: None, answers: 0 }
    }

    /// With whom, in words.
    pub(super) fn partner(&self) -> String {
        let (provider, model) = (self.blossom.provider(), self.model());
        model.map_or_else(|| format!("`{provider}`"), |model| format!("`{model}` of `{provider}`"))
    }

    fn model(&self) -> Option<&str> {
        self.model.as_deref().or_else(|| self.blossom.model())
    }

    /// What it took, if it took anything.
    pub(super) fn taken(&self) -> Option<String> {
        let spent = self.blossom.spent();
        let answers = if self.answers == 1 { "1 answer".to_owned() } else { format!("{} answers", self.answers) };
        (spent.calls > 0).then(|| format!("{answers}, {} tokens, {}", spent.tokens, spent.cost))
    }

    /// Goes on until somebody ends it.
    pub(super) fn hold(&mut self, lines: &mut impl Lines, screen: &mut impl Screen, runtime: &Runtime) -> Result<Exit> {
        while let Some(line) = whole(lines)? {
            match Order::of(&line) {
                Ok(order) => {
                    if let Some(exit) = self.obey(order, screen, runtime)? {
                        return Ok(exit);
                    }
                }
                Err(wrong) => screen.trouble(&wrong),
            }
        }
        Ok(Exit::Done)
    }

    /// Does what a line says; how the conversation ends, if it does.
    fn obey(&mut self, order: Order, screen: &mut impl Screen, runtime: &Runtime) -> Result<Option<Exit>> {
        match order {
            Order::Nothing => {}
            Order::Quit => return Ok(Some(Exit::Done)),
            Order::Say(message) => return self.go_on(message, screen, runtime),
            Order::Save(file) => match self.save(file.as_deref()) {
                Ok(path) => screen.note(&format!("Saved as {}", path.display())),
                Err(wrong) => screen.trouble(&wrong),
            },
            Order::Model(model) => self.choose(model, screen),
            Order::Image(prompt) => match self.paint(&prompt, runtime, screen) {
                Ok(end) => return Ok(end),
                Err(wrong) => screen.trouble(&wrong),
            },
            Order::Clear => {
                self.said.clear();
                screen.note("All that was said is forgotten.");
            }
            Order::Help => {
                let width = ORDERS.iter().map(|(order, _)| order.len()).max().unwrap_or(0);
                let lines = ORDERS.iter().map(|(order, what)| format!("{order:width$}  {what}\n"));
                let rest = "A line that ends in `\\` goes on in the next. Ctrl-C stops an answer.";
                screen.note(&(lines.collect::<String>() + rest));
            }
        }
        Ok(None)
    }

    /// Says something, and tells what came of it if that is no answer.
    fn go_on(&mut self, message: String, screen: &mut impl Screen, runtime: &Runtime) -> Result<Option<Exit>> {
        match self.say(message, runtime, screen)? {
            Heard::Answer => {}
            Heard::Failed(error) => {
                screen.trouble(&fault(&error));
                screen.note("Your message is not part of the conversation; the arrow up brings it back.");
            }
            Heard::Stopped(Exit::Interrupted) => {
                let was_heard = self.said.last().is_some_and(|last| last.role == Role::Assistant);
                let what = if was_heard { "what is shown is" } else { "your message is not" };
                screen.note(&format!("Stopped; {what} part of the conversation."));
            }
            Heard::Stopped(exit) => return Ok(Some(exit)),
        }
        Ok(None)
    }

    /// Says something, and shows the answer as it comes.
    pub(super) fn say(&mut self, message: String, runtime: &Runtime, screen: &mut impl Screen) -> Result<Heard> {
        self.said.push(Message::user(message));
        let mut ask = self.blossom.chat(&self.said);
        if let Some(system) = &self.system {
            ask = ask.system(system);
        }
        if let Some(model) = &self.model {
            ask = ask.model(model);
        }
        let mut stream = ask.stream();
        let mut shown = Ok(());
        let stopped = runtime.block_on(async {
            let listening = async {
                while let Some(Ok(piece)) = stream.next().await {
                    shown = screen.answer(&piece);
                    if shown.is_err() {
                        break;
                    }
                }
            };
            unless_stopped(listening).await
        });
        shown?;
        let text = stream.text().to_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            screen.answer("\n")?;
        }
        if let Err(signal) = stopped {
            drop(stream);
            self.stopped(text);
            return Ok(Heard::Stopped(signal.exit()));
        }
        match runtime.block_on(stream.finish()) {
            Ok(answer) => {
                self.said.push(Message::assistant(answer.text));
                self.answers += 1;
                Ok(Heard::Answer)
            }
            Err(error) => {
                self.said.pop();
                Ok(Heard::Failed(error))
            }
        }
    }

    /// What was heard of an answer is part of what was said: one can ask it to go on. Of none, the message is taken back.
    fn stopped(&mut self, text: String) {
        if text.trim().is_empty() {
            self.said.pop();
        } else {
            self.said.push(Message::assistant(text));
        }
    }

    fn save(&self, file: Option<&str>) -> Result<PathBuf, Fault> {
        if self.said.is_empty() {
            return Err(Fault::usage("nothing has been said yet", "say something first"));
        }
        let system = self.system.iter().map(Message::system);
        let messages: Vec<Message> = system.chain(self.said.iter().cloned()).collect();
        let model = self.model().unwrap_or_else(|| self.blossom.provider());
        record::save(&messages, file, model)
    }

    fn choose(&mut self, model: Option<ModelArg>, screen: &mut impl Screen) {
        match model {
            Some(ModelArg { kind: Some(StageKindName::Image), name }) => {
                screen.note(&format!("Pictures are made by `{name}` from here on."));
                self.image_model = Some(name);
            }
            Some(ModelArg { name, .. }) => {
                self.model = Some(name);
                screen.note(&format!("Talking to {} from here on.", self.partner()));
            }
            None => screen.note(&format!("Talking to {}.", self.partner())),
        }
    }

    /// Makes a picture; a signal other than Ctrl-C ends the conversation.
    fn paint(&mut self, prompt: &str, runtime: &Runtime, screen: &mut impl Screen) -> Result<Option<Exit>, Fault> {
        let mut ask = self.blossom.image(prompt);
        if let Some(model) = &self.image_model {
            ask = ask.model(model);
        }
        let picture = match runtime.block_on(async { unless_stopped(ask.into_future()).await }) {
            Ok(picture) => picture.map_err(|error| fault(&error))?,
            Err(Signal::Interrupt) => {
                screen.note("Stopped.");
                return Ok(None);
            }
            Err(signal) => return Ok(Some(signal.exit())),
        };
        let path = record::save_picture(&picture)?;
        self.answers += 1;
        screen.note(&format!("Saved as {} ({} x {})", path.display(), picture.width, picture.height));
        Ok(None)
    }
}

/// The next line with those that it goes on in; nothing at the end.
fn whole(lines: &mut impl Lines) -> Result<Option<String>> {
    let mut whole = String::new();
    loop {
        match lines.next(if whole.is_empty() { "> " } else { ". " })? {
            Line::Ended => return Ok(None),
            Line::GivenUp => whole.clear(),
            Line::Said(line) => match line.strip_suffix('\\') {
                Some(begun) => {
                    whole.push_str(begun);
                    whole.push('\n');
                }
                None => return Ok(Some(whole + &line)),
            },
        }
    }
}

/// Waits for something, unless a signal comes before it.
async fn unless_stopped<T>(waited: impl Future<Output = T>) -> Result<T, Signal> {
    let mut signals = std::pin::pin!(signals::incoming());
    tokio::select! {
        Some(signal) = signals.next() => Err(signal),
        done = waited => Ok(done),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    struct Script(VecDeque<Line>);

    impl Script {
        fn of(lines: &[&str]) -> Self {
            Self(lines.iter().map(|line| Line::Said((*line).to_owned())).collect())
        }
    }

    impl Lines for Script {
        fn next(&mut self, prompt: &str) -> Result<Line> {
            assert!(prompt == "> " || prompt == ". ");
            Ok(self.0.pop_front().unwrap_or(Line::Ended))
        }
    }

    #[derive(Default)]
    struct Seen {
        answers: String,
        notes: Vec<String>,
        troubles: Vec<String>,
    }

    impl Screen for Seen {
        fn answer(&mut self, piece: &str) -> Result<()> {
            self.answers.push_str(piece);
            Ok(())
        }

        fn note(&mut self, text: &str) {
            self.notes.push(text.to_owned());
        }

        fn trouble(&mut self, fault: &Fault) {
            self.troubles.push(fault.message.clone());
        }
    }

    fn offline() -> Talk {
        let blossom = Blossom::builder().provider("offline").build().unwrap();
        Talk::new(blossom, Some("You are brief.".to_owned()))
    }

    fn hold(talk: &mut Talk, lines: &[&str]) -> Seen {
        let mut seen = Seen::default();
        let exit = talk.hold(&mut Script::of(lines), &mut seen, &Runtime::new().unwrap()).unwrap();
        assert_eq!(exit, Exit::Done);
        seen
    }

    #[test]
    fn what_was_said_is_said_again() {
        let mut talk = offline();
        let seen = hold(&mut talk, &["Hello", "", "and \\", "again"]);
        let said: Vec<_> = talk.said.iter().map(|message| (message.role.name(), message.content.as_str())).collect();
        assert_eq!(said.len(), 4);
        assert_eq!((said[0], said[2]), (("user", "Hello"), ("user", "and \nagain")));
        assert_eq!(seen.answers, format!("{}\n{}\n", said[1].1.trim_end(), said[3].1.trim_end()));
        assert!(seen.troubles.is_empty() && talk.taken().unwrap().starts_with("2 answers, "));
    }

    #[test]
    fn what_begins_with_a_slash_is_not_said() {
        let mut talk = offline();
        let seen =
            hold(&mut talk, &["/sav", "/model other", "/model", "/help", "Hello", "/clear", "/save", "/quit", "Hi"]);
        assert_eq!(seen.troubles, ["there is no `/sav`", "nothing has been said yet"]);
        assert_eq!(seen.notes[0], "Talking to `other` of `offline` from here on.");
        assert_eq!(seen.notes[1], "Talking to `other` of `offline`.");
        assert!(seen.notes[2].contains("/image PROMPT"), "{}", seen.notes[2]);
        assert!(talk.said.is_empty(), "what is said after the end is not heard");
    }

    #[test]
    fn a_message_without_an_answer_is_taken_back() {
        let environment = crate::client::Environment::fixed::<&str, &str>([]);
        let blossom = Blossom::builder().provider("pollinations").environment(environment).build().unwrap();
        let mut talk = Talk::new(blossom, None);
        let seen = hold(&mut talk, &["Hello"]);
        assert!(seen.troubles[0].starts_with("No key for `pollinations`"), "{:?}", seen.troubles);
        assert!(talk.said.is_empty() && talk.taken().is_none());
    }
}
