// hub.js - a stand-in for the CAD's hub. Records are written and read by Microsoft's own classes (@microsoft/signalr),
// frames by npm "ws"; what the CAD's methods are called and answer stands here. start(options) gives a Hub;
// control.js lets another program drive it.
'use strict';
const crypto = require('crypto'), fs = require('fs'), http = require('http'), https = require('https');
const { WebSocketServer } = require('ws');
const { JsonHubProtocol, MessageType, NullLogger } = require('@microsoft/signalr');
const { TextMessageFormat } = require('@microsoft/signalr/dist/cjs/TextMessageFormat');
const rest = require('./rest'), { frame } = require('./frame');

const protocol = new JsonHubProtocol(), random = () => crypto.randomBytes(16).toString('base64url');
const ENOUGH = 1 << 20; // bytes that wait in a connection, before a burst waits for them
const SETTLED_MS = 200; // until an end that came before a login has been seen here, too

// Any of them can be changed at any time. Where an answer stands, a list is a sequence whose last one stays.
const DEFAULTS = {
    host: '127.0.0.1', port: 0, path: '/apiWsHub',
    tls: null, // { key, cert }: files
    accounts: {}, // { communityId: { key, servers: [1] } }
    keepAlive: 15000, clientTimeout: 30000, // ms
    payload: 'text', // or 'object': of pushEvent
    segment: 0, // bytes of a frame, so that larger messages come in several; 0: one frame each
    pingBetween: false, // a websocket ping between those
    pong: true, // false: a websocket ping is never answered
    upgrade: null, // { status: '503 …', headers, body } | { raw } | { hang } | { reset }
    headers: null, // of the 101: { name: value }, null takes one away
    glued: null, // frames in one write with the 101, see frame.js
    handshake: null, // { text } | { hang }
    login: null, // { result } | { error } | { text } ("$ID" in it becomes the invocation's) | { hang } | { end }
    units: [], calls: {}, rest: {}, // see rest.js
    ways: {}, // { path: options }: what holds for connections by this path instead
};

function next(answer) {
    if (!Array.isArray(answer)) return answer;
    return answer.length > 1 ? answer.shift() : answer[0];
}

class Connection {
    constructor(hub, ws, request) {
        this.path = new URL(request.url, 'http://hub').pathname;
        Object.assign(this, { hub, ws, number: hub.connections.length + 1, opened: Date.now(), closed: null, code: null });
        Object.assign(this, { community: null, server: null, loggedIn: null, records: [], pings: 0, pongs: 0, messages: 0 });
        this.headers = request.headers;
        this.buffer = '';
        this.shaken = false;
        this.heard = this.said = Date.now();
        hub.connections.push(this);
        this.timer = setInterval(() => this.live(), Math.max(10, Math.min(1000, this.options.keepAlive / 3)));
        ws.on('error', () => {});
        ws.on('close', (code) => { clearInterval(this.timer); this.closed = Date.now(); this.code = code; });
        ws.on('ping', (data) => { this.pings++; this.heard = Date.now(); if (this.options.pong) ws.pong(data); });
        ws.on('pong', () => this.pongs++);
        ws.on('message', (data) => this.take(data.toString('utf8')));
    }

    live() {
        if (!this.shaken) return;
        if (Date.now() - this.said > this.options.keepAlive) this.send({ type: MessageType.Ping });
        if (Date.now() - this.heard > this.options.clientTimeout) this.close({ allowReconnect: true });
    }

    get options() { return this.hub.way(this.path); }
    get isOpen() { return this.closed === null; }
    is(community, server) { return this.isOpen && this.loggedIn && this.community === community && this.server === server; }

    text(text) {
        const { segment, pingBetween } = this.options, bytes = Buffer.from(text);
        this.said = Date.now();
        if (!segment || bytes.length <= segment) return this.ws.send(text);
        for (let at = 0; at < bytes.length; at += segment) {
            const fin = at + segment >= bytes.length;
            this.ws.send(bytes.subarray(at, at + segment), { fin, binary: false });
            if (pingBetween && !fin) this.ws.ping('between');
        }
    }

    send(message) { this.text(protocol.writeMessage(message)); }

    // Bytes as they are, in one write each.
    bytes(...parts) { parts.forEach((part) => this.ws._socket.write(part)); }

    // The same frames over and over as fast as they are taken, until the connection is over.
    async flood(frames) {
        const pack = Buffer.concat(Array(4096).fill(Buffer.concat(frames.map(frame)))), socket = this.ws._socket;
        const over = new Promise((resolve) => socket.once('close', resolve));
        while (this.isOpen && !socket.destroyed)
            if (!socket.write(pack)) await Promise.race([over, new Promise((resolve) => socket.once('drain', resolve))]);
    }

    close({ error, allowReconnect, record = true, code = 1000 }) {
        if (record) this.send({ type: MessageType.Close, ...(error && { error }), ...(allowReconnect && { allowReconnect }) });
        if (code) this.ws.close(code === true ? undefined : code);
    }

    cut(how) { how === 'reset' ? this.ws._socket.resetAndDestroy() : this.ws._socket.end(); }

    take(text) {
        this.heard = Date.now();
        this.messages++;
        this.buffer += text;
        for (let end; (end = this.buffer.indexOf(TextMessageFormat.RecordSeparator)) >= 0;) {
            const record = this.buffer.slice(0, end + 1);
            this.buffer = this.buffer.slice(end + 1);
            if (!this.shaken) this.shake(record);
            else protocol.parseMessages(record, NullLogger.instance).forEach((message) => this.answer(message));
        }
    }

    shake(record) {
        const told = next(this.options.handshake), wanted = JSON.parse(TextMessageFormat.parse(record)[0]);
        this.records.push(wanted);
        if (told && told.hang) return;
        if (told && told.text) { this.shaken = true; return this.text(told.text); }
        const error = wanted.protocol !== 'json' ? `The protocol '${wanted.protocol}' is not supported.` :
            wanted.version > protocol.version ? `The server does not support version ${wanted.version} of the 'json' protocol.` : null;
        this.text(TextMessageFormat.write(JSON.stringify(error ? { error } : {})));
        if (error) return this.ws.close(1000);
        this.shaken = true;
    }

    // As ASP.NET does: methods found without case, the number of arguments exact.
    answer(message) {
        this.records.push({ ...message, at: Date.now() });
        if (message.type === MessageType.Close) return this.ws.close(1000);
        if (message.type !== MessageType.Invocation) return;
        const { invocationId, target } = message;
        const complete = (rest) => invocationId && this.send({ type: MessageType.Completion, invocationId, ...rest });
        if (target.toLowerCase() !== 'authenticatev2') return complete({ error: `Unknown hub method '${target}'` });
        if (message.arguments.length !== 3) return complete({ error: `Failed to invoke '${target}' due to an error on the server.` });
        const told = next(this.options.login);
        if (!told) return complete({ result: this.login(...message.arguments) });
        if (told.text) return this.text(told.text.replaceAll('$ID', invocationId));
        if (told.end) return this.close(told.end);
        if (!told.hang) complete(told);
    }

    login(community, key, server) {
        const account = this.options.accounts[community];
        const refused = (error) => ({ success: false, error, count: 0 });
        if (!account) return refused('INVALID COMMUNITY ID');
        if (account.key !== key) return refused('INVALID API KEY');
        if (!Number.isInteger(server) || !account.servers.includes(server)) return refused('INVALID SERVER ID');
        const others = this.hub.connections.filter((other) => other.is(community, server));
        setTimeout(() => { this.hub.doubles += others.filter((other) => other.isOpen).length; }, SETTLED_MS);
        Object.assign(this, { community, server, loggedIn: Date.now() });
        return { success: true, error: null, count: 0 };
    }

    seen() {
        const { number, path, opened, closed, code, community, server, loggedIn, records, pings, pongs, messages, headers } = this;
        return { number, path, opened, closed, code, community, server, loggedIn, records, pings, pongs, messages, headers };
    }
}

class Hub {
    constructor(options) {
        this.options = { ...DEFAULTS, ...options };
        Object.assign(this, { connections: [], upgrades: [], requests: [], sockets: new Set(), doubles: 0, bursts: [] });
        const files = this.options.tls, tls = files && { key: fs.readFileSync(files.key), cert: fs.readFileSync(files.cert) };
        this.server = (tls ? https : http).createServer(tls || {}, (req, res) => rest.answer(this, req, res, next));
        this.server.on('connection', (socket) => {
            this.sockets.add(socket);
            socket.setNoDelay(true);
            socket.on('close', () => this.sockets.delete(socket));
            socket.on('error', () => {});
        });
        this.wss = new WebSocketServer({ noServer: true, autoPong: false, perMessageDeflate: false });
        this.wss.on('headers', (lines, req) => this.change(lines, this.way(new URL(req.url, 'http://hub').pathname)));
        this.server.on('upgrade', (...all) => this.upgrade(...all));
    }

    listen() {
        return new Promise((resolve, reject) => {
            this.server.on('error', reject);
            this.server.listen(this.options.port, this.options.host, () => resolve(this.server.address().port));
        });
    }

    way(path) { return { ...this.options, ...this.options.ways[path] }; }

    change(lines, { headers }) {
        for (const [name, value] of Object.entries(headers || {})) {
            const at = lines.findIndex((line) => line.toLowerCase().startsWith(name.toLowerCase() + ':'));
            lines.splice(at < 0 ? lines.length : at, at < 0 ? 0 : 1, ...(value === null ? [] : [`${name}: ${value}`]));
        }
    }

    upgrade(req, socket, head) {
        const { pathname } = new URL(req.url, 'http://hub'), options = this.way(pathname), told = next(options.upgrade);
        this.upgrades.push({ at: Date.now(), url: req.url, headers: req.headers });
        socket.on('error', () => {});
        const refuse = ({ status, headers = {}, body = '' }) => {
            const lines = Object.entries({ 'Content-Length': Buffer.byteLength(body), Connection: 'close', ...headers });
            socket.end(`HTTP/1.1 ${status}\r\n${lines.map(([n, v]) => `${n}: ${v}\r\n`).join('')}\r\n${body}`);
        };
        if (told && told.hang) return;
        if (told && told.reset) return socket.resetAndDestroy();
        if (told && told.raw !== undefined) return socket.end(told.raw);
        if (told && told.status) return refuse(told);
        if (pathname !== this.options.path && !this.options.ways[pathname]) return refuse({ status: '404 Not Found' });
        socket.cork();
        this.wss.handleUpgrade(req, socket, head, (ws) => {
            const connection = new Connection(this, ws, req);
            if (options.glued) connection.bytes(...options.glued.map(frame));
        });
        socket.uncork();
    }

    of(community, server) { return this.connections.filter((connection) => connection.is(community, server)); }

    // event: an object, or the text itself. Gives how many sessions got it.
    push({ community, server, event, payload = this.options.payload, target = 'pushEvent', invocationId }) {
        const text = typeof event === 'string' ? event : JSON.stringify(event);
        const argument = payload === 'text' ? JSON.stringify(text) : text; // an object's own bytes, not read and written again
        const id = invocationId ? `"invocationId":${JSON.stringify(invocationId)},` : '';
        const record = TextMessageFormat.write(`{"type":1,${id}"target":${JSON.stringify(target)},"arguments":[${argument}]}`);
        return this.of(community, server).map((connection) => connection.text(record)).length;
    }

    // Events numbered from first on, perSecond of them, as long as there is a session; without one none is sent and
    // none counted. count: 0 for no end. Each is tail of template with its number in place of "$N".
    burst({ community, server, first, count = 0, perSecond = 0, template }) {
        const burst = { sent: 0, over: false }, began = Date.now(), [before, after] = JSON.stringify(template).split('$N');
        let missed = 0; // what could not go out in its time
        const step = () => {
            if (burst.over) return; // it was told to be quiet since
            const due = perSecond ? Math.floor((Date.now() - began) * perSecond / 1000) - missed - burst.sent : 1000;
            const [connection] = this.of(community, server);
            let left = Math.min(due, count ? count - burst.sent : due);
            if (!connection || connection.ws.bufferedAmount > ENOUGH) { missed += perSecond ? due : 0; left = 0; }
            for (; left > 0; left--) {
                connection.text(`{"type":1,"target":"pushEvent","arguments":[${before}${first + burst.sent}${after}]}\x1e`);
                burst.sent++;
            }
            if (count && burst.sent >= count) burst.over = true;
            if (!burst.over) setTimeout(step, 2);
        };
        this.bursts.push(burst);
        step();
        return this.bursts.length - 1;
    }

    // The same event over and over as fast as it is taken, written once: what it costs is the client's.
    async blast({ community, server, event, count }) {
        const [connection] = this.of(community, server), pack = 256;
        const record = TextMessageFormat.write(`{"type":1,"target":"pushEvent","arguments":[${JSON.stringify(event)}]}`);
        const one = frame({ text: record }), many = Buffer.concat(Array(pack).fill(one)), socket = connection.ws._socket;
        for (let left = count; left > 0; left -= pack)
            if (!socket.write(left >= pack ? many : many.subarray(0, left * one.length)))
                await new Promise((resolve) => socket.once('drain', resolve));
        connection.said = Date.now();
        return count;
    }
}

exports.protocol = protocol;
exports.start = async (options) => {
    const hub = new Hub(options);
    hub.port = await hub.listen();
    return hub;
};
