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
    /// A list of lists with items of its first argument.
    Lists,
    /// A list of `{key, items}`, where items are a list like its first argument, and the key is what they have behind `by=`.
    Groups,
    /// An item of its first argument; with a second one, a list of some of them.
    Item,
}
