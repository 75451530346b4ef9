//! What a provider gives back.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The kinds of picture that are recognised by their first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MediaType {
    /// `image/png`
    #[serde(rename = "image/png")]
    Png,
    /// `image/jpeg`
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// `image/webp`
    #[serde(rename = "image/webp")]
    Webp,
    /// `image/gif`
    #[serde(rename = "image/gif")]
    Gif,
    /// `image/svg+xml`
    #[serde(rename = "image/svg+xml")]
    Svg,
    /// `video/mp4`
    #[serde(rename = "video/mp4")]
    Mp4,
}

impl MediaType {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Png, Self::Jpeg, Self::Webp, Self::Gif, Self::Svg, Self::Mp4];

    /// As it is written in a header.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Svg => "image/svg+xml",
            Self::Mp4 => "video/mp4",
        }
    }

    /// The usual extension, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Svg => "svg",
            Self::Mp4 => "mp4",
        }
    }
}

/// What is known of a picture without decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageInfo {
    /// What it is, by its bytes.
    pub media_type: MediaType,
    /// In pixels; 0 where the format does not say.
    pub width: u32,
    /// In pixels; 0 where the format does not say.
    pub height: u32,
}

/// The answer itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text, never empty.
    Text(String),
    /// A picture.
    Image {
        /// The file's bytes.
        bytes: Bytes,
        /// What they are.
        info: ImageInfo,
    },
}

/// Tokens that a call took, as far as the provider says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the request.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// Both; what the provider says where it says it, since some count thinking apart.
    pub total_tokens: u64,
}

impl Usage {
    /// Sums two, of which either may be unknown.
    #[must_use]
    pub fn sum(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(one.plus(other)),
            (one, other) => one.or(other),
        }
    }

    /// Sums two.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            total_tokens: self.total_tokens.saturating_add(other.total_tokens),
        }
    }
}

/// A whole answer of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The answer.
    pub content: Content,
    /// What it took, where the provider says.
    pub usage: Option<Usage>,
    /// Which model answered, where the provider says.
    pub model: Option<String>,
    /// Why it ended, where the provider says.
    pub finish_reason: Option<String>,
    /// The provider's name for the exchange.
    pub request_id: Option<String>,
}

/// What comes from a provider while it answers. A whole [`Reply`] is always the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A sign of life without content: headers, a comment.
    Alive,
    /// The model thinks: it has begun, and there is no text yet.
    Thinking,
    /// Text, in order.
    Text(String),
    /// The end.
    Whole(Reply),
}
