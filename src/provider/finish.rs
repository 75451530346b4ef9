//! Why a model stopped, in the words of its many servers: whether what it said is a whole answer.

/// What a `finish_reason` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finish {
    /// The model said all that it wanted to. Words that nobody here knows mean this too: there are many for it.
    Whole,
    /// No tokens were left.
    Length,
    /// A filter held the rest back, or all of it.
    Filtered,
    /// The server, or the model, failed.
    Broken,
    /// Somebody ended it before its end.
    Cut,
}

impl Finish {
    /// The meaning of a reason, whatever its case: `OpenAI` writes `stop`, Gemini `STOP`.
    pub(super) fn of(reason: &str) -> Self {
        match reason.to_ascii_lowercase().as_str() {
            "length"
            | "max_tokens"
            | "max_output_tokens"
            | "model_length"
            | "token_limit"
            | "model_context_window_exceeded" => Self::Length,
            "content_filter"
            | "safety"
            | "recitation"
            | "prohibited_content"
            | "blocklist"
            | "spii"
            | "refusal"
            | "image_safety"
            | "guardrail_intervened"
            | "sensitive" => Self::Filtered,
            "error"
            | "network_error"
            | "insufficient_system_resource"
            | "malformed_function_call"
            | "unexpected_tool_call"
            | "too_many_tool_calls"
            | "internal_error"
            | "server_error" => Self::Broken,
            "abort" | "aborted" | "cancelled" | "canceled" | "interrupted" | "timeout" => Self::Cut,
            _ => Self::Whole,
        }
    }
}
