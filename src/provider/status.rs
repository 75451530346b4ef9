//! Statuses of HTTP, and the words that servers have for them in the body of a reply.

/// What a status says, for people.
pub(super) fn meaning(status: u16) -> Option<&'static str> {
    Some(match status {
        400 => "bad request",
        401 => "unauthorized",
        402 => "payment required",
        403 => "forbidden",
        404 => "not found",
        405 => "method not allowed",
        408 => "request timeout",
        413 => "payload too large",
        422 => "unprocessable",
        429 => "too many requests",
        500 => "internal server error",
        502 => "bad gateway",
        503 => "service unavailable",
        504 => "gateway timeout",
        520..=530 => "the server behind Cloudflare is down",
        _ => return None,
    })
}

/// The status that a server's word stands for, whatever its case. The first names are those of the gateway of
/// Pollinations, the others those of `OpenAI`, Anthropic and Google.
pub(super) fn of_word(word: &str) -> Option<u16> {
    Some(match word.to_ascii_uppercase().as_str() {
        "BAD_REQUEST" | "INVALID_ARGUMENT" => 400,
        "UNAUTHORIZED" | "AUTHENTICATION_ERROR" | "UNAUTHENTICATED" => 401,
        "PAYMENT_REQUIRED" | "KEY_BUDGET_EXHAUSTED" | "INSUFFICIENT_BALANCE" => 402,
        "FORBIDDEN" | "PERMISSION_ERROR" | "PERMISSION_DENIED" => 403,
        "NOT_FOUND" | "NOT_FOUND_ERROR" => 404,
        "METHOD_NOT_ALLOWED" => 405,
        "REQUEST_TIMEOUT" => 408,
        "CONFLICT" => 409,
        "GONE" => 410,
        "PAYLOAD_TOO_LARGE" | "REQUEST_TOO_LARGE" => 413,
        "UNSUPPORTED_MEDIA_TYPE" => 415,
        "UNPROCESSABLE_ENTITY" => 422,
        "UPGRADE_REQUIRED" => 426,
        "RATE_LIMITED" | "RATE_LIMIT_ERROR" | "RATE_LIMIT_EXCEEDED" | "RESOURCE_EXHAUSTED" | "TOO_MANY_REQUESTS" => 429,
        "INTERNAL_ERROR" | "INTERNAL_SERVER_ERROR" | "API_ERROR" => 500,
        "BAD_GATEWAY" => 502,
        "SERVICE_UNAVAILABLE" | "OVERLOADED_ERROR" | "UNAVAILABLE" => 503,
        "GATEWAY_TIMEOUT" => 504,
        _ => return None,
    })
}
