/** Sends a list to a campaign. XMLHttpRequest, for fetch tells no progress of what it sends. */

import { CSRF } from '../api/client';
import { toError, unreachable } from '../api/error';
import type { Progress } from './csv/list';
import type { Result } from './sources';

/** What the campaign took of a CSV file, which is read from where it lies as it is sent.
 * @throws {ApiError} the API refused it, or did not answer; what was taken before stays
 * @throws {DOMException} AbortError
 */
export function upload(campaignId: string, file: Blob, onProgress: Progress, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open('POST', `/v1/campaigns/${encodeURIComponent(campaignId)}/recipients:import`);
    for (const [name, value] of Object.entries(CSRF)) call.setRequestHeader(name, value);
    call.setRequestHeader('content-type', 'text/csv');
    call.responseType = 'json';
    call.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 1);
    call.onload = () => {
      if (call.status === 200) resolve(call.response as Result);
      else reject(toError(call.status, call.response, call.getResponseHeader('x-request-id') ?? ''));
    };
    call.onerror = call.ontimeout = () => reject(unreachable());
    call.onabort = () => reject(new DOMException('it was given up', 'AbortError'));
    signal.addEventListener('abort', () => call.abort());
    call.send(file);
  });
}
