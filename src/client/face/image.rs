//! A question for a picture.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::model::{Choice, ImageParams, Json, Picture, Request, RetryPolicy};

use super::blossom::Blossom;
use super::manner::Manner;
use super::{Error, ImageAnswer, beside};

/// A question for a picture, made by [`Blossom::image`].
///
/// It is a future: nothing is asked until it is awaited, and dropping it meanwhile takes the request back from the wire.
/// A clone is the same question, to be asked again.
#[must_use = "nothing is asked until it is awaited"]
pub struct ImageAsk {
    draft: Draft,
    asking: Option<BoxFuture<'static, Result<ImageAnswer, Error>>>,
}

#[derive(Clone)]
struct Draft {
    blossom: Blossom,
    prompt: String,
    params: ImageParams,
    pictures: Vec<Result<Picture, Error>>,
    manner: Manner,
}

impl ImageAsk {
    pub(super) fn new(blossom: Blossom, prompt: String) -> Self {
        let (params, pictures, manner) = (ImageParams::default(), Vec::new(), blossom.manner());
        Self { draft: Draft { blossom, prompt, params, pictures, manner }, asking: None }
    }

    fn with(mut self, change: impl FnOnce(&mut Draft)) -> Self {
        change(&mut self.draft);
        self
    }

    /// Which model is asked.
    pub fn model(self, name: impl Into<String>) -> Self {
        self.with(|draft| draft.manner.model = Some(name.into()))
    }

    /// Shows a picture as a reference: the bytes of a PNG, JPEG, WebP or GIF of at most 10 MB. Which services and models take
    /// any is told by them.
    pub fn picture(self, bytes: impl Into<Bytes>) -> Self {
        self.with(|draft| draft.pictures.push(beside::picture(bytes.into())))
    }

    /// Shows the picture at an address as a reference.
    pub fn picture_url(self, url: impl AsRef<str>) -> Self {
        self.with(|draft| draft.pictures.push(beside::picture_at(url.as_ref())))
    }

    /// In pixels.
    pub fn width(self, pixels: u32) -> Self {
        self.with(|draft| draft.params.width = Some(pixels))
    }

    /// In pixels.
    pub fn height(self, pixels: u32) -> Self {
        self.with(|draft| draft.params.height = Some(pixels))
    }

    /// What should not be seen.
    pub fn negative_prompt(self, prompt: impl Into<String>) -> Self {
        self.with(|draft| draft.params.negative_prompt = Some(prompt.into()))
    }

    /// What the service's dice begin with. Without it, services that want a seed get one that is derived from the
    /// question: the same for the same question.
    pub fn seed(self, seed: i64) -> Self {
        self.with(|draft| draft.params.seed = Some(seed))
    }

    /// `low`, `medium`, `high`, `hd`, `standard`: passed on.
    pub fn quality(self, quality: impl Into<String>) -> Self {
        self.with(|draft| draft.params.quality = Some(quality.into()))
    }

    /// Leaves the background out, where the model can.
    pub fn transparent(self) -> Self {
        self.with(|draft| draft.params.transparent = true)
    }

    /// One more parameter, sent as it is beside the rest.
    pub fn extra(self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        self.with(|draft| {
            draft.params.extra.insert(name.into(), value.into());
        })
    }

    /// How long it may take with all attempts and pauses, from when the first request is sent: waiting for a turn does
    /// not count. `tokio::time::timeout` around the question counts that too.
    pub fn timeout(self, total: Duration) -> Self {
        self.with(|draft| draft.manner.within(total))
    }

    /// How often, and after what pauses, it is sent again where that may help.
    pub fn retry(self, policy: RetryPolicy) -> Self {
        self.with(|draft| draft.manner.retry = policy)
    }

    /// Sends it once; what to do then is for the caller to decide, by [`Error::is_transient`] and
    /// [`Error::retry_after`].
    pub fn no_retry(self) -> Self {
        self.with(|draft| draft.manner.once())
    }

    /// Asks anew where a picture is kept. The new one is kept beside the old, and used from then on.
    pub fn fresh(self) -> Self {
        self.with(|draft| draft.manner.fresh = true)
    }

    /// Another picture for the same prompt, by its number: each has a key of its own, so it is kept by itself and gets a
    /// derived seed of its own. 0 is the question as it is.
    pub fn variant(self, number: u64) -> Self {
        self.with(|draft| draft.manner.variant = number)
    }
}

impl Draft {
    async fn answer(self) -> Result<ImageAnswer, Error> {
        let mut request = Request::Image { prompt: self.prompt, params: self.params };
        request.show(beside::together(&self.pictures)?);
        let inner = self.blossom.inner();
        let ask = inner.ask(request, Choice::Text, &self.manner, false)?;
        ImageAnswer::of(inner.answer(&ask).await?)
    }
}

impl Future for ImageAsk {
    type Output = Result<ImageAnswer, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { draft, asking } = &mut *self;
        asking.get_or_insert_with(|| draft.clone().answer().boxed()).poll_unpin(context)
    }
}

impl Clone for ImageAsk {
    fn clone(&self) -> Self {
        Self { draft: self.draft.clone(), asking: None }
    }
}

impl fmt::Debug for ImageAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageAsk")
            .field("prompt", &self.draft.prompt)
            .field("params", &self.draft.params)
            .field("manner", &self.draft.manner)
            .finish_non_exhaustive()
    }
}
