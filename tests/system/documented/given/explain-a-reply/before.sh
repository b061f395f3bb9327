rm config/upstreams/[!ps]*.yaml config/upstreams/status-message-body.yaml
