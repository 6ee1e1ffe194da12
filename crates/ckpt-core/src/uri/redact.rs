//! Secrets in values are not shown.

use std::borrow::Cow;

/// A value without what may be secret in a URI: who stands before the `@`, also when that is percent-encoded, and everything
/// behind a `?` or a `#`. Takes rather too much away than too little, since a password may hold any character.
pub(crate) fn redacted(text: &str) -> Cow<'_, str> {
    let authority = match text.find("//") {
        Some(at) => Some(at + "//".len()),
        None => text.find(':').map(|at| at + 1),
    };
    let query = text.find(['?', '#']);
    match (authority, text.rfind('@').max(text.rfind("%40")), query) {
        // A question mark before the last @ is one of a password, or the @ is one of a query: neither is shown.
        (Some(start), Some(at), Some(query)) if start <= at && query < at => format!("{}***", &text[..start]).into(),
        (Some(start), Some(at), query) if start <= at => {
            let (rest, asked) = query.map_or((&text[at..], ""), |query| (&text[at..=query], "***"));
            format!("{}***{rest}{asked}", &text[..start]).into()
        }
        (_, _, Some(query)) => format!("{}***", &text[..=query]).into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn who_and_what_for_are_hidden() {
        for (text, expected) in [
            ("s3://bucket/a", "s3://bucket/a"),
            ("/data/a@b", "/data/a@b"),
            ("s3://key:secret@bucket/a", "s3://***@bucket/a"),
            ("s3://key:sec/r@et@bucket/a", "s3://***@bucket/a"),
            ("s3:key:secret@bucket", "s3:***@bucket"),
            ("//key:secret@bucket/a", "//***@bucket/a"),
            ("s3://bucket/a?token=secret", "s3://bucket/a?***"),
            ("s3://key:secret@bucket/a?token=b", "s3://***@bucket/a?***"),
            ("s3://key:secret@bucket/a?token=b@c", "s3://***"),
            ("s3://key:sec?ret@bucket/a", "s3://***"),
            ("s3://bucket/a#secret", "s3://bucket/a#***"),
            ("s3://secret%40bucket/a", "s3://***%40bucket/a"),
            ("s3://key:secret@bucket%40a", "s3://***%40a"),
            ("10 min", "10 min"),
            ("", ""),
            ("?", "?***"),
            ("@:", "@:"),
        ] {
            assert_eq!(redacted(text), expected);
        }
    }
}
