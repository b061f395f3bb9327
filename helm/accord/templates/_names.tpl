{{/* Names and labels. A name is cut at 63, what is appended to it included, and never ends in a dash. A dot becomes
one: a Service has none in its name. */}}

{{/* What the labels call the program. No value changes it: a Deployment's selector must stay as it is. */}}
{{- define "accord.name" -}}
{{- .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "accord.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- .Values.fullnameOverride | default $full | lower | replace "_" "-" | replace "." "-" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The full name with something behind it: (list . "config"). Two names that are cut stay apart by what is behind. */}}
{{- define "accord.part" -}}
{{- $part := index . 1 }}
{{- $room := sub 62 (len $part) | int }}
{{- printf "%s-%s" (include "accord.fullname" (index . 0) | trunc $room | trimSuffix "-") $part }}
{{- end }}

{{- define "accord.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "accord.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "accord.image" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion }}
{{- .Values.image.repository }}:{{ $tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* What a Deployment finds its pods by: it must never change. */}}
{{- define "accord.selector" -}}
app.kubernetes.io/name: {{ include "accord.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: gateway
{{- end }}

{{/* The labels of an object, and those that it has besides: (list . (dict …)). Ours go before the user's. */}}
{{- define "accord.labels" -}}
{{- $root := index . 0 }}
{{- $own := dict
  "app.kubernetes.io/name" (include "accord.name" $root)
  "app.kubernetes.io/instance" $root.Release.Name
  "app.kubernetes.io/version" (include "accord.version" $root)
  "app.kubernetes.io/part-of" "accord"
  "app.kubernetes.io/managed-by" $root.Release.Service
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
}}
{{- merge $own (index . 1 | default dict) ($root.Values.commonLabels | default dict) | toYaml }}
{{- end }}

{{/* The labels of a pod: without the chart's version, which would start new pods where nothing of theirs has changed. */}}
{{- define "accord.podLabels" -}}
{{- $own := include "accord.selector" . | fromYaml }}
{{- $also := dict "app.kubernetes.io/version" (include "accord.version" .) "app.kubernetes.io/part-of" "accord" }}
{{- merge $own $also (.Values.podLabels | default dict) (.Values.commonLabels | default dict) | toYaml }}
{{- end }}

{{- define "accord.version" -}}
{{- .Values.image.tag | default .Chart.AppVersion | trunc 63 | trimAll "-_." }}
{{- end }}
