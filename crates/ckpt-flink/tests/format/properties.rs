//! Properties that Flink's own writer would not make, and Java's reader takes or refuses.

use ckpt_core::ErrorKind;
use ckpt_flink::{CheckpointProperties, Decoded, FlinkMetadata, SnapshotType};

use super::by_hand::{Bytes, file_of};

const PROPERTIES: &str = "org.apache.flink.runtime.checkpoint.CheckpointProperties";
const CHECKPOINT_TYPE: &str = "org.apache.flink.runtime.checkpoint.CheckpointType";
const SAVEPOINT_TYPE: &str = "org.apache.flink.runtime.checkpoint.SavepointType";

const NULL: u8 = 0x70;
const REFERENCE: u8 = 0x71;
const CLASS: u8 = 0x72;
const OBJECT: u8 = 0x73;
const STRING: u8 = 0x74;
const END: u8 = 0x78;
const ENUM: u8 = 0x7e;

impl Bytes {
    /// A class up to its fields.
    fn class(self, name: &str, fields: u16) -> Self {
        self.u8(CLASS).text(name).i64(12_345).u8(2).u16(fields)
    }

    fn flag(self, name: &str) -> Self {
        self.u8(b'Z').text(name)
    }

    fn field(self, name: &str) -> Self {
        self.u8(b'L').text(name).u8(STRING).text("LAny;")
    }

    /// The end of a class that is derived from no other.
    fn end(self) -> Self {
        self.u8(END).u8(NULL)
    }

    fn string(self, text: &str) -> Self {
        self.u8(STRING).text(text)
    }

    fn reference(self, number: i32) -> Self {
        self.u8(REFERENCE).i32(0x7e_0000 + number)
    }

    fn constant(self, name: &str) -> Self {
        self.u8(ENUM).u8(CLASS).text("E").i64(0).u8(0x12).u16(0).end().string(name)
    }
}

fn decode(objects: &Bytes) -> ckpt_core::Result<Decoded> {
    let file = file_of(4, &[]).u16(0xaced).u16(5).raw(&objects.0);
    FlinkMetadata::decode(file.into())
}

fn properties(objects: &Bytes) -> CheckpointProperties {
    let decoded = decode(objects).unwrap_or_else(|error| panic!("{error}"));
    let stored = decoded.metadata.properties.unwrap();
    assert_eq!(stored.as_bytes()[4..], objects.0);
    stored.properties().unwrap().clone()
}

fn refusal(objects: &Bytes) -> String {
    let error = decode(objects).expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    error.to_string().replace("Flink metadata cannot be read: ", "")
}

/// A checkpoint's type.
fn checkpoint_type(strategy: &str) -> Bytes {
    let class = Bytes::new().u8(OBJECT).class(CHECKPOINT_TYPE, 2).field("name").field("sharingFilesStrategy").end();
    class.string("Checkpoint").constant(strategy)
}

/// Properties with nothing but a type.
fn with_type(checkpoint_type: &Bytes) -> Bytes {
    Bytes::new().u8(OBJECT).class(PROPERTIES, 1).field("checkpointType").end().raw(&checkpoint_type.0)
}

#[test]
fn fields_that_are_not_there_are_false() {
    let expected = CheckpointProperties::new(SnapshotType::checkpoint());
    assert_eq!(properties(&with_type(&checkpoint_type("FORWARD_BACKWARD"))), expected);
}

#[test]
fn fields_are_found_by_name_wherever_they_are_and_others_are_passed_over() {
    let mut objects = Bytes::new().u8(OBJECT).class(PROPERTIES, 9);
    for code in *b"BCDFIJS" {
        objects = objects.u8(code).text(&format!("of{}", char::from(code)));
    }
    // Its class is derived from one with fields of its own, which come first.
    objects = objects.field("checkpointType").flag("unclaimed").u8(END);
    objects = objects.class("Parent", 2).flag("forced").field("other").end();
    objects = objects.u8(1).raw(&checkpoint_type("FORWARD").0);
    objects = objects.raw(&[0; 1 + 2 + 8 + 4 + 4 + 8 + 2]).raw(&checkpoint_type("FORWARD_BACKWARD").0).u8(1);
    let mut expected = CheckpointProperties::new(SnapshotType::checkpoint());
    (expected.forced, expected.unclaimed) = (true, true);
    assert_eq!(properties(&objects), expected);
}

#[test]
fn what_was_read_before_is_referred_to() {
    // Numbers: the class 0, the type of its first field 1, of its second 2, the object 3, then its class 4, ...
    let objects = Bytes::new().u8(OBJECT).class(PROPERTIES, 2).field("other").u8(b'L').text("checkpointType");
    let objects = objects.reference(1).end();
    // The object is 2, so its first field is a class 3 with types 4 and 5, an object 6, a string 7, an enum with class 8.
    let objects = objects.raw(&checkpoint_type("FORWARD_BACKWARD").0).reference(6);
    assert_eq!(properties(&objects).checkpoint_type, SnapshotType::checkpoint());
}

#[test]
fn references_to_what_is_not_there_are_refused() {
    for number in [-1, 2, 3, 100, i32::MIN] {
        let objects = with_type(&Bytes::new().u8(REFERENCE).i32(0x7e_0000_i32.wrapping_add(number)));
        let error = refusal(&objects);
        assert!(error.contains("expected the number of something that was read before"), "{error}");
    }
    // A class, where an object should be.
    assert!(refusal(&with_type(&Bytes::new().reference(0))).contains("is another value, expected a checkpoint's"));
    // A string, where a class should be.
    let error = refusal(&with_type(&Bytes::new().u8(OBJECT).reference(1)));
    assert!(error.contains("expected a reference to a class"), "{error}");
}

#[test]
fn what_is_no_stream_of_objects() {
    let error = FlinkMetadata::decode(file_of(4, &[]).u16(0xaced).u16(6).u8(NULL).into()).unwrap_err().to_string();
    assert!(error.ends_with("is aced and 0006, expected aced and 0005, a stream of Java objects"), "{error}");
    let error = FlinkMetadata::decode(file_of(4, &[]).into()).unwrap_err().to_string();
    assert!(error.ends_with("stream magic at byte 24 is cut short after 0 bytes, expected 2 bytes"), "{error}");
}

#[test]
fn other_objects_are_refused() {
    let other = Bytes::new().u8(OBJECT).class("java.util.ArrayList", 0).end();
    assert_eq!(refusal(&other), format!("properties at byte 28 is java.util.ArrayList, expected {PROPERTIES}"));
    assert_eq!(
        refusal(&Bytes::new().string("x")),
        format!("properties at byte 28 is another value, expected {PROPERTIES}")
    );
    let error = refusal(&with_type(&other));
    assert!(error.ends_with("is java.util.ArrayList, expected a checkpoint's or savepoint's type"), "{error}");
    assert!(refusal(&with_type(&Bytes::new().u8(NULL))).contains("checkpointType at byte 28 is another value"));
    assert!(
        refusal(&with_type(&checkpoint_type("SIDEWAYS"))).ends_with("is SIDEWAYS, expected strategy of sharing files")
    );
    let savepoint = Bytes::new().u8(OBJECT).class(SAVEPOINT_TYPE, 1).field("formatType").end().constant("NATIVE");
    assert!(refusal(&with_type(&savepoint)).contains("postCheckpointAction"));
}

#[test]
fn what_plain_objects_do_not_have_is_refused() {
    for tag in [0x75, 0x76, 0x77, 0x79, 0x7b, 0x7c, 0x00] {
        assert!(refusal(&with_type(&Bytes::new().u8(tag))).contains("expected that of an object"), "{tag}");
    }
    // A class that writes as it likes.
    let own = Bytes::new().u8(OBJECT).u8(CLASS).text("Own").i64(1).u8(3).u16(0).end();
    assert!(refusal(&with_type(&own)).contains("is Own with flags 0x03, expected a class with fields and no methods"));
    // A field of a kind that there is not, and a flag that is an object.
    let objects = Bytes::new().u8(OBJECT).class(PROPERTIES, 1).u8(b'X').text("x").end();
    assert!(refusal(&objects).contains("code of a field"));
    let objects = Bytes::new().u8(OBJECT).class(PROPERTIES, 2).field("checkpointType").field("forced").end();
    let objects = objects.raw(&checkpoint_type("FORWARD").0).u8(NULL);
    assert!(refusal(&objects).ends_with("forced at byte 28 is another value, expected true or false"));
}

#[test]
fn objects_are_not_nested_without_end() {
    let link = Bytes::new().u8(OBJECT).class("Link", 1).field("next").end();
    let nested = |depth| with_type(&(0..depth).fold(Bytes::new(), |objects, _| objects.raw(&link.0)).u8(NULL));
    assert!(refusal(&nested(5)).contains("is Link, expected a checkpoint's or savepoint's type"));
    for depth in [40, 1_000] {
        let error = refusal(&nested(depth));
        assert!(error.ends_with("is one more, expected at most 32 of them in one another"), "{error}");
    }
    // Classes above one another: those that are written, and those that are referred to.
    let classes = (0..1_000).fold(Bytes::new().u8(OBJECT), |objects, _| objects.class("C", 0).u8(END));
    assert!(refusal(&classes).ends_with("expected at most 32 of them in one another"));
    let fields = (0..30).fold(Bytes::new().u8(OBJECT).class("Fields", 30), |objects, _| objects.field("f")).end();
    // The classes are 32, 34, ... since each has an object behind it.
    let referring = (0..30).fold(fields.u8(OBJECT).class("C", 0).end(), |objects, number| {
        objects.u8(OBJECT).class("C", 0).u8(END).reference(32 + 2 * number)
    });
    let error = refusal(&referring);
    assert!(error.ends_with("is 17, expected at most 16 classes above one another"), "{error}");
}

#[test]
fn properties_do_not_take_all_of_a_file() {
    // A string that says it is longer than all that may be properties.
    let objects = Bytes::new().string(&"x".repeat(65_535)).raw(&[0; 100_000]);
    assert!(refusal(&objects).contains("is cut short after"), "{}", refusal(&objects));
}
