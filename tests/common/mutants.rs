//! Reviews with something broken, the same ones in every run.

use serde_json::{Value, json};

/// Marsaglia's xorshift: the same numbers in every run.
pub(crate) struct Dice(u64);

impl Default for Dice {
    fn default() -> Self {
        Self(0x5eed_0fea_51de_cade)
    }
}

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).expect("less than the limit")
    }

    fn of<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[self.below(items.len())]
    }
}

/// A review with one to four things broken: values mostly, sometimes bytes.
pub(crate) fn mutant(dice: &mut Dice, review: &Value) -> Vec<u8> {
    let mut review = review.clone();
    if dice.below(4) > 0 {
        for _ in 0..=dice.below(3) {
            let start =
                ["", "/request", "/request/oldObject", "/request/object"][dice.below(8).min(3)];
            swap(dice, review.pointer_mut(start).unwrap_or(&mut Value::Null));
        }
        return review.to_string().into_bytes();
    }
    let mut bytes = review.to_string().into_bytes();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len());
        match dice.below(4) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..(at + dice.below(40)).min(bytes.len()))),
            2 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            _ => bytes.insert(at, *dice.of(b"{}[]\",:0-e\\\x00\xff")),
        }
    }
    bytes
}

/// Walks down from the top and puts a value of another type somewhere.
fn swap(dice: &mut Dice, value: &mut Value) {
    let below = match value {
        Value::Object(map) if !map.is_empty() && dice.below(8) > 0 => {
            let index = dice.below(map.len());
            map.values_mut().nth(index)
        }
        Value::Array(items) if !items.is_empty() && dice.below(8) > 0 => {
            let index = dice.below(items.len());
            items.get_mut(index)
        }
        _ => None,
    };
    if let Some(below) = below {
        return swap(dice, below);
    }
    let values = [
        json!(null),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(true),
        json!(""),
        json!("None"),
        json!("[a] b"),
        json!("\u{0}\u{1f600}\n"),
        json!([]),
        json!({}),
        json!([null]),
        json!([{"name": ""}, {"name": ""}]),
        json!({"": null}),
    ];
    *value = dice.of(&values).clone();
}
