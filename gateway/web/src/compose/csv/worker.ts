/** Reads lists beside the page, which stays responsive. */

import { rewrite, scan } from './list';
import { CsvError } from './reader';
import type { Asked, Told } from './inWorker';

addEventListener('message', ({ data }: MessageEvent<Asked>) => {
  const tell = (told: Told) => postMessage(told);
  const onProgress = (share: number) => tell({ kind: 'progress', share });
  const work = data.kind === 'scan' ? scan(data.file, onProgress) : rewrite(data.file, data.scan, data.writing, onProgress);
  work.then(
    (result) => tell({ kind: 'done', result }),
    (error: unknown) => tell({ kind: 'failed', line: error instanceof CsvError ? error.line : 0, message: error instanceof CsvError ? error.message : 'the file cannot be read' }),
  );
});
