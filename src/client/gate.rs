//! What pictures that come back are held against: whether they are pictures at all, and what a person should know of them.

use bytes::Bytes;

use crate::check::{Sight, look, why_undecodable};
use crate::model::{Content, EventKind, Failure, FailureKind, ImageInfo, ProviderKind, Reply, Request};

use super::Ask;
use super::events::Events;

/// Decodes the picture of a reply, and tells what is doubtful about one that is taken all the same: that it is blank, or of
/// another size than asked for. A text passes.
///
/// # Errors
/// It can't be decoded, or decoding it came to nothing.
pub(super) async fn pass(ask: &Ask, reply: &Reply, events: &Events) -> Result<(), Failure> {
    match &reply.content {
        Content::Text(_) => Ok(()),
        // Boxed: most are texts, and their futures would be larger.
        Content::Image { bytes, info } => Box::pin(pass_picture(ask, reply, (bytes, info), events)).await,
    }
}

async fn pass_picture(
    ask: &Ask,
    reply: &Reply,
    (bytes, info): (&Bytes, &ImageInfo),
    events: &Events,
) -> Result<(), Failure> {
    // What is built in makes whole pictures, and need not prove it.
    let sight = if ask.call.provider.kind == ProviderKind::Offline {
        Sight::Unseen
    } else {
        let (bytes, media_type) = (bytes.clone(), info.media_type);
        tokio::task::spawn_blocking(move || look(&bytes, media_type))
            .await
            .map_err(|_| Failure::new(FailureKind::Internal, "decoding a picture failed").suggest("please report it"))?
    };
    if let Sight::Broken(reason) = sight {
        return Err(broken(reply, *info, &reason));
    }
    let blank = (sight == Sight::Blank).then(|| "the picture is blank: all of it has one colour".to_owned());
    for doubt in other_size(&ask.call.request, *info).into_iter().chain(blank) {
        let name = match &ask.item.key {
            Some(key) => format!("{}/{key}", ask.item.stage),
            None => ask.item.stage.to_string(),
        };
        events.emit(EventKind::Warning { message: format!("{name}: {doubt}") }).await;
    }
    Ok(())
}

/// Why the picture of a reply is none; nothing for a text, and for formats that are not decoded here.
pub fn undecodable(reply: &Reply) -> Option<Failure> {
    let Content::Image { bytes, info } = &reply.content else { return None };
    why_undecodable(bytes, info.media_type).map(|reason| broken(reply, *info, &reason))
}

fn broken(reply: &Reply, info: ImageInfo, reason: &str) -> Failure {
    let message = format!("The picture can't be decoded, though it begins as {}: {reason}", info.media_type.mime());
    let (request_id, usage) = (reply.request_id.clone(), reply.usage);
    Failure { request_id, usage, ..Failure::new(FailureKind::Garbled, message) }.suggest("try again later")
}

/// That a picture has another size than asked for, where that is known.
fn other_size(request: &Request, info: ImageInfo) -> Option<String> {
    let Request::Image { params, .. } = request else { return None };
    let ImageInfo { width, height, .. } = info;
    let differs = |asked: Option<u32>, is: u32| asked.is_some_and(|asked| asked != is);
    if width == 0 || height == 0 || !(differs(params.width, width) || differs(params.height, height)) {
        return None;
    }
    let asked = match (params.width, params.height) {
        (Some(width), Some(height)) => format!("{width} x {height}"),
        (Some(width), None) => format!("a width of {width}"),
        (None, height) => format!("a height of {}", height.unwrap_or_default()),
    };
    Some(format!("the picture has {width} x {height} pixels, and {asked} was asked for"))
}
