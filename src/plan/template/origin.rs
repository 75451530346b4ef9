//! Where the value of a whole template comes from, for those who want to know what it is before it is there.

use crate::model::Json;

use super::expression::{Base, Expr, ExprKind};
use super::helper::{self, Gives};
use super::tree::Node;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// A name of the file, and what lies behind it.
    Path(Vec<String>),
    /// It is written out.
    Literal(Json),
    /// A helper makes it.
    Helper {
        /// What such a helper gives.
        gives: Gives,
        /// What it is called with.
        args: Vec<Origin>,
        /// What it is called with by name.
        named: Vec<(String, Origin)>,
    },
}

/// Where the only value of `nodes` comes from.
pub(super) fn origin(nodes: &[Node]) -> Option<Origin> {
    match nodes {
        [Node::Value(value)] => of(value),
        _ => None,
    }
}

fn of(value: &Expr) -> Option<Origin> {
    match &value.kind {
        ExprKind::Literal(value) => Some(Origin::Literal(value.clone())),
        ExprKind::Path(path) => {
            matches!(path.base, Base::Bare | Base::Root).then(|| Origin::Path(path.segments.clone()))
        }
        ExprKind::Call(call) => {
            let named = call.named.iter().map(|named| Some((named.name.clone(), of(&named.value)?)));
            Some(Origin::Helper {
                gives: helper::find(&call.name)?.gives,
                args: call.args.iter().map(of).collect::<Option<_>>()?,
                named: named.collect::<Option<_>>()?,
            })
        }
    }
}
