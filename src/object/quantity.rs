//! An amount as Kubernetes writes it, such as `8Gi`.

use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};

/// A positive amount as Kubernetes writes it. Kept as it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Quantity(String);

/// What a suffix multiplies by.
const UNITS: &[(&str, f64)] = &[
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("", 1.0),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
];

/// How much a text says, in any of the forms that Kubernetes reads (kubernetes/apimachinery `pkg/api/resource/quantity.go`): a
/// sign, a decimal number, and a suffix (`n` to `E`, `Ki` to `Ei`) or an exponent (`1e3`). None where it says nothing. The same
/// amount written in two ways is equal, up to the precision of a double.
#[must_use]
pub fn amount(text: &str) -> Option<f64> {
    let plain = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let end = plain.find(|c| !is_number(c)).unwrap_or(plain.len());
    let (number, suffix) = plain.split_at(end);
    let number: f64 = number.parse().ok()?;
    let unit = UNITS
        .iter()
        .find_map(|(known, unit)| (*known == suffix).then_some(*unit));
    let power = || {
        let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
        Some(10_f64.powi(power))
    };
    let amount = number * unit.or_else(power)?;
    Some(if text.starts_with('-') {
        -amount
    } else {
        amount
    })
}

impl Quantity {
    /// Reads an amount.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let positive = amount(text).is_some_and(|amount| amount > 0.0 && amount.is_finite());
        positive.then(|| Self(text.to_owned()))
    }

    /// What a claim asks for where nobody says more: as the Bitnami charts have it.
    #[must_use]
    pub fn default_claim() -> Self {
        Self("8Gi".to_owned())
    }

    /// How much it is.
    #[must_use]
    pub fn amount(&self) -> f64 {
        amount(&self.0).unwrap_or(f64::NAN)
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
        assert_eq!(amount("+1e3"), amount("1k"));
        assert_eq!(amount("1E3"), amount("1000000m"));
        assert_eq!(amount("1.5Ti"), amount("1536Gi"));
        assert_eq!(amount("1Gi"), amount("1073741824"));
        assert_eq!(amount("0.5Ki"), amount("512"));
        assert_eq!(amount("2k"), 2000.0);
        assert_eq!(amount("1E"), 1e18);
        assert_ne!(amount("1G"), amount("1Gi"));
    }

    #[test]
    fn amounts_are_told_from_other_text() {
        for good in [
            "8Gi", "1.5Ti", "500M", "1", "100k", "+5G", ".5Gi", "5.Gi", "1e10", "12E+2", "1e-1",
            "500m",
        ] {
            assert!(Quantity::parse(good).is_some(), "{good}");
        }
        for bad in [
            "", "Gi", "8 Gi", "8gb", "-1Gi", "0", "0Gi", "1..5Gi", "1.2.3", "8GiB", "8GB", "1e",
            "é", "inf", "nan", "+-1", "null", "{}", ".",
        ] {
            assert!(Quantity::parse(bad).is_none(), "{bad}");
        }
    }
}
