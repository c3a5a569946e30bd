#!/usr/bin/env node
// group.js URL GROUP NAME KEY... - as group.py: tells each event that nodes of sonoran-pushd publish to streams of Redis, and
// shares them with the others of its GROUP, each of which has a NAME of its own. What one was given and did not acknowledge
// comes again when it is started again. What a bot does with an event goes into handle(). With npm's ioredis.
const Redis = require('ioredis'), [url, group, name, ...keys] = process.argv.slice(2);
const server = new Redis(url, { maxRetriesPerRequest: null, socketTimeout: 20000, retryStrategy: () => 2000 });
server.on('error', problem => console.error('again in 2 s:', problem.message));

function handle(event) {
  console.log(event.log, event.id, event.type, event.summary);
}

// What comes, up to 10 s: place ">" is what nobody has had, "0" what we were given and did not acknowledge.
async function read(place) {
  const places = keys.map(() => place);
  const came = await server.xreadgroup('GROUP', group, name, 'COUNT', 100, 'BLOCK', 10000, 'STREAMS', ...keys, ...places) || [];
  for (const [key, entries] of came)
    for (const [entry, members] of entries) {
      if (members) handle(JSON.parse(members[members.lastIndexOf('record') + 1])); // else the stream has forgotten it
      await server.xack(key, group, entry);
    }
  return came.some(([, entries]) => entries.length);
}

async function makeGroups() {
  for (const key of keys)
    await server.xgroup('CREATE', key, group, '0', 'MKSTREAM').catch(problem => {
      if (!problem.message.includes('BUSYGROUP')) throw problem; // it is there
    });
}

async function run() {
  await makeGroups(); // also after the server has lost them
  while (await read('0'));
  for (;;) await read('>');
}

const again = problem => {
  if (!(problem instanceof Redis.ReplyError)) throw problem;
  console.error('again in 2 s:', problem.message);
  setTimeout(() => run().catch(again), 2000);
};
run().catch(again);
