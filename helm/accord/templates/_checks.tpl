{{/* What no schema can say, and what a pod would find only when it starts. */}}
{{- define "accord.check" -}}
{{- if not (include "accord.upstreams" . | fromJson) }}
  {{- fail "\n\nupstreams is empty, and a gateway without an upstream does not start. Name one:\n  upstreams: {salla: {version: 1, name: salla, base_url: 'https://api.salla.dev/admin/v2', match: {prefix: /salla}}}\n" }}
{{- end }}
{{- include "accord.checkName" . }}
{{- include "accord.checkAddresses" . }}
{{- include "accord.checkVariables" . }}
{{- include "accord.checkTwice" . }}
{{- include "accord.checkCounts" . }}
{{- end }}

{{- define "accord.checkName" -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" (include "accord.fullname" .)) }}
  {{- fail (printf "\n\nObjects would be named %s, and a Service's name begins with a letter: set fullnameOverride.\n" (include "accord.fullname" .)) }}
{{- end }}
{{- end }}

{{/* A variable that is there twice is taken from either place, as it happens; some ways to apply an object refuse it. */}}
{{- define "accord.checkTwice" -}}
{{- $seen := dict }}
{{- range (include "accord.env" . | fromYaml).env }}
  {{- if hasKey $seen .name }}
    {{- fail (printf "\n\nThe variable %s is given twice, in two of env, extraEnv and store.redis: leave one of them out.\n" .name) }}
  {{- end }}
  {{- $_ := set $seen .name true }}
{{- end }}
{{- end }}

{{- define "accord.checkAddresses" -}}
{{- range $key := list "listen" "admin" }}
  {{- $address := get $.Values.config $key | default "" }}
  {{- if regexMatch "^(127\\.|localhost:|\\[::1\\])" $address }}
    {{- fail (printf "\n\nconfig.%s is %s, which nobody outside of the container reaches: write 0.0.0.0:%s, or [::]:%s.\n" $key $address (include "accord.port" $address) (include "accord.port" $address)) }}
  {{- end }}
  {{- if or (not (regexMatch "^([^:\\[\\]]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]+$" $address)) (eq (include "accord.port" $address | int) 0) }}
    {{- fail (printf "\n\nconfig.%s must say an address with a port of its own, as in 0.0.0.0:8080.\n" $key) }}
  {{- end }}
{{- end }}
{{- if eq (include "accord.port" .Values.config.listen) (include "accord.port" .Values.config.admin) }}
  {{- fail "\n\nconfig.listen and config.admin have one port: operators never come in where clients do.\n" }}
{{- end }}
{{- end }}

{{/* Variables that the configuration names and nothing gives. Whole secrets (envFrom) may hold any. */}}
{{- define "accord.checkVariables" -}}
{{- $given := keys (.Values.env | default dict) }}
{{- range .Values.extraEnv }}{{ $given = append $given .name }}{{ end }}
{{- if .Values.store.redis.secret }}{{ $given = concat $given (list "ACCORD_REDIS_URL" "ACCORD_REDIS_SECRET") }}{{ end }}
{{- $missing := list }}
{{- $files := include "accord.upstreams" . | fromJson }}
{{- $named := dict "config.store" (include "accord.config" . | fromYaml).store }}
{{- range $name, $file := $files }}
  {{- $_ := set $named (printf "upstreams.%s.credentials" $name) $file.credentials }}
{{- end }}
{{- range $place, $value := $named }}
  {{- $found := dict "it" $value "names" list }}
  {{- include "accord.variables" $found }}
  {{- range $variable := $found.names }}
    {{- if not (has $variable $given) }}{{ $missing = append $missing (printf "%s names %s" $place $variable) }}{{ end }}
  {{- end }}
{{- end }}
{{- if and $missing (not .Values.envFrom) }}
  {{- fail (printf "\n\nNothing gives the variables that the configuration names:\n  %s\nName the secret that holds each, as in  env: {PARTS_TOKEN: {secret: parts, key: token}}\n" (join "\n  " (uniq $missing))) }}
{{- end }}
{{- end }}

{{/* Append to "names" all that stands under keys that end in _env, at any depth of "it". */}}
{{- define "accord.variables" -}}
{{- $found := . }}
{{- if kindIs "map" .it }}
  {{- range $key, $value := .it }}
    {{- if and (hasSuffix "_env" $key) (kindIs "string" $value) }}
      {{- $_ := set $found "names" (append $found.names $value) }}
    {{- else }}
      {{- include "accord.variablesBelow" (list $found $value) }}
    {{- end }}
  {{- end }}
{{- else if kindIs "slice" .it }}
  {{- range $value := .it }}{{ include "accord.variablesBelow" (list $found $value) }}{{ end }}
{{- end }}
{{- end }}

{{- define "accord.variablesBelow" -}}
{{- $inner := dict "it" (index . 1) "names" list }}
{{- include "accord.variables" $inner }}
{{- $_ := set (index . 0) "names" (concat (index . 0).names $inner.names) }}
{{- end }}

{{- define "accord.checkCounts" -}}
{{- with .Values.metrics.serviceMonitor }}
  {{- if and .enabled (gt (include "accord.seconds" .scrapeTimeout | int) (include "accord.seconds" .interval | int)) }}
    {{- fail (printf "\n\nmetrics.serviceMonitor.scrapeTimeout is %s, longer than interval, %s: the Prometheus operator would leave the monitor out.\n" .scrapeTimeout .interval) }}
  {{- end }}
{{- end }}
{{- with .Values.autoscaling }}
  {{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) }}
    {{- fail (printf "\n\nautoscaling.minReplicas is %d, which is more than maxReplicas, %d.\n" (int .minReplicas) (int .maxReplicas)) }}
  {{- end }}
{{- end }}
{{- if and .Values.autoscaling.enabled .Values.resources (not (dig "requests" "cpu" "" .Values.resources)) }}
  {{- fail "\n\nautoscaling counts shares of the CPU that pods request: say resources.requests.cpu, or leave resources out.\n" }}
{{- end }}
{{- with .Values.podDisruptionBudget }}
  {{- if and .enabled (eq (kindIs "invalid" .maxUnavailable) (kindIs "invalid" .minAvailable)) }}
    {{- fail "\n\npodDisruptionBudget takes one of maxUnavailable and minAvailable: set the other to null.\n" }}
  {{- end }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
  {{- fail "\n\ningress.enabled needs ingress.hosts, as in [{host: gateway.example}].\n" }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
  {{- fail "\n\nhttpRoute.enabled needs httpRoute.parentRefs, as in [{name: public, namespace: gateways}].\n" }}
{{- end }}
{{- range $name, $files := .Values.files }}
  {{- if eq (empty $files.secret) (empty $files.configMap) }}
    {{- fail (printf "\n\nfiles.%s takes one of secret and configMap.\n" $name) }}
  {{- end }}
{{- end }}
{{- end }}
