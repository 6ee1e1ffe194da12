//! From properties to Java's objects, with the bytes that Flink 2.2 writes.

use super::java::{
    BASE_HANDLE, SC_ENUM, SC_SERIALIZABLE, STREAM_MAGIC, STREAM_VERSION, TC_CLASSDESC, TC_ENDBLOCKDATA, TC_ENUM,
    TC_NULL, TC_OBJECT, TC_REFERENCE, TC_STRING,
};
use super::read::{CHECKPOINT_PROPERTIES, CHECKPOINT_TYPE, SAVEPOINT_TYPE};
use super::{CheckpointProperties, SnapshotType};

const SHARING_FILES: &str = "org.apache.flink.runtime.checkpoint.SnapshotType$SharingFilesStrategy";
const SAVEPOINT_FORMAT: &str = "org.apache.flink.core.execution.SavepointFormatType";
const POST_CHECKPOINT_ACTION: &str = "org.apache.flink.runtime.checkpoint.SavepointType$PostCheckpointAction";
const SNAPSHOT_TYPE: &str = "org.apache.flink.runtime.checkpoint.SnapshotType";
const STRING: &str = "java.lang.String";
const ENUM: &str = "java.lang.Enum";

/// Flink declares the first of these; the others are what the compiler derived for Flink 2.2.
const PROPERTIES_VERSION: u64 = 2;
const CHECKPOINT_TYPE_VERSION: u64 = 0xd6de_4f03_05ae_1d3a;
const SAVEPOINT_TYPE_VERSION: u64 = 0xa087_d308_a458_14b8;
const ENUM_VERSION: u64 = 0;

const FLAGS: [&str; 7] = [
    "discardCancelled",
    "discardFailed",
    "discardFinished",
    "discardSubsumed",
    "discardSuspended",
    "forced",
    "unclaimed",
];

pub(super) fn encode(properties: &CheckpointProperties) -> Vec<u8> {
    let mut output = Output::new();
    output.bytes.push(TC_OBJECT);
    let flags = FLAGS.iter().map(|name| (*name, None));
    let fields: Vec<_> = flags.chain([("checkpointType", Some(SNAPSHOT_TYPE))]).collect();
    output.class(CHECKPOINT_PROPERTIES, PROPERTIES_VERSION, &fields);
    output.number();
    let CheckpointProperties {
        checkpoint_type,
        discard_cancelled,
        discard_failed,
        discard_finished,
        discard_subsumed,
        discard_suspended,
        forced,
        unclaimed,
    } = properties;
    let flags =
        [discard_cancelled, discard_failed, discard_finished, discard_subsumed, discard_suspended, forced, unclaimed];
    output.bytes.extend(flags.map(|flag| u8::from(*flag)));
    output.snapshot_type(checkpoint_type);
    output.bytes
}

pub(super) fn encode_null() -> Vec<u8> {
    let mut output = Output::new();
    output.bytes.push(TC_NULL);
    output.bytes
}

struct Output {
    bytes: Vec<u8>,
    /// How many things have a number.
    numbers: i32,
    /// The number of the class of all enums, once it is there.
    class_of_enums: Option<i32>,
}

impl Output {
    fn new() -> Self {
        let bytes = [STREAM_MAGIC.to_be_bytes(), STREAM_VERSION.to_be_bytes()].concat();
        Self { bytes, numbers: 0, class_of_enums: None }
    }

    fn snapshot_type(&mut self, snapshot_type: &SnapshotType) {
        self.bytes.push(TC_OBJECT);
        match snapshot_type {
            SnapshotType::Checkpoint { name, sharing_files } => {
                let fields = [("name", Some(STRING)), ("sharingFilesStrategy", Some(SHARING_FILES))];
                self.class(CHECKPOINT_TYPE, CHECKPOINT_TYPE_VERSION, &fields);
                self.number();
                self.string(name.as_bytes());
                self.constant(SHARING_FILES, sharing_files.java_name());
            }
            SnapshotType::Savepoint { name, format, post_checkpoint_action } => {
                let fields = [
                    ("formatType", Some(SAVEPOINT_FORMAT)),
                    ("name", Some(STRING)),
                    ("postCheckpointAction", Some(POST_CHECKPOINT_ACTION)),
                ];
                self.class(SAVEPOINT_TYPE, SAVEPOINT_TYPE_VERSION, &fields);
                self.number();
                self.constant(SAVEPOINT_FORMAT, format.java_name());
                self.string(name.as_bytes());
                self.constant(POST_CHECKPOINT_ACTION, post_checkpoint_action.java_name());
            }
        }
    }

    /// A class with these fields: truth values, or objects of that class.
    fn class(&mut self, name: &str, version: u64, fields: &[(&str, Option<&str>)]) {
        self.begin_class(name, version, SC_SERIALIZABLE, fields.len() as u16);
        for (field, class) in fields {
            self.bytes.push(if class.is_some() { b'L' } else { b'Z' });
            self.text(field.as_bytes());
            if let Some(class) = class {
                self.string(format!("L{};", class.replace('.', "/")).as_bytes());
            }
        }
        self.bytes.extend([TC_ENDBLOCKDATA, TC_NULL]);
    }

    fn begin_class(&mut self, name: &str, version: u64, flags: u8, fields: u16) {
        self.bytes.push(TC_CLASSDESC);
        self.text(name.as_bytes());
        self.bytes.extend(version.to_be_bytes());
        self.number();
        self.bytes.push(flags);
        self.bytes.extend(fields.to_be_bytes());
    }

    fn constant(&mut self, class: &str, name: &str) {
        const FLAGS: u8 = SC_SERIALIZABLE | SC_ENUM;
        self.bytes.push(TC_ENUM);
        self.begin_class(class, ENUM_VERSION, FLAGS, 0);
        self.bytes.push(TC_ENDBLOCKDATA);
        match self.class_of_enums {
            Some(number) => {
                self.bytes.push(TC_REFERENCE);
                self.bytes.extend((BASE_HANDLE + number).to_be_bytes());
            }
            None => {
                self.class_of_enums = Some(self.numbers);
                self.begin_class(ENUM, ENUM_VERSION, FLAGS, 0);
                self.bytes.extend([TC_ENDBLOCKDATA, TC_NULL]);
            }
        }
        self.number();
        self.string(name.as_bytes());
    }

    fn string(&mut self, encoded: &[u8]) {
        self.bytes.push(TC_STRING);
        self.number();
        self.text(encoded);
    }

    /// A text that was encoded before, and so has a length of two bytes.
    fn text(&mut self, encoded: &[u8]) {
        self.bytes.extend((encoded.len() as u16).to_be_bytes());
        self.bytes.extend_from_slice(encoded);
    }

    /// What is written now, can be referred to.
    fn number(&mut self) {
        self.numbers += 1;
    }
}
