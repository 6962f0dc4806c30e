//! The floor: the product's own stack, which reads the body and answers a constant.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::routing::post;
use steadfast::server::{Limits, Process, Sockets, Stop, serve as serve_app, tls};

/// The word with which this program starts itself as the floor.
pub(crate) const FLOOR: &str = "--floor";

const ANSWERS: &str = "answers.json";

/// The folder, where the floor is what is asked for.
pub(crate) fn asked(arguments: &[String]) -> Option<&Path> {
    match arguments {
        [word, folder] if word == FLOOR => Some(Path::new(folder)),
        _ => None,
    }
}

/// Writes down what to answer at each path.
pub(crate) fn lay_down<P: serde::Serialize>(folder: &Path, answers: &P) {
    let text = serde_json::to_vec(answers).expect("it is text");
    fs::write(folder.join(ANSWERS), text).expect("a file");
}

/// Serves until it is killed.
pub(crate) fn serve(folder: &Path) {
    let answers = fs::read(folder.join(ANSWERS)).expect("the answers are laid down");
    let answers: BTreeMap<String, String> =
        serde_json::from_slice(&answers).expect("they are JSON");
    let limits = Limits::default();
    let mut app = Router::new();
    for (path, answer) in answers {
        let answer = Bytes::from(answer);
        let constant = async move |_: Bytes| ([(header::CONTENT_TYPE, "application/json")], answer);
        app = app.route(&path, post(constant));
    }
    let app = app.layer(DefaultBodyLimit::max(limits.body_bytes));
    let any = "127.0.0.1:0".parse().expect("an address");
    let sockets = Sockets {
        listen: any,
        status_listen: any,
        tls: tls::Files {
            certificate: folder.join("tls.crt"),
            key: folder.join("tls.key"),
            client_ca: None,
        },
        tls_interval: std::time::Duration::from_secs(2),
        limits,
        stop: Stop::default(),
    };
    // The same runtime that `steadfast serve` builds.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let process = Process::default();
    let serving = serve_app(sockets, &process, app, |webhook, status| {
        eprintln!("the floor serves https://{webhook} (POST), status http://{status} (GET)");
    });
    runtime
        .expect("a runtime")
        .block_on(serving)
        .expect("the floor serves");
}
