//! The running cluster as tests see it: clients, command lines and namespaces.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use axum::http::Request;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::PostParams;
use kube::{Api, Client, Config};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::access::Access;
use crate::binaries::Binaries;
use crate::control_plane::{CONTROLLERS, ControlPlane, START};
use crate::eventually::{Stop, eventually};
use crate::invocation::Invocation;
use crate::namespace::Namespace;
use crate::supervise;

/// One control plane with a client. Tests keep apart by namespaces.
pub(crate) struct Cluster {
    client: Client,
    access: Access,
    binaries: Binaries,
    namespaces: AtomicUsize,
    // From here on in the order of their end: processes, then the folder they write to, then who watches over it.
    control_plane: Mutex<ControlPlane>,
    runtime: Runtime,
    folder: TempDir,
    _broom: Broom,
}

struct Broom(Child);

impl Drop for Broom {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Cluster {
    /// Builds what is missing, starts everything, and returns when pods can run.
    pub(crate) fn start() -> Result<Self> {
        let binaries = Binaries::ready()?;
        let start = Instant::now();
        let mut cluster = Self::with_controllers(binaries, CONTROLLERS)?;
        let folder = cluster.folder.path();
        let control_plane = cluster.control_plane.get_mut();
        control_plane.expect("nobody else has it yet").start_kwok(
            &cluster.binaries,
            folder,
            include_str!("stages.yaml"),
        )?;
        cluster
            .kubectl(&["create", "-f", "-"])
            .stdin(include_str!("objects.yaml"))
            .succeed()?;
        cluster.wait_until_pods_can_run()?;
        eprintln!(
            "control plane up in {:.1} s at {}",
            start.elapsed().as_secs_f32(),
            cluster.access.url
        );
        Ok(cluster)
    }

    /// A cluster in which pods never run, with an API server of its own and these controllers.
    pub(crate) fn with_controllers(binaries: Binaries, controllers: &str) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("steadfast-cluster-")
            .tempdir()?;
        let broom = Broom(supervise::broom(folder.path())?);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;

        let answers = |access: &Access| {
            let Ok(client) = connect(&runtime, access) else {
                return false;
            };
            let request = Request::get("/readyz")
                .body(Vec::new())
                .expect("a path makes a request");
            let answer = runtime.block_on(async {
                timeout(Duration::from_secs(5), client.request_text(request)).await
            });
            answer.is_ok_and(|answer| answer.is_ok())
        };
        let mut control_plane = ControlPlane::start(&binaries, folder.path(), answers)?;
        control_plane.start_controllers(&binaries, folder.path(), controllers)?;
        let access = control_plane.access.clone();
        let client = connect(&runtime, &access)?;
        Ok(Self {
            client,
            access,
            binaries,
            namespaces: AtomicUsize::new(0),
            control_plane: Mutex::new(control_plane),
            runtime,
            folder,
            _broom: broom,
        })
    }

    /// Ends the cluster but leaves its folder, with all logs, and says where.
    pub(crate) fn stop_and_keep_logs(mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_owned()
    }

    /// A client with all rights; typed and dynamic `kube::Api`s are made of it.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// Runs a future, such as a call of the client, to its end.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Starts a future that runs beside the test.
    pub(crate) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.runtime.spawn(future)
    }

    /// `cluster.kubectl(&["apply", "-f", "-"]).stdin(yaml).run()`
    pub(crate) fn kubectl(&self, args: &[&str]) -> Invocation {
        self.invocation("kubectl").args(args)
    }

    pub(crate) fn helm(&self, args: &[&str]) -> Invocation {
        self.invocation("helm").args(args)
    }

    /// Helm 3.
    pub(crate) fn helm3(&self, args: &[&str]) -> Invocation {
        self.invocation("helm3").args(args)
    }

    /// A fresh namespace whose name starts so.
    pub(crate) fn namespace(&self, prefix: &str) -> Result<Namespace<'_>> {
        let number = self.namespaces.fetch_add(1, Ordering::Relaxed);
        Namespace::create(self, format!("{prefix}-{number}"))
    }

    /// Where this run may put files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.access.kubeconfig
    }

    pub(crate) fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    fn invocation(&self, program: &str) -> Invocation {
        Invocation::new(
            &self.binaries.path(program),
            &self.access.kubeconfig,
            self.folder.path(),
        )
        .expect("this binary found itself when it started the control plane")
    }

    /// The admission policy and the default `ServiceAccount` reach the API server through watches, so ask until both do.
    fn wait_until_pods_can_run(&self) -> Result<()> {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "probe"}, "spec": {"containers": [{"name": "probe", "image": "probe"}]},
        }))?;
        let pods: Api<Pod> = Api::namespaced(self.client(), "default");
        let dry_run = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        eventually(
            START,
            "a pod is placed on node-0, and node-0 is Ready",
            || {
                self.control_plane
                    .lock()
                    .expect("no test holds this lock")
                    .check()
                    .map_err(Stop::new)?;
                let pod = self.block_on(pods.create(&dry_run, &pod))?;
                ensure!(
                    pod.spec.and_then(|spec| spec.node_name).as_deref() == Some("node-0"),
                    "no node"
                );
                let node = self.block_on(Api::<Node>::all(self.client()).get("node-0"))?;
                let conditions = node
                    .status
                    .and_then(|status| status.conditions)
                    .unwrap_or_default();
                ensure!(
                    conditions
                        .iter()
                        .any(|c| c.type_ == "Ready" && c.status == "True"),
                    "not Ready"
                );
                Ok(())
            },
        )
        .with_context(|| {
            self.control_plane
                .lock()
                .expect("no test holds this lock")
                .log_tails()
        })
    }
}

fn connect(runtime: &Runtime, access: &Access) -> Result<Client> {
    // By hand: read from a file, it would take the proxy of the environment along.
    let mut config = Config::new(access.url.parse()?);
    config.root_cert = Some(vec![access.authority.clone()]);
    config.auth_info.client_certificate = Some(access.admin.certificate.display().to_string());
    config.auth_info.client_key = Some(access.admin.key.display().to_string());
    let _inside = runtime.enter();
    Client::try_from(config).context("cannot make a client")
}
