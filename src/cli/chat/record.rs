//! A conversation as a file, and pictures beside it.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use jiff::Zoned;

use crate::cli::fault::Fault;
use crate::client::ImageAnswer;
use crate::model::{Message, Role};
use crate::store::part_in;

/// Writes a conversation to a new file: JSON where its name says so, else Markdown. Gives its path.
pub(super) fn save(messages: &[Message], file: Option<&str>, model: &str) -> Result<PathBuf, Fault> {
    let path = file.map_or_else(|| format!("chat-{}.md", Zoned::now().strftime("%Y%m%d-%H%M%S")), str::to_owned);
    let path = PathBuf::from(path);
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let text = if is_json { json(messages) } else { markdown(messages, model) };
    write_new(&path, text.as_bytes())?;
    Ok(path)
}

/// Saves a picture under the first free name. Gives its path.
pub(super) fn save_picture(picture: &ImageAnswer) -> Result<PathBuf, Fault> {
    let names = (1..u32::MAX).map(|n| PathBuf::from(format!("image-{n}.{}", picture.media_type.extension())));
    let free = names.into_iter().find(|path| !path.exists());
    let path = free.ok_or_else(|| Fault::unwritable("this folder is full of pictures", None))?;
    write_new(&path, &picture.bytes)?;
    Ok(path)
}

/// A file appears whole, and takes the place of none.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = path.display();
    let wrong = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Fault::unwritable(format!("`{shown}` is there already"), Some("give another name".to_owned()))
        }
        // The words of the error name the part that was begun, which nobody has asked for.
        kind => Fault::unwritable(
            format!("`{shown}` can't be written: {kind}"),
            Some("check that its folder is there and can be written".to_owned()),
        ),
    };
    let mut part = part_in(folder).map_err(wrong)?;
    part.write_all(bytes).and_then(|()| part.as_file().sync_all()).map_err(wrong)?;
    part.persist_noclobber(path).map_err(|error| wrong(error.error))?;
    Ok(())
}

fn json(messages: &[Message]) -> String {
    let text = serde_json::to_string_pretty(messages).unwrap_or_default();
    text + "\n"
}

fn markdown(messages: &[Message], model: &str) -> String {
    let mut text = format!("# A conversation with {model}\n");
    for message in messages {
        let who = match message.role {
            Role::System => "Told first",
            Role::User => "You",
            Role::Assistant => model,
        };
        // Writing to a string can't fail.
        _ = write!(text, "\n## {who}\n\n{}\n", message.content.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_a_file_to_read_or_to_go_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let messages = [Message::system("Be kind."), Message::user("Hello"), Message::assistant("Hi\n")];
        let at = |name: &str| folder.path().join(name).display().to_string();
        let path = save(&messages, Some(&at("a.md")), "offline").unwrap();
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            "# A conversation with offline\n\n## Told first\n\nBe kind.\n\n## You\n\nHello\n\n## offline\n\nHi\n"
        );
        let path = save(&messages, Some(&at("a.json")), "offline").unwrap();
        let read: Vec<Message> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(read, messages);
        let fault = save(&messages, Some(&at("a.md")), "offline").unwrap_err();
        assert!(fault.message.ends_with("is there already"), "{}", fault.message);
        let fault = save(&messages, Some(&at("missing/a.md")), "offline").unwrap_err();
        assert!(fault.message.contains("can't be written"), "{}", fault.message);
    }
}
