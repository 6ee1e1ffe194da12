//! What a state is and how its bytes are made, so that before any task starts it is known whether stored state can be
//! read by the job that is to be restored.
//!
//! A job [declares](StateDeclaration) its states; a snapshot holds the [descriptor](StateDescriptor) of each. The two are
//! [compared](StateDeclaration::compatibility_with) by name:
//!
//! | what is stored | answer |
//! |---|---|
//! | another kind, redistribution or codec | incompatible |
//! | a newer version than the declared one | incompatible: an older program must not read it |
//! | an older version, from which a migration is declared | after migration |
//! | an older version without one | incompatible |
//! | the same version, and the same fingerprint or one of them unknown | as it is |
//! | the same version, another fingerprint | incompatible |
//!
//! The last row is not migrated: a migration is chosen by the version, so of two layouts under one version it could know
//! only one, and would take the bytes of the other for it. Raise the version with every change of the layout.
//!
//! ```
//! use ckpt_core::descriptor::{CodecId, Compatibility, KeyedStateKind, StateDeclaration, StateDescriptor, StateKind};
//!
//! let count = |version| {
//!     let kind = StateKind::Keyed(KeyedStateKind::Value);
//!     StateDescriptor::new("count", kind, CodecId::new("postcard")?, version)
//! };
//! let declared = StateDeclaration::new(count(3)?).with_migration_from(2)?;
//! assert_eq!(declared.compatibility_with(&count(3)?), Compatibility::AsIs);
//! assert_eq!(declared.compatibility_with(&count(2)?), Compatibility::AfterMigration { from: 2 });
//! let Compatibility::Incompatible(why) = declared.compatibility_with(&count(1)?) else { panic!("no migration") };
//! assert_eq!(
//!     why.to_string(),
//!     "the job declares version 3 of state 'count' and no migration from version 1, which the snapshot holds"
//! );
//! # Ok::<(), ckpt_core::Error>(())
//! ```
//!
//! (Flink asks a serializer's snapshot, `TypeSerializerSnapshot.resolveSchemaCompatibility`, and only once a task has
//! begun to read.)

mod codec;
mod compatibility;
mod declaration;
mod error;
mod kind;
mod state_descriptor;

pub use codec::{CodecId, Fingerprint};
pub use compatibility::{Compatibility, Incompatibility};
pub use declaration::StateDeclaration;
pub use kind::{KeyedStateKind, StateKind};
pub use state_descriptor::StateDescriptor;
