//! What comes out of a helper, as far as it shows without running it.

/// What a helper gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// Anything.
    Anything,
    /// A text.
    Text,
    /// A number.
    Number,
    /// A number; with a second argument a text.
    NumberOrText,
    /// True or false.
    Truth,
    /// A list of texts.
    Texts,
    /// One of its arguments.
    OneOf,
    /// What its first argument is: a list with some of the same items, or a text.
    Alike,
    /// An item of its first argument; with a second one, a list of some of them.
    Item,
}
