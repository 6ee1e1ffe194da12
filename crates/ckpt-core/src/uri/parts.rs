//! A text that begins with a scheme, in its parts.

use std::borrow::Cow;
use std::fmt;

/// A text that begins with a scheme, in its parts: `scheme:path` or `scheme://authority/path`.
///
/// It says where a URI is divided and nothing of whether it is a good one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UriParts<'a> {
    scheme: &'a str,
    rest: &'a str,
}

impl<'a> UriParts<'a> {
    /// The parts of the text; `None` when it begins with no scheme, and so is a path.
    pub fn of(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':').filter(|(scheme, _)| Self::is_scheme(scheme))?;
        Some(Self { scheme, rest })
    }

    /// Whether the text may be a scheme: letters, digits, `+`, `-` and `.`, the first a letter.
    pub fn is_scheme(text: &str) -> bool {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(legal)
    }

    /// The scheme, as it was written.
    pub const fn scheme(self) -> &'a str {
        self.scheme
    }

    /// What follows the colon.
    pub const fn rest(self) -> &'a str {
        self.rest
    }

    /// What follows `//`, up to the next slash; `None` without `//`.
    pub fn authority(self) -> Option<&'a str> {
        self.split().0
    }

    /// What follows scheme and authority; empty, or with a slash at its front if there is an authority.
    pub fn path(self) -> &'a str {
        self.split().1
    }

    /// The path with what is percent-encoded in it decoded. `None` when it cannot be: a percent sign without two digits
    /// behind it, bytes that are no UTF-8, or an encoded dot, slash, backslash or zero, which would name another place.
    pub fn decoded_path(self) -> Option<Cow<'a, str>> {
        let path = self.path();
        if !path.contains('%') {
            return Some(path.into());
        }
        if encoded_separator(path).is_some() {
            return None;
        }
        let mut decoded = Vec::with_capacity(path.len());
        let mut rest = path.bytes();
        while let Some(byte) = rest.next() {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            decoded.push(match byte {
                b'%' => u8::try_from(digit()? << 4 | digit()?).ok()?,
                plain => plain,
            });
        }
        String::from_utf8(decoded).ok().map(Cow::Owned)
    }

    fn split(self) -> (Option<&'a str>, &'a str) {
        match self.rest.strip_prefix("//") {
            None => (None, self.rest),
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(authority), path)
            }
        }
    }

    /// Whether a query or a fragment may be in it.
    pub(crate) fn has_query(self) -> bool {
        self.rest.contains(['?', '#'])
    }

    /// Whether something stands before an `@` that may be a secret: anything but the name of a container of Azure's. A
    /// password may hold a slash, so after a colon it is looked for behind the authority as well, and where there is none
    /// since somebody forgot the slashes.
    pub(crate) fn names_a_user(self) -> bool {
        let has_password = |rest: &str| rest.rsplit_once('@').is_some_and(|(before, _)| before.contains(':'));
        let (Some(authority), Some(rest)) = (self.authority(), self.rest.strip_prefix("//")) else {
            return has_password(self.rest);
        };
        if authority.is_empty() && self.scheme.eq_ignore_ascii_case("file") {
            return false;
        }
        if authority.contains("%40") || has_password(rest) {
            return true;
        }
        let Some((container, host)) = authority.split_once('@') else { return false };
        let legal = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'$');
        let is_container = !container.is_empty() && container.bytes().all(legal);
        let of_azure = ["abfs", "abfss", "wasb", "wasbs"].iter().any(|azure| azure.eq_ignore_ascii_case(self.scheme));
        !of_azure || !is_container || host.is_empty() || host.contains('@')
    }
}

/// A percent-encoded dot, slash, backslash or zero: what one program takes for a name another may decode and follow.
pub(crate) fn encoded_separator(text: &str) -> Option<&str> {
    let encoded = text.match_indices('%').filter_map(|(at, _)| text.get(at..at + 3));
    encoded.into_iter().find(|it| ["%2e", "%2f", "%5c", "%00"].iter().any(|encoded| encoded.eq_ignore_ascii_case(it)))
}

/// What follows the scheme may hold a secret.
impl fmt::Debug for UriParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UriParts").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_divided_where_a_uri_is() {
        for (text, expected) in [
            ("file:///a/b", Some(("file", Some(""), "/a/b"))),
            ("S3+x-1.0://bucket", Some(("S3+x-1.0", Some("bucket"), ""))),
            ("s3://bucket/", Some(("s3", Some("bucket"), "/"))),
            ("mem:a/b", Some(("mem", None, "a/b"))),
            ("mem:", Some(("mem", None, ""))),
            ("/a:b", None),
            ("1a:/b", None),
            (":/b", None),
            ("ä:/b", None),
            ("a", None),
        ] {
            let parts = UriParts::of(text).map(|parts| (parts.scheme(), parts.authority(), parts.path()));
            assert_eq!(parts, expected, "{text}");
        }
        for (text, expected) in [
            ("file:///a%20b/%c3%A4", Some("/a b/ä")),
            ("file:///a%2520b", Some("/a%20b")),
            ("file:///a", Some("/a")),
            ("file:///a%2fb", None),
            ("file:///%2E", None),
            ("file:///100%", None),
            ("file:///%+1", None),
            ("file:///%ff", None),
        ] {
            assert_eq!(UriParts::of(text).unwrap().decoded_path().as_deref(), expected, "{text}");
        }
        let shown = format!("{:?}", UriParts::of("s3://user:hunter2@bucket"));
        assert_eq!(shown, "Some(UriParts { scheme: \"s3\", .. })");
    }
}
