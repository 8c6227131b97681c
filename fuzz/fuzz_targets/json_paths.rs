//! Any bytes as a JSON path and a document: read or refused, evaluated or missing, never a panic; what is found is written as JSON that reads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pelton::expr::json::{Document, Found, JsonWriter, PathSpec, Root, evaluate};

fuzz_target!(|data: &[u8]| {
    // The path stands before the document.
    let Some(end) = data.iter().position(|&b| b == b'\n') else { return };
    let (path, text) = (&data[..end], &data[end + 1..]);
    let (Ok(path), Ok(_)) = (std::str::from_utf8(path), std::str::from_utf8(text)) else { return };
    let spec = PathSpec::read(path);
    let (Ok(path), mut document) = (spec.path, Document::default()) else { return };
    if document.parse(text).is_err() {
        return;
    }
    let root = Root { document: &document, text };
    for lax in [true, false] {
        let mut found = Found::default();
        if evaluate(root, 0, &path, lax, &mut found).is_err() {
            continue;
        }
        let (mut writer, mut out) = (JsonWriter::default(), Vec::new());
        for item in found.items.clone() {
            out.clear();
            writer.item(root, &found, item, &mut out);
            assert!(Document::default().parse(&out).is_ok(), "{}", String::from_utf8_lossy(&out));
        }
    }
});
