//! Which key was probably meant.

use super::{ignored, settings};

/// No key is as long, and the comparison takes time in proportion to the length.
const LONGEST: usize = 120;

/// The key of the setting one of whose names is nearest to that text, if any is near.
pub(super) fn to(text: &str) -> Option<&'static str> {
    if text.len() > LONGEST {
        return None;
    }
    let text = text.to_lowercase();
    names()
        .filter_map(|(name, key)| {
            // What both begin with shows nothing: the rest has to be alike.
            let shared = name.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
            let after_prefix = name.match_indices('.').map(|(dot, _)| dot + 1).take_while(|at| *at <= shared).last();
            let most = ((name.len() - after_prefix.unwrap_or_default()) / 3).max(1);
            if name.len().abs_diff(text.len()) > most {
                return None;
            }
            // Names are ASCII, and so is what the text shares with them.
            let distance = strsim::osa_distance(&name[shared..], &text[shared..]);
            (distance <= most).then_some((distance, key))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, key)| key)
}

/// Whether the text is but a slip away from a name, so that it is none of somebody else's keys.
pub(super) fn is_slip(text: &str) -> bool {
    const MOST: usize = 3;
    if text.len() > LONGEST {
        return false;
    }
    let text = text.to_lowercase();
    let near = |name: &str| name.len().abs_diff(text.len()) <= MOST && strsim::osa_distance(name, &text) <= MOST;
    names().any(|(name, _)| near(name))
}

/// Every name that there is, and the key of today that it stands for.
fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    let settings = settings::ALL.iter().flat_map(|setting| {
        let names = setting.names();
        let others = names.others.iter().map(|other| other.key());
        std::iter::once(names.key).chain(others).map(|name| (name, names.key))
    });
    settings.chain(ignored::ALL.iter().filter(|it| !it.key.ends_with('.')).map(|it| (it.key, it.key)))
}

#[cfg(test)]
mod tests {
    use super::{is_slip, to};

    #[test]
    fn a_slip_finds_the_key_and_another_word_finds_none() {
        for (text, expected) in [
            ("execution.checkpointing.intervall", Some("execution.checkpointing.interval")),
            ("execution.checkpointing.Interval", Some("execution.checkpointing.interval")),
            ("execution.checkpointing.retained-num", None),
            ("execution.checkpointing.num-retaind", Some("execution.checkpointing.num-retained")),
            ("execution.checkpoint.timeout", Some("execution.checkpointing.timeout")),
            ("execution.checkpointing.unaligned.enable", Some("execution.checkpointing.unaligned.enabled")),
            ("state.checkpoint.dir", Some("execution.checkpointing.dir")),
            ("execution.checkpointing.foo", None),
            ("state.tll", None),
            ("", None),
        ] {
            assert_eq!(to(text), expected, "{text}");
        }
        assert_eq!(to(&"a".repeat(1_000_000)), None);
    }

    #[test]
    fn a_slip_is_told_from_a_key_of_somebody_else() {
        for slip in ["execution.checkpoint.timeout", "web.checkpoint.history", "Web.Checkpoints.History", "states.dir"]
        {
            assert_eq!(is_slip(slip), slip != "states.dir", "{slip}");
        }
        assert!(!is_slip(&"a".repeat(1_000_000)));
        assert!(!is_slip(""));
    }
}
