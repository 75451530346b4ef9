//! What a stage does when it runs: what it asks, with which settings, and where its value goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Choice, Clocks, ImageParams, Json, OnError, RetryPolicy, Reuse, Role, TextParams};

use super::expect::Expect;
use super::fallback::FallbackPlan;
use super::pictures::Shown;
use super::pipeline::LoopIx;
use super::talk::Continued;
use super::template::Template;

/// What an instance of a stage does.
#[derive(Debug)]
pub enum Work {
    /// Asks for a text.
    Text(Box<TextWork>),
    /// Asks for a picture.
    Image(Box<ImageWork>),
    /// Renders a template.
    Render(Template),
    /// Puts JSON together.
    Value(JsonTemplate),
}

/// How a stage asks.
#[derive(Debug, Clone)]
pub struct Asking {
    /// Whom, by name.
    pub provider: Dial<String>,
    /// Who is meant by what a template of it comes to, if that speaks the names of a used pipeline: nobody but these.
    pub known_as: Option<Arc<BTreeMap<String, String>>>,
    /// Which model; none is sent without one.
    pub model: Option<Dial<String>>,
    /// How often.
    pub retry: RetryPolicy,
    /// How long.
    pub clocks: Clocks,
    /// Whether a kept answer stands for the call.
    pub reuse: Reuse,
    /// What the answer must be.
    pub expect: Arc<Expect>,
    /// Whether a wrong answer is given back with what is wrong with it.
    pub feedback: bool,
    /// Who else is asked, in turn.
    pub fallbacks: Vec<FallbackPlan>,
    /// Whether a stream is asked for; without a value, when the text is shown live.
    pub stream: Option<bool>,
    /// Loops whose items are part of the call's key, since the request does not depend on them.
    pub repeat: Vec<LoopIx>,
}

/// A text to be asked for.
#[derive(Debug)]
pub struct TextWork {
    /// How it is asked.
    pub asking: Asking,
    /// What comes before the messages.
    pub continues: Option<Continued>,
    /// The conversation, `system` first.
    pub messages: Vec<(Role, Template)>,
    /// What is shown with it.
    pub images: Vec<Shown>,
    /// What is the same for all instances.
    pub params: TextParams,
    /// `max_tokens`.
    pub max_tokens: Option<Dial<u64>>,
    /// `temperature`.
    pub temperature: Option<Dial<f64>>,
    /// `seed`.
    pub seed: Option<Dial<i64>>,
    /// Text, or JSON.
    pub answer: Choice,
}

/// A picture to be asked for.
#[derive(Debug)]
pub struct ImageWork {
    /// How it is asked.
    pub asking: Asking,
    /// What should be seen.
    pub prompt: Template,
    /// What it should be like, or be made of.
    pub images: Vec<Shown>,
    /// What is the same for all instances.
    pub params: ImageParams,
    /// `width`, in pixels.
    pub width: Option<Dial<u32>>,
    /// `height`, in pixels.
    pub height: Option<Dial<u32>>,
    /// `seed`.
    pub seed: Option<Dial<i64>>,
}

impl Work {
    /// How it asks, if it does.
    pub fn asking(&self) -> Option<&Asking> {
        match self {
            Self::Text(work) => Some(&work.asking),
            Self::Image(work) => Some(&work.asking),
            Self::Render(_) | Self::Value(_) => None,
        }
    }

    /// The pictures that go along with its request.
    pub fn images(&self) -> &[Shown] {
        match self {
            Self::Text(work) => &work.images,
            Self::Image(work) => &work.images,
            Self::Render(_) | Self::Value(_) => &[],
        }
    }

    /// The templates of its request.
    pub fn templates(&self) -> Vec<&Template> {
        fn of_dial<T>(dial: Option<&Dial<T>>) -> Option<&Template> {
            match dial {
                Some(Dial::Template(template)) => Some(template),
                _ => None,
            }
        }
        let mut templates: Vec<&Template> = Vec::new();
        match self {
            Self::Render(template) => templates.push(template),
            Self::Value(json) => json.add_templates(&mut templates),
            Self::Text(work) => {
                templates.extend(work.messages.iter().map(|(_, template)| template));
                templates.extend(of_dial(work.max_tokens.as_ref()));
                templates.extend(of_dial(work.temperature.as_ref()));
                templates.extend(of_dial(work.seed.as_ref()));
            }
            Self::Image(work) => {
                templates.push(&work.prompt);
                templates.extend(of_dial(work.width.as_ref()));
                templates.extend(of_dial(work.height.as_ref()));
                templates.extend(of_dial(work.seed.as_ref()));
            }
        }
        templates.extend(self.images().iter().map(|image| &image.template));
        if let Some(asking) = self.asking() {
            templates.extend(of_dial(Some(&asking.provider)));
            templates.extend(of_dial(asking.model.as_ref()));
        }
        templates
    }
}

/// A setting that is fixed, or rendered for each instance.
#[derive(Debug, Clone)]
pub enum Dial<T> {
    /// The same for all.
    Fixed(T),
    /// A template; what it gives is checked when it is rendered.
    Template(Template),
}

/// JSON whose texts may be templates.
#[derive(Debug, Clone)]
pub enum JsonTemplate {
    /// Anything without a template in it.
    Plain(Json),
    /// A template; one that is a single expression keeps its value's type.
    Template(Template),
    /// A list with a template in it.
    List(Vec<JsonTemplate>),
    /// A mapping with a template in it.
    Mapping(Vec<(String, JsonTemplate)>),
}

impl JsonTemplate {
    /// Every template in it.
    pub(super) fn templates(&self) -> Vec<&Template> {
        let mut templates = Vec::new();
        self.add_templates(&mut templates);
        templates
    }

    fn add_templates<'a>(&'a self, templates: &mut Vec<&'a Template>) {
        match self {
            Self::Plain(_) => {}
            Self::Template(template) => templates.push(template),
            Self::List(items) => items.iter().for_each(|item| item.add_templates(templates)),
            Self::Mapping(fields) => fields.iter().for_each(|(_, value)| value.add_templates(templates)),
        }
    }
}

/// What a failure means for the run.
#[derive(Debug, Clone)]
pub enum OnErrorPlan {
    /// Stop, or go on.
    Simply(OnError),
    /// This stands in for the answer.
    Value(JsonTemplate),
}

/// Where values are written.
#[derive(Debug)]
pub struct Save {
    /// The path under the output folder.
    pub path: Template,
    /// One file for all instances, or one each.
    pub form: SaveForm,
}

/// How values are written.
#[derive(Debug)]
pub enum SaveForm {
    /// A file for each instance.
    File,
    /// A row for each instance.
    Rows {
        /// The row, if the file says; else `{"key": .., "STAGE": ..}`.
        row: Option<Vec<(String, JsonTemplate)>>,
        /// Whether it is CSV and not JSON lines.
        csv: bool,
    },
}

impl Save {
    /// Whether the path is known only when `stage` has its answer.
    pub fn needs_answer(&self, stage: &str) -> bool {
        self.path.uses().iter().any(|one| one.path.first().is_some_and(|name| name == stage))
    }

    /// The columns of a row.
    pub fn columns(&self, stage: &str) -> Vec<String> {
        match &self.form {
            SaveForm::Rows { row: Some(row), .. } => row.iter().map(|(name, _)| name.clone()).collect(),
            SaveForm::Rows { row: None, .. } => vec!["key".to_owned(), stage.to_owned()],
            SaveForm::File => Vec::new(),
        }
    }
}
