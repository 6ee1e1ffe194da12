//! What is a URI for HEAD, and what is none; what is a directory for checkpoints.

use proptest::prelude::*;

use super::{StoragePath, StoragePathFlaw, Uri, UriParts};
use crate::error::ErrorKind;
use crate::id::JobId;
use crate::snapshot::LocationReference;

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
        ("s3:user:hunter2@bucket", "a URI of scheme 's3' names a user"),
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
    use StoragePathFlaw::{Host, NoPath, NotAbsolute, Root, Secret, Separator, TooLong, Unprintable, Upwards};
    let directory = |bytes: usize| format!("/{}", "a".repeat(bytes - "file:///".len()));
    let (longest, longer) =
        (directory(StoragePath::MAX_DIRECTORY_BYTES), directory(StoragePath::MAX_DIRECTORY_BYTES + 1));
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
        ("/a /", Some(Unprintable)),
        ("s3://bucket/a /", None),
        ("/a\n/b", Some(Unprintable)),
        ("//host/a", Some(NotAbsolute)),
        ("//", Some(Root)),
        ("/./", Some(Root)),
        ("/key:a@b", None),
        ("file://host/a", Some(Host)),
        ("s3://a b/c", Some(Host)),
        ("s3://a\\b/c", Some(Host)),
        ("s3://./c", Some(Host)),
        ("/a\\b", Some(Separator)),
        ("/a%2fb", Some(Separator)),
        ("gs://b/%2e%2e/x", Some(Separator)),
        (&longest, None),
        (&longer, Some(TooLong)),
    ] {
        let path = StoragePath::from(path);
        assert_eq!(path.flaw(), flaw, "{}", path.as_str());
        assert!(!format!("{path} {path:?}").contains("hunter2"), "{path}");
    }
}

#[test]
fn a_path_has_the_uri_that_head_holds() {
    for (path, normal, uri) in [
        ("/a", "/a", "file:///a"),
        ("/a b", "/a b", "file:///a%20b"),
        ("/a\u{2003}b", "/a\u{2003}b", "file:///a%E2%80%83b"),
        ("/a@b?c#d/100%/%20", "/a@b?c#d/100%/%20", "file:///a@b%3Fc%23d/100%25/%2520"),
        ("/key:a@b", "/key:a@b", "file:///key:a@b"),
        ("///a//./b/", "/a/b", "file:///a/b"),
        ("file:/a", "file:///a", "file:///a"),
        ("FILE:///a b//", "file:///a%20b", "file:///a%20b"),
        ("file://localhost/a", "file:///a", "file:///a"),
        ("file:///a%20b", "file:///a%20b", "file:///a%20b"),
        ("S3://Bucket/a", "s3://Bucket/a", "s3://Bucket/a"),
        ("s3://bucket//a/./b/", "s3://bucket/a/b", "s3://bucket/a/b"),
        ("mem:/größe", "mem:/größe", "mem:/größe"),
        ("abfss://c@account/a", "abfss://c@account/a", "abfss://c@account/a"),
    ] {
        let path = StoragePath::from(path);
        assert_eq!(path.normalized().unwrap().as_str(), normal);
        assert_eq!(path.to_uri().unwrap().as_str(), uri);
        assert_eq!(StoragePath::from(uri).to_uri().unwrap().as_str(), uri);
        if normal.starts_with('/') {
            assert_eq!(UriParts::of(uri).unwrap().decoded_path().unwrap(), normal);
        }
    }
    let error = StoragePath::from("s3://user:hunter2@bucket/a").to_uri().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(
        error.to_string(),
        "'s3://***@bucket/a' is no place for checkpoints: it has a user, a query or a fragment, in which a secret may be"
    );
    assert!(StoragePath::from("a").normalized().is_err());
}

#[test]
fn what_lies_below_the_longest_directory_fits_uri_and_reference() {
    let directory = StoragePath::from(format!("/{}", "a".repeat(StoragePath::MAX_DIRECTORY_BYTES - "file:///".len())));
    assert_eq!(directory.flaw(), None);
    let snapshot = format!("{}/{}/chk-{}", directory.as_str(), JobId::new([255; 16]), u64::MAX);
    let snapshot = StoragePath::from(snapshot);
    assert_eq!((snapshot.flaw(), snapshot.snapshot_flaw()), (Some(StoragePathFlaw::TooLong), None));
    assert!(LocationReference::of_uri(&snapshot.to_uri().unwrap()).is_ok());
    let metadata = StoragePath::from(format!("{}/_metadata", snapshot.as_str()));
    assert_eq!(metadata.snapshot_flaw(), None);
}

proptest! {
    /// Whatever has no flaw has a URI, and that is in its one spelling already.
    #[test]
    fn what_has_no_flaw_has_a_uri(text in "(file:|S3:|s3:)?/{0,3}[a .%2eF@:?#\\\\ä\u{2003}/-]{0,24}") {
        let path = StoragePath::from(text);
        match path.to_uri() {
            Err(_) => prop_assert!(path.snapshot_flaw().is_some(), "{path}"),
            Ok(uri) => {
                prop_assert_eq!(path.flaw(), None);
                prop_assert_eq!(&StoragePath::from(uri.as_str()).to_uri().unwrap(), &uri);
                let normal = path.normalized().unwrap();
                prop_assert_eq!(normal.to_uri().unwrap(), uri);
                prop_assert_eq!(&normal.normalized().unwrap(), &normal);
            }
        }
    }
}
