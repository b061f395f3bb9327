rm config/upstreams/[!p]*.yaml
KEY=test
