//! From Java's objects to properties.

use super::java::{Node, Object, Objects, Value};
use super::snapshot_type::Constant;
use super::{CheckpointProperties, SnapshotType};
use crate::error::{Read, ReadError};
use crate::read::{BytesSource, Input};
use crate::text::JavaText;

pub(super) const CHECKPOINT_PROPERTIES: &str = "org.apache.flink.runtime.checkpoint.CheckpointProperties";
pub(super) const CHECKPOINT_TYPE: &str = "org.apache.flink.runtime.checkpoint.CheckpointType";
pub(super) const SAVEPOINT_TYPE: &str = "org.apache.flink.runtime.checkpoint.SavepointType";

/// Reads a stream with one object. As in Java, fields that it does not have are false, and those that nobody asks for are
/// passed over.
pub(super) fn decode(input: &mut Input<BytesSource>) -> Read<Option<CheckpointProperties>> {
    let mut objects = Objects::open(input)?;
    let offset = objects.position();
    let root = match objects.content()? {
        Value::Null => return Ok(None),
        value => objects.object_of(value),
    };
    let Some(root) = root.filter(|root| root.class == *CHECKPOINT_PROPERTIES) else {
        let found = root.map_or_else(|| "another value".to_owned(), |root| root.class.to_string());
        return Err(ReadError::format(offset, "properties", CHECKPOINT_PROPERTIES, found));
    };
    let properties = Properties { objects: &objects, offset };
    Ok(Some(CheckpointProperties {
        checkpoint_type: properties.snapshot_type(root)?,
        discard_cancelled: properties.bool(root, "discardCancelled")?,
        discard_failed: properties.bool(root, "discardFailed")?,
        discard_finished: properties.bool(root, "discardFinished")?,
        discard_subsumed: properties.bool(root, "discardSubsumed")?,
        discard_suspended: properties.bool(root, "discardSuspended")?,
        forced: properties.bool(root, "forced")?,
        unclaimed: properties.bool(root, "unclaimed")?,
    }))
}

/// What has been read, and where it begins: its values tell no place of their own.
struct Properties<'a> {
    objects: &'a Objects<'a>,
    offset: u64,
}

impl<'a> Properties<'a> {
    fn snapshot_type(&self, root: &'a Object) -> Read<SnapshotType> {
        let field = "checkpointType";
        let expected = "a checkpoint's or savepoint's type";
        let Some(object) = root.field(field).and_then(|value| self.objects.object_of(value)) else {
            return Err(self.invalid(field, expected, "another value"));
        };
        if object.class == *CHECKPOINT_TYPE {
            let sharing_files = self.constant(object, "sharingFilesStrategy")?;
            Ok(SnapshotType::Checkpoint { name: self.text(object, "name")?, sharing_files })
        } else if object.class == *SAVEPOINT_TYPE {
            let format = self.constant(object, "formatType")?;
            let post_checkpoint_action = self.constant(object, "postCheckpointAction")?;
            Ok(SnapshotType::Savepoint { name: self.text(object, "name")?, format, post_checkpoint_action })
        } else {
            Err(self.invalid(field, expected, object.class.to_string()))
        }
    }

    fn bool(&self, object: &Object, field: &'static str) -> Read<bool> {
        match object.field(field) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(value),
            Some(_) => Err(self.invalid(field, "true or false", "another value")),
        }
    }

    fn text(&self, object: &Object, field: &'static str) -> Read<JavaText> {
        match object.field(field).and_then(|value| self.node(value)) {
            Some(Node::Text(text)) => Ok(text.clone()),
            _ => Err(self.invalid(field, "a string", "another value")),
        }
    }

    fn constant<C: Constant>(&self, object: &Object, field: &'static str) -> Read<C> {
        let found = match object.field(field).and_then(|value| self.node(value)) {
            Some(Node::Constant(name)) => name,
            _ => return Err(self.invalid(field, C::WHAT, "another value")),
        };
        let constant = C::ALL.iter().find(|(_, name)| *found == **name);
        constant.map(|(constant, _)| *constant).ok_or_else(|| self.invalid(field, C::WHAT, found.to_string()))
    }

    fn node(&self, value: Value) -> Option<&'a Node> {
        match value {
            Value::Node(number) => Some(self.objects.node(number)),
            Value::Null | Value::Bool(_) | Value::Number => None,
        }
    }

    fn invalid(&self, field: &'static str, expected: &'static str, found: impl Into<String>) -> Box<ReadError> {
        ReadError::format(self.offset, field, expected, found.into())
    }
}

impl Objects<'_> {
    /// The object that a value is.
    fn object_of(&self, value: Value) -> Option<&Object> {
        match value {
            Value::Node(number) => match self.node(number) {
                Node::Object(object) => Some(object),
                Node::Unfinished | Node::Class(_) | Node::Text(_) | Node::Constant(_) => None,
            },
            Value::Null | Value::Bool(_) | Value::Number => None,
        }
    }
}
