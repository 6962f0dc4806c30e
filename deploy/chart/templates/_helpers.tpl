{{- define "steadfast.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "steadfast.serviceName" -}}
{{ .Values.service.name | default (include "steadfast.name" .) }}
{{- end -}}

{{- define "steadfast.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "steadfast.labels" -}}
{{ include "steadfast.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* tls.caBundle without line breaks, checked: the API server stores any bytes and then fails every call. */ -}}
{{- define "steadfast.caBundle" -}}
{{- $given := .Values.tls.caBundle -}}
{{- $base64 := regexReplaceAll "\\s" $given "" -}}
{{- $pem := b64dec $base64 -}}
{{- $encode := "--set tls.caBundle=\"$(base64 < ca.crt | tr -d '\\n')\"" -}}
{{- if not $given -}}
{{- fail (printf "tls.caBundle is missing. It is the CA that signed the serving certificate, as base64 of its PEM text: %s" $encode) -}}
{{- else if contains "-----BEGIN" $given -}}
{{- fail (printf "tls.caBundle is PEM text. Encode it once more, as base64: %s" $encode) -}}
{{- else if not (regexMatch "^[A-Za-z0-9+/]+={0,2}$" $base64) -}}
{{- fail (printf "tls.caBundle is not base64. It is base64 of the CA's PEM text: %s" $encode) -}}
{{- else if contains "PRIVATE KEY" $pem -}}
{{- fail "tls.caBundle holds a private key. Only the CA's certificate belongs there: everyone who may read webhook configurations sees it. Take that key for leaked." -}}
{{- else if not (and (contains "-----BEGIN CERTIFICATE-----" $pem) (contains "-----END CERTIFICATE-----" $pem)) -}}
{{- fail (printf "tls.caBundle is base64, but not of PEM certificates (-----BEGIN CERTIFICATE----- ...). Encode the CA's PEM text once: %s" $encode) -}}
{{- end -}}
{{- $base64 -}}
{{- end -}}

{{- /* Everything that the two webhooks share; the caller gives name and path. */ -}}
{{- define "steadfast.webhook" -}}
admissionReviewVersions: [v1]
sideEffects: None
failurePolicy: {{ .Values.webhook.failurePolicy }}
matchPolicy: Equivalent
namespaceSelector:
  matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values: {{- list "kube-system" .Release.Namespace | uniq | toYaml | nindent 4 }}
  {{- with .Values.webhook.namespaceSelector }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
objectSelector: {}
rules:
- apiGroups: [apps]
  apiVersions: [v1]
  resources: [statefulsets]
  operations: [CREATE, UPDATE]
  scope: Namespaced
{{- end -}}

{{- define "steadfast.clientConfig" -}}
caBundle: {{ include "steadfast.caBundle" . }}
service:
  name: {{ include "steadfast.serviceName" . }}
  namespace: {{ .Release.Namespace }}
  port: {{ .Values.service.port }}
{{- end -}}
