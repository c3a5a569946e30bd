// control.js - the hub as a program. The first line of stdin has its options, and it tells its port: {"port":N}. Then
// each line is a command in JSON, {"n":1,"do":"push",…}, answered by a line {"n":1,"value":…} or {"n":1,"error":"…"}.
// It ends with its stdin.
'use strict';
const readline = require('readline'), { start, protocol } = require('./hub'), { frame } = require('./frame');
const { NullLogger } = require('@microsoft/signalr');

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');

// Which connections a command is for: number, or community and server; else all open ones.
function chosen(hub, { number, community, server }) {
    if (number) return hub.connections.filter((c) => c.number === number);
    return community ? hub.of(community, server) : hub.connections.filter((c) => c.isOpen);
}

const commands = {
    set: (hub, { options }) => { Object.assign(hub.options, options); },
    push: (hub, command) => hub.push(command),
    text: (hub, command) => chosen(hub, command).map((c) => c.text(command.text)).length,
    // In one write each, or all in one.
    frames: (hub, command) => chosen(hub, command).map((c) => {
        const parts = command.frames.map(frame);
        c.bytes(...(command.glue ? [Buffer.concat(parts)] : parts));
    }).length,
    flood: (hub, command) => chosen(hub, command).map((c) => { c.flood(command.frames); }).length,
    close: (hub, command) => chosen(hub, command).map((c) => c.close(command)).length,
    cut: (hub, command) => chosen(hub, command).map((c) => c.cut(command.how)).length,
    burst: (hub, command) => hub.burst(command),
    blast: (hub, command) => hub.blast(command),
    bursts: (hub) => hub.bursts.map(({ sent, over }) => ({ sent, over })),
    quiet: (hub) => { hub.bursts.forEach((burst) => { burst.over = true; }); return hub.bursts.map((burst) => burst.sent); },
    counts: (hub) => ({ sockets: hub.sockets.size, connections: hub.connections.length, doubles: hub.doubles,
        open: hub.connections.filter((c) => c.isOpen).length, sessions: hub.connections.filter((c) => c.isOpen && c.loggedIn).length }),
    seen: (hub) => ({ connections: hub.connections.map((c) => c.seen()), upgrades: hub.upgrades, requests: hub.requests }),
    // Does Microsoft's own parser take this record? null, or why not.
    judge: (hub, { text }) => {
        try { protocol.parseMessages(text, NullLogger.instance); return null; } catch (e) { return e.message; }
    },
};

let hub;
async function take(line) {
    const command = JSON.parse(line), { n } = command;
    try {
        if (hub) return say({ n, value: (await commands[command.do](hub, command)) ?? null });
        hub = await start(command);
        say({ port: hub.port });
    } catch (e) { say({ n, error: String(e) }); }
}

readline.createInterface({ input: process.stdin }).on('line', take).on('close', () => process.exit(0));
