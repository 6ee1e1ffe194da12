//! State that is written and not durable.

/// State that is written and not durable yet. Sealing turns it into a handle; dropping it deletes it.
///
/// It cannot be cloned or serialized, and an acknowledgement does not take it: state that is not durable cannot be
/// acknowledged.
#[derive(Debug)]
pub struct Staged {
    _private: (),
}
