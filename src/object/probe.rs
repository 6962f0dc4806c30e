//! A probe as raw JSON: how it asks, if at all.

use serde_json::Value;

/// The ways in which a probe may ask.
pub const HANDLERS: [&str; 4] = ["exec", "grpc", "httpGet", "tcpSocket"];

/// How a probe asks.
#[must_use]
pub fn handler(probe: &Value) -> Option<&'static str> {
    HANDLERS
        .into_iter()
        .find(|handler| !probe[handler].is_null())
}

/// Whether a probe has no handler, not even one that is newer than this program: every handler is an object.
#[must_use]
pub fn asks_nothing(probe: &Value) -> bool {
    let fields = probe.as_object();
    fields.is_some_and(|fields| !fields.values().any(Value::is_object))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_alone_ask_nothing() {
        let numbers = json!({"periodSeconds": 5, "tcpSocket": null});
        assert!(asks_nothing(&numbers) && handler(&numbers).is_none());
        let newer = json!({"periodSeconds": 5, "telepathy": {}});
        assert!(!asks_nothing(&newer) && handler(&newer).is_none());
        assert_eq!(handler(&json!({"grpc": {"port": 1}})), Some("grpc"));
    }
}
