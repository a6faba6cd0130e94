// Takes Chromium, its libraries and a font out of their package, into the folder that this is run in.
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';

const PACKED = 'node_modules/@sparticuz/chromium/bin';

for (const name of ['chromium', 'al2023.tar', 'fonts.tar']) {
  await pipeline(createReadStream(`${PACKED}/${name}.br`), createBrotliDecompress(), createWriteStream(name, { mode: 0o755 }));
}
