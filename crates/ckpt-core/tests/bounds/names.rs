//! Names and paths that lead elsewhere, or are longer than any.

use ckpt_core::testing::Envelope;

use crate::measure::Reader;
use crate::reading::{read, read_location, refused};

fn counted(text: &[u8]) -> Vec<u8> {
    let (mut length, mut bytes) = (text.len(), Vec::new());
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    [&bytes, text].concat()
}

/// What a task acknowledges: operator state of one operator, in front of which those bytes stand.
fn snapshot(state: &[u8]) -> Vec<u8> {
    Envelope::TASK_SNAPSHOT.seal(&[&[0, 1], [7; 16].as_slice(), state].concat())
}

/// Operator state in a file that others named so.
fn at_path(path: &[u8]) -> Vec<u8> {
    // One operator state without names, in a file below a root that is another's; its length and digest.
    snapshot(&[&[0, 0, 1, 0, 1, 4, 0, 0], counted(path).as_slice(), &[1, 1], &[9; 8], &[0, 0, 0]].concat())
}

/// Incremental state of which a private file is called so.
fn called(name: &[u8]) -> Vec<u8> {
    // Key groups 0 to 0, no shared file; the file, and what describes it, are in the handle.
    let before = [[1, 1].as_slice(), &[7; 16], &[0, 0, 0, 1]].concat();
    snapshot(&[before.as_slice(), &counted(name), &[0, 1, 5], &[0, 1, 5, 0], &[0; 5]].concat())
}

#[test]
fn paths_that_lead_elsewhere() {
    let reader = Reader::new();
    let read = |what: &str, path: &[u8]| {
        let sealed = at_path(path);
        reader.read(&what, sealed.len(), || read(Envelope::TASK_SNAPSHOT, &sealed))
    };
    read("a path", b"chk-5/0c1d").unwrap();
    let (deep, long) = ("a/".repeat(500_000), "a".repeat(1 << 20));
    for path in [
        "..",
        "../a",
        "a/../../b",
        "a/..",
        ".",
        "a/./b",
        "/",
        "/etc/passwd",
        "//host/share",
        "a//b",
        "a/",
        "",
        "\\",
        "a\\..\\b",
        "C:\\a",
        "C:/a",
        "file:///etc/passwd",
        "s3://bucket/a",
        "a\0b",
        "a\nb",
        "\u{7f}",
        "%2e%2e/a",
        "a/%2E%2E",
        "a%2fb",
        "a%5Cb",
        "a%00",
        &deep,
        &long,
    ] {
        let shown = &path[..path.len().min(20)];
        refused(shown, read(shown, path.as_bytes()), "the path of a file");
    }
    for path in [&b"\xff"[..], b"a/\xc0\xae\xc0\xae/b", b"\xed\xa0\x80"] {
        refused("no text", read("no text", path), "cannot be decoded");
    }
}

#[test]
fn names_that_are_too_long() {
    let reader = Reader::new();
    let read = |what: &str, name: &[u8]| {
        let sealed = called(name);
        reader.read(&what, sealed.len(), || read(Envelope::TASK_SNAPSHOT, &sealed))
    };
    read("a name", b"MANIFEST").unwrap();
    read("the longest name", &[b'n'; 1024]).unwrap();
    for bytes in [1025, 64 << 10, 1 << 20] {
        let expected = format!("the private files is a name of {bytes} bytes, expected names of at most 1024");
        refused("a long name", read("a long name", &vec![b'n'; bytes]), &expected);
    }
    refused("no text", read("no text", b"\xff\xfe"), "cannot be decoded");
}

#[test]
fn places_that_lead_elsewhere() {
    let reader = Reader::new();
    let read = |what: &str, uri: &[u8]| {
        let content = [b"CKPL\x01\0", uri].concat();
        reader.read(&what, content.len(), || read_location(&content))
    };
    read("a place", b"file:///a/b").unwrap();
    let deep = format!("file:///{}", "a/".repeat(2_000));
    for uri in [
        "file:///a/../b",
        "file:///..",
        "file:///a/./b",
        "file:///a//b",
        "file:///a/",
        "/etc",
        "..",
        "a",
        ":",
        "file:",
        "file:///a\0",
        "file:///a\\b",
        "file:///%2e%2e/a",
        "file:///%2E/a",
        "file:///a%2fb",
        "file:///a%00",
        "s3://user:password@bucket/a",
        "s3://user%40bucket/a",
        "s3://bucket/a?secret",
        "s3://bucket/a#b",
        &deep,
    ] {
        refused(uri, read(uri, uri.as_bytes()), "a place that cannot be used");
    }
    refused("no text", read("no text", b"file:///\xff"), "a place that is not text");
}
