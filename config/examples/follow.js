#!/usr/bin/env node
// follow.js WHERE PLACE - tells each event of sonoran-pushd as it comes, and misses none: how far it is stands in the
// file PLACE, over restarts of either side. WHERE is http://127.0.0.1:30121 with the token in $TOKEN, or the path of the
// control socket. Node without packages; what a bot does with an event goes into handle().
const fs = require('fs'), http = require('http'), [where, file] = process.argv.slice(2);
const door = where.startsWith('http') ? { hostname: new URL(where).hostname, port: new URL(where).port } : { socketPath: where };
const headers = process.env.TOKEN ? { Authorization: `Bearer ${process.env.TOKEN}` } : {};
let place = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file)) : null; // null: begins with the next event
let log;

function handle(event) {
  console.log(event.id, event.type, event.summary);
}

function take(block) {
  const fields = Object.fromEntries(block.split('\n').map(line => line.split(/: (.*)/)));
  if (fields.event === 'hello') log = JSON.parse(fields.data).log;
  if (fields.event === 'log') handle(JSON.parse(fields.data));
  if (fields.event === 'reset') console.error(`events may be missing: ${JSON.parse(fields.data).why}`);
  if (!fields.id) return;
  fs.writeFileSync(`${file}.new`, JSON.stringify(place = { id: Number(fields.id), log }));
  fs.renameSync(`${file}.new`, file);
}

function follow() {
  const path = '/api/stream' + (place ? `?from=${place.id}&log=${place.log}` : '');
  let text = '';
  http.get({ ...door, path, headers, timeout: 40000 }, answer => {
    if (answer.statusCode !== 200) console.error(`status ${answer.statusCode}`);
    answer.setEncoding('utf8').on('data', part => {
      const blocks = (text + part).split('\n\n');
      text = blocks.pop(); // not whole yet
      blocks.forEach(take);
    }).on('error', () => {});
  }).on('timeout', function () { this.destroy(); }).on('error', () => {}).on('close', () => setTimeout(follow, 2000));
}
follow();
