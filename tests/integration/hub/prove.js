// prove.js URL COMMUNITY KEY SERVER - Microsoft's own client at a hub: connects (negotiation skipped), logs in as told, prints
// a line in JSON for each thing that happens, until its stdin ends or the hub closes it.
'use strict';
const signalR = require('@microsoft/signalr'), [, , url, community, key, server] = process.argv;
const say = (what, value) => process.stdout.write(JSON.stringify({ what, value }) + '\n');

(async () => {
    const client = new signalR.HubConnectionBuilder().configureLogging(signalR.LogLevel.None)
        .withUrl(url, { transport: signalR.HttpTransportType.WebSockets, skipNegotiation: true }).build();
    client.on('pushEvent', (...all) => say('event', all));
    client.on('ask', (...all) => all.length);
    client.onclose((error) => { say('closed', error ? String(error) : null); process.exit(0); });
    await client.start();
    say('login', await client.invoke('authenticatev2', community, key, JSON.parse(server)).catch(String));
    say('short', await client.invoke('authenticatev2', community, key).catch(String));
    say('unknown', await client.invoke('nosuch').catch(String));
    process.stdin.on('end', () => client.stop()).resume();
})().catch((error) => { say('failed', String(error)); process.exit(1); });
