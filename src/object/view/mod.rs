//! The reading model of a StatefulSet: what rules read, borrowed from the text of the request.
//!
//! Only fields that some rule reads are here; a field more is a line more. The API server's defaults are filled in as
//! the text is parsed, so what a user left out and what the API server filled in read the same (defaults:
//! `SetDefaults_StatefulSet` in kubernetes/kubernetes `pkg/apis/apps/v1/defaults.go`, and `pkg/apis/core/v1/defaults.go`).
//! `null` reads as absent, unknown values stay text, unknown fields are passed over.

#[macro_use]
mod table;
mod list;
mod map;
mod read;
mod text;

#[cfg(test)]
mod tests;

pub use list::List;
pub use map::{Annotations, Kept, Labels, Presence, Raw};
pub use read::ParseError;
pub use text::{IntOrString, Text};

table! {
    /// A StatefulSet (`apps/v1`).
    pub struct StatefulSet is "io.k8s.api.apps.v1.StatefulSet" {
        /// Name, labels, annotations and who owns which field.
        metadata "metadata": ObjectMeta<'a>,
        /// What the user asks for.
        spec "spec": Spec<'a>,
    }

    /// Metadata of an object or a template.
    pub struct ObjectMeta is "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" {
        /// The name; empty where the API server is still to make one from `generateName`.
        name "name": Text<'a>,
        /// What the API server makes a name from, where there is none.
        generate_name "generateName": Text<'a>,
        /// The namespace; empty in most manifests.
        namespace "namespace": Text<'a>,
        /// The labels.
        labels "labels": Labels<'a>,
        /// The annotations.
        annotations "annotations": Annotations<'a>,
        /// Who made the object on somebody's behalf.
        owner_references "ownerReferences": List<OwnerReference<'a>>,
        /// When deletion was asked for, if it was.
        deletion_timestamp "deletionTimestamp": Option<Text<'a>>,
        /// Who owns which field; read only by [`super::ownership`].
        managed_fields "managedFields": Option<Raw<'a>>,
    }

    /// An owner of an object.
    pub struct OwnerReference is "io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference" {
        /// Whether the owner manages the object.
        controller "controller": bool,
    }

    /// The spec of a StatefulSet.
    pub struct Spec is "io.k8s.api.apps.v1.StatefulSetSpec" {
        /// How many pods.
        replicas "replicas": i64 = 1,
        /// Which pods are the set's.
        selector "selector": LabelSelector<'a>,
        /// The governing Service's name; empty where there is none.
        service_name "serviceName": Text<'a>,
        /// `OrderedReady` or `Parallel`.
        pod_management_policy "podManagementPolicy": Text<'a> = "OrderedReady".into(),
        /// The update strategy as it stands in the text; read it with [`Spec::update_strategy`].
        stated_update_strategy "updateStrategy": Option<UpdateStrategy<'a>>,
        /// What becomes of the claims of pods that are gone.
        claim_retention "persistentVolumeClaimRetentionPolicy": ClaimRetention<'a>,
        /// The pods.
        template "template": PodTemplate<'a>,
        /// The claims that each pod gets.
        volume_claim_templates "volumeClaimTemplates": List<ClaimTemplate<'a>>,
    }

    /// What becomes of the claims of pods that are gone: `Retain` or `Delete`.
    pub struct ClaimRetention is "io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy" {
        /// With the set.
        when_deleted "whenDeleted": Text<'a> = "Retain".into(),
        /// With fewer replicas.
        when_scaled "whenScaled": Text<'a> = "Retain".into(),
    }

    /// A selector of labels.
    pub struct LabelSelector is "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector" {
        /// The labels that must be there.
        match_labels "matchLabels": Labels<'a>,
        /// What else must hold for a pod's labels.
        match_expressions "matchExpressions": Kept<'a>,
    }

    /// How pods are replaced when the template changes.
    pub struct UpdateStrategy is "io.k8s.api.apps.v1.StatefulSetUpdateStrategy" {
        /// `RollingUpdate`, `OnDelete`, or a name that is newer than this program.
        type_ "type": Text<'a> = "RollingUpdate".into(),
        /// What holds for a rolling update.
        rolling_update "rollingUpdate": RollingUpdate<'a>,
    }

    /// The parameters of a rolling update.
    pub struct RollingUpdate is "io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy" {
        /// Pods with a lower ordinal keep the old template.
        partition "partition": i64,
    }

    /// The template of the pods.
    pub struct PodTemplate is "io.k8s.api.core.v1.PodTemplateSpec" {
        /// Labels and annotations of each pod.
        metadata "metadata": ObjectMeta<'a>,
        /// What runs in each pod.
        spec "spec": PodSpec<'a>,
    }

    /// What runs in a pod.
    pub struct PodSpec is "io.k8s.api.core.v1.PodSpec" {
        /// The containers.
        containers "containers": List<Container<'a>>,
        /// What runs before them, native sidecars among it.
        init_containers "initContainers": List<Container<'a>>,
        /// The pod's volumes, without those from claim templates.
        volumes "volumes": List<Volume<'a>>,
        /// Seconds between the request to stop and the kill.
        termination_grace_period_seconds "terminationGracePeriodSeconds": i64 = 30,
        /// As whom the containers run, where they do not say it themselves.
        security_context "securityContext": PodSecurityContext<'a>,
    }

    /// As whom the containers of a pod run.
    pub struct PodSecurityContext is "io.k8s.api.core.v1.PodSecurityContext" {
        /// The user's number.
        run_as_user "runAsUser": Option<i64>,
        /// The group that volumes are given to.
        fs_group "fsGroup": Option<i64>,
    }

    /// As whom a container runs.
    pub struct SecurityContext is "io.k8s.api.core.v1.SecurityContext" {
        /// The user's number.
        run_as_user "runAsUser": Option<i64>,
    }

    /// A container or init container.
    pub struct Container is "io.k8s.api.core.v1.Container" {
        /// The name.
        name "name": Text<'a>,
        /// The image.
        image "image": Text<'a>,
        /// The entry point, where it replaces the image's.
        command "command": List<Text<'a>>,
        /// Its arguments.
        args "args": List<Text<'a>>,
        /// The environment variables.
        env "env": List<EnvVar<'a>>,
        /// Environment variables that somebody else knows.
        env_from "envFrom": List<EnvFromSource<'a>>,
        /// The declared ports.
        ports "ports": List<ContainerPort<'a>>,
        /// When the pod may be served.
        readiness_probe "readinessProbe": Option<Probe<'a>>,
        /// When the container is to be restarted.
        liveness_probe "livenessProbe": Option<Probe<'a>>,
        /// When the other two begin.
        startup_probe "startupProbe": Option<Probe<'a>>,
        /// The mounts.
        volume_mounts "volumeMounts": List<VolumeMount<'a>>,
        /// The raw block devices.
        volume_devices "volumeDevices": List<VolumeDevice<'a>>,
        /// `Always` makes an init container a native sidecar.
        restart_policy "restartPolicy": Text<'a>,
        /// As whom it runs, where it is not as the pod says.
        security_context "securityContext": SecurityContext<'a>,
    }

    /// A probe: whom it asks.
    pub struct Probe is "io.k8s.api.core.v1.Probe" {
        /// By HTTP.
        http_get "httpGet": Option<HttpGet<'a>>,
        /// By opening a connection.
        tcp_socket "tcpSocket": Option<TcpSocket<'a>>,
        /// By running a command.
        exec "exec": Option<ExecAction<'a>>,
        /// By the health service of gRPC.
        grpc "grpc": Option<GrpcAction<'a>>,
        /// How long an answer may take, in seconds.
        timeout "timeoutSeconds": i64 = 1,
        /// How often it is asked, in seconds.
        period "periodSeconds": i64 = 10,
        /// After how many failures in a row something is done.
        failure_threshold "failureThreshold": i64 = 3,
    }

    /// A command that is run in the container.
    pub struct ExecAction is "io.k8s.api.core.v1.ExecAction" {
        /// The program and its arguments.
        command "command": List<Text<'a>>,
    }

    /// A question to the health service of gRPC.
    pub struct GrpcAction is "io.k8s.api.core.v1.GRPCAction" {
        /// The port's number.
        port "port": i64,
        /// The name that is asked for.
        service "service": Text<'a>,
    }

    /// A question by HTTP.
    pub struct HttpGet is "io.k8s.api.core.v1.HTTPGetAction" {
        /// The port, by number or name.
        port "port": IntOrString<'a>,
    }

    /// A connection.
    pub struct TcpSocket is "io.k8s.api.core.v1.TCPSocketAction" {
        /// The port, by number or name.
        port "port": IntOrString<'a>,
    }

    /// An environment variable.
    pub struct EnvVar is "io.k8s.api.core.v1.EnvVar" {
        /// The name.
        name "name": Text<'a>,
        /// The value, where it is written out.
        value "value": Text<'a>,
    }

    /// Environment variables out of a ConfigMap or Secret.
    pub struct EnvFromSource is "io.k8s.api.core.v1.EnvFromSource" {
        /// What their names begin with.
        prefix "prefix": Text<'a>,
    }

    /// A declared port.
    pub struct ContainerPort is "io.k8s.api.core.v1.ContainerPort" {
        /// The name, if it has one.
        name "name": Text<'a>,
        /// The number.
        container_port "containerPort": i64,
        /// `TCP`, `UDP` or `SCTP`.
        protocol "protocol": Text<'a> = "TCP".into(),
    }

    /// A mount of a volume.
    pub struct VolumeMount is "io.k8s.api.core.v1.VolumeMount" {
        /// The volume's name.
        name "name": Text<'a>,
        /// Where it appears in the container.
        mount_path "mountPath": Text<'a>,
        /// A folder or file in the volume to mount in its stead.
        sub_path "subPath": Text<'a>,
        /// The same with variables.
        sub_path_expr "subPathExpr": Text<'a>,
        /// Whether the container may not write.
        read_only "readOnly": bool,
    }

    /// A raw block device.
    pub struct VolumeDevice is "io.k8s.api.core.v1.VolumeDevice" {
        /// The volume's name.
        name "name": Text<'a>,
    }

    /// A volume of the pod, and of its sources those that rules tell from the others.
    pub struct Volume is "io.k8s.api.core.v1.Volume" {
        /// The name.
        name "name": Text<'a>,
        /// A folder that goes with the pod.
        empty_dir "emptyDir": Presence,
        /// A folder of the node.
        host_path "hostPath": Presence,
        /// A claim that is made for the pod, and goes with it.
        ephemeral "ephemeral": Presence,
        /// A claim that is there.
        claim "persistentVolumeClaim": Option<ClaimSource<'a>>,
        /// Configuration.
        config_map "configMap": Presence,
        /// Credentials.
        secret "secret": Presence,
        /// Several of configuration, credentials and facts of the pod.
        projected "projected": Presence,
        /// Facts of the pod.
        downward_api "downwardAPI": Presence,
    }

    /// A claim that a volume stands for.
    pub struct ClaimSource is "io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource" {
        /// The claim's name.
        claim_name "claimName": Text<'a>,
        /// Whether nobody may write.
        read_only "readOnly": bool,
    }

    /// A template of the claims that each pod gets.
    pub struct ClaimTemplate is "io.k8s.api.core.v1.PersistentVolumeClaim" {
        /// Its metadata; the name is the volume's.
        metadata "metadata": ObjectMeta<'a>,
        /// What is asked for: size, class and the rest; read it with [`ClaimTemplate::asks`].
        spec "spec": Kept<'a>,
    }

    /// What a claim asks for.
    pub struct ClaimSpec is "io.k8s.api.core.v1.PersistentVolumeClaimSpec" {
        /// Who may mount it: `ReadWriteOnce`, `ReadOnlyMany`, `ReadWriteMany`, `ReadWriteOncePod`.
        access_modes "accessModes": List<Text<'a>>,
        /// How much.
        resources "resources": ClaimResources<'a>,
        /// The class; none for the default one, empty for no class at all.
        storage_class_name "storageClassName": Option<Text<'a>>,
        /// The volume that is to be bound, and no other.
        volume_name "volumeName": Text<'a>,
        /// The labels of the volumes that may be bound.
        selector "selector": Presence,
        /// `Filesystem` or `Block`.
        volume_mode "volumeMode": Text<'a> = "Filesystem".into(),
    }

    /// How much a claim asks for.
    pub struct ClaimResources is "io.k8s.api.core.v1.VolumeResourceRequirements" {
        /// At least; read it with [`ClaimResources::storage`].
        requests "requests": Kept<'a>,
    }
}
