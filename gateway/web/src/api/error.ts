/** What the API answers from 400 up, and what stands for it where there was no answer. */

interface Detail {
  '@type'?: string;
  reason?: string;
  metadata?: Record<string, string>;
  fieldViolations?: { field?: string; description?: string }[];
  retryDelay?: string;
}

interface ErrorBody {
  error?: { code?: number; status?: string; message?: string; details?: Detail[] };
}

/** A call that did not succeed. `code` is HTTP's, 0 where nothing answered. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly code: number,
    readonly status: string,
    message: string,
    /** For programs: MAILBOX_IN_USE, CAMPAIGN_ENDED. */
    readonly reason: string,
    /** What is wrong with which field, by its JSON path. */
    readonly fields: Readonly<Record<string, string>>,
    /** After how many seconds a repeat may help; undefined: it was not said. */
    readonly retryAfterS: number | undefined,
    /** What the log of the gateway knows the call as. */
    readonly requestId: string,
  ) {
    super(message);
  }

  /** Nothing answered, or nothing behind the gateway did: a repeat may help. */
  get unreachable(): boolean {
    return this.code === 0 || this.code === 502 || this.code === 503 || this.code === 504;
  }
}

export function unreachable(): ApiError {
  return new ApiError(0, 'UNAVAILABLE', 'Maillane does not answer', 'UNREACHABLE', {}, undefined, '');
}

/** The error that an answer's body says, whatever that body is. */
export function toError(code: number, body: unknown, requestId: string): ApiError {
  const said = (body as ErrorBody | null)?.error;
  const details = Array.isArray(said?.details) ? said.details : [];
  const of = (kind: string) => details.find((detail) => detail['@type']?.endsWith(kind));
  const fields: Record<string, string> = {};
  for (const { field, description } of of('BadRequest')?.fieldViolations ?? []) {
    if (field) fields[field] ??= description ?? '';
  }
  const retry = Number.parseFloat(of('RetryInfo')?.retryDelay ?? '');
  return new ApiError(
    code,
    said?.status ?? 'UNKNOWN',
    said?.message ?? `the answer was ${code}`,
    of('ErrorInfo')?.reason ?? '',
    fields,
    Number.isFinite(retry) ? retry : undefined,
    requestId,
  );
}

/** A sentence of ours from a message of the API: with a capital and a full stop. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  if (!trimmed) return '';
  const begun = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
