//! What a question becomes after wrong answers: never the same request again.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::{Call, CallKey, Content, JsonMap, LaneRef, Message, Reply, Request, Role};

use super::Ask;

/// Wrong answers that are kept from before are given back up to this many, the latest: each makes the request longer.
const CARRIED: usize = 3;

/// The wrong answers to a call so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Wrongs {
    /// How many there were, those that are given back no more too.
    count: u32,
    /// Texts with what was wrong with them, in the order in which they came.
    turns: VecDeque<(String, String)>,
}

impl Wrongs {
    /// Adds the latest, and what was wrong with it, in one sentence without a full stop.
    pub(super) fn add(&mut self, reply: &Reply, why: &str) {
        self.count += 1;
        if let Content::Text(text) = &reply.content {
            self.turns.push_back((text.clone(), why.to_owned()));
        }
    }

    /// Adds one that came before all others; it is given back if few have come since.
    pub(super) fn add_earlier(&mut self, reply: &Reply, why: &str) {
        self.count += 1;
        if let Content::Text(text) = &reply.content
            && self.turns.len() < CARRIED
        {
            self.turns.push_front((text.clone(), why.to_owned()));
        }
    }

    /// The request after these, and what its seed is drawn from. That of a text has two more turns for each of them; a
    /// picture has no turns, and gets another seed, unless the file names one or the service takes none.
    pub(super) fn next<'c>(&self, call: &Cow<'c, Call>, key: CallKey, takes_seed: bool) -> (Cow<'c, Call>, CallKey) {
        let mut call = call.clone();
        if self.count == 0 {
            return (call, key);
        }
        let redrawn = key.redrawn(self.count);
        match &mut call.to_mut().request {
            Request::Text { messages, .. } => {
                messages.extend(self.messages());
                (call, key)
            }
            Request::Image { params, .. } if !takes_seed || has_seed(params.seed, &params.extra) => (call, key),
            // Some services draw a seed of their own where none is sent: it is sent, so that the request is another.
            Request::Image { params, .. } => {
                params.seed = Some(redrawn.seed().into());
                (call, redrawn)
            }
        }
    }

    fn messages(&self) -> impl Iterator<Item = Message> {
        // The turns are the latest of all.
        let before = self.count.saturating_sub(u32::try_from(self.turns.len()).unwrap_or(u32::MAX));
        let say = |role, content| Message::new(role, content);
        (before + 1..).zip(&self.turns).flat_map(move |(number, (answer, why))| {
            [say(Role::Assistant, answer.clone()), say(Role::User, correction(number, why))]
        })
    }
}

/// The wrong answers to a call that are kept from before, for each who is asked, in turn: what somebody else has said is
/// nobody's affair.
#[derive(Debug, Clone, Default)]
pub(super) struct Earlier {
    /// Empty where there are none.
    links: Vec<(LaneRef, Wrongs)>,
}

impl Earlier {
    /// Everybody who may be asked, with none so far.
    fn links(ask: &Ask) -> Vec<(LaneRef, Wrongs)> {
        let first = (&ask.provider, ask.call.model.as_deref());
        let others = ask.terms.fallbacks.iter().map(|other| (&other.provider, other.model.as_deref()));
        let lane = |(provider, model): (&Arc<str>, Option<&str>)| LaneRef {
            provider: provider.clone(),
            model: model.map(Into::into),
        };
        std::iter::once(first).chain(others).map(|link| (lane(link), Wrongs::default())).collect()
    }

    /// Adds one to this question that came before all others. One of somebody who is asked no more goes to who is asked
    /// first; where its model is not known, it may be of each of its provider.
    pub(super) fn add(&mut self, ask: &Ask, lane: Option<&LaneRef>, reply: &Reply, why: &str) {
        if self.links.is_empty() {
            self.links = Self::links(ask);
        }
        let is_of = |link: &LaneRef| {
            lane.is_some_and(|lane| {
                lane.provider == link.provider && (lane.model.is_none() || lane.model == link.model)
            })
        };
        let is_of_nobody = !self.links.iter().any(|(link, _)| is_of(link));
        for (at, (link, wrongs)) in self.links.iter_mut().enumerate() {
            if is_of(link) || is_of_nobody && at == 0 {
                wrongs.add_earlier(reply, why);
            }
        }
    }

    /// Those of each, for as many as are asked.
    pub(super) fn each(self) -> impl Iterator<Item = Wrongs> {
        self.links.into_iter().map(|(_, wrongs)| wrongs).chain(std::iter::repeat_with(Wrongs::default))
    }
}

/// What is said to a wrong answer. Its number tells requests apart whose turns are the same.
fn correction(number: u32, why: &str) -> String {
    let which = if number == 1 { "This answer".to_owned() } else { format!("This answer, number {number},") };
    format!("{which} can't be used: {why}. Answer again: give the whole answer, corrected, and nothing beside it.")
}

fn has_seed(seed: Option<i64>, extra: &JsonMap) -> bool {
    seed.is_some() || extra.contains_key("seed")
}

/// Whether a request for a picture would be the same again, since the file names its seed.
pub(super) fn is_fixed(request: &Request) -> bool {
    matches!(request, Request::Image { params, .. } if has_seed(params.seed, &params.extra))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Choice, ImageInfo, ImageParams, MediaType, ProviderIdentity, ProviderKind, TextParams};

    fn call(request: Request) -> Call {
        let provider = ProviderIdentity { kind: ProviderKind::Openai, address: "there".into() };
        Call { stage: "a".into(), provider, model: None, request, repeat: vec![], answer: Choice::Text }
    }

    fn owned(call: Call) -> Cow<'static, Call> {
        Cow::Owned(call)
    }

    fn text() -> Call {
        let messages = vec![Message::user("Say it")];
        call(Request::Text { messages, params: TextParams::default() })
    }

    fn reply(content: Content) -> Reply {
        Reply { content, usage: None, model: None, finish_reason: None, request_id: None }
    }

    /// Two texts alone, so that the same answer comes often.
    fn answers() -> impl Strategy<Value = Vec<(String, String)>> {
        vec(("[ab]", "[cd]"), 1..5)
    }

    proptest! {
        #[test]
        fn no_two_requests_of_a_text_are_the_same(runs in vec(answers(), 1..6)) {
            let (call, key) = (owned(text()), text().key());
            let mut kept: Vec<(String, String)> = Vec::new();
            let mut sent = HashSet::new();
            for wrong in runs {
                // A later run begins with what is kept, the latest first.
                let mut wrongs = Wrongs::default();
                for (answer, why) in kept.iter().rev() {
                    wrongs.add_earlier(&reply(Content::Text(answer.clone())), why);
                }
                for (answer, why) in wrong {
                    prop_assert!(sent.insert(wrongs.next(&call, key, true).0.canonical()), "a request was made twice");
                    wrongs.add(&reply(Content::Text(answer.clone())), &why);
                    kept.push((answer, why));
                }
            }
        }
    }

    #[test]
    fn a_wrong_answer_is_given_back_with_what_was_wrong() {
        let mut wrongs = Wrongs::default();
        assert_eq!(wrongs.next(&owned(text()), text().key(), true), (owned(text()), text().key()));
        for why in ["The answer is short", "The answer is long"] {
            wrongs.add(&reply(Content::Text("x".into())), why);
        }
        let (next, key) = wrongs.next(&owned(text()), text().key(), true);
        let Request::Text { messages, .. } = &next.request else { panic!("a text") };
        let said: Vec<(Role, &str)> = messages.iter().map(|one| (one.role, one.content.as_str())).collect();
        assert_eq!(
            said,
            [
                (Role::User, "Say it"),
                (Role::Assistant, "x"),
                (
                    Role::User,
                    "This answer can't be used: The answer is short. Answer again: give the whole answer, corrected, \
                     and nothing beside it."
                ),
                (Role::Assistant, "x"),
                (
                    Role::User,
                    "This answer, number 2, can't be used: The answer is long. Answer again: give the whole answer, \
                     corrected, and nothing beside it."
                ),
            ]
        );
        assert_eq!(key, text().key(), "its seed stays");
    }

    #[test]
    fn a_picture_gets_another_seed_unless_the_file_names_one() {
        let picture =
            |seed| call(Request::Image { prompt: "x".into(), params: ImageParams { seed, ..ImageParams::default() } });
        let info = ImageInfo { media_type: MediaType::Png, width: 1, height: 1 };
        let mut wrongs = Wrongs::default();
        let mut seeds = vec![];
        for _ in 0..3 {
            wrongs.add(&reply(Content::Image { bytes: bytes::Bytes::new(), info }), "The picture is blank");
            let (next, key) = wrongs.next(&owned(picture(None)), picture(None).key(), true);
            assert_eq!(next.request.seed(), Some(key.seed().into()));
            seeds.push(key.seed());
        }
        seeds.push(picture(None).key().seed());
        assert_eq!(seeds.iter().collect::<HashSet<_>>().len(), 4);
        assert_eq!(*wrongs.next(&owned(picture(Some(7))), picture(Some(7)).key(), true).0, picture(Some(7)));
        assert!(is_fixed(&picture(Some(7)).request) && !is_fixed(&picture(None).request));
    }
}
