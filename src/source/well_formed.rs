//! Whether a JSON text can be read, without keeping what it says.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Any JSON value, read as strictly as if it were kept. `serde::de::IgnoredAny` is laxer: it lets numbers beyond every
/// range and halves of surrogate pairs pass, which then fail in the middle of a run.
pub(super) struct WellFormed;

impl<'de> Deserialize<'de> for WellFormed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for WellFormed {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Json;

    fn agree(text: &str) -> bool {
        serde_json::from_str::<WellFormed>(text).is_ok() == serde_json::from_str::<Json>(text).is_ok()
    }

    #[test]
    fn is_as_strict_as_reading_the_value() {
        for text in ["1e999", r#""\ud800""#, r#"{"a":1,"a":2}"#, "[1,]", "nul", "{1:2}", "-", "\"a\nb\"", "[] x", ""] {
            assert!(agree(text), "{text}");
        }
        assert!(serde_json::from_str::<serde::de::IgnoredAny>("1e999").is_ok(), "then this type is not needed");
    }

    proptest! {
        #[test]
        fn agrees_on_any_text(text in r#"[\[\]{}:,"\\ude0-9.+\-truefalsn ]{0,24}"#) {
            prop_assert!(agree(&text));
        }
    }
}
