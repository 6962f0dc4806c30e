//! Thousands of reviews with something broken, the same in every run: no panic, and nothing but lawful answers.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;
use steadfast::admission::handle;
use steadfast::policy::PolicySet;

use crate::common::lawful::{PHASES, lawful};
use crate::common::mutants::{Dice, mutant};
use crate::reviews::{all, bare_cluster};

/// At least so many mutants are tried.
const MUTANTS: usize = 6_000;

#[test]
fn nothing_that_is_broken_breaks_us() {
    let (reviews, cluster, built_in) = (all(), bare_cluster(), PolicySet::built_in());
    let mut dice = Dice::default();
    let (mut answered, mut refused) = (0, 0);
    for number in 0..MUTANTS {
        let (name, review) = &reviews[number % reviews.len()];
        let body = mutant(&mut dice, review);
        let shown = || {
            format!(
                "mutant {number} of {name}: {}",
                String::from_utf8_lossy(&body)
            )
        };
        for phase in PHASES {
            let answer = catch_unwind(AssertUnwindSafe(|| {
                handle(phase, &built_in, &cluster, &body)
            }));
            match answer.unwrap_or_else(|_| panic!("it panics: {}", shown())) {
                Err(error) => {
                    assert!(
                        !error.to_string().is_empty()
                            && serde_json::from_slice::<Value>(&error.body()).is_ok(),
                        "{}",
                        shown()
                    );
                    refused += 1;
                }
                Ok(answer) => {
                    answered += 1;
                    let question: Value =
                        serde_json::from_slice(&body).expect("what was answered is JSON");
                    // serde reads a list as a struct, field by field; which item is then the uid is of no interest.
                    if question["request"].is_object() {
                        lawful(phase, &question, &answer)
                            .unwrap_or_else(|law| panic!("{law}\n{}", shown()));
                    }
                }
            }
        }
    }
    assert!(
        answered > MUTANTS / 2 && refused > MUTANTS / 8,
        "{answered} answered, {refused} refused"
    );
}
