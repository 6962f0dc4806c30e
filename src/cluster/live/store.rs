//! What a watch has told of one kind of object, by namespace and name.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt as _};
use tokio::sync::SetOnce;

use crate::rule::{Known, Listing};

/// Objects by namespace, empty where the kind has none, and by name.
type Objects<K> = HashMap<String, HashMap<String, Arc<K>>>;

/// What is known of a kind. What is not here may have been made a moment ago, so nothing is known to be absent.
pub(super) struct Store<K> {
    state: RwLock<State<K>>,
    listed: SetOnce<()>,
}

struct State<K> {
    objects: Objects<K>,
    /// What a new list has told so far.
    next: Option<Objects<K>>,
    /// Whether the watch runs: while it is broken, what is gone would still be here.
    is_followed: bool,
}

impl<K> Default for Store<K> {
    fn default() -> Self {
        Self {
            state: RwLock::new(State {
                objects: HashMap::new(),
                next: None,
                is_followed: false,
            }),
            listed: SetOnce::new(),
        }
    }
}

impl<K: Resource> Store<K> {
    /// Takes in what happened.
    pub(super) fn follow(&self, event: Event<K>) {
        let mut state = self.write();
        match event {
            Event::Init => state.next = Some(HashMap::new()),
            Event::InitApply(object) => {
                insert(state.next.get_or_insert_default(), object);
            }
            Event::InitDone => {
                state.objects = state.next.take().unwrap_or_default();
                state.is_followed = true;
                drop(state);
                let _ = self.listed.set(());
            }
            Event::Apply(object) => insert(&mut state.objects, object),
            Event::Delete(object) => remove(&mut state.objects, &object),
        }
    }

    /// The watch broke: until all is listed anew, nothing is known. Says whether it had run.
    pub(super) fn lose(&self) -> bool {
        let mut state = self.write();
        state.next = None;
        std::mem::take(&mut state.is_followed)
    }

    /// Waits for the first list.
    pub(super) async fn listed(&self) {
        self.listed.wait().await;
    }

    /// The object of this name; never that there is none.
    pub(super) fn get(&self, namespace: &str, name: &str) -> Known<Arc<K>> {
        let state = self.read();
        let mut here = state.followed().and_then(|objects| objects.get(namespace));
        let found = here.take().and_then(|here| here.get(name));
        found.map_or(Known::Unknown, |object| Known::Present(Arc::clone(object)))
    }

    /// Those of a namespace that are asked for, by name.
    pub(super) fn list(&self, namespace: &str, wanted: impl Fn(&K) -> bool) -> Listing<K> {
        let state = self.read();
        let here = state.followed().and_then(|objects| objects.get(namespace));
        let mut items: Vec<_> = here
            .into_iter()
            .flat_map(HashMap::values)
            .filter(|object| wanted(object))
            .cloned()
            .collect();
        items.sort_by_key(|object| object.name_any());
        Listing {
            items,
            complete: false,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.read().objects.values().map(HashMap::len).sum()
    }

    fn read(&self) -> RwLockReadGuard<'_, State<K>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State<K>> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> State<K> {
    fn followed(&self) -> Option<&Objects<K>> {
        self.is_followed.then_some(&self.objects)
    }
}

fn insert<K: Resource>(objects: &mut Objects<K>, object: K) {
    let namespace = objects
        .entry(object.namespace().unwrap_or_default())
        .or_default();
    namespace.insert(object.name_any(), Arc::new(object));
}

fn remove<K: Resource>(objects: &mut Objects<K>, object: &K) {
    let namespace = object.namespace().unwrap_or_default();
    if let Some(here) = objects.get_mut(&namespace) {
        here.remove(&object.name_any());
        if here.is_empty() {
            objects.remove(&namespace);
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Service;

    use super::*;

    fn service(name: &str) -> Service {
        let mut service = Service::default();
        service.metadata.name = Some(name.to_owned());
        service.metadata.namespace = Some("shop".to_owned());
        service
    }

    fn known(store: &Store<Service>) -> Vec<String> {
        let found = store.list("shop", |_| true);
        assert!(!found.complete);
        let names = found.items.iter().map(|service| service.name_any());
        names.collect()
    }

    #[test]
    fn a_list_counts_when_it_is_whole_and_changes_follow() {
        let store = Store::default();
        store.follow(Event::Init);
        store.follow(Event::InitApply(service("b")));
        store.follow(Event::InitApply(service("a")));
        assert!(known(&store).is_empty());
        store.follow(Event::InitDone);
        assert_eq!(known(&store), ["a", "b"]);
        store.follow(Event::Apply(service("c")));
        store.follow(Event::Delete(service("a")));
        assert_eq!(known(&store), ["b", "c"]);
        assert!(matches!(store.get("shop", "c"), Known::Present(_)));
        for (namespace, name) in [("shop", "a"), ("elsewhere", "c")] {
            assert_eq!(store.get(namespace, name), Known::Unknown);
        }
    }

    #[test]
    fn nothing_is_known_while_the_watch_is_broken() {
        let store = Store::default();
        assert!(!store.lose());
        store.follow(Event::Init);
        store.follow(Event::InitApply(service("a")));
        store.follow(Event::InitDone);
        assert!(store.lose() && !store.lose());
        assert_eq!(store.get("shop", "a"), Known::Unknown);
        store.follow(Event::Init);
        store.follow(Event::InitApply(service("b")));
        store.follow(Event::InitDone);
        assert_eq!(known(&store), ["b"]);
    }
}
