//! The life of a random set: it is made, and then updated several times, each time under a policy of that day.

use std::fmt;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use serde_json::{Value, json};
use steadfast::cluster::{Manifests, Unseen};
use steadfast::engine::{Verdict, mutate};
use steadfast::policy::PolicySet;
use steadfast::rule::ClusterView;
use steadfast::rules::RULES;

use super::client::Delivery;
use super::edit::Edit;
use super::habits::{edit, unknown};
use super::made::{Made, made};
use super::manifest::manifest;
use super::server::{refusal, served};
use crate::common::{Call, altered, cluster, judge, outcome, policy, storage_classes};

/// How many lives each law is held against, unless `PROPTEST_CASES` says otherwise.
const LIVES: u32 = 150;

/// Policies that differ in all that counts here.
pub(super) static POLICIES: LazyLock<[PolicySet; 5]> = LazyLock::new(|| {
    let all = |level: &str| {
        let rules = RULES
            .iter()
            .map(|rule| (rule.meta.id.to_owned(), json!({"level": level})));
        policy(&json!({"rules": Value::Object(rules.collect())}))
    };
    let strict = policy(&json!({"profile": "strict"}));
    [
        PolicySet::built_in(),
        altered(),
        all("off"),
        strict,
        all("deny"),
    ]
});

static KNOWN: LazyLock<Manifests> = LazyLock::new(|| cluster(&storage_classes()));

/// Whether a law held, or what broke it.
pub(super) type Held = Result<(), TestCaseError>;

/// What becomes of a set.
#[derive(Clone, Debug)]
struct Life {
    manifest: Value,
    planted: Vec<Edit>,
    made: Made,
    policy: usize,
    sees_cluster: bool,
    updates: Vec<Update>,
}

/// An update: who delivers which edits, under which policy; none where the webhook is away, and nobody is asked.
type Update = (Delivery, Option<usize>, Vec<Edit>);

fn life() -> impl Strategy<Value = Life> {
    let delivery = {
        use Delivery::{Apply, Edit, Merge, Put, ServerSideApply};
        select(vec![Put, Put, Apply, ServerSideApply, Merge, Merge, Edit])
    };
    let policy = || 0..POLICIES.len();
    let asked = option::weighted(0.9, policy());
    let updates = vec((delivery, asked, vec(edit(), 1..5)), 1..5);
    let planted = vec(unknown(), 0..3);
    (
        manifest(),
        planted,
        made(),
        policy(),
        any::<bool>(),
        updates,
    )
        .prop_map(
            |(manifest, planted, made, policy, sees_cluster, updates)| Life {
                manifest,
                planted,
                made,
                policy,
                sees_cluster,
                updates,
            },
        )
}

/// One update of a set's life.
#[derive(Debug)]
pub(super) struct Step<'l> {
    pub(super) delivery: Delivery,
    /// The author's manifest as it is with this update.
    pub(super) author: &'l Value,
    /// What the webhook is asked about.
    pub(super) request: &'l Value,
    /// What is stored.
    pub(super) old: &'l Value,
    /// What the webhook made of the request.
    pub(super) result: &'l Value,
    pub(super) verdict: &'l Verdict,
    policy: &'l PolicySet,
    sees_cluster: bool,
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?}\nold     {}\nrequest {}\nresult  {}\n",
            self.delivery, self.old, self.request, self.result
        )
    }
}

impl Step<'_> {
    /// What `/mutate` says of `object` in the same circumstances.
    pub(super) fn mutate(&self, object: &Value, old: &Value) -> Verdict {
        self.asked(mutate, object, old)
    }

    /// What a call says of `object` in the same circumstances.
    pub(super) fn asked(&self, call: Call, object: &Value, old: &Value) -> Verdict {
        judge(
            call,
            object,
            Some(old),
            self.policy,
            view(self.sees_cluster),
        )
    }

    /// What a call says under any of the policies.
    pub(super) fn under_all(
        &self,
        call: Call,
        object: &Value,
        old: &Value,
    ) -> impl Iterator<Item = Verdict> {
        let cluster = view(self.sees_cluster);
        POLICIES
            .iter()
            .map(move |policy| judge(call, object, Some(old), policy, cluster))
    }

    /// What is stored after the update, unless the API server refuses it.
    pub(super) fn stored(&self) -> Option<Value> {
        stored_after(self.result, self.old)
    }

    /// Whether the pod template changes.
    pub(super) fn rolls(&self) -> bool {
        self.request["spec"]["template"] != self.old["spec"]["template"]
    }
}

fn stored_after(result: &Value, old: &Value) -> Option<Value> {
    let stored = served(result.clone());
    refusal(&stored, Some(old)).is_none().then_some(stored)
}

fn view(sees_cluster: bool) -> &'static dyn ClusterView {
    if sees_cluster { &*KNOWN } else { &Unseen }
}

impl Life {
    /// Lives it; the last update puts the author's manifest over what has become of the set.
    fn live(&self, law: &dyn Fn(&Step<'_>) -> Held) -> Held {
        let mut author = self.manifest.clone();
        for edit in &self.planted {
            edit.apply(&mut author);
        }
        let asked = |object: &Value, old: Option<&Value>, policy: usize| {
            judge(
                mutate,
                object,
                old,
                &POLICIES[policy],
                view(self.sees_cluster),
            )
        };
        let made = served(self.made.of(&author));
        let verdict = asked(&made, None, self.policy);
        let mut stored = served(outcome(&made, &verdict));
        if refusal(&stored, None).is_some() {
            return Ok(());
        }
        let last = (Delivery::Put, Some(self.policy), Vec::new());
        for (delivery, policy, edits) in self.updates.iter().chain([&last]) {
            let (mut next, mut live) = (author.clone(), stored.clone());
            let edited = if *delivery == Delivery::Edit {
                &mut live
            } else {
                &mut next
            };
            for edit in edits {
                edit.apply(edited);
            }
            let request = served(delivery.request(&next, &author, &live));
            let verdict = policy.map(|policy| asked(&request, Some(&stored), policy));
            let result = verdict
                .as_ref()
                .map_or_else(|| request.clone(), |verdict| outcome(&request, verdict));
            if let (Some(policy), Some(verdict)) = (policy, &verdict) {
                law(&Step {
                    delivery: *delivery,
                    author: &next,
                    request: &request,
                    old: &stored,
                    result: &result,
                    verdict,
                    policy: &POLICIES[*policy],
                    sees_cluster: self.sees_cluster,
                })?;
            }
            // Who is refused takes his edits back.
            if let Some(after) = stored_after(&result, &stored) {
                (author, stored) = (next, after);
            }
        }
        Ok(())
    }
}

/// Holds a law against every update of many lives. The lives are the same each time, unless `PROPTEST_CASES` asks for more
/// of them, or `PROPTEST_RNG_SEED` for others.
pub(super) fn always(law: impl Fn(&Step<'_>) -> Held) {
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = LIVES;
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(1);
    }
    match TestRunner::new(config).run(&life(), |life| life.live(&law)) {
        Ok(()) => {}
        Err(TestError::Fail(why, life)) => panic!("{why}\nthe shortest life: {life:#?}"),
        Err(error) => panic!("{error}"),
    }
}
