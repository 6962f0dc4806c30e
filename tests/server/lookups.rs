//! What the API server is asked, and how little it takes for the answer to be done without.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use kube::{Client, Config};
use serde_json::{Value, json};
use steadfast::cluster::{Fact, Live, Lookup, Manifests, Outcome, Unseen};
use steadfast::rule::Question;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{complete, serve};

/// Time enough on any machine, where the answer matters and not when it comes.
const AMPLE: Duration = Duration::from_mins(1);

/// How an API server behaves.
#[derive(Clone)]
enum Manner {
    /// Status and body.
    Answers(StatusCode, String),
    /// It takes the question and says nothing.
    Silent,
}

/// An API server in plain HTTP.
struct Fake {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Fake {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&asked);
        let answer = async move |uri: Uri| -> Response {
            log.lock().expect("nobody panics").push(uri.to_string());
            match manner {
                Manner::Answers(status, body) => (status, body).into_response(),
                Manner::Silent => std::future::pending().await,
            }
        };
        let router = Router::new().fallback(answer);
        let task = tokio::spawn(async { axum::serve(listener, router).await.expect("it serves") });
        Self {
            address,
            asked,
            task,
        }
    }

    fn live(&self) -> Live {
        live(self.address)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panics").clone()
    }
}

fn live(address: SocketAddr) -> Live {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let url = format!("http://{address}").parse().expect("a URL");
    let mut config = Config::new(url);
    config.default_retry = false;
    let client = Client::try_from(config).expect("a client");
    Live::new(client, vec![Lookup::ControllerRevisions], Arc::new(Unseen))
}

fn question() -> Question {
    Question::ControllerRevisions {
        namespace: "shop".to_owned(),
        set: "db".to_owned(),
        selector: "app=db,tier in (a,b)".to_owned(),
    }
}

/// Revisions by name, kind and name of the controller, with what the list says of itself.
fn list(revisions: &[(&str, &str, &str)], metadata: &Value) -> String {
    let revisions = revisions.iter().map(|(name, kind, owner)| {
        json!({
            "metadata": {"name": name, "namespace": "shop", "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": "u", "controller": true},
            ]},
            "data": {"spec": {"template": {"$patch": "replace"}}}, "revision": 1,
        })
    });
    let items: Vec<_> = revisions.collect();
    json!({"apiVersion": "apps/v1", "kind": "ControllerRevisionList", "metadata": metadata, "items": items})
        .to_string()
}

/// What came of the question, and the names of the revisions.
async fn ask(live: &Live) -> (Outcome, Vec<String>) {
    let mut asked = live.ask(&[question()]).await;
    let asked = asked.pop().filter(|_| asked.is_empty()).expect("one");
    assert_eq!(asked.lookup, Lookup::ControllerRevisions);
    let Ok(Fact::Revisions(namespace, set, found)) = asked.fact else {
        return (asked.outcome, Vec::new());
    };
    assert_eq!((&*namespace, &*set), ("shop", "db"));
    assert_eq!(found.complete, asked.outcome == Outcome::Answered);
    let names = found.items.iter().map(|item| item.metadata.name.clone());
    (
        asked.outcome,
        names.map(Option::unwrap_or_default).collect(),
    )
}

#[tokio::test]
async fn the_revisions_of_the_set_are_listed_and_no_others() {
    let own = ("db-1", "StatefulSet", "db");
    let others = [("db-2", "DaemonSet", "db"), ("db-3", "StatefulSet", "web")];
    for (metadata, outcome) in [
        (json!({"resourceVersion": "7"}), Outcome::Answered),
        (
            json!({"resourceVersion": "7", "continue": ""}),
            Outcome::Answered,
        ),
        (
            json!({"resourceVersion": "7", "continue": "more"}),
            Outcome::Partly,
        ),
    ] {
        let body = list(&[own, others[0], others[1]], &metadata);
        let fake = Fake::start(Manner::Answers(StatusCode::OK, body)).await;
        let found = ask(&fake.live().within(AMPLE)).await;
        assert_eq!(found, (outcome, vec!["db-1".to_owned()]));
        // As fresh as can be: no resourceVersion is named.
        let wanted = "/apis/apps/v1/namespaces/shop/controllerrevisions\
                      ?&labelSelector=app%3Ddb%2Ctier+in+%28a%2Cb%29&limit=50";
        assert_eq!(fake.asked(), [wanted]);
    }
}

#[tokio::test]
async fn an_api_server_that_is_of_no_help_is_asked_once() {
    let status = |code: u16| json!({"kind": "Status", "code": code}).to_string();
    let long = list(&[], &json!({"selfLink": "x".repeat(5 << 20)}));
    for (code, body, outcome) in [
        (401, status(401), Outcome::Refused),
        (403, status(403), Outcome::Refused),
        (400, status(400), Outcome::Failed),
        (429, status(429), Outcome::Failed),
        (503, status(503), Outcome::Failed),
        (200, "<html>".to_owned(), Outcome::Failed),
        (200, "{}".to_owned(), Outcome::Failed),
        (200, String::new(), Outcome::Failed),
        (200, long, Outcome::Failed),
    ] {
        let status = StatusCode::from_u16(code).expect("a status");
        let fake = Fake::start(Manner::Answers(status, body)).await;
        let found = ask(&fake.live().within(AMPLE)).await;
        assert_eq!(found, (outcome, Vec::new()), "{code}");
        assert_eq!(fake.asked().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn a_silent_api_server_is_not_waited_for() {
    let fake = Fake::start(Manner::Silent).await;
    let start = Instant::now();
    assert_eq!(ask(&fake.live()).await.0, Outcome::Late);
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(100), "{took:?}");
    // The machine may be busy; a review is given a second at least.
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn nobody_listens_where_the_api_server_should_be() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let live = live(address).within(AMPLE);
    assert_eq!(ask(&live).await.0, Outcome::Failed);
}

#[tokio::test]
async fn reviews_cannot_make_us_flood_the_api_server_or_lead_us_elsewhere_in_it() {
    let fine = Manner::Answers(StatusCode::OK, list(&[], &json!({})));
    let fake = Fake::start(fine).await;
    let live = fake.live().within(AMPLE);
    for namespace in ["", "..", "shop/secrets?", "shop/../../../../api/v1", "Shop"] {
        let question = Question::ControllerRevisions {
            namespace: namespace.to_owned(),
            set: "db".to_owned(),
            selector: String::new(),
        };
        let asked = live.ask(&[question]).await;
        assert_eq!(asked[0].outcome, Outcome::Failed, "{namespace:?}");
    }
    assert_eq!(fake.asked(), [""; 0]);

    let live = fake.live().within(Duration::from_secs(1));
    let questions: Vec<_> = (0..100)
        .map(|number| Question::ControllerRevisions {
            namespace: "shop".to_owned(),
            set: format!("db-{number}"),
            selector: String::new(),
        })
        .collect();
    let start = Instant::now();
    let asked = live.ask(&questions).await;
    let took = start.elapsed();
    let came = |outcome| {
        asked
            .iter()
            .filter(|asked| asked.outcome == outcome)
            .count()
    };
    // Ten at once, and ten a second from then on.
    let most = 11 + usize::try_from(took.as_millis() / 100).expect("not so long");
    assert!(came(Outcome::Unasked) >= 100 - most, "{took:?}: {asked:?}");
    assert!((10..=most).contains(&fake.asked().len()), "{took:?}");
}

#[tokio::test]
async fn only_what_is_to_be_asked_is_asked() {
    let fake = Fake::start(Manner::Silent).await;
    let others = [
        Question::StorageClasses,
        Question::HeadlessServices {
            namespace: "shop".to_owned(),
        },
    ];
    assert!(fake.live().within(AMPLE).ask(&others).await.is_empty());
    let none = Live::new(
        Client::try_from(Config::new("http://127.0.0.1".parse().expect("a URL")))
            .expect("a client"),
        Vec::new(),
        Arc::new(Unseen),
    );
    assert!(none.ask(&[question()]).await.is_empty());
    assert!(fake.asked().is_empty());
}

/// A set that had a grace period, and is to have none.
fn update() -> String {
    let set = |grace: u32| {
        json!({"metadata": {"name": "db"}, "spec": {
            "serviceName": "db",
            "selector": {"matchLabels": {"app": "db"}},
            "template": {
                "metadata": {"labels": {"app": "db"}},
                "spec": {"terminationGracePeriodSeconds": grace, "containers": [{"name": "db"}]},
            },
        }})
    };
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u-1", "operation": "UPDATE", "namespace": "shop", "name": "db",
        "resource": {"group": "apps", "version": "v1", "resource": "statefulsets"},
        "object": set(0), "oldObject": set(30),
    }})
    .to_string()
}

/// Revisions with these grace periods.
fn past(grace: &[u32]) -> Manner {
    let names: Vec<_> = grace
        .iter()
        .map(|_| ("db-1", "StatefulSet", "db"))
        .collect();
    let mut past: Value =
        serde_json::from_str(&list(&names, &json!({}))).expect("it was just written");
    for (item, grace) in past["items"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .zip(grace)
    {
        item["data"]["spec"]["template"]["spec"] =
            json!({"terminationGracePeriodSeconds": grace, "containers": [{"name": "db"}]});
    }
    Manner::Answers(StatusCode::OK, past.to_string())
}

#[tokio::test]
async fn a_verdict_hangs_on_an_answer_and_never_on_there_being_none() {
    let refused = Manner::Answers(StatusCode::FORBIDDEN, "{}".to_owned());
    let garbage = Manner::Answers(StatusCode::OK, "<html>".to_owned());
    for (manner, within, allowed, outcome, words) in [
        (past(&[30, 10]), AMPLE, false, "answered", ""),
        (
            past(&[30, 0]),
            AMPLE,
            true,
            "answered",
            "an earlier revision has it, too",
        ),
        (
            refused,
            AMPLE,
            true,
            "refused",
            "an earlier revision may have it, too",
        ),
        (
            garbage,
            AMPLE,
            true,
            "failed",
            "an earlier revision may have it, too",
        ),
        (
            Manner::Silent,
            Duration::from_millis(100),
            true,
            "late",
            "an earlier revision may have it, too",
        ),
    ] {
        let fake = Fake::start(manner).await;
        // Given manifests alone, the past would be taken for complete.
        let server = serve(Manifests::new(true), |settings, _| {
            settings.lookups = Some(Arc::new(fake.live().within(within)));
        })
        .await;
        let start = Instant::now();
        let (status, answer) = server.post("/validate", "application/json", update()).await;
        assert!(start.elapsed() < Duration::from_secs(10), "{outcome}");
        assert_eq!(status, StatusCode::OK);
        let response = &answer["response"];
        assert_eq!(response["allowed"], allowed, "{response}");
        let warnings = response["warnings"].to_string();
        assert!(warnings.contains(words), "{warnings}");
        assert_eq!(fake.asked().len(), 1, "{outcome}");
        let (_, metrics) = server.status("/metrics").await;
        let line = format!(
            "steadfast_lookups_total{{kind=\"controllerrevisions\",outcome=\"{outcome}\"}} 1"
        );
        assert!(metrics.contains(&line), "{metrics}");
    }
}

#[tokio::test]
async fn without_lookups_the_past_is_not_known() {
    let server = serve(Manifests::new(true), |_, _| {}).await;
    let (_, answer) = server.post("/validate", "application/json", update()).await;
    assert_eq!(answer["response"]["allowed"], true, "{answer}");
}

#[tokio::test]
async fn a_verdict_that_hangs_on_nothing_asks_nothing() {
    let fake = Fake::start(Manner::Silent).await;
    let server = serve(Manifests::new(true), |settings, _| {
        settings.lookups = Some(Arc::new(fake.live().within(AMPLE)));
    })
    .await;
    for (path, body) in [
        ("/mutate", update()),
        ("/mutate", complete()),
        ("/validate", complete()),
    ] {
        let (_, answer) = server.post(path, "application/json", body).await;
        assert_eq!(answer["response"]["allowed"], true, "{answer}");
    }
    assert!(fake.asked().is_empty());
}
