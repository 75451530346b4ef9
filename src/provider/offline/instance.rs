//! Answers that fit a schema: each value as its keywords want it, each text about the prompt.

use crate::model::{AnswerSchema, Failure, FailureKind, Json, JsonMap};

use super::bounds::{Bounds, Span};
use super::dice::Dice;
use super::fill::{Filler, MEASURES, Measure};
use super::flat::flat;
use super::prose::Prose;
use super::shape::{Shape, count_of};
use super::{counts, forms, keys};

/// So often is an answer made, each time with other dice, until one fits.
const TRIES: usize = 24;
/// Deeper than this nothing is made that can be left out.
const DEEP: usize = 6;
/// Deeper than this nothing is made.
const DEEPEST: usize = 64;
/// After so many values nothing is made that can be left out: a wide schema that leads into itself would never end.
const MANY: usize = 2_000;
/// So many values are made at most.
const MOST: usize = 40_000;
/// No text and no list is longer than this, whatever a schema asks for.
const LONGEST: usize = 20_000;

/// Keywords that are not looked at: an answer that they let pass is one by chance.
#[rustfmt::skip]
const UNHEEDED: [&str; 16] = [
    "pattern", "not", "if", "then", "else", "contains", "patternProperties", "propertyNames", "dependentRequired",
    "dependentSchemas", "dependencies", "unevaluatedProperties", "unevaluatedItems", "contentEncoding", "contentMediaType",
    "$dynamicRef",
];

/// The text of an answer that fits a schema, of at most `room` bytes.
///
/// # Errors
/// There is no room, or the schema has words that this provider does not heed.
pub(super) fn write(
    schema: &AnswerSchema,
    prose: &Prose,
    prompt: &str,
    room: usize,
    dice: &Dice,
) -> Result<String, Failure> {
    let lower = super::words::prefix(prompt, 20_000).to_lowercase();
    let terms = counts::terms_of(&lower);
    let (mut why, mut is_too_long) = (None, false);
    for measure in MEASURES {
        for turn in 0..TRIES {
            match attempt(schema, prose, (measure, turn), &terms, dice) {
                Ok(value) => {
                    let text = schema.answer(value).to_string();
                    if text.len() <= room {
                        return Ok(text);
                    }
                    is_too_long = true;
                    break;
                }
                Err(reason) => drop(why.get_or_insert(reason)),
            }
        }
    }
    if is_too_long {
        return Err(Failure::new(FailureKind::Length, "The answer hit `max_tokens`").suggest("raise `max_tokens`"));
    }
    Err(unable(schema, &why.unwrap_or_default()))
}

fn attempt(
    schema: &AnswerSchema,
    prose: &Prose,
    (measure, turn): (Measure, usize),
    terms: &[&str],
    dice: &Dice,
) -> Result<Json, String> {
    let mut dice = dice.clone();
    for _ in 0..turn {
        dice.next();
    }
    let filler = Filler::new(prose, measure, dice);
    let mut maker = Maker { root: schema.written(), filler, terms, made: 0 };
    let value = maker.value(schema.written(), Spot { key: "", at: 0, depth: 0 })?;
    match schema.misfits(&value).into_iter().next() {
        None => Ok(value),
        Some(misfit) => Err(misfit.words),
    }
}

fn unable(schema: &AnswerSchema, why: &str) -> Failure {
    let mut unheeded = Vec::new();
    note_unheeded(schema.written(), &mut unheeded);
    let names: Vec<String> = unheeded.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("The built-in provider finds no answer that fits the schema: {why}");
    let help = if names.is_empty() {
        "ask for less in the schema, or ask a model".to_owned()
    } else {
        format!("it does not heed {}: leave that out of the schema, or ask a model", names.join(", "))
    };
    Failure::new(FailureKind::BadRequest, message).suggest(help)
}

/// The keywords in a schema that are not looked at.
fn note_unheeded(schema: &Json, found: &mut Vec<&'static str>) {
    match schema {
        Json::Array(schemas) => schemas.iter().for_each(|schema| note_unheeded(schema, found)),
        Json::Object(fields) => {
            for (name, value) in fields {
                if let Some(keyword) = UNHEEDED.iter().find(|keyword| *keyword == name) {
                    if !found.contains(keyword) {
                        found.push(keyword);
                    }
                } else if ["properties", "$defs", "definitions"].contains(&name.as_str()) {
                    // These are names of the author's, and no keywords.
                    value.as_object().into_iter().flatten().for_each(|(_, schema)| note_unheeded(schema, found));
                } else if !["enum", "const", "default", "examples"].contains(&name.as_str()) {
                    note_unheeded(value, found);
                }
            }
        }
        _ => {}
    }
}

/// Where a value stands: under which key, at which place of the innermost list, how deep.
#[derive(Debug, Clone, Copy)]
struct Spot<'k> {
    key: &'k str,
    at: usize,
    depth: usize,
}

impl Spot<'_> {
    fn below(self, key: &str) -> Spot<'_> {
        Spot { key, at: self.at, depth: self.depth + 1 }
    }
}

struct Maker<'a> {
    root: &'a Json,
    filler: Filler<'a>,
    /// The words of the prompt, in lower case.
    terms: &'a [&'a str],
    /// How many values there are.
    made: usize,
}

impl Maker<'_> {
    fn value(&mut self, schema: &Json, spot: Spot<'_>) -> Result<Json, String> {
        if spot.depth > DEEPEST {
            return Err("the schema leads into itself without an end".to_owned());
        }
        self.made += 1;
        if self.made > MOST {
            return Err(format!("it would have more than {MOST} values"));
        }
        let is_enough = self.is_enough(spot);
        let schema = flat(self.root, schema, &mut self.filler.dice, is_enough)?;
        if let Some(value) = schema.get("const") {
            return Ok(value.clone());
        }
        let kinds = kinds(&schema);
        if let Some(options) = schema.get("enum").and_then(Json::as_array) {
            let options: Vec<&Json> = options.iter().filter(|option| fits(&kinds, option)).collect();
            let some: Vec<&Json> = options.iter().copied().filter(|option| !option.is_null()).collect();
            let among = if some.is_empty() { &options } else { &some };
            if among.is_empty() {
                return Err("there is nothing to choose from".to_owned());
            }
            return Ok((*self.filler.dice.pick(among)).clone());
        }
        match self.kind(&schema, &kinds, spot).as_str() {
            "null" => Ok(Json::Null),
            "boolean" => Ok(self.filler.dice.happens(0.5).into()),
            "integer" => {
                let usual = self.filler.number(None, spot.key, spot.at);
                Bounds::of(&schema).integer(usual, &mut self.filler.dice)
            }
            "number" => self.number(&schema, spot),
            "array" => self.list(&schema, spot),
            "object" => self.mapping(&schema, spot),
            "string" => self.text(&schema, spot),
            _ => Err("a value can't have two types at once".to_owned()),
        }
    }

    /// Whether what can be left out is left out from here on.
    fn is_enough(&self, spot: Spot<'_>) -> bool {
        spot.depth > DEEP || self.made > MANY
    }

    /// The kind of a value: rather something than null, but for what lies deep.
    fn kind(&mut self, schema: &JsonMap, kinds: &[String], spot: Spot<'_>) -> String {
        let has = |names: &[&str]| names.iter().any(|name| schema.contains_key(*name));
        if !schema.contains_key("type") {
            let guessed = if has(&["properties", "required", "additionalProperties", "minProperties", "maxProperties"])
            {
                "object"
            } else if has(&["items", "prefixItems", "minItems", "maxItems", "uniqueItems"]) {
                "array"
            } else if has(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]) {
                "number"
            } else {
                "string"
            };
            return guessed.to_owned();
        }
        let some: Vec<&String> = kinds.iter().filter(|kind| *kind != "null").collect();
        match &some[..] {
            _ if self.is_enough(spot) && kinds.iter().any(|kind| kind == "null") => "null".to_owned(),
            [] => kinds.first().cloned().unwrap_or_default(),
            [one] => (*one).clone(),
            several => (*self.filler.dice.pick(several)).clone(),
        }
    }

    fn number(&mut self, schema: &JsonMap, spot: Spot<'_>) -> Result<Json, String> {
        let bounds = Bounds::of(schema);
        let usual = match keys::shape_of(spot.key) {
            Shape::Fraction => f64::from(u8::try_from(self.filler.dice.between(5, 95)).unwrap_or(50)) / 100.0,
            _ => f64::from(i32::try_from(self.filler.number(None, spot.key, spot.at)).unwrap_or(6)),
        };
        bounds.number(usual, &mut self.filler.dice)
    }

    fn list(&mut self, schema: &JsonMap, spot: Spot<'_>) -> Result<Json, String> {
        let span = Span::of(schema, "minItems", "maxItems")?;
        if span.least > LONGEST {
            return Err(format!("a list of {} items is too long", span.least));
        }
        let first: Vec<Json> =
            ["prefixItems", "items"].iter().find_map(|name| schema.get(*name)?.as_array().cloned()).unwrap_or_default();
        let rest = ["items", "additionalItems"].iter().find_map(|name| schema.get(*name).filter(|one| !one.is_array()));
        let any = Json::Bool(true);
        let usual = match rest {
            _ if self.is_enough(spot) => 0,
            Some(Json::Bool(false)) => first.len(),
            None if !first.is_empty() => first.len(),
            _ => count_of(spot.key, self.terms).unwrap_or(self.filler.measure.list).max(first.len()),
        };
        let count = usual.clamp(span.least, span.most);
        let is_set = schema.get("uniqueItems") == Some(&Json::Bool(true));
        self.filler.in_a_row(count);
        let mut items: Vec<Json> = Vec::new();
        let singular = keys::singular(spot.key).to_owned();
        for at in 0..count {
            let one = first.get(at).or(rest).unwrap_or(&any);
            let below = Spot { key: &singular, at, depth: spot.depth + 1 };
            let mut item = self.value(one, below)?;
            for _ in 0..TRIES {
                if !is_set || !items.contains(&item) {
                    break;
                }
                item = self.value(one, below)?;
            }
            if is_set && items.contains(&item) {
                break;
            }
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn mapping(&mut self, schema: &JsonMap, spot: Spot<'_>) -> Result<Json, String> {
        let span = Span::of(schema, "minProperties", "maxProperties")?;
        let none = JsonMap::new();
        let properties = schema.get("properties").and_then(Json::as_object).unwrap_or(&none);
        let required: Vec<&str> =
            schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
        let others = schema.get("additionalProperties").unwrap_or(&Json::Bool(true));
        // One sentence for all texts of a mapping, so that title and brief speak of the same thing.
        let start = self.filler.next;
        let mut object = JsonMap::new();
        let mut left = span.most.saturating_sub(required.len());
        for (name, of) in properties {
            let is_required = required.contains(&name.as_str());
            let is_wanted = is_required || (left > 0 && !self.is_enough(spot) && *of != Json::Bool(false));
            if !is_wanted {
                continue;
            }
            if is_text(of) {
                self.filler.next = start;
            }
            match self.value(of, spot.below(name)) {
                Ok(value) => {
                    left -= usize::from(!is_required);
                    object.insert(name.clone(), value);
                }
                // What can't be made can be left out.
                Err(_) if !is_required => {}
                Err(why) => return Err(why),
            }
        }
        for name in required.iter().filter(|name| !properties.contains_key(**name)) {
            self.filler.next = start;
            object.insert((*name).to_owned(), self.value(others, spot.below(name))?);
        }
        self.filler.next = self.filler.next.max(start + 1);
        let is_table = properties.is_empty() && others.is_object() && !self.is_enough(spot);
        let goal = if is_table { span.least.max(2).min(span.most) } else { span.least };
        let mut number = 1;
        while object.len() < goal.min(LONGEST) {
            let name = format!("{}_{number}", if is_table { "key" } else { "field" });
            number += 1;
            if !object.contains_key(&name) {
                let value = self.value(others, spot.below(&name))?;
                object.insert(name, value);
            }
        }
        Ok(Json::Object(object))
    }

    fn text(&mut self, schema: &JsonMap, spot: Spot<'_>) -> Result<Json, String> {
        let span = Span::of(schema, "minLength", "maxLength")?;
        if let Some(format) = schema.get("format").and_then(Json::as_str) {
            let slug = self.filler.text("slug");
            if let Some(text) = forms::of(format, &slug, &mut self.filler.dice) {
                return Ok(text.into());
            }
        }
        if span.least > LONGEST {
            return Err(format!("a text of {} letters is too long", span.least));
        }
        let mut text = self.filler.text(spot.key);
        while text.chars().count() < span.least {
            let more = self.filler.text("");
            text = format!("{text} {}", if more.is_empty() { ".." } else { &more });
        }
        let text = shortened(&text, span.most);
        // A text that was cut at its end may have lost a blank that counted.
        let missing = span.least.saturating_sub(text.chars().count());
        let text = format!("{text}{}", ".".repeat(missing));
        Ok(self.filler.marked(text, spot.key, span.most).into())
    }
}

/// Whether a value is a text, as far as its schema says so by itself.
fn is_text(schema: &Json) -> bool {
    schema.as_object().is_some_and(|fields| kinds(fields).iter().any(|kind| kind == "string"))
}

/// At most so many letters, rather up to the end of a word.
fn shortened(text: &str, most: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(most) else { return text.to_owned() };
    let cut = &text[..end];
    let word = cut.rfind(char::is_whitespace).filter(|at| *at * 2 > cut.len()).unwrap_or(cut.len());
    cut[..word].trim_end_matches([' ', ',', ';', ':']).to_owned()
}

fn kinds(schema: &JsonMap) -> Vec<String> {
    match schema.get("type") {
        Some(Json::String(name)) => vec![name.clone()],
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Whether a value is of one of these kinds; of any where there are none.
fn fits(kinds: &[String], value: &Json) -> bool {
    let is = |kind: &str| match value {
        Json::Null => kind == "null",
        Json::Bool(_) => kind == "boolean",
        Json::Number(number) => {
            kind == "number" || (kind == "integer" && number.as_f64().is_none_or(|number| number.fract() == 0.0))
        }
        Json::String(_) => kind == "string",
        Json::Array(_) => kind == "array",
        Json::Object(_) => kind == "object",
    };
    kinds.is_empty() || kinds.iter().any(|kind| is(kind))
}
