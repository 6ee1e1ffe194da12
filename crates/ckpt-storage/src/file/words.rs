//! Policies as words, since their types belong to a crate that has no configuration.

/// `none` or `full`.
pub(super) mod durability {
    use ckpt_streams::file_system::Durability;
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in crate::file) fn serialize<S: Serializer>(durability: &Durability, serializer: S) -> Result<S::Ok, S::Error> {
        match durability {
            Durability::None => serializer.serialize_str("none"),
            Durability::Full => serializer.serialize_str("full"),
            other => Err(S::Error::custom(format_args!("durability {other:?} has no name"))),
        }
    }

    pub(in crate::file) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Durability, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "none" => Ok(Durability::None),
            "full" => Ok(Durability::Full),
            other => Err(D::Error::custom(format_args!("durability is 'none' or 'full', found '{other}'"))),
        }
    }
}

/// `always`, `lengths` or `off`.
pub(super) mod verification {
    use ckpt_streams::Verification;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in crate::file) fn serialize<S: Serializer>(
        verification: &Verification,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(verification)
    }

    pub(in crate::file) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Verification, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "always" => Ok(Verification::Always),
            "lengths" => Ok(Verification::Lengths),
            "off" => Ok(Verification::Off),
            other => {
                Err(D::Error::custom(format_args!("verification is 'always', 'lengths' or 'off', found '{other}'")))
            }
        }
    }
}
