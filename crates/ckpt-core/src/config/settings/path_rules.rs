//! What must hold of directories, and of paths to snapshots below them.

use crate::config::setting::{Otherwise, Rule};
use crate::uri::{StoragePath, StoragePathFlaw};

/// Of a directory for checkpoints or savepoints. As the storage has them, which is opened only later.
pub(super) const DIRECTORY_RULES: &[Rule<Option<StoragePath>>] = &rules(Rule {
    must_be: "at most 3840 bytes as a URI",
    holds: |path| path.as_ref().is_none_or(|path| path.flaw() != Some(StoragePathFlaw::TooLong)),
    remedy: SHORTEN,
    otherwise: Otherwise::Refuse,
});

/// Of a path to a snapshot, which HEAD holds as a URI. It lies below a directory, and so may be longer.
pub(super) const SNAPSHOT_RULES: &[Rule<Option<StoragePath>>] = &rules(Rule {
    must_be: "at most 4096 bytes as a URI",
    holds: |path| lacks(path, StoragePathFlaw::TooLong),
    remedy: SHORTEN,
    otherwise: Otherwise::Refuse,
});

const SHORTEN: &str = "write a shorter path: characters such as a space count threefold";

const fn rules(length: Rule<Option<StoragePath>>) -> [Rule<Option<StoragePath>>; 8] {
    [
        Rule {
            must_be: "an absolute path or a URI with a scheme",
            holds: |path| lacks(path, StoragePathFlaw::NotAbsolute),
            remedy: "write it from the root on, as in /var/lib/checkpoints, or with its scheme, as in file:///var/lib/it",
            otherwise: Otherwise::Refuse,
        },
        Rule {
            must_be: "a directory, with a path behind scheme and authority",
            holds: |path| lacks(path, StoragePathFlaw::NoPath),
            remedy: "name a directory, as in s3://bucket/checkpoints",
            otherwise: Otherwise::Refuse,
        },
        Rule {
            must_be: "below the root",
            holds: |path| lacks(path, StoragePathFlaw::Root),
            remedy: "name a directory of its own, as in /checkpoints",
            otherwise: Otherwise::Refuse,
        },
        Rule {
            must_be: "without '..'",
            holds: |path| lacks(path, StoragePathFlaw::Upwards),
            remedy: "write the path that is meant",
            otherwise: Otherwise::Refuse,
        },
        Rule {
            must_be: "without user, query and fragment",
            holds: |path| lacks(path, StoragePathFlaw::Secret),
            remedy: "give secrets to the file system, since the path is stored and shown",
            otherwise: Otherwise::Refuse,
        },
        Rule {
            must_be: "with a host or bucket that can be one, and without any behind 'file:'",
            holds: |path| lacks(path, StoragePathFlaw::Host),
            remedy: "write three slashes behind 'file:', or correct the name behind '//'",
            otherwise: Otherwise::Refuse,
        },
        Rule {
            must_be: "without backslash and percent-encoded dot, slash, backslash or zero",
            holds: |path| lacks(path, StoragePathFlaw::Separator),
            remedy: "write '/' between components, or rename the directory",
            otherwise: Otherwise::Refuse,
        },
        length,
    ]
}

fn lacks(path: &Option<StoragePath>, flaw: StoragePathFlaw) -> bool {
    path.as_ref().is_none_or(|path| path.snapshot_flaw() != Some(flaw))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uri::Uri;

    #[test]
    fn the_rules_tell_the_lengths_that_are_checked() {
        let told = |rules: &[Rule<_>]| rules.last().map(|rule| rule.must_be.to_owned());
        let expected = |bytes| Some(format!("at most {bytes} bytes as a URI"));
        assert_eq!(told(DIRECTORY_RULES), expected(StoragePath::MAX_DIRECTORY_BYTES));
        assert_eq!(told(SNAPSHOT_RULES), expected(Uri::MAX_BYTES));
    }
}
