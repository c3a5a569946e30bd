// node_server.js PORT KEY [FILE] - the listener a bot author would write: parses, checks key and type, answers. A
// yardstick of tests/bench/run; it logs nothing, and stores nothing but where a FILE is named: then it answers when
// SQLite has the event on the disk, with what makes that quick (a write-ahead log, a prepared statement).
'use strict';

const { timingSafeEqual } = require('node:crypto');
const { createServer } = require('node:http');

const [port, keyText, file] = process.argv.slice(2);
const key = Buffer.from(keyText);
const types = new Set([
  'EVENT_911', 'EVENT_REMOVE_911', 'EVENT_DISPATCH_NEW', 'EVENT_DISPATCH_EDIT', 'EVENT_DISPATCH_NOTE',
  'EVENT_DISPATCH_CLOSED', 'EVENT_DISPATCH_UNIT_ATTACH', 'EVENT_DISPATCH_UNIT_DETACH', 'EVENT_UNIT_LOGIN',
  'EVENT_UNIT_LOGOUT', 'EVENT_UNIT_STATUS', 'EVENT_UNIT_PANIC', 'EVENT_UNIT_CALL_CLEAR', 'EVENT_UNIT_GROUP_ADD',
  'EVENT_UNIT_GROUP_REMOVE', 'EVENT_RECORD_ADD', 'EVENT_RECORD_EDIT', 'EVENT_RECORD_REMOVE', 'EVENT_TONE',
]);

// Node's own SQLite, or better-sqlite3 where this node has none.
function open() {
  try {
    return new (require('node:sqlite').DatabaseSync)(file);
  } catch (error) {
    if (error.code !== 'ERR_UNKNOWN_BUILTIN_MODULE') throw error;
    return new (require('better-sqlite3'))(file);
  }
}

function storing() {
  const database = open();
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  database.exec('CREATE TABLE events (id INTEGER PRIMARY KEY, at INTEGER, type TEXT, data TEXT) STRICT');
  const insert = database.prepare('INSERT INTO events (at, type, data) VALUES (?, ?, ?)');
  return (event) => insert.run(Date.now(), event.type, JSON.stringify(event.data));
}

const store = file ? storing() : () => {};

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
  store(event);
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
