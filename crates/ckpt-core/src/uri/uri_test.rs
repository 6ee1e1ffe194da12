//! What is a URI for HEAD, and what is none; what is a directory for checkpoints.

use super::{StoragePath, StoragePathFlaw, Uri};
use crate::error::ErrorKind;

#[test]
fn what_names_one_place_and_no_secret_is_taken() {
    let longest = format!("file:///{}", "a".repeat(Uri::MAX_BYTES - 8));
    for text in [
        "file:///a/chk-1",
        "mem:/base",
        "s3://bucket",
        "s3://bucket/a+b",
        "hdfs://host:8020/a",
        "hdfs://host/a@b",
        "abfss://container-1@account.dfs.core.windows.net/checkpoints/chk-1",
        "wasbs://$web@account.blob.core.windows.net",
        &longest,
    ] {
        assert_eq!(Uri::new(text).unwrap().as_str(), text);
    }
    assert_eq!(format!("{:?} {}", Uri::new("mem:/a").unwrap(), Uri::new("mem:/b").unwrap()), "'mem:/a' mem:/b");
}

#[test]
fn anything_else_is_refused_without_showing_a_secret() {
    let long = format!("file:///{}", "a".repeat(Uri::MAX_BYTES - 7));
    for (text, expected) in [
        ("", "a URI has 0 bytes, expected 1 to 4096"),
        (&long, "a URI has 4097 bytes"),
        ("file:///a\nb", "a control character, a space or a backslash at byte 9"),
        ("file:///a b", "at byte 9"),
        ("file:///a\\b", "at byte 9"),
        ("/a/b", "a URI has no scheme"),
        ("FILE:///a", "a URI has no scheme in lower case"),
        ("file:/a", "a URI of scheme 'file' has another host or spelling"),
        ("file://host/a", "a URI of scheme 'file' has another host or spelling"),
        ("abfss://container:hunter2@account/a", "a URI of scheme 'abfss' names a user"),
        ("abfss://container@hunter2@account/a", "a URI of scheme 'abfss' names a user"),
        ("abfss://hunter2%40account@account/a", "a URI of scheme 'abfss' names a user"),
        ("abfss://@account/a", "a URI of scheme 'abfss' names a user"),
        ("abfss://container@/a", "a URI of scheme 'abfss' names a user"),
        ("1a:/b", "a URI has no scheme"),
        (":/b", "a URI has no scheme"),
        ("s3://hunter2@bucket/a", "a URI of scheme 's3' names a user"),
        ("s3://user:hunter2@bucket", "a URI of scheme 's3' names a user"),
        ("s3://user:hunter2/more@bucket", "a URI of scheme 's3' names a user"),
        ("s3://hunter2%40bucket/a", "a URI of scheme 's3' names a user"),
        ("s3://bucket/a?key=hunter2", "a URI of scheme 's3' has a query or a fragment"),
        ("s3://bucket/a#hunter2", "a URI of scheme 's3' has a query or a fragment"),
        ("s3://bucket?key=hunter2", "a URI of scheme 's3' has a query or a fragment"),
        ("file:///a//b", "the URI 'file:///a//b' has the component ''"),
        ("file:///a/", "the component ''"),
        ("s3://bucket/", "the component ''"),
        ("file:///", "the component ''"),
        ("mem:", "the component ''"),
        ("file:///a/../b", "the component '..'"),
        ("s3://../b", "the component '..'"),
        ("mem:/./b", "the component '.'"),
        ("file:///a/%2E%2e/b", "has '%2E', expected no percent-encoded dot"),
        ("file:///a%2fb", "has '%2f'"),
        ("file:///a%5cb", "has '%5c'"),
        ("file:///a%00", "has '%00'"),
    ] {
        let error = Uri::new(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let shown = error.to_string();
        assert!(shown.contains(expected), "{shown}\n{expected}");
        assert!(!shown.contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn a_directory_for_checkpoints_has_no_flaw() {
    use StoragePathFlaw::{NoPath, NotAbsolute, Root, Secret, Unprintable, Upwards};
    for (path, flaw) in [
        ("/a", None),
        ("/a/b/", None),
        ("/a@b?c#d", None),
        ("file:/a", None),
        ("s3://bucket/a", None),
        ("ABFSS://container@account/a", None),
        ("", Some(NotAbsolute)),
        ("a/b", Some(NotAbsolute)),
        ("mem:a", Some(NotAbsolute)),
        ("mem:", Some(NoPath)),
        ("s3://bucket", Some(NoPath)),
        ("/", Some(Root)),
        ("s3://bucket//", Some(Root)),
        ("s3://bucket/../a", Some(Upwards)),
        ("s3://hunter2@bucket/../a", Some(Upwards)),
        ("s3://hunter2@bucket/a", Some(Secret)),
        ("abfss://user:hunter2@account/a", Some(Secret)),
        ("s3://hunter2%40bucket/a", Some(Secret)),
        ("s3://bucket/a?key=hunter2", Some(Secret)),
        ("s3://bucket/a#hunter2", Some(Secret)),
        ("/a ", Some(Unprintable)),
        ("/a\n/b", Some(Unprintable)),
    ] {
        let path = StoragePath::from(path);
        assert_eq!(path.flaw(), flaw, "{}", path.as_str());
        assert!(!format!("{path} {path:?}").contains("hunter2"), "{path}");
    }
}
