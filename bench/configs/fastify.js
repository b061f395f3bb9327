// Fastify with reply-from, doing the same translation.
const server = require('fastify')();
server.register(require('@fastify/reply-from'), {base: 'http://127.0.0.1:' + process.argv[3]});
server.all('/*', (request, reply) => reply.from(request.url, {onResponse(_request, answer, result) {
  const stream = result.stream || result;
  if (request.url === '/raw' || request.url === '/big') { answer.send(stream); return; }
  const chunks = [];
  stream.on('data', chunk => chunks.push(chunk));
  stream.on('end', () => {
    const body = JSON.parse(Buffer.concat(chunks));
    answer.removeHeader('content-length');
    if (result.statusCode < 400) { answer.type('application/json').send(JSON.stringify({data: body.data, meta: {upstream: 'salla'}})); return; }
    const said = body.error;
    const errors = Object.entries(said.fields || {}).flatMap(([field, texts]) => texts.map(detail => ({field, pointer: '#/' + field, detail})));
    answer.type('application/problem+json').send(JSON.stringify({type: '/-/problems/validation_failed', title: 'The request has invalid fields',
      status: body.status, detail: said.message, code: 'validation_failed', errors, upstream: {name: 'salla', status: body.status, code: said.code}}));
  });
}}));
server.listen({port: +process.argv[2], host: '127.0.0.1'});
