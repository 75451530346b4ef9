//! A stage as it is written becomes a stage that can run, all but its place in the graph.

use std::sync::Arc;

use crate::diag::Diagnostic;
use crate::model::{At, Choice, ImageParams, Json, Place, Role, StageKindName, TextParams};
use crate::output::{PictureFormat, picture_format};
use crate::spec::{KindSpec, Maybe, SaveSpec, StageSpec, TextSpec};

use super::binder::{Binder, Found, Ground, Site};
use super::expect::expect;
use super::fallback::fallbacks;
use super::given::Given;
use super::parameter::Parameter;
use super::pictures;
use super::pipeline::{Needs, ScopeIx, Stage, StageIx};
use super::providers::{self, Known};
use super::settings::Settings;
use super::stand_ins::on_error;
use super::talk::{Continued, Continues, System};
use super::template::Template;
use super::units::Role as HomeRole;
use super::uses;
use super::work::{Asking, Dial, ImageWork, JsonTemplate, Save, SaveForm, TextWork, Work};

const CONCURRENCY: usize = 8;

/// What stages are built from, beside the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) ground: &'a Ground<'a>,
    pub(super) given: &'a Given,
    pub(super) providers: &'a Known,
    /// What the stages must answer.
    pub(super) answers: &'a [Choice],
}

/// Builds stage `ix`. Its scope, references and shelf are set when the graph is known.
pub(super) fn build(around: Around<'_>, ix: usize, diagnostics: &mut crate::diag::Diagnostics) -> (Stage, Found) {
    let spec = &around.ground.spec.stages[ix];
    let settings = Settings::of(spec, &around.ground.spec.defaults);
    // Nobody runs a stage whose kind is not known.
    let kind = spec.kind.as_ref().map_or(StageKindName::Render, KindSpec::name);
    let home = &around.ground.units.homes[ix];
    // What a user says for an input is told of where all of it is looked at.
    let mut untold = crate::diag::Diagnostics::default();
    let diagnostics = if let HomeRole::Input(_) = home.role { &mut untold } else { diagnostics };
    let handed_on = uses::check_with(around.ground, ix, diagnostics);
    let (outer_when, outer) = uses::outer_when(around.ground, ix);
    let mut binder = Binder::new(around.ground, Some(ix), diagnostics);
    let work = work(around, spec, &settings, &mut binder);
    let when = spec.when.as_ref().map(|when| binder.expression(when, Site::Beside));
    let on_error = on_error(spec, &settings, &around.answers[ix], &mut binder);
    let save = spec.save.as_ref().and_then(|save| self::save(save, spec, kind, &mut binder));
    let mut found = std::mem::take(&mut binder.found);
    found.add(outer);
    if let HomeRole::Input(_) = home.role {
        // That the stage which says it names itself is told there.
        found.stages.retain(|named, _| Some(*named) != home.within);
    }
    found.handed_on = handed_on;
    let concurrency = settings.get(|s| s.concurrency.as_ref()).map_or(CONCURRENCY, |at| at.value as usize);
    let stage = Stage {
        name: home.full.clone(),
        description: spec.description.clone(),
        work,
        kind: if let HomeRole::Use(_) = home.role { StageKindName::Use } else { kind },
        loops: around.ground.tree.of_stage[ix].clone(),
        scope: ScopeIx::ROOT,
        slot: 0,
        depth: 0,
        refs: Vec::new(),
        hands_on: found.handed_on.iter().copied().map(StageIx).collect(),
        needs: Needs {
            inputs: found.inputs.iter().copied().collect(),
            loops: found.loops.iter().copied().collect(),
            loop_info: found.loop_info,
            run: found.run,
            previous: found.previous,
            outer_loops: found.outer_loops.clone(),
        },
        when,
        outer_when,
        concurrency: concurrency.max(1),
        rate: settings.get(|s| s.rate.as_ref()).map(|at| at.value),
        waves: settings.get(|s| s.waves.as_ref()).map(|at| at.value),
        on_error,
        max_failures: settings.get(|s| s.max_failures.as_ref()).map(|at| at.value),
        save,
        is_continued: false,
        shelf: None,
        lists: Vec::new(),
        input: if let HomeRole::Input(typed) = &home.role { Some(typed.clone()) } else { None },
    };
    (stage, found)
}

fn work(around: Around<'_>, spec: &StageSpec, settings: &Settings<'_>, binder: &mut Binder<'_>) -> Work {
    match &spec.kind {
        None => {
            any(around, spec, settings, binder);
            Work::Render(Template::default())
        }
        // What could not be read, which is told. Others are what they return.
        Some(KindSpec::Use(_)) => Work::Value(JsonTemplate::Plain(Json::Null)),
        Some(KindSpec::Render(template)) => Work::Render(binder.text(template, Site::Request)),
        Some(KindSpec::Value(json)) => {
            let json = json.as_ref().map(|json| binder.json(json, Site::Request));
            Work::Value(json.unwrap_or(JsonTemplate::Plain(Json::Null)))
        }
        Some(KindSpec::Text(prompt)) => {
            let turns = vec![(Role::User, binder.text(prompt, Site::Request))];
            Work::Text(Box::new(text(around, spec, settings, turns, binder)))
        }
        Some(KindSpec::Chat(messages)) => {
            let turns = messages.iter().map(|one| (one.role.value, binder.text(&one.content, Site::Request))).collect();
            Work::Text(Box::new(text(around, spec, settings, turns, binder)))
        }
        Some(KindSpec::Image(prompt)) => {
            let prompt = binder.text(prompt, Site::Request);
            Work::Image(Box::new(image(around, spec, settings, prompt, binder)))
        }
    }
}

/// Checks what a stage says whose kind is not known.
fn any(around: Around<'_>, spec: &StageSpec, settings: &Settings<'_>, binder: &mut Binder<'_>) {
    text(around, spec, settings, Vec::new(), binder);
    image(around, spec, settings, Template::default(), binder);
}

fn asking(around: Around<'_>, spec: &StageSpec, settings: &Settings<'_>, binder: &mut Binder<'_>) -> Asking {
    let ((provider, known_as), model) = providers::choose(settings, spec, around.given, around.providers, binder);
    if let (Dial::Fixed(name), None, true) = (&provider, &model, settings.speaks() && !settings.has_unread_model())
        && around.providers.find(name).is_some_and(|one| one.kind.default_text_model().is_none())
    {
        let message = format!("`{}` has no model, and the provider `{name}` has no default", spec.name.value);
        let help = "name one: `model: NAME` here or in `defaults`, or `--model NAME`";
        binder.diagnostics().push(Diagnostic::error("no-model", &spec.name.place, message).help(help));
    }
    let said = (around.given, around.providers);
    let fallbacks = fallbacks(settings, spec, (&provider, model.as_ref()), said, binder);
    Asking {
        provider,
        known_as,
        model,
        expect: Arc::new(expect(spec, binder)),
        feedback: settings.get(|s| s.feedback.as_ref()).is_none_or(|at| at.value),
        fallbacks,
        retry: settings.get(|s| s.retry.as_ref()).map(|at| at.value.clone()).unwrap_or_default(),
        clocks: settings.get_for_kind(|s| s.timeout.as_ref()).map(|at| at.value.clone()).unwrap_or_default(),
        reuse: settings.get(|s| s.reuse.as_ref()).map(|at| at.value).unwrap_or_default(),
        stream: stream(settings, binder),
        repeat: Vec::new(),
    }
}

/// Whether a stream is asked for. Clocks of a stream ask for one; where there can be none they would never run.
fn stream(settings: &Settings<'_>, binder: &mut Binder<'_>) -> Option<bool> {
    let said = settings.get(|s| s.stream.as_ref());
    let timeout = settings.get_for_kind(|s| s.timeout.as_ref());
    let Some(timeout) = timeout.filter(|at| at.value.first_token.or(at.value.idle).is_some()) else {
        return said.map(|at| at.value);
    };
    let error = |message| Diagnostic::error("clock-without-stream", &timeout.place, message);
    match said {
        _ if settings.is_image() => {
            let help = "write `attempt` and `total` here";
            let message = "`first_token` and `idle` are for streams, and a picture comes whole";
            binder.diagnostics().push(error(message).help(help));
        }
        Some(At { value: false, place }) => {
            let message = "`first_token` and `idle` are for streams, and there is none with `stream: false`";
            let help = "take `stream: false` out, or write `attempt` and `total` here";
            binder.diagnostics().push(error(message).also(place, "it is switched off here").help(help));
        }
        _ => {}
    }
    Some(said.is_none_or(|at| at.value))
}

fn text(
    around: Around<'_>,
    spec: &StageSpec,
    settings: &Settings<'_>,
    turns: Vec<(Role, Template)>,
    binder: &mut Binder<'_>,
) -> TextWork {
    let mut messages = Vec::with_capacity(turns.len() + 1);
    let (continues, system) = continued(spec, settings, binder);
    if let Some(system) = system {
        messages.push((Role::System, binder.text(system, Site::Request)));
    }
    messages.extend(turns);
    let params = TextParams {
        top_p: settings.get(|s| s.top_p.as_ref()).map(|at| at.value),
        stop: settings.get(|s| s.stop.as_ref()).map(|at| at.value.clone()).unwrap_or_default(),
        reasoning_effort: settings.get(|s| s.reasoning_effort.as_ref()).map(|at| at.value.clone()),
        extra: settings.get(|s| s.extra.as_ref()).map(|at| at.value.clone()).unwrap_or_default(),
        ..TextParams::default()
    };
    let answer = binder.stage.map(|ix| around.answers[ix].clone()).unwrap_or_default();
    TextWork {
        asking: asking(around, spec, settings, binder),
        continues,
        messages,
        images: pictures::shown(around, spec, settings, binder),
        params,
        max_tokens: settings.get(|s| s.max_tokens.as_ref()).map(|one| dial(&Parameter::MAX_TOKENS, one, spec, binder)),
        temperature: settings
            .get(|s| s.temperature.as_ref())
            .map(|one| dial(&Parameter::TEMPERATURE, one, spec, binder)),
        seed: settings.get(|s| s.seed.as_ref()).map(|one| dial(&Parameter::SEED, one, spec, binder)),
        answer,
    }
}

/// What comes before the messages, and the `system` among them. That of `defaults` is for conversations that begin.
fn continued<'a>(
    spec: &StageSpec,
    settings: &Settings<'a>,
    binder: &mut Binder<'_>,
) -> (Option<Continued>, Option<&'a TextSpec>) {
    let system = settings.get(|s| s.system.as_ref());
    let Some(from) = spec.continues.as_ref().and_then(|written| binder.continues(written)) else {
        return (None, system);
    };
    let (system, counts) = match (system, from) {
        (Some(own), _) if spec.settings.system.is_some() => (Some(own), System::Replaced),
        (Some(default), Continues::Previous) => (Some(default), System::Begun),
        _ => (None, System::Kept),
    };
    (Some(Continued { from, system: counts }), system)
}

fn image(
    around: Around<'_>,
    spec: &StageSpec,
    settings: &Settings<'_>,
    prompt: Template,
    binder: &mut Binder<'_>,
) -> ImageWork {
    let asking = asking(around, spec, settings, binder);
    let images = pictures::shown(around, spec, settings, binder);
    pictures::check_references(around, settings, (&asking.provider, &images), binder);
    ImageWork {
        asking,
        prompt,
        images,
        params: ImageParams {
            negative_prompt: settings.get(|s| s.negative_prompt.as_ref()).map(|at| at.value.clone()),
            quality: settings.get(|s| s.quality.as_ref()).map(|at| at.value.clone()),
            transparent: settings.get(|s| s.transparent.as_ref()).is_some_and(|at| at.value),
            extra: settings.get(|s| s.extra.as_ref()).map(|at| at.value.clone()).unwrap_or_default(),
            ..ImageParams::default()
        },
        width: settings.get(|s| s.width.as_ref()).map(|one| dial(&Parameter::WIDTH, one, spec, binder)),
        height: settings.get(|s| s.height.as_ref()).map(|one| dial(&Parameter::HEIGHT, one, spec, binder)),
        seed: settings.get(|s| s.seed.as_ref()).map(|one| dial(&Parameter::SEED, one, spec, binder)),
    }
}

/// A setting; what it comes to is looked at where that is known. With a condition, it may never come to it.
fn dial<T: Clone>(parameter: &Parameter<T>, written: &Maybe<T>, spec: &StageSpec, binder: &mut Binder<'_>) -> Dial<T> {
    let dial = binder.dial(written, Site::Request);
    let is_conditional = spec.when.is_some() || binder.has_outer_condition();
    if let (Maybe::Template(text), Dial::Template(template), false) = (written, &dial, is_conditional) {
        let wrong = |value: &Json| parameter.read(value).is_none().then(|| parameter.misfit(value));
        binder.refuse_known(template, &text.map.whole(), wrong);
    }
    dial
}

fn save(spec: &SaveSpec, stage: &StageSpec, kind: StageKindName, binder: &mut Binder<'_>) -> Option<Save> {
    let path = binder.text(&spec.path, Site::Save);
    let lower = spec.path.text.to_lowercase();
    let extension = lower.rsplit_once('.').map_or("", |(_, extension)| extension);
    let rows = matches!(extension, "jsonl" | "csv");
    let row = spec.row.as_ref().map(|row| {
        row.iter().map(|(name, value)| (name.value.clone(), binder.json(value, Site::Save))).collect::<Vec<_>>()
    });
    if row.is_some() && !rows && !spec.path.is_unread() {
        let message = "`row` is for files with a row for each instance";
        let help = "let the path end in `.jsonl` or `.csv`, or leave `row` out";
        binder.diagnostics().push(Diagnostic::error("row-without-rows", &spec.path.map.whole(), message).help(help));
    }
    if rows && kind == StageKindName::Image && row.is_none() && extension == "csv" {
        // A picture in a row prints as its fields; a path is what a reader of CSV expects.
        let message = "a picture in a CSV file is written as JSON";
        let help = format!("say what a row holds: `row: {{path: \"{{{{{}.path}}}}\"}}`", stage.name.value);
        binder.diagnostics().push(Diagnostic::warning("picture-in-csv", &spec.path.map.whole(), message).help(help));
    }
    if let Some(extension) = literal_extension(&spec.path.text).filter(|_| !rows)
        && let Some(told) = wrong_extension(extension, &stage.name.value, kind, &spec.path.map.whole())
    {
        binder.diagnostics().push(told);
    }
    let form = if rows { SaveForm::Rows { row, csv: extension == "csv" } } else { SaveForm::File };
    (!spec.path.is_unread()).then_some(Save { path, form })
}

/// The extension that is written at the end of a path, without its dot; none where a value may make it.
pub(super) fn literal_extension(path: &str) -> Option<&str> {
    let (before, tail) = path.rsplit_once("}}").unwrap_or(("", path));
    let (folder, name) = tail.rsplit_once('/').map_or((None, tail), |(folder, name)| (Some(folder), name));
    let (stem, extension) = name.rsplit_once('.')?;
    let is_hidden = stem.is_empty() && (folder.is_some() || before.is_empty());
    (!is_hidden && !extension.is_empty()).then_some(extension)
}

/// What a stage makes can't be saved with such an extension, or seldom.
fn wrong_extension(extension: &str, stage: &str, kind: StageKindName, place: &Place) -> Option<Diagnostic> {
    let format = picture_format(extension);
    let formats = "save it as `.png`, `.jpg`, `.jpeg` or `.webp`, or leave the extension out to keep it as it comes";
    if kind != StageKindName::Image {
        // A drawing in SVG is a text.
        let is_text = format == PictureFormat::None || extension.eq_ignore_ascii_case("svg");
        let (makes, texts) =
            if kind == StageKindName::Value { ("JSON", "`.json`") } else { ("a text", "`.txt` or `.md`") };
        let message = format!("`{stage}` makes {makes}, and `.{extension}` is an extension of pictures");
        let help = format!("give it an extension of texts, as {texts}; pictures are made by `image`");
        return (!is_text).then(|| Diagnostic::error("save-extension", place, message).help(help));
    }
    match format {
        PictureFormat::Written => None,
        PictureFormat::AsItComes => {
            let message =
                format!("no picture is converted to `.{extension}`: `{stage}` can be saved so only if it comes so");
            Some(Diagnostic::warning("save-extension", place, message).help(formats))
        }
        PictureFormat::None => {
            let message = format!("`{stage}` makes a picture, and pictures are not saved as `.{extension}`");
            Some(Diagnostic::error("save-extension", place, message).help(formats))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::compile::compile;
    use super::*;
    use crate::diag::SourceFiles;

    /// Whether each stage of a file asks for a stream.
    fn streams(text: &str) -> Vec<Option<bool>> {
        let (spec, _) = crate::spec::parse("x.yaml", Path::new("."), text, &mut SourceFiles::default());
        let plan = compile(&spec.expect("a file"), &Given::default()).plan.expect("a plan");
        plan.stages.iter().map(|stage| stage.work.asking().and_then(|asking| asking.stream)).collect()
    }

    #[test]
    fn clocks_of_a_stream_ask_for_one() {
        let text =
            "name: x\nstages:\n  a: {text: x}\n  b: {text: x, timeout: {idle: 5s}}\n  c: {text: x, timeout: 5s}\n";
        assert_eq!(streams(text), [None, Some(true), None]);
    }

    #[test]
    fn an_extension_is_what_is_written_at_the_end() {
        for (path, extension) in [
            ("a.b/cover.png", Some("png")),
            ("{{x.id}}.v2", Some("v2")),
            ("a/{{x.id}}", None),
            ("a/.hidden", None),
            ("{{x}}/.hidden", None),
            ("{{x}}/a.PNG", Some("PNG")),
            ("cover", None),
        ] {
            assert_eq!(literal_extension(path), extension, "{path}");
        }
    }
}
