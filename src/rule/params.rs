//! Types for parameters: a value that exists is a value that makes sense.

use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};

/// A number of at least `MIN`, and at most a day's seconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AtLeast<const MIN: u32>(u32);

/// The largest number: whoever writes more seconds than a day has most likely added a digit.
const MAX: u32 = 86_400;

impl<const MIN: u32> AtLeast<MIN> {
    /// A default; checked when the program is compiled, if it is called in a constant.
    ///
    /// # Panics
    /// Where `value` is out of bounds.
    #[must_use]
    pub const fn new(value: u32) -> Self {
        assert!(MIN <= value && value <= MAX, "a default within the bounds");
        Self(value)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<'de, const MIN: u32> Deserialize<'de> for AtLeast<MIN> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = u32::deserialize(deserializer)?;
        if (MIN..=MAX).contains(&value) {
            Ok(Self(value))
        } else {
            Err(D::Error::custom(format_args!(
                "{value} is not between {MIN} and {MAX}"
            )))
        }
    }
}

impl<const MIN: u32> Serialize for AtLeast<MIN> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}
