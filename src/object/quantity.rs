//! An amount as Kubernetes writes it, such as `8Gi`.

use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};

/// A positive amount as Kubernetes writes it (kubernetes/apimachinery `pkg/api/resource/quantity.go`): a decimal number
/// with a binary (`Ki` to `Ei`) or decimal (`k` to `E`) suffix. Kept as it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Quantity(String);

const SUFFIXES: &[&str] = &[
    "", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei",
];

impl Quantity {
    /// Reads an amount.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let plain = number.chars().all(|c| c.is_ascii_digit() || c == '.')
            && number.matches('.').count() <= 1;
        let positive = number.parse::<f64>().is_ok_and(|number| number > 0.0);
        (plain && positive && SUFFIXES.contains(&&text[number.len()..]))
            .then(|| Self(text.to_owned()))
    }

    /// What a claim asks for where nobody says more: as the Bitnami charts have it.
    #[must_use]
    pub fn default_claim() -> Self {
        Self("8Gi".to_owned())
    }

    /// How much it is; the same amount written in two ways is equal, up to the precision of a double.
    #[must_use]
    pub fn amount(&self) -> f64 {
        let number = self.0.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let suffix = &self.0[number.len()..];
        let power = "kMGTPE".find(|c: char| {
            suffix
                .to_ascii_uppercase()
                .starts_with(c.to_ascii_uppercase())
        });
        let base: f64 = if suffix.ends_with('i') {
            1024.0
        } else {
            1000.0
        };
        let exponent = power.map_or(0, |power| power + 1);
        number.parse().unwrap_or(f64::NAN) * base.powi(i32::try_from(exponent).unwrap_or(0))
    }

    /// The amount as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format_args!("`{text}` is not an amount such as `8Gi`"))
        })
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_cmp)] // Powers of two are exact.
    fn one_amount_is_written_in_many_ways() {
        let amount = |text| Quantity::parse(text).expect("an amount").amount();
        assert_eq!(amount("1Gi"), amount("1024Mi"));
        assert_eq!(amount("1Gi"), amount("1073741824"));
        assert_eq!(amount("0.5Ki"), amount("512"));
        assert_eq!(amount("2k"), 2000.0);
        assert_eq!(amount("1E"), 1e18);
        assert_ne!(amount("1G"), amount("1Gi"));
    }

    #[test]
    fn amounts_are_told_from_other_text() {
        for good in ["8Gi", "1.5Ti", "500M", "1", "100k"] {
            assert!(Quantity::parse(good).is_some(), "{good}");
        }
        for bad in [
            "", "Gi", "8 Gi", "8gb", "-1Gi", "0", "0Gi", "1..5Gi", "8GiB", "é", "inf", "nan",
        ] {
            assert!(Quantity::parse(bad).is_none(), "{bad}");
        }
    }
}
