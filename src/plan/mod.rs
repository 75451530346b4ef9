//! From a file that was read to a pipeline that can run: names, loops, passes, templates, references, paths.
//!
//! [`compile`] gathers every problem at once and gives a [`Plan`] if there is none. Nothing is called here, and names of
//! providers are data: this room knows none of them.

mod answers;
mod binder;
mod bindings;
mod budget;
mod compile;
mod expect;
mod fallback;
mod fields;
mod given;
mod inputs;
mod keys;
mod known;
mod loop_builder;
mod loop_cycles;
mod loop_joins;
mod loop_lists;
mod loop_sources;
mod loops;
mod names;
mod outputs;
mod parameter;
mod passes;
mod pictures;
mod pipeline;
mod providers;
mod references;
mod renames;
mod required;
mod returned;
mod save_claims;
mod save_walk;
mod savers;
mod saves;
mod schema_shape;
mod schemas;
mod scopes;
mod settings;
mod shape;
mod sources;
mod stages;
mod stand_ins;
mod surroundings;
mod survey;
mod talk;
pub mod template;
mod typed;
mod units;
mod uses;
mod value_shapes;
mod work;

pub use compile::{Compiled, compile};
pub use expect::{Apart, Expect, Holds, RenderedCheck};
pub use fallback::FallbackPlan;
pub use given::{Given, GivenInput, GivenValue, WantedOutputs};
pub use keys::{item_key, item_number, loop_info};
pub use parameter::Parameter;
pub use pictures::{Shown, is_address, no_picture};
pub use pipeline::{
    Gate, Input, InputValue, Loop, LoopIx, LoopSource, Needs, OutputPlan, Plan, Reach, Ref, Scope, ScopeIx, Shelving,
    Stage, StageIx,
};
pub use survey::DataFault;
pub(crate) use talk::PREVIOUS;
pub use talk::{Continued, Continues, System};
pub use typed::TypedInput;
pub use work::{Asking, Dial, ImageWork, JsonTemplate, OnErrorPlan, Save, SaveForm, TextWork, Work};
