//! `steadfast serve`: the webhook.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use tracing::info;
use tracing_subscriber::EnvFilter;

use super::certs::Certs;
use super::{Outcome, PolicyArgs, review};
use crate::cluster::{Live, Lookup};
use crate::rule::ClusterView;
use crate::server::{self, Limits, Settings, Sockets, Stop, tls};
use crate::workload;

/// How often the serving pair is read again; a Secret takes up to a minute or two to reach the pod.
const TLS_INTERVAL: Duration = Duration::from_secs(2);

/// Where `--dev` keeps its authority and pair.
const DEV_CERTS: &str = "certs";

/// Serve the admission webhook over TLS.
#[derive(Args, Debug)]
pub(super) struct Serve {
    /// Where the API server calls; port 0 takes a free one [default: port 8443 of 0.0.0.0, with --dev of 127.0.0.1; of :: it takes IPv6 too]
    #[arg(long, value_name = "ADDR", env = "STEADFAST_LISTEN", value_parser = address)]
    listen: Option<SocketAddr>,
    /// Where /livez, /readyz and /metrics are served, in plain HTTP [default: port 8080, likewise]
    #[arg(long, value_name = "ADDR", env = "STEADFAST_STATUS_LISTEN", value_parser = address)]
    status_listen: Option<SocketAddr>,
    /// The serving certificate with its chain, as PEM. What is not there yet is waited for; a renewed pair is served by itself
    #[arg(
        long,
        value_name = "FILE",
        env = "STEADFAST_TLS_CERT",
        requires = "tls_key"
    )]
    tls_cert: Option<PathBuf>,
    /// Its key, as PEM
    #[arg(
        long,
        value_name = "FILE",
        env = "STEADFAST_TLS_KEY",
        requires = "tls_cert"
    )]
    tls_key: Option<PathBuf>,
    /// Let only clients in that have a certificate of this authority
    #[arg(long, value_name = "FILE", env = "STEADFAST_CLIENT_CA")]
    client_ca: Option<PathBuf>,
    /// Manifests that stand for the cluster, all there is in it: Services, storage classes; for kinds that are not looked up. May be repeated
    #[arg(
        long,
        value_name = "FILE|DIR",
        env = "STEADFAST_CLUSTER",
        value_delimiter = ','
    )]
    cluster: Vec<PathBuf>,
    /// What to look up in the API server, with a kubeconfig's or a pod's access, and the namespaces with it [default: nothing]
    #[arg(
        long,
        value_enum,
        value_name = "KIND",
        env = "STEADFAST_LOOKUPS",
        value_delimiter = ','
    )]
    lookups: Vec<LookupArg>,
    #[command(flatten)]
    policy: PolicyArgs,
    /// After SIGTERM, serve this long before the listener closes, since calls still come until the cluster has noticed that
    /// the process is not ready [default: 15, with --dev 0]
    #[arg(long, value_name = "SECONDS", env = "STEADFAST_SHUTDOWN_DELAY")]
    shutdown_delay: Option<u16>,
    /// Try it here: on loopback unless --listen says otherwise, with a certificate made once into certs/
    #[arg(long)]
    dev: bool,
    /// How to write the log
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        env = "STEADFAST_LOG_FORMAT"
    )]
    log_format: LogFormat,
    /// Log more; twice for even more
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum LogFormat {
    #[default]
    Human,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "lower")]
enum LookupArg {
    /// The Services: watched, and asked for where one is missing
    Services,
    /// The storage classes, likewise
    StorageClasses,
    /// The claims of a namespace: asked for where several pods may want one, or what is left of an earlier set may be adopted
    PersistentVolumeClaims,
    /// What a set was before: what breaks a rule anew is then denied on an update too, and a rollback never is
    ControllerRevisions,
    /// The budgets that say how many pods may be evicted at a time: watched
    PodDisruptionBudgets,
}

impl From<LookupArg> for Lookup {
    fn from(lookup: LookupArg) -> Self {
        match lookup {
            LookupArg::Services => Self::Services,
            LookupArg::StorageClasses => Self::StorageClasses,
            LookupArg::PersistentVolumeClaims => Self::PersistentVolumeClaims,
            LookupArg::ControllerRevisions => Self::ControllerRevisions,
            LookupArg::PodDisruptionBudgets => Self::PodDisruptionBudgets,
        }
    }
}

impl Serve {
    pub(super) fn run(self) -> Result<Outcome> {
        // Bad policies and manifests stop the start before anything is bound.
        let policies = self.policy.read()?;
        let cluster = review::view(&self.cluster)?;
        let files = self.pair()?;
        workload::read_ahead();
        self.log();
        let address = if self.dev {
            Ipv4Addr::LOCALHOST
        } else {
            Ipv4Addr::UNSPECIFIED
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        let sockets = Sockets {
            listen: self.listen.unwrap_or_else(|| (address, 8443).into()),
            status_listen: self.status_listen.unwrap_or_else(|| (address, 8080).into()),
            tls: files,
            tls_interval: TLS_INTERVAL,
            limits: Limits::default(),
            stop: self.stop(),
        };
        let given = Arc::from(cluster);
        let lookups = runtime.block_on(self.lookups(&given))?;
        let settings = Settings {
            sockets,
            policies,
            cluster: lookups.clone().map_or(given, |live| live),
            lookups,
        };
        runtime.block_on(server::run(settings, |listen, status| {
            self.say_ready(listen, status);
        }))?;
        Ok(Outcome::Clean)
    }

    fn stop(&self) -> Stop {
        let default = Stop::default();
        let delay = match self.shutdown_delay {
            Some(seconds) => Duration::from_secs(seconds.into()),
            None if self.dev => Duration::ZERO,
            None => default.delay,
        };
        Stop { delay, ..default }
    }

    /// The serving pair: the one named, or with `--dev` one that is made where there is none.
    fn pair(&self) -> Result<tls::Files> {
        let (certificate, key) = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
            _ if self.dev => Certs::for_development(Path::new(DEV_CERTS))?,
            _ => bail!(
                "--tls-cert and --tls-key must be set (`steadfast certs` makes a pair, `--dev` does so by itself)"
            ),
        };
        Ok(tls::Files {
            certificate,
            key,
            client_ca: self.client_ca.clone(),
        })
    }

    /// Whom to ask, and what is watched from now on; of the rest, what is given is known.
    async fn lookups(&self, given: &Arc<dyn ClusterView>) -> Result<Option<Arc<Live>>> {
        if self.lookups.is_empty() {
            return Ok(None);
        }
        let lookups = self.lookups.iter().copied().map(Lookup::from);
        let live = Live::connect(lookups.collect(), Arc::clone(given)).await;
        live.map(|live| Some(Arc::new(live)))
            .context("--lookups needs access to the API server")
    }

    fn log(&self) {
        let filter = match self.verbose {
            // What a client's frames make the HTTP/2 library say is no news of ours, and what breaks a watch we say ourselves.
            0 => "info,h2=error,kube_client=off,kube_runtime=off",
            1 => "info,h2=error,kube_client=off,kube_runtime=off,steadfast=debug",
            _ => "debug,steadfast=trace",
        };
        // Whether there is colour is decided once: a writer that takes it out of every line costs more than the judgement.
        let colour = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
        let log = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(filter))
            .with_ansi(colour)
            .with_writer(io::stderr);
        match self.log_format {
            LogFormat::Human => log.with_target(false).init(),
            LogFormat::Json => log.json().flatten_event(true).with_target(false).init(),
        }
        std::panic::set_hook(Box::new(|panic| tracing::error!("Panicked: {panic}")));
    }

    /// Where what is known of the cluster is from.
    fn known(&self) -> String {
        let kinds = self.lookups.iter().filter_map(ValueEnum::to_possible_value);
        let kinds: Vec<_> = kinds.map(|kind| kind.get_name().to_owned()).collect();
        match (&kinds[..], &self.cluster[..]) {
            ([], given) => list(
                given,
                "unknown, so nothing that hangs on it is injected (--lookups KIND,..., --cluster FILE|DIR)",
            ),
            (kinds, []) => format!("looked up: {}", kinds.join(", ")),
            (kinds, given) => {
                let given = list(given, "");
                format!("looked up: {}; for other kinds {given}", kinds.join(", "))
            }
        }
    }

    /// The ready line, by what it judges, and with `--dev` how to try it. There is nobody left to tell where stderr is closed.
    fn say_ready(&self, listen: SocketAddr, status: SocketAddr) {
        let version = env!("CARGO_PKG_VERSION");
        let policy = list(&self.policy.policies, "built-in baseline");
        let cluster = self.known();
        if matches!(self.log_format, LogFormat::Json) {
            info!(version, %listen, status_listen = %status, policy, cluster, "Serving");
            return;
        }
        let mut stderr = anstream::stderr().lock();
        let _ = writeln!(
            stderr,
            "steadfast {version} serves https://{listen} (POST /mutate, /validate), status http://{status} (/livez, /readyz, /metrics)\n\
             policy: {policy}; cluster: {cluster}"
        );
        if self.dev && self.tls_cert.is_none() {
            let port = listen.port();
            let _ = writeln!(
                stderr,
                "try it: curl --cacert {DEV_CERTS}/ca.crt https://127.0.0.1:{port}/mutate -H 'Content-Type: application/json' -d @review.json"
            );
        }
    }
}

/// An address to listen on, in words for who has typed one.
fn address(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse();
    address.map_err(|_| {
        "expected an IP address and a port, such as 0.0.0.0:8443 or [::]:8443".to_owned()
    })
}

fn list(paths: &[PathBuf], none: &str) -> String {
    if paths.is_empty() {
        return none.to_owned();
    }
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
