// rest.js - what of the CAD's REST interface is asked for beside a session: units, calls, servers, version, info.
// Every request is remembered with its time. options.rest: { path: { status, headers, body, delay } | { hang } | { reset } }
// answers instead, a list is a sequence whose last one stays; options.units and options.calls are what the rest tells.
// Nothing is answered to options.held, a path, as long as it is that.
'use strict';

const EMPTY = { ActiveCalls: [], EmergencyCalls: [], ClosedCalls: [], ClosedCallCount: 0 };

function problem(status, title, detail) {
    return { status, headers: { 'Content-Type': 'application/problem+json' },
        body: JSON.stringify({ type: 'about:blank', title, status, detail, instance: '', traceId: '0' }) };
}

function right(hub, url, account) {
    const { pathname, searchParams } = url, [, server, what] = pathname.match(/^\/v2\/emergency\/servers\/(\d+)\/(units|calls)$/) || [];
    if (what && !account.servers.includes(+server)) return problem(404, 'Not Found', 'The server id is not configured.');
    if (what === 'calls') return { ...EMPTY, ...hub.options.calls };
    if (what === 'units') {
        const limit = +(searchParams.get('limit') || 100), offset = +(searchParams.get('offset') || 0);
        return hub.options.units.slice(offset, offset + limit);
    }
    if (pathname === '/v2/general/servers')
        return { servers: account.servers.map((id) => ({ id, name: `Server ${id}`, mapIp: '127.0.0.1', listenerPort: '30120' })) };
    if (pathname === '/v2/general/version') return { version: 3, name: 'PLUS' };
    if (pathname === '/v2/general/info') return { uuid: '00000000-0000-0000-0000-000000000001', comId: account.id, name: 'Test' };
    return problem(404, 'Not Found', 'There is nothing here.');
}

exports.answer = (hub, req, res, next) => {
    const url = new URL(req.url, 'http://hub'), [, key] = (req.headers.authorization || '').match(/^Bearer (.+)$/) || [];
    const [id, found] = Object.entries(hub.options.accounts).find(([, account]) => account.key === key) || [];
    const told = next(hub.options.rest[url.pathname]);
    hub.requests.push({ at: Date.now(), method: req.method, path: url.pathname, query: Object.fromEntries(url.searchParams),
        headers: { ...req.headers, authorization: req.headers.authorization && req.headers.authorization.split(' ')[0] }, known: !!found });
    if (told && told.hang) return;
    if (told && told.reset) return req.socket.resetAndDestroy();
    const mine = told || (req.method !== 'GET' ? problem(405, 'Method Not Allowed', '') :
        !found ? problem(401, 'Unauthorized', 'The API key is not valid.') : right(hub, url, { ...found, id }));
    const full = mine.status || mine.body !== undefined ? mine : { body: JSON.stringify(mine) };
    const say = () => {
        if (hub.options.held === url.pathname) return setTimeout(say, 10);
        res.writeHead(full.status || 200, { 'Content-Type': 'application/json', ...full.headers });
        res.end(full.fill ? Buffer.alloc(full.fill[1], full.fill[0]) : full.body);
    };
    setTimeout(say, full.delay || 0);
};
