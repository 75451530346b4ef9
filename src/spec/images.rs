//! `images`: one picture or a list of them, each a path, an address or a template.

use super::node::{Node, Value};
use super::pipeline::TextSpec;
use super::reader::Reader;
use super::secrets;
use super::templates::template;
use crate::diag::Diagnostic;

const EXAMPLE: &str = "write a path, an address or a template: `images: photo.png`, `images: \"{{cover}}\"`";

/// One, or a list of at least one.
pub(super) fn images(node: &Node, reader: &mut Reader<'_>) -> Option<Vec<TextSpec>> {
    let Some(elements) = node.elements() else {
        return image(node, reader).map(|one| vec![one]);
    };
    if elements.is_empty() {
        reader.push(
            Diagnostic::error("out-of-range", &node.place, "this list of pictures is empty")
                .help("name one, or take the key out"),
        );
        return None;
    }
    // Each is looked at, so that all that is wrong is told.
    let images: Vec<_> = elements.iter().map(|element| image(element, reader)).collect();
    images.into_iter().collect()
}

fn image(node: &Node, reader: &mut Reader<'_>) -> Option<TextSpec> {
    let Value::Text(text, _) = &node.value else {
        reader.expected_with("a picture", node, Some(EXAMPLE));
        return None;
    };
    if text.split(['?', '&', '=']).any(secrets::looks_like_key) {
        secrets::refuse(&node.place, "there is a key in this address", "name a picture that needs none", reader);
        return None;
    }
    template(node, reader)
}
