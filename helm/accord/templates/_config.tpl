{{/* The configuration, from values to files. */}}

{{/* gateway.yaml as a mapping: what the values say, where the upstream files are, and the store that they name. */}}
{{- define "accord.config" -}}
{{- $config := deepCopy .Values.config }}
{{- $_ := set $config "upstreams" "upstreams.*.yaml" }}
{{- with .Values.store.redis }}
  {{- if .secret }}
    {{- $store := $config.store | default dict }}
    {{- if not (and (kindIs "map" $store) (or (empty $store) (hasKey $store "redis"))) }}
      {{- fail (printf "\n\nconfig.store is %s, and store.redis.secret names a Redis: leave one of them out.\n" (toJson $store)) }}
    {{- end }}
    {{- $redis := dict "url_env" "ACCORD_REDIS_URL" }}
    {{- if .hashKey }}{{ $_ := set $redis "secret_env" "ACCORD_REDIS_SECRET" }}{{ end }}
    {{- $_ := set $config "store" (dict "redis" (merge $redis ($store.redis | default dict))) }}
  {{- end }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{/* The upstream files as mappings: {name: file}, as JSON; of a text, what can be read of it. */}}
{{- define "accord.upstreams" -}}
{{- $files := dict }}
{{- range $name, $file := .Values.upstreams }}
  {{- if $file }}
    {{- $read := $file }}
    {{- if kindIs "string" $file }}
      {{- $read = fromYaml $file }}
      {{- if hasKey $read "Error" }}
        {{- fail (printf "\n\nupstreams.%s cannot be read as YAML: %s\n" $name $read.Error) }}
      {{- end }}
      {{- if not (and (kindIs "map" $read.match) (regexMatch "^https?://[^/]" (toString $read.base_url))) }}
        {{- fail (printf "\n\nupstreams.%s must say base_url, as in https://api.example, and match, as in {prefix: /api}. `accord check` tells of all faults.\n" $name) }}
      {{- end }}
    {{- end }}
    {{- $_ := set $files $name $read }}
  {{- end }}
{{- end }}
{{- toJson $files }}
{{- end }}

{{/* "yes" where limits are counted in Redis, by whichever value. */}}
{{- define "accord.redis" -}}
{{- $store := .Values.config.store }}
{{- if or .Values.store.redis.secret (and (kindIs "map" $store) (hasKey $store "redis")) }}yes{{ end }}
{{- end }}

{{/* The port of an address, and "" for one that has none. */}}
{{- define "accord.port" -}}
{{- regexFind "[0-9]+$" (. | default "") }}
{{- end }}

{{/* A duration (500ms, 2s, 1.5m) in whole seconds, rounded up. */}}
{{- define "accord.seconds" -}}
{{- $unit := regexFind "[a-z]+$" . }}
{{- $ms := mulf (trimSuffix $unit . | float64) (get (dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 "d" 86400000) $unit) }}
{{- divf $ms 1000 | ceil | int64 }}
{{- end }}

{{/* How long a pod's end may take, in seconds: each of its steps in full, one after the other. */}}
{{- define "accord.ending" -}}
{{- $shutdown := .Values.config.shutdown | default dict }}
{{- $delay := include "accord.seconds" ($shutdown.delay | default "0s") | int64 }}
{{- $grace := include "accord.seconds" ($shutdown.grace | default "30s") | int64 }}
{{- add (.Values.drain.preStopSeconds | int64) $delay $grace (.Values.drain.marginSeconds | int64) }}
{{- end }}

{{- define "accord.terminationGracePeriodSeconds" -}}
{{- $needed := include "accord.ending" . | int64 }}
{{- $given := .Values.terminationGracePeriodSeconds }}
{{- if and $given (lt (int64 $given) $needed) }}
  {{- fail (printf "\n\nterminationGracePeriodSeconds is %d, and a pod's end may take %d s: drain.preStopSeconds, config.shutdown.delay, config.shutdown.grace and drain.marginSeconds. Kubernetes would cut running requests off. Leave it out, or make it longer.\n" (int64 $given) $needed) }}
{{- end }}
{{- $given | default $needed | int64 }}
{{- end }}
