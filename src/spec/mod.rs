//! What the author wrote: a pipeline file, read into nouns that keep their places, with every mistake that can be seen
//! without knowing other names.
//!
//! [`load`] and [`parse`] give a [`PipelineSpec`]; nothing in it is resolved, no name is looked up, no template is
//! compiled: that is `plan`. A [`TextMap`] leads from an offset in a text back to the file. The only room that names the
//! YAML crate, in one file.

mod answer;
mod chat;
mod continues;
mod defaults;
mod document;
mod expect;
mod fallback;
mod fields;
mod for_each;
mod images;
mod inputs;
mod library;
mod load;
mod mapping;
mod money;
mod names;
mod node;
mod outputs;
mod pipeline;
mod policies;
mod providers;
mod quantities;
mod reader;
mod secrets;
mod settings;
mod shipped;
mod short_schema;
mod source;
mod stage;
mod syntax;
mod templates;
mod text_map;
mod used;
mod value;
mod vocabulary;
mod yaml;

pub use answer::{AnswerSpec, FieldSpec, SchemaSpec, TypeSpec};
pub use expect::{CheckSpec, CheckValue};
pub use fallback::FallbackSpec;
pub use library::IS_USED;
pub use load::{Loaded, NamedValue, load, parse, read_values};
pub use pipeline::{
    DefaultsSpec, ExpressionSpec, ForEachSpec, InputDefault, InputSpec, JsonSpec, KindSpec, LoopSourceSpec, LoopSpec,
    Maybe, MessageSpec, OnErrorSpec, OutputSpec, PipelineSpec, ProviderSpec, SaveSpec, SettingsSpec, StageSpec,
    TextSpec, Unread,
};
pub use shipped::{FILE_NAME, Unpacked, copy_shipped, find_shipped, shipped_names};
pub use source::LoadError;
pub use text_map::TextMap;
pub use used::{UseSpec, UsedSpec, WithSpec};
pub use vocabulary::vocabulary;
