//! Identifiers of state backends.

use ckpt_flink::JavaText;
use md5::{Digest as _, Md5};

/// The UUID that Flink makes of a backend's identifier: the one that the text is in Java's lenient form, or else the one
/// that Java derives from the text (version 3, without a name space).
pub(super) fn backend_identifier(text: &JavaText) -> String {
    let text = text.to_string_lossy();
    from_string(&text).unwrap_or_else(|| name_uuid_from_bytes(text.as_bytes()))
}

/// `java.util.UUID.fromString`: five hexadecimal numbers, of which leading zeros may be missing and what is too much is
/// cut off.
fn from_string(text: &str) -> Option<String> {
    if text.len() > 36 {
        return None;
    }
    let parts: Vec<_> = text.split('-').collect();
    let [a, b, c, d, e] = parts.as_slice() else { return None };
    let number = |part: &str, mask: u64| {
        let digits = part.strip_prefix('+').unwrap_or(part);
        if digits.is_empty() || digits.starts_with(['+', '-']) {
            return None;
        }
        i64::from_str_radix(digits, 16).ok().map(|number| number as u64 & mask)
    };
    let (a, e) = (number(a, 0xffff_ffff)?, number(e, 0xffff_ffff_ffff)?);
    let [b, c, d] = [number(b, 0xffff)?, number(c, 0xffff)?, number(d, 0xffff)?];
    Some(format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}"))
}

/// `java.util.UUID.nameUUIDFromBytes`.
fn name_uuid_from_bytes(name: &[u8]) -> String {
    let mut bytes: [u8; 16] = Md5::digest(name).into();
    bytes[6] = bytes[6] & 0x0f | 0x30;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = super::hex(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_the_uuid_that_java_makes_of_it() {
        for (text, expected) in [
            ("60f4cc05-007f-481d-9ab9-da1f03b00f8d", "60f4cc05-007f-481d-9ab9-da1f03b00f8d"),
            ("60F4CC05-007F-481D-9AB9-DA1F03B00F8D", "60f4cc05-007f-481d-9ab9-da1f03b00f8d"),
            ("1-2-3-4-5", "00000001-0002-0003-0004-000000000005"),
            // `UUID.nameUUIDFromBytes` of these texts, as Python's hashlib has it too.
            ("", "d41d8cd9-8f00-3204-a980-0998ecf8427e"),
            ("abc", "90015098-3cd2-3fb0-9696-3f7d28e17f72"),
        ] {
            assert_eq!(backend_identifier(&JavaText::new(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_uuid_is_a_name() {
        for text in ["1-2-3-4", "1-2-3-4-", "1-2-3-4-g", "1-2-3-4-5-6", "00060f4cc05-007f-481d-9ab9-da1f03b00f8d"] {
            assert_eq!(from_string(text), None, "{text}");
        }
    }
}
