//! A forecast as people read it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::engine::{Bounds, Counts, Forecast, Range, StageForecast};
use crate::model::{Cost, Units};
use crate::sink::{Side, one_line, short_number, table};

use super::settings::Settings;

pub(super) fn forecast(forecast: &Forecast, settings: &Settings) -> String {
    let mut text = format!("{}\n", headline(forecast));
    let rows = rows(forecast);
    let mut sides = vec![Side::Right; rows[0].len()];
    sides[0] = Side::Left;
    text.push('\n');
    for (number, line) in table(&sides, &rows).iter().enumerate() {
        _ = writeln!(text, "{}", if number == 0 { settings.paint.dim(line) } else { line.clone() });
    }
    if !forecast.notes.is_empty() && !settings.quiet {
        _ = writeln!(text, "\n{}", settings.paint.bold("Notes"));
        for note in &forecast.notes {
            _ = writeln!(text, "  {}", one_line(note));
        }
    }
    text
}

/// `left to do: 4 calls, $0.12`
pub(super) fn left(forecast: &Forecast) -> String {
    format!("left to do: {}{}", calls(forecast.total.calls), cost(forecast))
}

/// `digest: 4 calls to make, 12 kept`
fn headline(forecast: &Forecast) -> String {
    let total = &forecast.total;
    let kept = if total.counts.kept > 0 { format!(", {} kept", total.counts.kept) } else { String::new() };
    format!("{}: {} to make{kept}{}", one_line(&forecast.pipeline), calls(total.calls), cost(forecast))
}

fn cost(forecast: &Forecast) -> String {
    let total = &forecast.total;
    match (total.calls.most, total.cost.high.is_nothing()) {
        (Some(0), _) | (None, true) => String::new(),
        (_, true) => ", at no cost".to_owned(),
        (_, false) => format!(", {}", money(total.cost)),
    }
}

/// `4 calls`, `4 to 12 calls`, `4 calls or more`
fn calls(calls: Bounds) -> String {
    let word = |count: u64| if count == 1 { "call" } else { "calls" };
    match calls {
        Bounds { least: 0, most: Some(0) } => "no calls".to_owned(),
        Bounds { least, most: Some(most) } if least == most => format!("{least} {}", word(least)),
        Bounds { least, most: Some(most) } => format!("{least} to {most} calls"),
        Bounds { least, most: None } => format!("{least} {} or more", word(least)),
    }
}

type Figure = fn(&Counts) -> u64;

/// Each column adds to `items`; those that are nought in every row are left out, but for the first three.
const FATES: [(&str, Figure); 8] = [
    ("items", |counts| counts.items),
    ("kept", |counts| counts.kept),
    ("to call", |counts| counts.to_call),
    ("same call", |counts| counts.shared),
    ("no call", |counts| counts.made),
    ("skipped", |counts| counts.skipped),
    ("failing", |counts| counts.fails),
    ("unknown", |counts| counts.unknown),
];

/// So many of the columns are always there.
const ALWAYS: usize = 3;

fn rows(forecast: &Forecast) -> Vec<Vec<String>> {
    let total = &forecast.total;
    let fates = FATES.iter().enumerate().filter(|(at, (_, figure))| *at < ALWAYS || figure(&total.counts) > 0);
    let fates: Vec<&(&str, Figure)> = fates.map(|(_, column)| column).collect();
    let any = |figure: fn(&StageForecast) -> bool| forecast.stages.iter().any(figure);
    let has_tokens = any(|stage| stage.tokens_in.high + stage.tokens_out.high > 0);
    let has_cost = any(|stage| stage.calls.most != Some(0));
    let has_time = any(|stage| stage.time.is_some());

    let row = |name: &str, counts: &Counts, ends: [Option<String>; 4]| {
        let mut row = vec![name.to_owned()];
        row.extend(fates.iter().map(|(name, figure)| match (*name, counts.may_be_more) {
            ("items" | "unknown", true) => format!("{}+", figure(counts)),
            _ => figure(counts).to_string(),
        }));
        let shown = [has_tokens, has_tokens, has_cost, has_time];
        row.extend(ends.into_iter().zip(shown).filter(|(_, shown)| *shown).map(|(cell, _)| cell.unwrap_or_default()));
        row
    };
    let mut head =
        row("stage", &Counts::default(), ["tokens in", "tokens out", "cost", "time"].map(|name| Some(name.to_owned())));
    for (at, (name, _)) in fates.iter().enumerate() {
        (*name).clone_into(&mut head[at + 1]);
    }
    let mut rows = vec![head];
    for stage in &forecast.stages {
        let asks = stage.calls.most != Some(0);
        let ends = [
            asks.then(|| open(tokens(stage.tokens_in), stage.calls)),
            asks.then(|| open(tokens(stage.tokens_out), stage.calls)),
            asks.then(|| open(money(stage.cost), stage.calls)),
            stage.time.map(about),
        ];
        rows.push(row(&stage.name, &stage.counts, ends));
    }
    if forecast.stages.len() > 1 {
        let time = total.time.filter(|(_, all)| !all.is_zero()).map(|(longest, all)| {
            let (low, high) = (about(longest), about(all));
            if low == high { low } else { format!("{low}..{high}") }
        });
        let sums = [tokens(total.tokens_in), tokens(total.tokens_out), money(total.cost)];
        let [input, output, cost] = sums.map(|sum| Some(open(sum, total.calls)));
        let ends = [input, output, cost, time];
        rows.push(row("in all", &total.counts, ends));
    }
    rows
}

/// A sum to which nobody knows how much comes: `1.2k+`; `?` where nothing of it is known.
fn open(sum: String, calls: Bounds) -> String {
    match calls.most {
        Some(_) => sum,
        None if matches!(sum.as_str(), "0" | "$0") => "?".to_owned(),
        None => format!("{sum}+"),
    }
}

/// `1.2k`, `1.2k (300..4.0k)`
fn tokens(tokens: Range<u64>) -> String {
    let Range { low, expected, high } = tokens.map(short_number);
    if low == high { expected } else { format!("{expected} ({low}..{high})") }
}

/// `$0.12`, `$0.12 ($0.05..$0.40)`, `$0.12, 3 unpriced`
fn money(cost: Range<Cost>) -> String {
    if cost.high.unpriced > 0 && cost.high == Cost::unpriced(cost.high.unpriced) {
        return "unpriced".to_owned();
    }
    let amounts = cost.map(|cost| Cost { unpriced: 0, ..cost }.to_string());
    let range = if amounts.low == amounts.high {
        amounts.expected
    } else {
        format!("{} ({}..{})", amounts.expected, amounts.low, amounts.high)
    };
    match cost.high.unpriced {
        0 => range,
        unpriced => format!("{range}, {unpriced} unpriced"),
    }
}

fn about(time: Duration) -> String {
    Units::show_duration(time)
}
