git init -q -b main
git config user.name Reader
git config user.email reader@parts.example
git add config
git commit -qm Before
git switch -qc change
sed -i 's,prefix: /parts,prefix: /v2/parts,; s/E_STOCK: conflict/E_STOCK: gone/; s/status: 409, code: conflict/status: 410, code: gone/' config/upstreams/parts.yaml
echo 'routes: [{name: orders, match: {path: /orders/*}}]' >> config/upstreams/parts.yaml
BEFORE=../before/config/gateway.yaml
