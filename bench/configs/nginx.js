// The translation of Accord's first example, in njs: parse, map, write.
function head(r) {
  delete r.headersOut['Content-Length'];
  if (r.status >= 400) r.headersOut['Content-Type'] = 'application/problem+json';
}
let held = '';
function body(r, data, flags) {
  held += data;
  if (!flags.last) return;
  const reply = JSON.parse(held);
  held = '';
  if (r.status < 400) { r.sendBuffer(JSON.stringify({data: reply.data, meta: {upstream: 'salla'}}), flags); return; }
  const said = reply.error, errors = [];
  Object.keys(said.fields || {}).forEach(name => said.fields[name].forEach(text => errors.push({field: name, pointer: '#/' + name, detail: text})));
  r.sendBuffer(JSON.stringify({type: '/-/problems/validation_failed', title: 'The request has invalid fields', status: reply.status,
    detail: said.message, code: 'validation_failed', errors, upstream: {name: 'salla', status: reply.status, code: said.code}}), flags);
}
export default {head, body};
