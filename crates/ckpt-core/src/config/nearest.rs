//! Which key was probably meant.

use super::{ignored, settings};

/// The key of the setting one of whose names is nearest to that text, if any is near.
pub(super) fn to(text: &str) -> Option<&'static str> {
    /// No key is as long, and the comparison takes time in proportion to the length.
    const LONGEST: usize = 120;
    if text.len() > LONGEST {
        return None;
    }
    let text = text.to_lowercase();
    let known = settings::ALL.iter().flat_map(|setting| {
        let names = setting.names();
        let others = names.others.iter().map(|other| other.key());
        std::iter::once(names.key).chain(others).map(|name| (name, names.key))
    });
    let known = known.chain(ignored::ALL.iter().filter(|it| !it.key.ends_with('.')).map(|it| (it.key, it.key)));
    known
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

#[cfg(test)]
mod tests {
    use super::to;

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
}
