// SPDX-License-Identifier: Apache-2.0
'use strict';

const http = require('http');
const crypto = require('crypto');

const server = http.createServer((request, response) => {
	response.setHeader('Connection', 'close');
	if (request.url === '/digest') {
		// on a thread of its own, as much of node's work is
		crypto.pbkdf2('secret', 'salt', 1000, 16, 'sha256', (error, key) => response.end(`${key.toString('hex')}\n`));
		return;
	}
	response.end('hello from node\n');
});

process.on('SIGTERM', () => {
	server.close(() => {
		const lines = [];
		for (let line = 1; line <= 2000; line++) lines.push(`line ${line} of 2000`);
		process.stdout.write(`${lines.join('\n')}\nbye\n`, () => process.exit(0));
	});
});

server.listen(Number(process.env.PORT), '127.0.0.1', () => {
	console.log(`${process.env.GREETING} from ${process.getuid()} in ${process.cwd()} as process ${process.pid}`);
	console.error('to the error output');
});
