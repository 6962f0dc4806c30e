//! Mounts and environment that came with an injected claim template: put back with it, wherever the user left room.
//!
//! Where he did not, nothing is done here: `displaced-data` denies the update, since pods would write beside their data.

use super::Restoration;
use crate::object::record::Record;
use crate::object::unit::{Standing, parts};
use crate::object::{ApplyError, Change};

impl Restoration<'_, '_> {
    pub(super) fn put_back_parts(&mut self, record: &Record) -> Result<(), ApplyError> {
        for part in parts(record) {
            // What the old set had lost already is not ours to bring back.
            if !part.entry.holds_in(&self.raw_old) {
                continue;
            }
            let Standing::Missing(list) = part.standing(self.case.object) else {
                continue;
            };
            if self.is_waived(part.entry) {
                continue;
            }
            let (name, container) = (part.name(), part.container);
            let message = format!(
                "{list} was left without the {name}; kept it, since the data of container {container} is there"
            );
            self.say(&list, message);
            self.draft.apply(&Change::append(list, &part.entry.value))?;
        }
        Ok(())
    }
}
