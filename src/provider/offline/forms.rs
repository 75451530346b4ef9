//! Texts with a form of their own: the formats of JSON Schema.

use super::dice::Dice;

/// A text of this format; nothing where any text will do. `slug` is a short name for machines.
pub(super) fn of(format: &str, slug: &str, dice: &mut Dice) -> Option<String> {
    let slug = slug.get(..30).unwrap_or(slug).trim_matches('-');
    let slug = if slug.is_empty() { "item" } else { slug };
    let mut date = || format!("2026-{:02}-{:02}", dice.between(1, 12), dice.between(1, 28));
    Some(match format {
        "date" => date(),
        "date-time" => {
            let date = date();
            format!("{date}T{}", time(dice))
        }
        "time" => time(dice),
        "duration" => format!("PT{}M", dice.between(1, 59)),
        "email" | "idn-email" => format!("{}@example.org", slug.replace('-', ".")),
        "hostname" | "idn-hostname" => format!("{slug}.example.org"),
        "ipv4" => format!("192.0.2.{}", dice.between(1, 254)),
        "ipv6" => format!("2001:db8::{:x}", dice.between(1, 0xffff)),
        "uri" | "iri" => format!("https://example.org/{slug}"),
        "uri-reference" | "iri-reference" => format!("/{slug}"),
        "uri-template" => format!("https://example.org/{slug}/{{id}}"),
        "uuid" => uuid(dice),
        "json-pointer" => format!("/{slug}/0"),
        "relative-json-pointer" => format!("0/{slug}"),
        "regex" => format!("^{slug}$"),
        _ => return None,
    })
}

fn time(dice: &mut Dice) -> String {
    format!("{:02}:{:02}:00Z", dice.between(6, 22), dice.below(12) * 5)
}

/// A random UUID (RFC 9562, version 4).
fn uuid(dice: &mut Dice) -> String {
    let (high, low) = (dice.next(), dice.next());
    let (first, second, third) = (high >> 32, (high >> 16) & 0xffff, high & 0x0fff);
    let (fourth, fifth) = (0x8000 | ((low >> 48) & 0x3fff), low & 0xffff_ffff_ffff);
    format!("{first:08x}-{second:04x}-4{third:03x}-{fourth:04x}-{fifth:012x}")
}
