{{/* The settings of a node, as JSON: "" for none. */}}
{{- define "crossarch.settings" -}}
{{- $settings := .Values.settings -}}
{{- if .Values.privateEmulators -}}
{{- $settings = merge (dict "private_emulators" true) $settings -}}
{{- end -}}
{{- if $settings -}}{{ toJson $settings }}{{- end -}}
{{- end -}}

{{/* The data of the ConfigMap: what the installer's variables are. */}}
{{- define "crossarch.variables" -}}
CROSSARCH_DISTRIBUTION: {{ .Values.distribution | quote }}
CROSSARCH_EMULATORS: {{ join " " .Values.emulators | quote }}
CROSSARCH_HANDLERS: {{ join " " .Values.architectures | quote }}
CROSSARCH_FORCE: {{ .Values.force | quote }}
CROSSARCH_DEFAULT: {{ .Values.default | quote }}
CROSSARCH_CONFIG: {{ include "crossarch.settings" . | quote }}
CROSSARCH_LABELS: {{ .Values.nfd | quote }}
CROSSARCH_KEEP: {{ .Values.keep | quote }}
CROSSARCH_SOCKET: {{ .Values.socket | quote }}
CROSSARCH_RESTART: {{ .Values.restart | quote }}
CROSSARCH_PATIENCE: {{ .Values.patience | quote }}
{{- end -}}

{{/* One class; (list ROOT NAME ARCHITECTURE), the architecture "" for that of all. */}}
{{- define "crossarch.class" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $arch := index . 2 -}}
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: {{ $name }}
handler: {{ $name }}
overhead:
  podFixed:
    # Measured: each emulated process takes 12 MiB before its program does anything,
    # 5 of them its own; Python takes 35 where it has 8 natively.
    memory: 32Mi
    cpu: 20m
{{- if $root.Values.nfd }}
scheduling:
  nodeSelector:
    # Set by node-feature-discovery from the file that "crossarch labels --write" makes.
    feature.node.kubernetes.io/crossarch.ready: "true"
    {{- if $arch }}
    feature.node.kubernetes.io/crossarch.runs-{{ $arch }}: "true"
    {{- end }}
{{- end }}
{{- end -}}
