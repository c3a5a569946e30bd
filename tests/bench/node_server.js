// node_server.js PORT KEY - the listener a bot author would write: parses, checks key and type, answers.
// The yardstick of tests/bench/run; it stores and logs nothing.
'use strict';

const { timingSafeEqual } = require('node:crypto');
const { createServer } = require('node:http');

const [port, keyText] = process.argv.slice(2);
const key = Buffer.from(keyText);
const types = new Set([
  'EVENT_911', 'EVENT_REMOVE_911', 'EVENT_DISPATCH_NEW', 'EVENT_DISPATCH_EDIT', 'EVENT_DISPATCH_NOTE',
  'EVENT_DISPATCH_CLOSED', 'EVENT_DISPATCH_UNIT_ATTACH', 'EVENT_DISPATCH_UNIT_DETACH', 'EVENT_UNIT_LOGIN',
  'EVENT_UNIT_LOGOUT', 'EVENT_UNIT_STATUS', 'EVENT_UNIT_PANIC', 'EVENT_UNIT_CALL_CLEAR', 'EVENT_UNIT_GROUP_ADD',
  'EVENT_UNIT_GROUP_REMOVE', 'EVENT_RECORD_ADD', 'EVENT_RECORD_EDIT', 'EVENT_RECORD_REMOVE', 'EVENT_TONE',
]);

function keyMatches(given) {
  const bytes = Buffer.from(typeof given === 'string' ? given : '');
  return bytes.length === key.length && timingSafeEqual(bytes, key);
}

function judge(text) {
  let event;
  try {
    event = JSON.parse(text);
  } catch {
    return [400, 'Invalid JSON'];
  }
  if (event === null || typeof event !== 'object') return [400, 'Invalid JSON'];
  if (!keyMatches(event.key)) return [400, 'Authentication Key Failed!'];
  if (!types.has(event.type)) return [400, 'Invalid Type'];
  return [200, 'ok'];
}

function reply(response, status, text) {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

const server = createServer((request, response) => {
  const pieces = [];
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => reply(response, ...judge(Buffer.concat(pieces).toString('utf8'))));
});

process.on('SIGTERM', () => process.exit(0));
server.listen(Number(port), '127.0.0.1', 1024);
