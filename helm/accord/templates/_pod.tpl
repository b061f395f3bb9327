{{/* Parts of the pod. */}}

{{/* A volume's name is a DNS label, which a name of files need not be. */}}
{{- define "accord.volume" -}}
{{- printf "files-%s" (. | replace "." "-") | trunc 54 | trimSuffix "-" }}-{{ sha256sum . | trunc 8 }}
{{- end }}

{{- define "accord.env" -}}
{{- $redis := .Values.store.redis }}
{{- if or .Values.env .Values.extraEnv $redis.secret }}
env:
  {{- if $redis.secret }}
  - name: ACCORD_REDIS_URL
    valueFrom: {secretKeyRef: {name: {{ $redis.secret | quote }}, key: {{ $redis.urlKey | quote }}}}
  {{- if $redis.hashKey }}
  - name: ACCORD_REDIS_SECRET
    valueFrom: {secretKeyRef: {name: {{ $redis.secret | quote }}, key: {{ $redis.hashKey | quote }}}}
  {{- end }}
  {{- end }}
  {{- range $variable, $at := .Values.env }}
  - name: {{ $variable | quote }}
    valueFrom: {secretKeyRef: {name: {{ $at.secret | quote }}, key: {{ $at.key | quote }}}}
  {{- end }}
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- with .Values.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What is asked for and what is the most, by the number of processes: each uses one CPU at most. */}}
{{- define "accord.resources" -}}
{{- if .Values.resources }}
{{- toYaml .Values.resources }}
{{- else }}
{{- $processes := int .Values.processes }}
{{- $supervisor := ternary 1 0 (gt $processes 1) }}
requests:
  cpu: {{ mul 500 $processes }}m
  memory: {{ mul 128 (add $processes $supervisor) }}Mi
limits:
  cpu: {{ add $processes $supervisor | quote }}
  memory: {{ mul 512 (add $processes $supervisor) }}Mi
{{- end }}
{{- end }}
