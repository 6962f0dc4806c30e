//! The laws of an update, held against random lives of random sets: edited by their authors, delivered by clients of every
//! kind, and judged under one policy today and another tomorrow.

mod again;
mod client;
mod edit;
mod habits;
mod life;
mod made;
mod manifest;
mod probes;
mod record;
mod server;

use proptest::{prop_assert, prop_assert_eq, prop_assert_ne};
use serde_json::Value;
use steadfast::engine::{mutate, validate};
use steadfast::object::record::contains;

use crate::changes::{Difference, differences, is_within};
use crate::common::RECORD;

use life::always;
use manifest::PROBES;
use server::{IMMUTABLE, items, refusal, served, stated};

const LEFTOVER: &str = "/spec/updateStrategy/rollingUpdate";

#[test]
fn the_patch_makes_the_result_of_the_request() {
    always(|step| {
        let mut patched = step.request.clone();
        let applied = json_patch::patch(&mut patched, &step.verdict.patch);
        prop_assert!(applied.is_ok(), "{step}{applied:?}");
        prop_assert_eq!(&patched, step.result, "{}", step);
        prop_assert!(step.verdict.allowed(), "{step}");
        Ok(())
    });
}

#[test]
fn an_immutable_field_is_as_asked_or_as_stored() {
    always(|step| {
        for field in IMMUTABLE {
            let [result, request, old] =
                [step.result, step.request, step.old].map(|set| &set["spec"][*field]);
            prop_assert!(
                result == request || result == old,
                "{step}{field} is {result}"
            );
            prop_assert!(
                !leaves_out(request, old, Value::eq) || stated(result) == stated(old),
                "{step}{field} was left out, and is {result}"
            );
            prop_assert!(
                leaves_out(request, old, contains) || result == request,
                "{step}{field} was written, and is {result}"
            );
        }
        Ok(())
    });
}

/// Whether the request says nothing of an immutable field, or of a list a part, in the stored order.
fn leaves_out(request: &Value, old: &Value, says: impl Fn(&Value, &Value) -> bool) -> bool {
    let mut old = items(old);
    items(request).all(|claim| old.any(|old| says(old, claim)))
        && (request.is_array() || stated(request).is_null())
}

#[test]
fn nothing_is_lost_and_nothing_comes_back_that_was_not_ours() {
    always(|step| {
        for difference in differences(step.request, step.result) {
            let (Difference::Added(at, _) | Difference::Changed(at) | Difference::Removed(at)) =
                &difference;
            if is_told_elsewhere(at) {
                continue;
            }
            let lawful = match &difference {
                // With the record come the annotations that hold it.
                Difference::Added(at, value) if at == "/metadata/annotations" => value
                    .as_object()
                    .is_some_and(|all| all.keys().eq(["steadfast.dev/injected"])),
                Difference::Added(at, value) => record::is_a_part_of_ours(step, at, value),
                Difference::Removed(at) => at == LEFTOVER && step.leaves_parameters(),
                Difference::Changed(_) => false,
            };
            prop_assert!(lawful, "{step}{difference:?}");
        }
        let stays = step.request.pointer(LEFTOVER) == step.result.pointer(LEFTOVER);
        prop_assert_ne!(
            step.leaves_parameters(),
            stays,
            "{}what is left over goes",
            step
        );
        Ok(())
    });
}

/// Whether a law of its own tells the whole of what may become of this place.
fn is_told_elsewhere(at: &str) -> bool {
    let below = at.strip_prefix("/spec/template/spec/containers/");
    let field = below.and_then(|below| below.split('/').nth(1));
    IMMUTABLE
        .iter()
        .any(|field| is_within(at, &format!("/spec/{field}")))
        || is_within(at, RECORD)
        || field.is_some_and(|field| PROBES.contains(&field))
}

#[test]
fn an_unchanged_template_is_not_touched() {
    always(|step| {
        let [result, request] = [step.result, step.request].map(|set| &set["spec"]["template"]);
        prop_assert!(step.rolls() || result == request, "{step}");
        Ok(())
    });
}

#[test]
fn what_the_api_server_takes_it_still_takes() {
    always(|step| {
        if refusal(step.request, Some(step.old)).is_none() {
            let refused = refusal(&served(step.result.clone()), Some(step.old));
            prop_assert!(refused.is_none(), "{step}{refused:?}");
        }
        Ok(())
    });
}

#[test]
fn what_is_being_deleted_passes_untouched() {
    always(|step| {
        let mut old = step.old.clone();
        old["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z".into();
        for call in [mutate, validate] {
            let verdict = step.asked(call, step.request, &old);
            let passes = verdict.patch.is_empty() && verdict.judged.is_empty();
            prop_assert!(passes && verdict.notes.is_empty(), "{step}{verdict:?}");
        }
        Ok(())
    });
}
