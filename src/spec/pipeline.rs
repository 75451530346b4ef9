//! The nouns of a pipeline file as its author wrote them: each value with its place, nothing resolved.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::model::{
    At, Budget, Clocks, FailureLimit, FileId, InputKind, Json, JsonMap, Place, ProviderSettings, Rate, RetryPolicy,
    Reuse, Role, StageKindName, Waves,
};

use super::answer::AnswerSpec;
use super::expect::CheckSpec;
use super::fallback::FallbackSpec;
use super::text_map::TextMap;
use super::used::UseSpec;

/// A whole pipeline file.
#[derive(Debug, Clone)]
pub struct PipelineSpec {
    /// `name`.
    pub name: At<String>,
    /// `description`.
    pub description: Option<String>,
    /// The folder that paths in the file are relative to.
    pub folder: PathBuf,
    /// `inputs`, in file order.
    pub inputs: Vec<InputSpec>,
    /// `providers`, in file order; built-in ones are not among them.
    pub providers: Vec<ProviderSpec>,
    /// `defaults`.
    pub defaults: DefaultsSpec,
    /// `stages`, in file order.
    pub stages: Vec<StageSpec>,
    /// `outputs`.
    pub outputs: Option<Vec<OutputSpec>>,
    /// `budget`.
    pub budget: Option<At<Budget>>,
    /// `deadline`.
    pub deadline: Option<At<Duration>>,
    /// What could not be read.
    pub unread: Unread,
}

/// Sections that could not be read at all: what they declare is not known, so that nobody finds it missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unread {
    /// `inputs` or `stages`.
    pub names: bool,
    /// `providers`.
    pub providers: bool,
}

/// One of `inputs`.
#[derive(Debug, Clone)]
pub struct InputSpec {
    /// Its name, where it is declared.
    pub name: At<String>,
    /// `type`, if written.
    pub kind: Option<At<InputKind>>,
    /// `default`.
    pub default: Option<At<InputDefault>>,
    /// Where each element of it stands, if it is a list.
    pub items: Vec<Place>,
    /// `description`.
    pub description: Option<String>,
    /// `options` of a `choice`.
    pub options: Vec<At<String>>,
    /// `min`.
    pub min: Option<At<f64>>,
    /// `max`.
    pub max: Option<At<f64>>,
    /// `pattern`, a regular expression that compiles.
    pub pattern: Option<At<String>>,
    /// Its type or its default could not be read: what it holds is not known.
    pub is_unsure: bool,
}

impl InputSpec {
    /// The written type, else that of the default.
    pub fn kind(&self) -> InputKind {
        match (&self.kind, self.default.as_ref().map(|default| &default.value)) {
            (Some(kind), _) => kind.value,
            (None, Some(InputDefault::Value(Json::Array(_)))) => InputKind::Items,
            (None, Some(InputDefault::Value(Json::Object(_) | Json::Null))) => InputKind::Json,
            (None, Some(InputDefault::Value(Json::Bool(_)))) => InputKind::Boolean,
            (None, Some(InputDefault::Value(Json::Number(number)))) if number.is_f64() => InputKind::Number,
            (None, Some(InputDefault::Value(Json::Number(_)))) => InputKind::Integer,
            (None, _) => InputKind::String,
        }
    }
}

/// What an input is when nobody says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub enum InputDefault {
    /// A value. For `items`, a text is a path and a list is the list itself.
    Value(Json),
    /// `{file: PATH}`: the file's text.
    File {
        /// The file as it is named.
        path: String,
        /// The file among those that were read.
        file: FileId,
        /// All of it, with plain line ends.
        text: Arc<str>,
    },
}

/// One of `providers`.
#[derive(Debug, Clone)]
pub struct ProviderSpec {
    /// Its name, where it is declared.
    pub name: At<String>,
    /// All it says; a kind's defaults are filled in later.
    pub settings: ProviderSettings,
}

/// `defaults`.
#[derive(Debug, Clone, Default)]
pub struct DefaultsSpec {
    /// For every stage. `model` and `timeout` here speak to text and chat alone.
    pub all: SettingsSpec,
    /// For text stages.
    pub text: SettingsSpec,
    /// For chat stages.
    pub chat: SettingsSpec,
    /// For image stages.
    pub image: SettingsSpec,
}

/// One of `stages`.
#[derive(Debug, Clone)]
pub struct StageSpec {
    /// Its name, where it is declared.
    pub name: At<String>,
    /// `description`.
    pub description: Option<String>,
    /// What it does, if that is known.
    pub kind: Option<KindSpec>,
    /// `for_each`.
    pub for_each: Option<ForEachSpec>,
    /// `when`, an expression without braces around it.
    pub when: Option<ExpressionSpec>,
    /// `continues`: the name of a stage, or `previous`.
    pub continues: Option<At<String>>,
    /// `expect`, check by check.
    pub expect: Vec<CheckSpec>,
    /// `save`.
    pub save: Option<SaveSpec>,
    /// Everything that may also stand in `defaults`.
    pub settings: SettingsSpec,
    /// What holds for it besides, nearest first, where its pipeline is used by another. Nothing in a file that was read.
    pub inherits: Vec<Arc<DefaultsSpec>>,
}

/// Exactly one of the kinds.
#[derive(Debug, Clone)]
pub enum KindSpec {
    /// `text: PROMPT`
    Text(TextSpec),
    /// `chat: [..]`
    Chat(Vec<MessageSpec>),
    /// `image: PROMPT`
    Image(TextSpec),
    /// `render: TEMPLATE`
    Render(TextSpec),
    /// `value: JSON`; nothing if it could not be read.
    Value(Option<JsonSpec>),
    /// `use: FILE`
    Use(UseSpec),
}

impl KindSpec {
    /// Which kind it is.
    pub fn name(&self) -> StageKindName {
        match self {
            Self::Text(_) => StageKindName::Text,
            Self::Chat(_) => StageKindName::Chat,
            Self::Image(_) => StageKindName::Image,
            Self::Render(_) => StageKindName::Render,
            Self::Value(_) => StageKindName::Value,
            Self::Use(_) => StageKindName::Use,
        }
    }
}

/// A turn of `chat`.
#[derive(Debug, Clone)]
pub struct MessageSpec {
    /// Who speaks.
    pub role: At<Role>,
    /// What is said.
    pub content: TextSpec,
}

/// A text that is a template, and how its parts lie in the file.
#[derive(Debug, Clone)]
pub struct TextSpec {
    /// The text, as YAML gives it or as the file that is named has it.
    pub text: Arc<str>,
    /// From offsets in `text` to places.
    pub map: TextMap,
}

impl TextSpec {
    /// In the place of a text that could not be read.
    pub(super) fn unread(place: &Place) -> Self {
        Self { text: Arc::from(""), map: TextMap::fixed(place.clone()) }
    }

    /// Whether it could not be read: a text that can says something.
    pub fn is_unread(&self) -> bool {
        self.text.is_empty()
    }
}

/// An expression, `eq sort.queue 'bug'`, without braces around it.
#[derive(Debug, Clone)]
pub struct ExpressionSpec {
    /// The expression, trimmed; `true` and `false` as they are.
    pub text: Arc<str>,
    /// From offsets in `text` to places.
    pub map: TextMap,
}

/// A value that may be a template.
#[derive(Debug, Clone)]
pub enum Maybe<T> {
    /// Written out.
    Plain(At<T>),
    /// To be rendered for each instance.
    Template(TextSpec),
}

/// JSON whose texts may be templates.
#[derive(Debug, Clone)]
pub enum JsonSpec {
    /// Anything without a template in it.
    Plain(At<Json>),
    /// A template.
    Template(TextSpec),
    /// A list with a template somewhere in it.
    List(Vec<JsonSpec>),
    /// A mapping with a template somewhere in it.
    Mapping(Vec<(String, JsonSpec)>),
}

/// `for_each`.
#[derive(Debug, Clone)]
pub enum ForEachSpec {
    /// `for_each: article`: joins a loop by its name.
    Join(At<String>),
    /// `for_each: {article: articles, ..}`, outermost first; at least one.
    Loops(Vec<LoopSpec>),
    /// Something else stands here: in which loops the stage runs is not known.
    Broken(Place),
}

impl ForEachSpec {
    /// Where it stands: the whole value.
    pub fn place(&self) -> &Place {
        match self {
            Self::Join(name) => &name.place,
            Self::Loops(loops) => &loops[0].variable.place,
            Self::Broken(place) => place,
        }
    }
}

/// One entry of `for_each`.
#[derive(Debug, Clone)]
pub struct LoopSpec {
    /// What each item is called.
    pub variable: At<String>,
    /// Where the items come from.
    pub source: At<LoopSourceSpec>,
    /// Where each element of it stands, if it is a list.
    pub items: Vec<Place>,
}

/// Where the items of a loop come from.
#[derive(Debug, Clone, PartialEq)]
pub enum LoopSourceSpec {
    /// A name, or a path that begins with one: `articles`, `outline.sections`.
    Path(Vec<String>),
    /// An inline list.
    List(Vec<Json>),
    /// 1 to this.
    Count(u64),
    /// Something that is no list.
    Broken,
}

/// `save`.
#[derive(Debug, Clone)]
pub struct SaveSpec {
    /// A template of a path under the output folder.
    pub path: TextSpec,
    /// `row`, for row files.
    pub row: Option<Vec<(At<String>, JsonSpec)>>,
}

/// One of `outputs`.
#[derive(Debug, Clone)]
pub struct OutputSpec {
    /// What it is called.
    pub name: At<String>,
    /// Its value; in the short form, the name itself as a template.
    pub value: JsonSpec,
}

/// `on_error`.
#[derive(Debug, Clone)]
pub enum OnErrorSpec {
    /// `stop`
    Stop,
    /// `continue`
    Continue,
    /// `{value: ..}`
    Value(JsonSpec),
}

/// What a stage, and `defaults`, may say. Each key once, with its place.
#[derive(Debug, Clone, Default)]
pub struct SettingsSpec {
    /// `provider`, over inputs and loop variables.
    pub provider: Option<Maybe<String>>,
    /// `model`, over inputs and loop variables.
    pub model: Option<Maybe<String>>,
    /// `concurrency`, at least 1.
    pub concurrency: Option<At<u32>>,
    /// `rate`.
    pub rate: Option<At<Rate>>,
    /// `waves`.
    pub waves: Option<At<Waves>>,
    /// `retry`, complete.
    pub retry: Option<At<RetryPolicy>>,
    /// `timeout`.
    pub timeout: Option<At<Clocks>>,
    /// `stream`.
    pub stream: Option<At<bool>>,
    /// `on_error`.
    pub on_error: Option<At<OnErrorSpec>>,
    /// `max_failures`.
    pub max_failures: Option<At<FailureLimit>>,
    /// `reuse`.
    pub reuse: Option<At<Reuse>>,
    /// `feedback`.
    pub feedback: Option<At<bool>>,
    /// `fallback`.
    pub fallback: Option<At<Vec<FallbackSpec>>>,
    /// `system`.
    pub system: Option<TextSpec>,
    /// `images`: paths, addresses and templates of them; at least one.
    pub images: Option<At<Vec<TextSpec>>>,
    /// `max_tokens`.
    pub max_tokens: Option<Maybe<u64>>,
    /// `temperature`.
    pub temperature: Option<Maybe<f64>>,
    /// `top_p`.
    pub top_p: Option<At<f64>>,
    /// `seed`.
    pub seed: Option<Maybe<i64>>,
    /// `stop`.
    pub stop: Option<At<Vec<String>>>,
    /// `reasoning_effort`.
    pub reasoning_effort: Option<At<String>>,
    /// `json` and `schema`.
    pub answer: Option<At<AnswerSpec>>,
    /// `width`, in pixels.
    pub width: Option<Maybe<u32>>,
    /// `height`, in pixels.
    pub height: Option<Maybe<u32>>,
    /// `negative_prompt`.
    pub negative_prompt: Option<At<String>>,
    /// `quality`.
    pub quality: Option<At<String>>,
    /// `transparent`.
    pub transparent: Option<At<bool>>,
    /// `extra`.
    pub extra: Option<At<JsonMap>>,
    /// A model is named, in a way that could not be read.
    pub has_unread_model: bool,
    /// Where each key that is written stands, for messages about keys that do not fit the kind.
    pub keys: IndexMap<&'static str, Place>,
}
