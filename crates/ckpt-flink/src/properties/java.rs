//! Java's object serialization stream: as much of its grammar as plain objects, strings and enum constants take.
//!
//! The numbers that tell versions of a class apart are passed over: they are derived by the compiler, and fields are
//! found by their names.

use crate::error::{Read, ReadError, Step, Within};
use crate::read::{BytesSource, Input};
use crate::text::JavaText;

/// Before everything.
pub(super) const STREAM_MAGIC: u16 = 0xaced;
pub(super) const STREAM_VERSION: u16 = 5;

pub(super) const TC_NULL: u8 = 0x70;
pub(super) const TC_REFERENCE: u8 = 0x71;
pub(super) const TC_CLASSDESC: u8 = 0x72;
pub(super) const TC_OBJECT: u8 = 0x73;
pub(super) const TC_STRING: u8 = 0x74;
pub(super) const TC_ENDBLOCKDATA: u8 = 0x78;
pub(super) const TC_ENUM: u8 = 0x7e;

pub(super) const SC_SERIALIZABLE: u8 = 0x02;
pub(super) const SC_ENUM: u8 = 0x10;

/// The number of the first thing that can be referred to.
pub(super) const BASE_HANDLE: i32 = 0x7e_0000;

/// How many classes may be derived from one another.
const MAX_PARENTS: usize = 16;

/// What was read of a stream: everything in it that has a number, by that number.
pub(super) struct Objects<'a> {
    input: &'a mut Input<BytesSource>,
    nodes: Vec<Node>,
}

/// Something that can be referred to.
pub(super) enum Node {
    /// It has a number already, and is still being read.
    Unfinished,
    Class(Class),
    Text(JavaText),
    Object(Object),
    Constant(JavaText),
}

pub(super) struct Class {
    pub(super) name: JavaText,
    flags: u8,
    fields: Vec<Field>,
    parent: Option<usize>,
    parents: usize,
}

struct Field {
    code: u8,
    name: JavaText,
}

/// An object: its class, and its fields by name.
pub(super) struct Object {
    pub(super) class: JavaText,
    fields: Vec<(JavaText, Value)>,
}

/// The value of a field.
#[derive(Clone, Copy)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// A number, which none of the fields that are asked for is.
    Number,
    /// The node of that number.
    Node(usize),
}

impl<'a> Objects<'a> {
    /// Begins with a stream.
    pub(super) fn open(input: &'a mut Input<BytesSource>) -> Read<Self> {
        let offset = input.position();
        let (magic, version) = (input.u16("stream magic")?, input.u16("stream version")?);
        if (magic, version) != (STREAM_MAGIC, STREAM_VERSION) {
            let expected = format!("{STREAM_MAGIC:04x} and {STREAM_VERSION:04x}, a stream of Java objects");
            return Err(ReadError::format(offset, "stream magic", expected, format!("{magic:04x} and {version:04x}")));
        }
        Ok(Self { input, nodes: Vec::new() })
    }

    /// Where the next byte lies.
    pub(super) fn position(&self) -> u64 {
        self.input.position()
    }

    /// The next thing in the stream.
    pub(super) fn content(&mut self) -> Read<Value> {
        let tag = self.input.u8("tag")?;
        match tag {
            TC_NULL => Ok(Value::Null),
            TC_REFERENCE => self.reference().map(Value::Node),
            TC_STRING => {
                let text = self.input.text("string")?;
                Ok(Value::Node(self.put(Node::Text(text))))
            }
            TC_ENUM => self.constant().map(Value::Node),
            TC_OBJECT => self.deeper(Self::object).map(Value::Node),
            _ => Err(self.input.unknown_tag("tag", "that of an object, a string, an enum, a reference or null", tag)),
        }
    }

    pub(super) fn node(&self, number: usize) -> &Node {
        self.nodes.get(number).unwrap_or(&Node::Unfinished)
    }

    fn put(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Something that was read in full before.
    fn reference(&mut self) -> Read<usize> {
        let offset = self.position();
        let handle = self.input.i32("reference")?;
        let number = handle.checked_sub(BASE_HANDLE).and_then(|number| usize::try_from(number).ok());
        let number = number.filter(|number| !matches!(self.node(*number), Node::Unfinished));
        number.ok_or_else(|| {
            let expected = "the number of something that was read before";
            ReadError::format(offset, "reference", expected, format!("0x{handle:x}"))
        })
    }

    fn object(&mut self) -> Read<usize> {
        let class = self.class()?;
        let number = self.put(Node::Unfinished);
        let mut object = Object { class: JavaText::default(), fields: Vec::new() };
        // The fields of the class furthest up come first.
        let mut lineage = Vec::new();
        let mut next = Some(class);
        while let Some(Node::Class(class)) = next.map(|number| self.node(number)) {
            if class.flags != SC_SERIALIZABLE {
                let expected = "a class with fields and no methods of its own to write them";
                let found = format!("{} with flags 0x{:02x}", class.name, class.flags);
                return Err(ReadError::format(self.position(), "class", expected, found));
            }
            lineage.push(next);
            next = class.parent;
        }
        if let Node::Class(class) = self.node(class) {
            object.class = class.name.clone();
        }
        for number in lineage.into_iter().rev().flatten() {
            let count = if let Node::Class(class) = self.node(number) { class.fields.len() } else { 0 };
            for index in 0..count {
                let Node::Class(class) = self.node(number) else { continue };
                let Some(Field { code, name }) = class.fields.get(index) else { continue };
                let (code, name) = (*code, name.clone());
                let value = self.value(code).within(Step::Item("field", index))?;
                object.fields.push((name, value));
            }
        }
        self.finish(number, Node::Object(object))
    }

    fn value(&mut self, code: u8) -> Read<Value> {
        match code {
            b'Z' => self.input.bool("value").map(Value::Bool),
            b'B' => self.input.bytes("value", 1).map(|_| Value::Number),
            b'C' | b'S' => self.input.bytes("value", 2).map(|_| Value::Number),
            b'F' | b'I' => self.input.bytes("value", 4).map(|_| Value::Number),
            b'D' | b'J' => self.input.bytes("value", 8).map(|_| Value::Number),
            _ => self.content(),
        }
    }

    fn constant(&mut self) -> Read<usize> {
        self.class()?;
        let number = self.put(Node::Unfinished);
        let offset = self.position();
        let Value::Node(name) = self.content()? else {
            return Err(ReadError::format(offset, "name of a constant", "a string", "another value"));
        };
        let Node::Text(name) = self.node(name) else {
            return Err(ReadError::format(offset, "name of a constant", "a string", "another object"));
        };
        let name = name.clone();
        self.finish(number, Node::Constant(name))
    }

    /// The class of an object, which is not null.
    fn class(&mut self) -> Read<usize> {
        let offset = self.position();
        let class = self.optional_class()?;
        class.ok_or_else(|| ReadError::format(offset, "class", "a class", "null"))
    }

    fn optional_class(&mut self) -> Read<Option<usize>> {
        let offset = self.position();
        let tag = self.input.u8("class")?;
        match tag {
            TC_NULL => Ok(None),
            TC_CLASSDESC => self.deeper(Self::new_class).map(Some),
            TC_REFERENCE => {
                let number = self.reference()?;
                match self.node(number) {
                    Node::Class(_) => Ok(Some(number)),
                    _ => Err(ReadError::format(offset, "class", "a reference to a class", "one to something else")),
                }
            }
            _ => Err(self.input.unknown_tag("class", "the tag of a class, a reference or null", tag)),
        }
    }

    fn new_class(&mut self) -> Read<usize> {
        let name = self.input.text("name of a class")?;
        self.input.i64("version of a class")?;
        let number = self.put(Node::Unfinished);
        let flags = self.input.u8("flags of a class")?;
        let offset = self.position();
        let count = self.input.u16("number of fields")?;
        // A field has at least its code and the length of its name.
        let count = self.input.count_of("number of fields", offset, count.into(), 3)?;
        let mut fields = Vec::with_capacity(count);
        for _ in 0..count {
            fields.push(self.field()?);
        }
        let end = self.input.u8("end of a class")?;
        if end != TC_ENDBLOCKDATA {
            return Err(self.input.unknown_tag("end of a class", "tag 120, the end without annotations", end));
        }
        let offset = self.position();
        let parent = self.optional_class()?;
        let parents = match parent.map(|parent| self.node(parent)) {
            Some(Node::Class(parent)) => parent.parents + 1,
            _ => 0,
        };
        if parents > MAX_PARENTS {
            let expected = format!("at most {MAX_PARENTS} classes above one another");
            return Err(ReadError::format(offset, "class", expected, parents));
        }
        self.finish(number, Node::Class(Class { name, flags, fields, parent, parents }))
    }

    fn field(&mut self) -> Read<Field> {
        let offset = self.position();
        let code = self.input.u8("code of a field")?;
        let name = self.input.text("name of a field")?;
        match code {
            b'B' | b'C' | b'D' | b'F' | b'I' | b'J' | b'S' | b'Z' => {}
            // Then the name of its class, as a string that can be referred to.
            b'L' | b'[' => {
                let offset = self.position();
                let class = self.content().within(Step::Field("type of a field"))?;
                if !matches!(class, Value::Node(number) if matches!(self.node(number), Node::Text(_))) {
                    return Err(ReadError::format(offset, "type of a field", "a string", "another object"));
                }
            }
            _ => {
                let expected = "one of B, C, D, F, I, J, L, S, Z and [";
                return Err(ReadError::format(offset, "code of a field", expected, code.escape_ascii()));
            }
        }
        Ok(Field { code, name })
    }

    fn finish(&mut self, number: usize, node: Node) -> Read<usize> {
        if let Some(unfinished) = self.nodes.get_mut(number) {
            *unfinished = node;
        }
        Ok(number)
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.input.descend("object")?;
        let value = read(self);
        self.input.ascend();
        value
    }
}

impl Object {
    /// The value of a field; `None` when the class has no such field.
    pub(super) fn field(&self, name: &str) -> Option<Value> {
        self.fields.iter().find(|(field, _)| *field == *name).map(|(_, value)| *value)
    }
}
