// frame.js - one websocket frame as bytes, right or wrong: { op: 1, fin: true, rsv: 0, masked: false, length: announced
// instead of the true one, text | hex | fill: [character, times] }
'use strict';

exports.frame = ({ op = 1, fin = true, rsv = 0, masked = false, length, text = '', hex, fill }) => {
    const body = hex !== undefined ? Buffer.from(hex, 'hex') : fill ? Buffer.alloc(fill[1], fill[0]) : Buffer.from(text);
    const size = length === undefined ? body.length : length, bit = masked ? 0x80 : 0;
    const head = size < 126 ? Buffer.alloc(2) : size < 65536 ? Buffer.alloc(4) : Buffer.alloc(10);
    head[0] = (fin ? 0x80 : 0) | (rsv << 4) | op;
    head[1] = bit | (size < 126 ? size : size < 65536 ? 126 : 127);
    if (head.length === 4) head.writeUInt16BE(size, 2);
    if (head.length === 10) head.writeBigUInt64BE(BigInt(size), 2);
    return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), body]);
};
