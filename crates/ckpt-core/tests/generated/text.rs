//! Identities as text.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use ckpt_core::id::{FileName, JobId, OperatorId, VertexId};
use ckpt_core::state::RelPath;
use ckpt_core::testing::strategies::{
    any_file_name, any_job_id, any_operator_id, any_rel_path, any_uri, any_vertex_id, cases,
};
use ckpt_core::uri::Uri;
use proptest::prelude::*;

use crate::canonical::{any_changes, changed};

/// Its text is read as it, and other text is refused or is that of another.
fn check<T>(value: &T, parse: impl Fn(&str) -> ckpt_core::Result<T>, other: &[u8]) -> Result<(), TestCaseError>
where
    T: Debug + Display + PartialEq,
{
    prop_assert_eq!(&parse(&value.to_string()).unwrap(), value);
    let Ok(other) = std::str::from_utf8(other) else { return Ok(()) };
    if let Ok(read) = parse(other) {
        prop_assert_eq!(read.to_string(), other);
    }
    Ok(())
}

macro_rules! written {
    ($($test:ident: $type:ty = $strategy:expr, $parse:expr;)*) => {
        proptest! {
            #![proptest_config(cases(2000))]
            $(
                #[test]
                fn $test(value in $strategy, changes in any_changes()) {
                    let text: String = ToString::to_string(&value);
                    check::<$type>(&value, $parse, &changed(text.into_bytes(), &changes))?;
                }
            )*
        }
    };
}

written! {
    jobs: JobId = any_job_id(), JobId::from_str;
    operators: OperatorId = any_operator_id(), OperatorId::from_str;
    vertices: VertexId = any_vertex_id(), VertexId::from_str;
    files: FileName = any_file_name(), FileName::from_str;
    paths: RelPath = any_rel_path(), RelPath::from_str;
    uris: Uri = any_uri(), |text| Uri::new(text);
}
