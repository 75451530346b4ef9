//! How the end of an instance stands in a run's own database: in bytes that give back exactly what was put. The text of
//! JSON would not, since a number that is read again may be its neighbour, and a depth that was built may be refused.

use std::path::Path;
use std::sync::Arc;

use serde_json::Number;

use crate::model::{Conversation, End, Json, JsonMap, Message, Picture, PictureFile, SkipReason, Value};

use super::encoding::media;

const TEXT: u8 = 0;
const JSON: u8 = 1;
const IMAGE: u8 = 2;
const WHEN: u8 = 3;
const ABSENT: u8 = 4;
const FAILED: u8 = 5;
const UNKNOWN: u8 = 6;
const SAID: u8 = 7;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const UNSIGNED: u8 = 3;
const SIGNED: u8 = 4;
const FLOAT: u8 = 5;
const STRING: u8 = 6;
const ARRAY: u8 = 7;
const OBJECT: u8 = 8;

/// An end as bytes.
pub(super) fn encode(end: &End) -> Vec<u8> {
    let mut out = Vec::new();
    match end {
        End::Value(Value::Text(text)) => {
            out.push(TEXT);
            out.extend(text.as_bytes());
        }
        End::Value(Value::Json(json)) => {
            out.push(JSON);
            put_json(&mut out, json);
        }
        End::Value(Value::Image { path, width, height, media_type, bytes }) => {
            out.push(IMAGE);
            for count in [u64::from(*width), u64::from(*height), *bytes] {
                put_count(&mut out, count);
            }
            put_text(&mut out, media_type.mime());
            put_text(&mut out, path);
        }
        End::Said(value, said) => {
            out.push(SAID);
            let value = encode(&End::Value(value.clone()));
            put_count(&mut out, value.len() as u64);
            out.extend(value);
            put_messages(&mut out, said.frame());
            put_messages(&mut out, said.turns());
        }
        End::Absent(SkipReason::When) => out.push(WHEN),
        End::Absent(SkipReason::Absent { stage }) => {
            out.push(ABSENT);
            out.extend(stage.as_bytes());
        }
        End::Absent(SkipReason::Failed { stage }) => {
            out.push(FAILED);
            out.extend(stage.as_bytes());
        }
        End::Absent(SkipReason::Unknown { stage }) => {
            out.push(UNKNOWN);
            out.extend(stage.as_bytes());
        }
    }
    out
}

/// The end that these bytes were; nothing if they were none.
pub(super) fn decode(bytes: &[u8]) -> Option<End> {
    let (kind, rest) = bytes.split_first()?;
    let whole = || std::str::from_utf8(rest).ok().map(Arc::<str>::from);
    let mut rest = Rest(rest);
    let end = match *kind {
        TEXT => End::Value(Value::Text(whole()?)),
        JSON => End::Value(Value::Json(Arc::new(rest.json()?))),
        IMAGE => {
            let (width, height) = (u32::try_from(rest.count()?).ok()?, u32::try_from(rest.count()?).ok()?);
            let (bytes, media_type) = (rest.count()?, media(rest.text()?)?);
            End::Value(Value::Image { path: rest.text()?.into(), width, height, media_type, bytes })
        }
        SAID => {
            let length = usize::try_from(rest.count()?).ok()?;
            let End::Value(value) = decode(rest.take(length)?)? else { return None };
            End::Said(value, Conversation::new(rest.messages()?, rest.messages()?))
        }
        WHEN => End::Absent(SkipReason::When),
        ABSENT => End::Absent(SkipReason::Absent { stage: whole()? }),
        FAILED => End::Absent(SkipReason::Failed { stage: whole()? }),
        UNKNOWN => End::Absent(SkipReason::Unknown { stage: whole()? }),
        _ => return None,
    };
    Some(end)
}

/// About how much memory an end takes, in bytes.
pub(super) fn weight(end: &End) -> usize {
    let of_value = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Json(json) => weight_of(json),
        Value::Image { path, .. } => path.len(),
    };
    // What conversations share is counted in each: whoever lets go of one can't tell.
    let of_message = |message: &Message| size_of::<Message>() + message.content.len();
    size_of::<End>()
        + match end {
            End::Value(value) => of_value(value),
            End::Said(value, said) => {
                of_value(value) + said.frame().iter().chain(said.turns()).map(of_message).sum::<usize>()
            }
            // The name is that of the stage, which is there anyway.
            End::Absent(_) => 0,
        }
}

fn weight_of(json: &Json) -> usize {
    size_of::<Json>()
        + match json {
            Json::Null | Json::Bool(_) | Json::Number(_) => 0,
            Json::String(text) => text.len(),
            Json::Array(items) => items.iter().map(weight_of).sum(),
            Json::Object(fields) => {
                fields.iter().map(|(name, value)| 2 * size_of::<String>() + name.len() + weight_of(value)).sum()
            }
        }
}

fn put_count(out: &mut Vec<u8>, count: u64) {
    out.extend(count.to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len() as u64);
    out.extend(text.as_bytes());
}

/// Messages as JSON, each by itself, and beside each what a call's key leaves out of its pictures: what their files are
/// called, and where they lie.
fn put_messages<'a>(out: &mut Vec<u8>, messages: impl IntoIterator<Item = &'a Message>) {
    let messages: Vec<&Message> = messages.into_iter().collect();
    put_count(out, messages.len() as u64);
    for message in messages {
        put_text(out, &serde_json::to_string(message).unwrap_or_default());
        for file in message.images.iter().filter_map(Picture::file) {
            put_text(out, &file.name);
            put_text(out, &file.place.to_string_lossy());
        }
    }
}

fn put_json(out: &mut Vec<u8>, json: &Json) {
    match json {
        Json::Null => out.push(NULL),
        Json::Bool(truth) => out.push(if *truth { TRUE } else { FALSE }),
        Json::Number(number) => put_number(out, number),
        Json::String(text) => {
            out.push(STRING);
            put_text(out, text);
        }
        Json::Array(items) => {
            out.push(ARRAY);
            put_count(out, items.len() as u64);
            for item in items {
                put_json(out, item);
            }
        }
        Json::Object(fields) => {
            out.push(OBJECT);
            put_count(out, fields.len() as u64);
            for (name, value) in fields {
                put_text(out, name);
                put_json(out, value);
            }
        }
    }
}

fn put_number(out: &mut Vec<u8>, number: &Number) {
    if let Some(count) = number.as_u64() {
        out.push(UNSIGNED);
        put_count(out, count);
    } else if let Some(integer) = number.as_i64() {
        out.push(SIGNED);
        out.extend(integer.to_le_bytes());
    } else if let Some(float) = number.as_f64() {
        out.push(FLOAT);
        put_count(out, float.to_bits());
    } else {
        out.push(NULL);
    }
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn eight(&mut self) -> Option<[u8; 8]> {
        self.take(8)?.try_into().ok()
    }

    fn count(&mut self) -> Option<u64> {
        self.eight().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.count()?).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    fn messages(&mut self) -> Option<Vec<Message>> {
        let count = self.count()?;
        (0..count).map(|_| self.message()).collect()
    }

    fn message(&mut self) -> Option<Message> {
        let mut message: Message = serde_json::from_str(self.text()?).ok()?;
        let pictures = message.images.iter().map(|picture| match picture {
            Picture::Url(_) => Some(picture.clone()),
            Picture::File(file) => {
                let (name, place) = (self.text()?.into(), Arc::from(Path::new(self.text()?)));
                Some(Picture::File(PictureFile { name, place, ..file.clone() }))
            }
        });
        message.images = pictures.collect::<Option<_>>()?;
        Some(message)
    }

    fn json(&mut self) -> Option<Json> {
        Some(match *self.take(1)?.first()? {
            NULL => Json::Null,
            FALSE => Json::Bool(false),
            TRUE => Json::Bool(true),
            UNSIGNED => self.count()?.into(),
            SIGNED => i64::from_le_bytes(self.eight()?).into(),
            FLOAT => Json::Number(Number::from_f64(f64::from_bits(self.count()?))?),
            STRING => Json::String(self.text()?.to_owned()),
            ARRAY => {
                let count = self.count()?;
                Json::Array((0..count).map(|_| self.json()).collect::<Option<_>>()?)
            }
            OBJECT => {
                let count = self.count()?;
                let field = |_| Some((self.text()?.to_owned(), self.json()?));
                Json::Object((0..count).map(field).collect::<Option<JsonMap>>()?)
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use crate::model::{MediaType, Role};

    use super::*;

    fn said() -> impl Strategy<Value = Conversation> {
        let role = prop::sample::select(vec![Role::System, Role::User, Role::Assistant]);
        let picture = prop_oneof![
            "[a-z]{1,8}".prop_map(|url| Picture::Url(url.into())),
            (any::<[u8; 32]>(), any::<u32>(), "[a-zé/]{1,8}").prop_map(|(digest, bytes, name)| {
                let place = Path::new("/pictures").join(name.trim_start_matches('/')).into();
                let (name, bytes) = (name.into(), bytes.into());
                Picture::File(PictureFile { digest, media_type: MediaType::Png, bytes, name, place, content: None })
            }),
        ];
        let pictures = prop::collection::vec(picture, 0..2);
        let message = (role, ".{0,12}", pictures)
            .prop_map(|(role, content, images)| Message { images: images.into(), ..Message::new(role, content) });
        let messages = || prop::collection::vec(message.clone(), 0..4);
        (messages(), messages()).prop_map(|(begun, more)| Conversation::begin(begun).and(more))
    }

    fn json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<u64>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            ".{0,8}".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::vec((".{0,4}", inner), 0..4)
                    .prop_map(|fields| Json::Object(fields.into_iter().collect())),
            ]
        })
    }

    pub(in crate::store) fn end() -> impl Strategy<Value = End> {
        let name = || "[a-zé]{1,6}".prop_map(Arc::<str>::from);
        let image = (name(), any::<u32>(), any::<u32>(), any::<prop::sample::Index>(), any::<u64>());
        prop_oneof![
            ".{0,40}".prop_map(|text| End::Value(Value::Text(text.into()))),
            json().prop_map(|json| End::Value(Value::Json(Arc::new(json)))),
            (".{0,40}", said()).prop_map(|(text, said)| End::Said(Value::Text(text.into()), said)),
            (json(), said()).prop_map(|(json, said)| End::Said(Value::Json(Arc::new(json)), said)),
            image.prop_map(|(path, width, height, media, bytes)| {
                let media_type = MediaType::ALL[media.index(MediaType::ALL.len())];
                End::Value(Value::Image { path, width, height, media_type, bytes })
            }),
            Just(End::Absent(SkipReason::When)),
            name().prop_map(|stage| End::Absent(SkipReason::Absent { stage })),
            name().prop_map(|stage| End::Absent(SkipReason::Failed { stage })),
            name().prop_map(|stage| End::Absent(SkipReason::Unknown { stage })),
        ]
    }

    proptest! {
        #[test]
        fn what_was_put_comes_back(end in end()) {
            let back = decode(&encode(&end));
            prop_assert_eq!(back.as_ref(), Some(&end));
            // Two mappings are equal in any order of their fields, and two zeros whatever their sign.
            prop_assert_eq!(format!("{back:?}"), format!("{:?}", Some(end)));
        }

        #[test]
        fn other_bytes_are_nothing_or_an_end(bytes: Vec<u8>) {
            drop(decode(&bytes));
        }
    }

    #[test]
    fn a_number_is_not_its_neighbour() {
        let end = End::Value(Value::Json(Arc::new(Json::from(0.1 + 0.2))));
        assert_eq!(decode(&encode(&end)), Some(end));
    }
}
