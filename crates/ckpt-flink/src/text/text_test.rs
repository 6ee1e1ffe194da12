//! Each rule of modified UTF-8, in both directions.

use super::*;

fn decoded(bytes: &[u8]) -> Result<JavaText, InvalidText> {
    JavaText::from_encoded(Bytes::copy_from_slice(bytes))
}

fn refused(bytes: &[u8]) -> (usize, Option<u8>) {
    let invalid = decoded(bytes).unwrap_err();
    (invalid.offset_bytes, invalid.found)
}

#[test]
fn each_length_begins_and_ends_where_javas_does() {
    for (character, encoded) in [
        ('\u{1}', &[0x01][..]),
        ('\u{7f}', &[0x7f]),
        ('\u{80}', &[0xc2, 0x80]),
        ('\u{7ff}', &[0xdf, 0xbf]),
        ('\u{800}', &[0xe0, 0xa0, 0x80]),
        ('\u{ffff}', &[0xef, 0xbf, 0xbf]),
    ] {
        let text = JavaText::new(&character.to_string()).unwrap();
        assert_eq!(text.as_bytes(), encoded);
        assert_eq!(decoded(encoded).unwrap().as_str().unwrap(), character.to_string());
    }
}

#[test]
fn a_zero_is_written_in_two_bytes_and_read_from_one_too() {
    assert_eq!(JavaText::new("a\0").unwrap().as_bytes(), [0x61, 0xc0, 0x80]);
    for encoded in [&[0xc0, 0x80][..], &[0x00]] {
        let text = decoded(encoded).unwrap();
        assert_eq!((text.as_str().unwrap().as_ref(), text.as_bytes()), ("\0", encoded));
    }
}

#[test]
fn what_is_beyond_the_first_plane_is_two_surrogates_and_never_four_bytes() {
    let text = JavaText::new("😀").unwrap();
    assert_eq!(text.as_bytes(), [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]);
    assert_eq!(text.as_str().unwrap(), "😀");
    assert_eq!(text, *"😀");
    assert_eq!(refused("😀".as_bytes()), (0, Some(0xf0)));
}

#[test]
fn a_surrogate_without_its_half_is_kept_and_is_no_rust_text() {
    let text = decoded(&[0x61, 0xed, 0xa0, 0xbd, 0x62]).unwrap();
    assert_eq!(text.as_bytes(), [0x61, 0xed, 0xa0, 0xbd, 0x62]);
    assert_eq!(text.as_str(), None);
    assert_eq!(text.to_string_lossy(), "a\u{fffd}b");
    assert!(text != *"a\u{fffd}b");
    assert_eq!(format!("{text} {text:?}"), "a\u{fffd}b \"a\u{fffd}b\"");
}

#[test]
fn a_character_in_more_bytes_than_it_needs_is_read_and_kept() {
    for encoded in [&[0xc1, 0xa1][..], &[0xe0, 0x81, 0xa1]] {
        let text = decoded(encoded).unwrap();
        assert_eq!((text.as_str().unwrap().as_ref(), text.as_bytes()), ("a", encoded));
        // Equal are texts of the same bytes.
        assert_ne!(text, JavaText::new("a").unwrap());
    }
}

#[test]
fn a_further_byte_does_not_begin_a_character() {
    for first in (0x80..=0xbf).chain(0xf0..=0xff) {
        assert_eq!(refused(&[0x61, first, 0x80, 0x80, 0x80]), (1, Some(first)));
    }
}

#[test]
fn a_character_is_not_cut_short() {
    assert_eq!(refused(&[0x61, 0xc3]), (2, None));
    assert_eq!(refused(&[0xe0]), (1, None));
    assert_eq!(refused(&[0xe0, 0xa0]), (2, None));
}

#[test]
fn a_further_byte_is_one() {
    for found in [0x00, 0x41, 0x7f, 0xc0, 0xff] {
        assert_eq!(refused(&[0xc3, found]), (1, Some(found)));
        assert_eq!(refused(&[0xe3, found, 0x80]), (1, Some(found)));
        assert_eq!(refused(&[0xe3, 0x80, found]), (2, Some(found)));
    }
}

#[test]
fn the_length_in_bytes_has_two_of_them() {
    assert_eq!(JavaText::new(&"a".repeat(65_535)).unwrap().as_bytes().len(), 65_535);
    assert!(JavaText::new(&"a".repeat(65_536)).is_err());
    // Counted as they are written: 21,845 characters of three bytes are 65,535.
    assert!(JavaText::new(&"€".repeat(21_845)).is_ok());
    let error = JavaText::new(&"€".repeat(21_846)).unwrap_err();
    assert_eq!(error.kind(), ckpt_core::ErrorKind::Configuration);
    assert_eq!(error.to_string(), "a text takes 65538 bytes in Java's modified UTF-8, expected at most 65535");
}

#[test]
fn every_unit_is_written_as_it_is_read() {
    for unit in 0..=u16::MAX {
        let mut bytes = Vec::new();
        put_unit(&mut bytes, unit);
        assert_eq!(check(&bytes), Ok(()));
        assert!(units(&bytes).eq([unit]), "{unit:x}");
    }
}
