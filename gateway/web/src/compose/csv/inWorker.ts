/** Lists are read in a worker of their own, one for each call: it ends with the call. */

import type { Progress, Scan, Writing } from './list';
import { CsvError } from './reader';

export type Asked = { kind: 'scan'; file: Blob } | { kind: 'rewrite'; file: Blob; scan: Scan; writing: Writing };

export type Told = { kind: 'progress'; share: number } | { kind: 'done'; result: Scan | Blob } | { kind: 'failed'; line: number; message: string };

export function scanFile(file: Blob, onProgress: Progress, signal: AbortSignal): Promise<Scan> {
  return run({ kind: 'scan', file }, onProgress, signal) as Promise<Scan>;
}

export function rewriteFile(file: Blob, scan: Scan, writing: Writing, onProgress: Progress, signal: AbortSignal): Promise<Blob> {
  return run({ kind: 'rewrite', file, scan, writing }, onProgress, signal) as Promise<Blob>;
}

function run(asked: Asked, onProgress: Progress, signal: AbortSignal): Promise<Scan | Blob> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  return new Promise<Scan | Blob>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new DOMException('it was given up', 'AbortError')));
    worker.onmessage = ({ data }: MessageEvent<Told>) => {
      if (data.kind === 'progress') onProgress(data.share);
      else if (data.kind === 'done') resolve(data.result);
      else reject(new CsvError(data.line, data.message));
    };
    worker.onerror = () => reject(new CsvError(0, 'the file cannot be read'));
    worker.postMessage(asked);
  }).finally(() => worker.terminate());
}
