//! The thing under review: reading it, naming places in it, and editing it.
//!
//! Reading and writing are two things. Rules read a [`view`]; edits are data ([`Change`]) that [`Draft`] applies to the
//! raw JSON, so nothing that the user wrote, and nothing newer than our types, can be lost.

pub mod json;
pub mod ownership;
pub mod probe;
pub mod quantity;
pub mod record;
pub mod unit;
pub mod view;
pub mod yaml;

mod change;
mod draft;
mod name;
mod path;
mod walk;

pub use change::Change;
pub use draft::{ApplyError, Draft, ReadRaw};
pub use name::is_dns_label;
pub use path::{Path, Segment};
pub use walk::{At, ContainerKind, Mount, Named};
